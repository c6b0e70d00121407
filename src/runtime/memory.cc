#include "runtime/memory.h"

#include <cstdlib>
#include <string>

#include <limits.h>
#include <unistd.h>

namespace suan::runtime {

namespace {

constexpr const char* variable = "GLIBC_TUNABLES";
constexpr const char* tunables = "glibc.malloc.tcache_count=4000";

// By its name: what is started through /proc/self/exe is called "exe" in every list of processes.
std::string own_path() {
  std::string path(PATH_MAX, '\0');
  const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size());
  path.resize(length > 0 ? static_cast<std::size_t>(length) : 0);
  return path;
}

}  // namespace

void restart_with_large_caches(char** arguments) {
  if (const char* set = std::getenv(variable)) {  // By the process before, or by a user who knows.
    if (std::string(set) == tunables) ::unsetenv(variable);
    return;
  }
  ::setenv(variable, tunables, 1);
  ::execv(own_path().c_str(), arguments);
  ::unsetenv(variable);
}

}  // namespace suan::runtime
