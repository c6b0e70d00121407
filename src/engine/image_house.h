#pragma once

#include <cstdint>
#include <string>

namespace suan::engine {

/// How an engine runs images.
struct ImageHouse {
  std::string directory;  // Images are files and directories below it; "" = there are none.
  std::string runtime;    // Path of an OCI runtime.
  std::int64_t cache_bytes_max = 0;  // Of unpacked images that are not in use; in use may be more.

  static void fields(auto&& visit, auto& self) {
    visit(1, "directory", self.directory);
    visit(2, "runtime", self.runtime);
    visit(3, "cache_bytes_max", self.cache_bytes_max);
  }
};

}  // namespace suan::engine
