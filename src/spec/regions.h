#pragma once

#include <string>
#include <string_view>

namespace suan::spec {

/// Whether this is a region of ISO 3166-2, or a country of ISO 3166-1, in lower case: "cn-sh",
/// "cn". Whether it exists is not asked.
bool is_region(std::string_view text);

/// The region that this text probably means ("CN-SH", "cn_sh", "Shanghai"), or "".
std::string suggest_region(std::string_view text);

}  // namespace suan::spec
