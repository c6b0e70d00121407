#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

/// The names of enumerators: they are the wire names, so there is no table to keep.
namespace suan::wire {

inline constexpr std::size_t enumerators_max = 96;

template <auto value>
consteval std::string_view name_of_constant() {
  std::string_view text = __PRETTY_FUNCTION__;  // "… [with auto value = suan::Priority::low; …"
  const std::size_t start = text.find("value = ") + 8;
  text = text.substr(start, text.find_first_of(";]", start) - start);
  if (text.front() == '(') return {};  // A number without a name.
  text = text.substr(text.rfind(':') + 1);
  if (text.back() == '_') text.remove_suffix(1);  // `operator_`: the word is taken by C++.
  return text;
}

template <class Enum>
inline constexpr auto enumerator_names = []<std::size_t... i>(std::index_sequence<i...>) {
  return std::array<std::string_view, enumerators_max>{name_of_constant<static_cast<Enum>(i)>()...};
}(std::make_index_sequence<enumerators_max>());

/// The name of an enumerator, or "" of a number that has none. Enumerators are 0 to 63.
template <class Enum>
constexpr std::string_view enum_name(Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < enumerators_max ? enumerator_names<Enum>[index] : std::string_view{};
}

template <class Enum>
constexpr std::optional<Enum> parse_enum(std::string_view name) {
  if (name.empty()) return std::nullopt;
  for (std::size_t i = 0; i < enumerators_max; ++i) {
    if (enumerator_names<Enum>[i] == name) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

}  // namespace suan::wire
