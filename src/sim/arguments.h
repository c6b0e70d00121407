#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace suan::sim {

/// Calls take(name, value) for each "--name value", "--name=value" and "-n value" in order, with an
/// empty value for each name that is a switch, until one fails.
template <class Take>
Result<void> each_argument(std::span<const char* const> arguments,
                           std::span<const std::string_view> switches, Take take) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    std::string_view name = arguments[i];
    std::string_view value;
    if (std::ranges::find(switches, name) == switches.end()) {
      if (const auto sign = name.find('='); name.starts_with("--") && sign != name.npos) {
        value = name.substr(sign + 1);
        name = name.substr(0, sign);
      } else if (i + 1 < arguments.size()) {
        value = arguments[++i];
      } else {
        return failure(Failure::Kind::invalid, std::string(name) + " needs a value");
      }
    }
    SUAN_CHECK(take(name, value));
  }
  return {};
}

}  // namespace suan::sim
