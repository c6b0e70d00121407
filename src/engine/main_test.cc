#include <string_view>

#include <gtest/gtest.h>
#include <unistd.h>

#include "engine/companion.h"
#include "engine/local_engine.h"
#include "engine/supervisor.h"
#include "testing/progress_recorder.h"

namespace {

/// A server for tests to kill: launches one script and waits.
int host(const char* state_directory, const char* cgroup_parent, const char* script,
         const char* images_directory) {
  suan::engine::LocalEngineOptions options;
  options.state_directory = state_directory;
  options.cgroup_parent = cgroup_parent;
  options.images_directory = images_directory;
  const auto engine = suan::engine::LocalEngine::open(options);
  if (!engine) return 1;
  suan::Payload payload;
  payload.run = script;
  if (!options.images_directory.empty()) payload.image = "tiny.tar";
  (*engine)->launch(suan::member::plain_launch(), payload);
  while (true) ::pause();
}

}  // namespace

/// The test program is also the supervisors' program and the server that tests kill.
int main(int argc, char** argv) {
  const std::string_view verb = argc > 1 ? argv[1] : "";
  if (verb == "supervise" && argc == 3) return suan::engine::supervise(argv[2]);
  if (verb == "host" && argc == 5) return host(argv[2], argv[3], argv[4], "");
  if (verb == "host" && argc == 6) return host(argv[2], argv[3], argv[4], argv[5]);
  if (verb == "accompany" && argc == 4) return suan::engine::accompany(argv[2], argv[3]);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
