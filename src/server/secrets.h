#pragma once

#include <string>

#include "base/result.h"

namespace suan::server {

/// `bytes` random bytes from the operating system.
std::string random_bytes(std::size_t bytes);

/// The content of a file that only its owner may read; made with `fresh` (mode 0600, synced) where
/// there is none. `invalid` when others may read it.
Result<std::string> read_or_make_secret(const std::string& path, const std::string& fresh);

}  // namespace suan::server
