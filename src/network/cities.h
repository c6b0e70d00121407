#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/spec.h"

/// Cities by name: those of data/cities.csv.
namespace suan::network {

struct City {
  std::string_view chinese;  // "上海".
  std::string_view name;     // "shanghai".
  std::string_view region;   // ISO 3166-2, lower case.
  std::int32_t latitude_micro = 0;
  std::int32_t longitude_micro = 0;
};

std::span<const City> cities();

/// The city of a Chinese name, with or without 市, or of a Latin one, whatever its case, spaces,
/// dashes and apostrophes; nullptr if it is not known.
const City* find_city(std::string_view name);

/// A place given as "latitude,longitude" in degrees with at most six decimals.
std::optional<Near> parse_coordinates(std::string_view text);

}  // namespace suan::network
