#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>

namespace suan {

/// Why the world said no. The caller acts on `kind`; people read `text`.
struct Failure {
  enum class Kind : std::uint8_t {
    invalid,      // The bytes or the value are not what they must be; trying again cannot help.
    not_found,    // The thing named is not there.
    conflict,     // Somebody else changed it first.
    unavailable,  // Nobody answered, or not in time; trying again may help.
    no_space,     // The disk or a named limit is full.
    io,           // The operating system refused; `text` has its words.
    unsupported,  // This machine, version or peer cannot do it.
  };

  Kind kind = Kind::invalid;
  std::string text;   // One sentence: what was wrong and, where known, the right form.
  std::string place;  // Where in the input: a JSON pointer, "file:line", a path; may be empty.
};

template <class T>
using Result = std::expected<T, Failure>;

inline std::unexpected<Failure> failure(Failure::Kind kind, std::string text,
                                        std::string place = {}) {
  return std::unexpected(Failure{kind, std::move(text), std::move(place)});
}

}  // namespace suan

/// Evaluates an expression of type Result; on failure returns it from the calling function, else
/// assigns the value: `SUAN_TRY(const auto spec, parse_spec(text));`.
#define SUAN_TRY_CONCAT_(a, b) a##b
#define SUAN_TRY_NAME_(a, b) SUAN_TRY_CONCAT_(a, b)
#define SUAN_TRY_(declaration, expression, name)              \
  auto name = (expression);                                   \
  if (!name) return std::unexpected(std::move(name).error()); \
  declaration = *std::move(name)
#define SUAN_TRY(declaration, ...) \
  SUAN_TRY_(declaration, (__VA_ARGS__), SUAN_TRY_NAME_(suan_try_, __LINE__))

/// The same for a Result<void>.
#define SUAN_CHECK(...)                                                       \
  do {                                                                        \
    auto suan_check_ = (__VA_ARGS__);                                         \
    if (!suan_check_) return std::unexpected(std::move(suan_check_).error()); \
  } while (false)
