#include "runtime/follower.h"

#include <chrono>
#include <future>

#include <gtest/gtest.h>

#include "testing/small_domain.h"

namespace suan::runtime {
namespace {

// Asks and waits for what the query says.
template <class Query>
auto ask(Follower& follower, Query query, std::uint64_t after_sequence = 0) {
  std::promise<decltype(query(std::declval<const View&>()))> said;
  EXPECT_TRUE(follower.ask([&](const View& view) { said.set_value(query(view)); }, after_sequence));
  return said.get_future().get();
}

std::uint64_t sequence_of(const View& view) {
  return view.state.essence().sequence;
}

class Recorder : public Watcher {
 public:
  explicit Recorder(std::vector<std::uint64_t>& seen) : seen_(seen) {}
  void on_record(const DurableRecord& record, const View& view) override {
    EXPECT_EQ(sequence_of(view), record.sequence);
    seen_.push_back(record.sequence);
  }

 private:
  std::vector<std::uint64_t>& seen_;
};

TEST(Follower, ShowsOnlyWhatIsDurable) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  Follower follower(domain.core->state(), domain.journal.head(), 16);
  const std::uint64_t before = domain.journal.head().sequence;
  domain.journal.set_full(true);
  domain.put(small_job(), domain.caller(1));
  ASSERT_TRUE(domain.step());
  EXPECT_GT(domain.core->state().essence().sequence, before);
  EXPECT_EQ(ask(follower, sequence_of), before);

  domain.journal.set_full(false);
  domain.settle();
  for (const auto& batch : domain.batches) follower.feed(batch);
  const std::uint64_t now = domain.journal.head().sequence;
  EXPECT_EQ(ask(follower, sequence_of, now), now);
  EXPECT_EQ(ask(follower, [](const View& view) { return view.head; }, now), domain.journal.head());
  EXPECT_EQ(follower.sequence(), now);
}

TEST(Follower, ShowsWhatWasSeenOnceThePoolIsThere) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  const PoolId pool = domain.core->state().catalogue().pools().begin()->first;
  const auto queued = [&](const View& view) {
    const domain::Sight* sight = view.state.sight_of(pool);
    return sight == nullptr ? 0U : sight->queued;
  };
  Follower late({}, {}, 16);
  late.observe(pool, {"cores", {}, 7}, Moment{1});
  EXPECT_EQ(ask(late, queued), 0U);

  Follower follower(domain.core->state(), domain.journal.head(), 16);
  follower.observe(pool, {"cores", {}, 7}, Moment{1});
  EXPECT_EQ(ask(follower, queued), 7U);
  follower.observe(pool, {"cores", {}, 8}, Moment{2});
  EXPECT_EQ(ask(follower, queued), 8U);
}

TEST(Follower, ShowsWhatWasMeasuredOnceTheSitesAreThere) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  const SiteId site = domain.core->state().catalogue().sites().begin()->first;
  const auto measured = [&](const View& view) {
    const Rtt* rtt = view.state.supply().links().find(site, site);
    return rtt == nullptr ? Span{} : rtt->p99;
  };
  Follower late({}, {}, 16);
  late.observe_link(site, site, {.p50 = {}, .p99 = milliseconds(2), .at = {}});
  EXPECT_EQ(ask(late, measured), Span{});

  Follower follower(domain.core->state(), domain.journal.head(), 16);
  follower.observe_link(site, site, {.p50 = {}, .p99 = milliseconds(2), .at = {}});
  EXPECT_EQ(ask(follower, measured), milliseconds(2));
}

TEST(Follower, AQueryThatDemandsASequenceWaitsForIt) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  Follower follower(domain.core->state(), domain.journal.head(), 16);
  domain.put(domain::CreateProject{"other", ""});
  domain.settle();
  std::promise<std::uint64_t> said;
  auto answer = said.get_future();
  EXPECT_TRUE(follower.ask([&](const View& view) { said.set_value(sequence_of(view)); },
                           domain.journal.head().sequence));
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  for (const auto& batch : domain.batches) follower.feed(batch);
  EXPECT_EQ(answer.get(), domain.journal.head().sequence);
}

TEST(Follower, AQueryThatWaitsInVainRunsAtTheEnd) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  std::uint64_t seen = 0;
  {
    Follower follower(domain.core->state(), domain.journal.head(), 16);
    EXPECT_TRUE(follower.ask([&](const View& view) { seen = sequence_of(view); }, 1'000'000));
  }
  EXPECT_EQ(seen, domain.journal.head().sequence);
}

TEST(Follower, AWatcherIsToldOfEveryRecordOnceAndInOrder) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  std::vector<std::uint64_t> seen;
  Follower follower(domain.core->state(), domain.journal.head(), 16);
  follower.watch(std::make_unique<Recorder>(seen));
  std::uint64_t next = domain.journal.head().sequence;
  for (std::uint64_t i = 1; i <= 5; ++i) domain.put(small_job(), domain.caller(i));
  domain.settle();
  for (const auto& batch : domain.batches) follower.feed(batch);
  follower.stop();
  EXPECT_EQ(seen.size(), domain.journal.head().sequence - next);
  for (const std::uint64_t sequence : seen) EXPECT_EQ(sequence, ++next);
}

TEST(Follower, MoreQueriesThanItHoldsAreRefused) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  Follower follower(domain.core->state(), domain.journal.head(), 2);
  std::promise<void> go_on;
  std::promise<void> has_begun;
  EXPECT_TRUE(follower.ask([&](const View&) {
    has_begun.set_value();
    go_on.get_future().wait();
  }));
  has_begun.get_future().wait();
  int answered = 0;
  EXPECT_TRUE(follower.ask([&](const View&) { ++answered; }));
  EXPECT_TRUE(follower.ask([&](const View&) { ++answered; }));
  EXPECT_FALSE(follower.ask([&](const View&) { ++answered; }));
  go_on.set_value();
  follower.stop();
  EXPECT_EQ(answered, 2);
  EXPECT_FALSE(follower.ask([](const View&) {}));
}

}  // namespace
}  // namespace suan::runtime
