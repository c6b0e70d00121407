#include "base/ensure.h"

#include <cstdio>
#include <cstdlib>

namespace suan {

void fail_at(std::source_location where) {
  std::fprintf(stderr, "suan: bug: a statement does not hold at %s:%u in %s\n", where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name());
  std::abort();
}

}  // namespace suan
