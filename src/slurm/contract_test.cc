#include <time.h>

#include "slurm/slurm_engine.h"
#include "testing/engine_contract.h"
#include "testing/slurm_centre.h"

namespace suan::slurm {
namespace {

enum class Way : std::uint8_t { rest, commands };

template <Way way>
class SlurmWorld : public member::EngineWorld {
 public:
  SlurmWorld() { open(); }

  bool is_open() const { return engine_ != nullptr; }
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
    const SlurmCentre& centre = SlurmCentre::get();
    SlurmEngineOptions options;
    options.shared_directory = directory_.path();
    options.offer.partitions = {"main"};
    options.report_every = milliseconds(200);
    auto opened = SlurmEngine::open(options, [&]() -> std::unique_ptr<Cluster> {
      return way == Way::rest ? centre.rest_cluster() : centre.command_cluster();
    });
    ASSERT_TRUE(opened) << opened.error().text << " " << opened.error().place;
    engine_ = *std::move(opened);
  }

  TemporaryDirectory directory_;
  std::unique_ptr<SlurmEngine> engine_;
};

template <Way way>
std::unique_ptr<member::EngineWorld> make_world() {
  auto world = std::make_unique<SlurmWorld<way>>();
  if (!world->is_open()) return nullptr;
  return world;
}

}  // namespace
}  // namespace suan::slurm

namespace suan::member {

INSTANTIATE_TEST_SUITE_P(slurmrestd, EngineContract,
                         testing::Values(&slurm::make_world<slurm::Way::rest>));
INSTANTIATE_TEST_SUITE_P(commands, EngineContract,
                         testing::Values(&slurm::make_world<slurm::Way::commands>));

}  // namespace suan::member
