#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

/// JSON text for people to read, whatever it says.
namespace suan::wire {

/// The same value with a line for each member, indented by two. `invalid` if it is not JSON.
Result<std::string> print_pretty(std::string_view json);

/// The same value as YAML 1.2 that reads back as this JSON: texts that look like something else are
/// quoted, texts of several lines are blocks. `invalid` if it is not JSON.
Result<std::string> print_yaml(std::string_view json);

}  // namespace suan::wire
