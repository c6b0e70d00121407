#include <gtest/gtest.h>

#include "engine/supervisor.h"

/// The test program is its own supervisors' program, and the server that tests kill.
int main(int argc, char** argv) {
  const std::string verb = argc > 2 ? argv[1] : "";
  if (verb == "supervise") return suan::engine::supervise(argv[2]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
