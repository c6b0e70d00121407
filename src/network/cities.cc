#include "network/cities.h"

#include <algorithm>
#include <vector>

#include "base/ensure.h"
#include "network/rows.h"
#include "network/tables.h"

namespace suan::network {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

// Degrees as a decimal number, in millionths, within ±`most` degrees.
std::optional<std::int32_t> parse_degrees(std::string_view text, std::int64_t most) {
  constexpr std::size_t decimals_max = 6;
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string_view whole = text.substr(0, point);
  const std::string_view decimals = point < text.size() ? text.substr(point + 1) : "0";
  const auto is_number = [](std::string_view digits, std::size_t size_max) {
    return !digits.empty() && digits.size() <= size_max && std::ranges::all_of(digits, is_digit);
  };
  if (!is_number(whole, 3) || !is_number(decimals, decimals_max)) return std::nullopt;
  std::int64_t micro = 0;
  for (const char c : whole) micro = micro * 10 + (c - '0');
  for (std::size_t i = 0; i < decimals_max; ++i)
    micro = micro * 10 + (i < decimals.size() ? decimals[i] - '0' : 0);
  if (micro > most * 1'000'000) return std::nullopt;
  return static_cast<std::int32_t>(is_negative ? -micro : micro);
}

std::vector<City> read_cities() {
  std::vector<City> all;
  for (const auto& row : rows_of<6>(cities_csv)) {
    const auto longitude = parse_degrees(row[2], 180);
    const auto latitude = parse_degrees(row[3], 90);
    ensure(longitude && latitude);
    all.push_back({.chinese = row[0],
                   .name = row[1],
                   .region = row[4],
                   .latitude_micro = *latitude,
                   .longitude_micro = *longitude});
  }
  return all;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "Xi'an" -> "xian"
std::string plain(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == ' ' || c == '-' || c == '_' || c == '\'') continue;
    out += c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
  }
  return out;
}

}  // namespace

std::span<const City> cities() {
  static const std::vector<City> all = read_cities();
  return all;
}

const City* find_city(std::string_view name) {
  constexpr std::string_view suffix = "市";
  std::string wanted = plain(name);
  if (wanted.size() > suffix.size() && wanted.ends_with(suffix))
    wanted.resize(wanted.size() - suffix.size());
  const auto found = std::ranges::find_if(
      cities(), [&](const City& city) { return city.chinese == wanted || city.name == wanted; });
  return found == cities().end() ? nullptr : &*found;
}

std::optional<Near> parse_coordinates(std::string_view text) {
  const std::size_t comma = text.find(',');
  if (comma == std::string_view::npos) return std::nullopt;
  const auto latitude = parse_degrees(trimmed(text.substr(0, comma)), 90);
  const auto longitude = parse_degrees(trimmed(text.substr(comma + 1)), 180);
  if (!latitude || !longitude) return std::nullopt;
  return Near{std::string(text), *latitude, *longitude};
}

}  // namespace suan::network
