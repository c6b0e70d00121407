#pragma once

#include <string_view>

/// The text of data/cities.csv and data/circles.csv; made by CMake from the files.
namespace suan::network {

extern const std::string_view cities_csv;
extern const std::string_view circles_csv;

}  // namespace suan::network
