#pragma once

#include <vector>

#include "model/spec.h"

namespace suan::bench {

/// What people ask: broad, narrow, impossible and full of conditions.
struct Query {
  const char* name = "";
  JobSpec spec;
};

std::vector<Query> queries();

}  // namespace suan::bench
