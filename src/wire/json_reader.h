#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "model/ids.h"
#include "wire/bytes.h"
#include "wire/json_tree.h"
#include "wire/json_writer.h"

/// JSON values to records.
namespace suan::wire {

/// What a person got wrong in a text, and what would be right.
struct Mistake {
  std::string pointer;     // A JSON pointer to it (RFC 6901); "" is the whole text.
  std::string text;        // One sentence: what was wrong and, where known, the right form.
  std::string suggestion;  // The nearest right value, or "".

  friend bool operator==(const Mistake&, const Mistake&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "pointer", self.pointer);
    visit(2, "text", self.text);
    visit(3, "suggestion", self.suggestion);
  }
};

/// Another name of a field, which a record may list: `static constexpr std::array aliases{…}`.
struct Alias {
  std::string_view alias;
  std::string_view name;
};

template <class T>
concept HasAliases = requires { T::aliases.size(); };

/// The names of a record's fields, in order.
template <Record T>
std::span<const std::string_view> field_names() {
  static const std::vector<std::string_view> names = [] {
    std::vector<std::string_view> found;
    const T value{};
    T::fields([&](std::uint32_t, std::string_view name, auto&&...) { found.push_back(name); },
              value);
    return found;
  }();
  return names;
}

/// A decimal JSON number times 10^decimals as an integer, or nullopt where that is not whole or
/// does not fit: exact, also for "1e3".
std::optional<std::int64_t> parse_scaled(std::string_view number, int decimals);

/// Gives JSON values their types and collects every mistake, up to a bound. A value with a mistake
/// keeps what it was before.
class JsonReader {
 public:
  explicit JsonReader(std::size_t mistakes_max = 1) : mistakes_max_(mistakes_max) {}

  const std::vector<Mistake>& mistakes() const { return mistakes_; }
  std::vector<Mistake> take_mistakes() { return std::move(mistakes_); }

  /// Of fields given by another name: the pointer by the field's own name and as it was written.
  const std::vector<std::pair<std::string, std::string>>& written() const { return written_; }

  /// Notes a mistake at the value being read.
  void mistake(std::string text, std::string suggestion = {});
  /// Notes that something else than `value` was expected: "a whole number from 1 to 9".
  void expected(std::string_view what, JsonValue value, std::string suggestion = {});

  /// While it lives, mistakes are noted under this member.
  class Inside {
   public:
    Inside(JsonReader& reader, std::string_view name)
        : reader_(reader), before_(reader.place_.size()) {
      append_pointer(reader_.place_, name);
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() { reader_.place_.resize(before_); }

   private:
    JsonReader& reader_;
    std::size_t before_;
  };

  template <class T>
  void read(JsonValue json, T& value) {
    if constexpr (HasJsonForm<T>)
      value.read_json(*this, json);
    else if constexpr (std::same_as<T, bool>)
      boolean(json, value);
    else if constexpr (std::integral<T>)
      number(json, value);
    else if constexpr (std::is_enum_v<T>)
      enumerator(json, value);
    else if constexpr (is_id<T>)
      id(json, id_prefix<T>, value.value);
    else if constexpr (is_optional<T>)
      optional(json, value);
    else if constexpr (is_shared<T>)
      shared(json, value);
    else if constexpr (is_list<T>)
      list(json, value);
    else if constexpr (is_map<T>)
      map(json, value);
    else if constexpr (Record<T>)
      record(json, value);
    else
      scalar(json, value);
  }

 private:
  void boolean(JsonValue json, bool& value);
  void scalar(JsonValue json, double& value);
  void scalar(JsonValue json, std::string& value);
  void scalar(JsonValue json, Money& value);
  void scalar(JsonValue json, Span& value);
  void scalar(JsonValue json, Moment& value);
  void scalar(JsonValue json, Digest& value);
  void scalar(JsonValue json, RequestId& value);
  void id(JsonValue json, std::string_view prefix, std::uint64_t& value);
  bool integer(JsonValue json, std::int64_t least, std::int64_t most, std::int64_t& value);
  bool natural(JsonValue json, std::uint64_t most, std::uint64_t& value);
  // The index of a name, or its size after noting a mistake.
  std::size_t choice(JsonValue json, std::span<const std::string_view> names);
  bool is_container(JsonValue json, JsonKind kind);
  std::optional<JsonValue> member(JsonValue json, std::string_view name,
                                  std::span<const Alias> aliases, JsonValue::Iterator& from);
  void unknown_members(JsonValue json, std::span<const std::string_view> names,
                       std::span<const Alias> aliases);

  template <class T>
  void number(JsonValue json, T& value) {
    using Limits = std::numeric_limits<T>;
    if constexpr (std::is_signed_v<T>) {
      std::int64_t wide = 0;
      if (integer(json, Limits::min(), Limits::max(), wide)) value = static_cast<T>(wide);
    } else {
      std::uint64_t wide = 0;
      if (natural(json, Limits::max(), wide)) value = static_cast<T>(wide);
    }
  }

  template <class T>
  void enumerator(JsonValue json, T& value) {
    static const auto names = [] {  // Without the numbers that have no name behind the last.
      std::span<const std::string_view> all(enumerator_names<T>);
      while (!all.empty() && all.back().empty()) all = all.first(all.size() - 1);
      return all;
    }();
    const std::size_t index = choice(json, names);
    if (index < names.size()) value = static_cast<T>(index);
  }

  template <class T>
  void optional(JsonValue json, T& value) {
    value.reset();
    if (json.is(JsonKind::null)) return;
    typename T::value_type inner{};
    const std::size_t before = count_;
    read(json, inner);
    // A record with a mistake somewhere in it still says the rest.
    if (Record<typename T::value_type> || count_ == before) value = std::move(inner);
  }

  template <class T>
  void shared(JsonValue json, T& value) {
    value.reset();
    if (json.is(JsonKind::null)) return;
    auto inner = std::make_shared<std::remove_const_t<typename T::element_type>>();
    read(json, *inner);
    value = std::move(inner);
  }

  template <class T>
  void list(JsonValue json, T& value) {
    if (!is_container(json, JsonKind::array)) return;
    value.clear();
    value.reserve(json.size());
    for (const JsonValue each : json) {
      const Inside inside(*this, std::to_string(value.size()));
      read(each, value.emplace_back());
    }
  }

  template <class T>
  void map(JsonValue json, T& value) {
    static_assert(std::same_as<typename T::key_type, std::string>, "JSON names are strings");
    if (!is_container(json, JsonKind::object)) return;
    value.clear();
    for (const JsonValue each : json) {
      const Inside inside(*this, each.name());
      read(each, value[std::string(each.name())]);
    }
  }

  template <class T>
  void record(JsonValue json, T& value) {
    if (!is_container(json, JsonKind::object)) return;
    std::span<const Alias> aliases;
    if constexpr (HasAliases<T>) aliases = T::aliases;
    std::size_t known = 0;
    JsonValue::Iterator from = json.begin();
    T::fields(
        [&](std::uint32_t, std::string_view name, auto& field, auto&&...) {
          const auto found = member(json, name, aliases, from);
          if (!found) return;
          ++known;
          if (OmitsAbsent<T> && found->is(JsonKind::null)) return;
          const Inside inside(*this, found->name());
          read(*found, field);
        },
        value);
    if (known < json.size()) unknown_members(json, field_names<T>(), aliases);
  }

  std::string place_;
  std::vector<Mistake> mistakes_;
  std::vector<std::pair<std::string, std::string>> written_;
  std::size_t count_ = 0;  // Of mistakes, those beyond the bound too.
  std::size_t mistakes_max_;
};

}  // namespace suan::wire
