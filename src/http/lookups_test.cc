#include "http/lookups.h"

#include <atomic>
#include <chrono>
#include <future>

#include <gtest/gtest.h>

namespace suan::http {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// A history that comes as far as a test lets it.
class SlowHistory : public history::History {
 public:
  std::atomic<std::uint64_t> written = 0;

  void feed(std::shared_ptr<const runtime::DurableBatch>) override {}
  std::uint64_t sequence() const override { return written; }
  bool wait_for(std::uint64_t sequence, Span patience) override {
    if (written < sequence) std::this_thread::sleep_for(std::chrono::microseconds(patience.us));
    return written >= sequence;
  }
  Result<std::vector<history::JobRow>> evicted_jobs(const history::Filter&) override { return {}; }
  Result<std::optional<history::JobRow>> job(JobId) override { return {}; }
  Result<std::vector<history::AttemptRow>> attempts(JobId) override { return {}; }
  Result<std::vector<history::PostingRow>> postings(const history::Filter&) override { return {}; }
  Result<history::ChargePage> charges(const history::Filter&) override { return {}; }
  void stop() override {}
};

std::future<std::uint64_t> look(Lookups& lookups, std::uint64_t sequence) {
  auto said = std::make_shared<std::promise<std::uint64_t>>();
  EXPECT_TRUE(lookups.put(
      [said](history::History& history) { said->set_value(history.sequence()); }, sequence));
  return said->get_future();
}

TEST(Lookups, WaitForTheHistoryAndNotForOneAnother) {
  SlowHistory history;
  history.written = 10;
  Lookups lookups(history);
  auto early = look(lookups, 12);
  auto later = look(lookups, 13);
  EXPECT_EQ(look(lookups, 10).get(), 10U);  // Is not behind them.
  EXPECT_EQ(early.wait_for(milliseconds(50)), std::future_status::timeout);
  history.written = 12;
  EXPECT_EQ(early.get(), 12U);
  EXPECT_EQ(later.wait_for(milliseconds(50)), std::future_status::timeout);
  history.written = 13;
  EXPECT_EQ(later.get(), 13U);
}

TEST(Lookups, OneThatLagsIsReadAsItIs) {
  SlowHistory history;
  Lookups lookups(history);
  const auto asked = steady_clock::now();
  EXPECT_EQ(look(lookups, 1).get(), 0U);
  EXPECT_GE(steady_clock::now() - asked, Lookups::history_waits);
}

TEST(Lookups, StoppingRunsWhatWaits) {
  SlowHistory history;
  Lookups lookups(history);
  auto waiting = look(lookups, 1);
  lookups.stop();
  EXPECT_EQ(waiting.get(), 0U);
  EXPECT_FALSE(lookups.put([](history::History&) {}, 0));
}

}  // namespace
}  // namespace suan::http
