#pragma once

#include <string_view>

/// The text of data/*.csv; made by CMake from the files.
namespace suan::catalogue {

extern const std::string_view accelerators_csv;
extern const std::string_view hubs_csv;

}  // namespace suan::catalogue
