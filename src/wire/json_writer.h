#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/text.h"
#include "model/ids.h"
#include "wire/bytes.h"

/// Values to JSON text, straight into a string.
namespace suan::wire {

class JsonWriter;

/// A type with a JSON form of its own: `void write_json(JsonWriter&) const`. Its other side is
/// `void read_json(JsonReader&, JsonValue)` and `static std::string json_schema()`.
template <class T>
concept HasJsonForm = requires(const T& value, JsonWriter& writer) { value.write_json(writer); };

/// A record that leaves out what was not given: `static constexpr bool omits_absent = true`. When
/// it is read, null is the same as nothing for every field.
template <class T>
concept OmitsAbsent = T::omits_absent;

/// Whether there is nothing in an optional, a list, a map or a text.
template <class T>
bool is_absent(const T& value) {
  if constexpr (is_optional<T>)
    return !value.has_value();
  else if constexpr (is_list<T> || is_map<T> || std::same_as<T, std::string>)
    return value.empty();
  else
    return false;
}

/// Appends JSON to a string. The text is always valid UTF-8: bytes of a string that are not become
/// U+FFFD.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void null() { out_ += "null"; }
  void boolean(bool value) { out_ += value ? "true" : "false"; }
  void integer(std::int64_t value);
  void natural(std::uint64_t value);
  /// The shortest digits that read back as the same number; null for what JSON cannot say.
  void real(double value);
  void string(std::string_view text);
  /// JSON as it is.
  void raw(std::string_view json) { out_ += json; }

  void scalar(Money value);
  void scalar(Span value);
  void scalar(Moment value);
  void scalar(const Digest& value);
  void scalar(const RequestId& value);
  void id(std::string_view prefix, std::uint64_t value);

  template <class T>
  void value(const T& value) {
    if constexpr (HasJsonForm<T>)
      value.write_json(*this);
    else if constexpr (std::same_as<T, bool>)
      boolean(value);
    else if constexpr (std::signed_integral<T>)
      integer(value);
    else if constexpr (std::unsigned_integral<T>)
      natural(value);
    else if constexpr (std::floating_point<T>)
      real(value);
    else if constexpr (std::is_enum_v<T>)
      string(enum_name(value));
    else if constexpr (is_id<T>)
      id(id_prefix<T>, value.value);
    else if constexpr (std::same_as<T, std::string>)
      string(value);
    else if constexpr (is_optional<T> || is_shared<T>)
      value ? this->value(*value) : null();
    else if constexpr (is_list<T>)
      list(value);
    else if constexpr (is_map<T>)
      map(value);
    else if constexpr (Record<T>)
      record(value);
    else
      scalar(value);
  }

  template <class T>
  void record(const T& value) {
    out_ += '{';
    bool is_first = true;
    T::fields(
        [&](std::uint32_t, std::string_view name, const auto& field, auto&&...) {
          // A secret is shown once; everywhere else there is not even a place for it.
          if ((OmitsAbsent<T> || name == "secret") && is_absent(field)) return;
          out_ += is_first ? "\"" : ",\"";
          is_first = false;
          out_ += name;
          out_ += "\":";
          this->value(field);
        },
        value);
    out_ += '}';
  }

 private:
  template <class T>
  void list(const T& list) {
    out_ += '[';
    bool is_first = true;
    for (const auto& each : list) {
      if (!is_first) out_ += ',';
      is_first = false;
      value(each);
    }
    out_ += ']';
  }

  template <class T>
  void map(const T& map) {
    static_assert(std::same_as<typename T::key_type, std::string>, "JSON names are strings");
    out_ += '{';
    bool is_first = true;
    for (const auto& [name, each] : map) {
      if (!is_first) out_ += ',';
      is_first = false;
      string(name);
      out_ += ':';
      value(each);
    }
    out_ += '}';
  }

  std::string& out_;
};

}  // namespace suan::wire
