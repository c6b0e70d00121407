#pragma once

#include <cstdint>
#include <cstdlib>

#include <gtest/gtest.h>

#include "base/random.h"

namespace suan {

/// Runs `property(Random&)` for `count` seeds, or for the one in $SUAN_SEED, and stops at the first
/// that fails, naming it. Test code only.
template <class Property>
void for_each_seed(Property property, std::uint64_t count = 500) {
  const char* fixed = std::getenv("SUAN_SEED");
  const std::uint64_t first = fixed ? std::strtoull(fixed, nullptr, 10) : 1;
  const std::uint64_t last = fixed ? first : count;
  for (std::uint64_t seed = first; seed <= last; ++seed) {
    SCOPED_TRACE(testing::Message() << "replay with SUAN_SEED=" << seed);
    Random random(seed);
    property(random);
    if (testing::Test::HasFatalFailure()) return;
  }
}

}  // namespace suan
