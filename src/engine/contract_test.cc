#include <time.h>

#include "engine/container.h"
#include "engine/local_engine.h"
#include "testing/engine_contract.h"
#include "testing/temporary_directory.h"
#include "testing/tiny_image.h"

namespace suan::engine {
namespace {

class LocalWorld : public member::EngineWorld {
 public:
  explicit LocalWorld(std::string image = "") : image_(std::move(image)) { open(); }

  member::Engine& engine() override { return *engine_; }
  void restart() override {
    engine_.reset();
    open();
  }
  void pass(Span span) override {
    const timespec pause{.tv_sec = span.us / 1'000'000, .tv_nsec = span.us % 1'000'000 * 1000};
    ::nanosleep(&pause, nullptr);
  }
  Payload describe(const member::Work& work) override {
    Payload payload;
    payload.image = image_;
    if (work.ignores_term) payload.run += "trap '' TERM\n";
    if (!work.output.empty()) payload.run += "echo -n '" + work.output + "'\n";
    if (!work.error.empty()) payload.run += "echo -n '" + work.error + "' >&2\n";
    if (work.runs > Span{}) payload.run += "sleep " + std::to_string(work.runs.us / 1000) + "e-3\n";
    payload.run += work.signal != 0 ? "kill -" + std::to_string(work.signal) + " $$\n"
                                    : "exit " + std::to_string(work.exit_code) + "\n";
    return payload;
  }

 private:
  void open() {
    LocalEngineOptions options;
    options.state_directory = directory_.path();
    options.report_every = milliseconds(200);
    if (!image_.empty()) options.images_directory = TinyImages::directory();
    auto opened = LocalEngine::open(options);
    ASSERT_TRUE(opened) << opened.error().text;
    engine_ = *std::move(opened);
  }

  std::string image_;
  TemporaryDirectory directory_;
  std::unique_ptr<LocalEngine> engine_;
};

// The same where the work is in an image, on machines that can run any.
std::vector<member::EngineWorldFactory> worlds_of_images() {
  const TemporaryDirectory scratch;
  if (find_runtime(scratch.path() + "/trial").path.empty()) return {};
  return {+[] { return std::unique_ptr<member::EngineWorld>(new LocalWorld("tiny")); }};
}

}  // namespace
}  // namespace suan::engine

namespace suan::member {

INSTANTIATE_TEST_SUITE_P(local, EngineContract, testing::Values(+[] {
                           return std::unique_ptr<EngineWorld>(new engine::LocalWorld);
                         }));
INSTANTIATE_TEST_SUITE_P(local_image, EngineContract,
                         testing::ValuesIn(engine::worlds_of_images()));

}  // namespace suan::member
