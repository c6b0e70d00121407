#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace suan::server {

/// Which domains this one wants to be a member of.
struct JoinOptions {
  std::vector<std::string> urls;  // Of parents: "https://hubei.example.cn".
  std::string token;              // For all of them that do not know this domain yet; "" = none.
  std::string ca_file;            // PEM; "" = the system's.
};

/// The URL of a parent without a slash at its end. `invalid` if it is not one, has a path, or would
/// send everything unencrypted to another machine.
Result<std::string> parse_join_url(std::string_view text);

/// Options from what was typed and the environment; one sentence for people in a failure.
Result<JoinOptions> make_join_options(const std::vector<std::string_view>& urls,
                                      std::string_view token, std::string_view ca_file);

}  // namespace suan::server
