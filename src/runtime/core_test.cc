// The rule of the core: nothing leaves before it is durable.
#include "runtime/core.h"

#include <gtest/gtest.h>

#include "runtime/codec.h"
#include "testing/small_domain.h"

namespace suan::runtime {
namespace {

using domain::Code;
using Left = std::vector<std::string>;

TEST(Core, NothingLeavesBeforeTheAppendHasSucceeded) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  const std::size_t job = domain.put(small_job(), domain.caller(1));
  domain.settle();
  ASSERT_TRUE(domain.answers[job].has_value() && *domain.answers[job]);
  EXPECT_EQ((*domain.answers[job])->id, "job-1");
  // The member in this process has reserved and confirmed within the batch: what leaves is a
  // launch.
  EXPECT_EQ(domain.left, (Left{"durable", "answer", "effect"}));
  const std::uint64_t sequence = (*domain.answers[job])->sequence;
  ASSERT_EQ(domain.batches.front()->records.size(), 3U);
  EXPECT_EQ(domain.batches.front()->records.front().sequence, sequence);
}

TEST(Core, AMemberMayAnswerAfterTheBatchThatAsks) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk, {.answers_within_batch = false});
  domain.put(small_job(), domain.caller(1));
  domain.settle();
  EXPECT_EQ(domain.left, (Left{"durable", "answer", "durable", "durable", "effect"}));
}

TEST(Core, WhatIsSeenOfAPoolInformsTheNextPlacementAndIsNotRecorded) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  const PoolId pool = domain.core->state().catalogue().pools().begin()->first;
  const Digest before = state_hash(domain.core->state());
  domain.core->observe(pool, {"cores", {{.node = 0, .cpu_milli = 7500}}, 3});
  EXPECT_EQ(state_hash(domain.core->state()), before);
  EXPECT_EQ(domain.core->state().sight_of(pool)->queued, 3U);
  domain.put(small_job(), domain.caller(1));
  domain.settle();
  EXPECT_EQ(domain.core->state().jobs().waiting(), 1U);
  domain.core->observe(PoolId{99}, {});  // Of a pool that nobody knows.
  domain.core->observe(pool, {"cores", {}, 0});
  domain.settle();
  EXPECT_EQ(domain.core->state().jobs().waiting(), 0U);
}

TEST(Core, EveryLineIsTriedHoweverManyWaitBeforeIt) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  domain.put(small_job(1), domain.caller(1));
  domain.put(small_job(small_cores - 1), domain.caller(2));
  domain.settle();
  constexpr std::uint64_t lines = domain::lines_tried_max + 50;
  for (std::uint64_t i = 0; i < lines; ++i) {
    domain::SubmitJob job = small_job(2);
    job.spec.memory_bytes.least = static_cast<std::int64_t>(i + 1) << 20U;
    domain.put(job, domain.caller(10 + i));
  }
  domain.put(small_job(1), domain.caller(3));
  domain.settle();
  const jobs::Jobs& jobs = domain.core->state().jobs();
  ASSERT_EQ(jobs.heads().size(), lines + 1);
  domain.report(JobId{1}, AttemptState::ended, AttemptEnd::exited);  // There is one core, not two.
  EXPECT_EQ(jobs.waiting(), lines);
  EXPECT_EQ(jobs.find(JobId{lines + 3})->units.front().phase, jobs::Phase::staging);
}

domain::SubmitJob share_job(std::int64_t card_milli) {
  domain::SubmitJob job = small_job();
  job.spec.cpu_milli = {};
  job.spec.alternatives.front() = {"H800", card_milli, {}};
  return job;
}

// One node with two cards of which 600 and 500 are free, and one more job for 300: the card it got.
std::uint32_t card_for_a_share(int taught) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  domain::StartMember start;
  start.name = "cards";
  start.site.name = "there";
  Pool pool;
  pool.name = "cards";
  pool.chip = "H800";
  pool.nodes = 1;
  pool.cards_per_node = 2;
  pool.cpu_milli_per_node = 64'000;
  pool.memory_bytes_per_node = std::int64_t{256} << 30U;
  start.pools.push_back(pool);
  domain.put(start);
  domain.settle();
  std::uint64_t jobs = 0;
  const auto run = [&](std::int64_t card_milli) {
    ++jobs;
    domain.put(share_job(card_milli), domain.caller(jobs));
    domain.settle();
    return JobId{jobs};
  };
  const auto end = [&](JobId job) { domain.report(job, AttemptState::ended, AttemptEnd::exited); };
  for (int i = 0; i < taught; ++i) {
    end(run(300));
    end(run(500));
  }
  const JobId first = run(600);
  run(500);
  run(400);
  end(first);
  const market::Market& market = domain.core->state().market();
  const market::Lease* lease = market.lease_of({run(300), 0, 1});
  if (lease == nullptr) return UINT32_MAX;
  const std::uint32_t shared_with_400 = market.lease_of({JobId{jobs - 1}, 0, 1})->grant.cards.at(0);
  return lease->grant.cards.at(0) == shared_with_400 ? 600 : 500;
}

TEST(Core, LearnsWhatComesAndPacksForIt) {
  EXPECT_EQ(card_for_a_share(0), 500U);   // The tightest fit leaves 200.
  EXPECT_EQ(card_for_a_share(40), 600U);  // Of use to nobody, but 300 are.
}

TEST(Core, WhatWasMeasuredOfALinkInformsTheNextPlacementAndIsNotRecorded) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  const Site& site = domain.core->state().catalogue().sites().begin()->second;
  const SiteId here = site.id;
  auto job = small_job();
  job.spec.where.near = {site.name, 0, 0};
  job.spec.where.max_rtt = milliseconds(3);
  const std::size_t refused = domain.put(job, domain.caller(1));
  domain.settle();  // Nobody knows where the site is, nor how far.
  EXPECT_FALSE(*domain.answers[refused]);
  const Digest before = state_hash(domain.core->state());
  const auto measured = [](std::int64_t ms) {
    return Rtt{.p50 = milliseconds(1), .p99 = milliseconds(ms), .at = {}};
  };
  domain.core->observe_link(here, here, measured(4));
  domain.core->observe_link(here, SiteId{99}, measured(1));  // A site that nobody knows.
  EXPECT_EQ(state_hash(domain.core->state()), before);
  const auto& links = domain.core->state().supply().links();
  EXPECT_FALSE(links.has_any(SiteId{99}));
  EXPECT_EQ(links.find(here, here)->at, domain.core->state().essence().now);
}

TEST(Core, ARefusedAppendKeepsTheBatchAndIsTriedAgain) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  const std::uint64_t durable = domain.journal.head().sequence;
  domain.journal.set_full(true);
  const std::size_t job = domain.put(small_job(), domain.caller(1));
  ASSERT_TRUE(domain.step());
  EXPECT_TRUE(domain.core->is_stuck());
  EXPECT_TRUE(domain.core->is_space_low());
  const std::size_t late = domain.put(small_job(), domain.caller(2));
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(domain.step());
  EXPECT_EQ(domain.requests.size(), 1U);  // Left as it was.
  EXPECT_EQ(domain.left, Left{});
  EXPECT_EQ(domain.journal.head().sequence, durable);
  EXPECT_EQ(domain.core->counts().appends_refused, 4U);

  domain.journal.set_full(false);
  domain.core->measure_space();
  domain.settle();
  EXPECT_FALSE(domain.core->is_stuck());
  ASSERT_TRUE(domain.answers[job].has_value() && *domain.answers[job]);
  EXPECT_EQ((*domain.answers[job])->sequence, durable + 1);
  ASSERT_TRUE(domain.answers[late].has_value() && *domain.answers[late]);
  EXPECT_EQ((*domain.answers[late])->id, "job-2");
}

TEST(Core, AnUncertainAppendEndsIt) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  disk.fail_next_append(journal::AppendFault::io);
  const std::size_t job = domain.put(small_job(), domain.caller(1));
  const auto stepped = domain.step();
  ASSERT_FALSE(stepped);
  EXPECT_EQ(stepped.error().kind, Failure::Kind::io);
  EXPECT_FALSE(domain.answers[job].has_value());
  EXPECT_EQ(domain.left, Left{});
}

TEST(Core, ADeposedLeaderEndsToo) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  journal::MemoryJournal other(disk);
  ASSERT_TRUE(other.claim_leadership());
  domain.put(small_job(), domain.caller(1));
  const auto stepped = domain.step();
  ASSERT_FALSE(stepped);
  EXPECT_EQ(stepped.error().kind, Failure::Kind::io);
  EXPECT_EQ(domain.left, Left{});
}

TEST(Core, TheSameRequestHasTheSameAnswerAndAnotherBodyIsRefused) {
  journal::MemoryDisk disk;
  domain::Caller caller;
  domain::Answer first;
  {
    SmallDomain domain(disk);
    caller = domain.caller(1);
    const std::size_t asked = domain.put(small_job(), caller);
    domain.settle();
    first = **domain.answers[asked];
    const std::size_t again = domain.put(small_job(), caller);
    domain.settle();
    EXPECT_EQ((*domain.answers[again])->id, first.id);
    EXPECT_EQ((*domain.answers[again])->sequence, first.sequence);
  }
  SmallDomain domain(disk);  // After a restart.
  const std::size_t again = domain.put(small_job(), caller);
  caller.body = Digest{{7}};
  const std::size_t other = domain.put(small_job(2), caller);
  domain.settle();
  EXPECT_EQ((*domain.answers[again])->id, first.id);
  EXPECT_EQ((*domain.answers[again])->sequence, first.sequence);
  EXPECT_EQ(domain.answers[other]->error().code, Code::request_body_differs);
  EXPECT_EQ(domain.core->state().jobs().all().size(), 1U);
}

TEST(Core, ABatchTakesNoMoreCommandsThanItMay) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk, {.batch_commands_max = 8});
  for (std::uint64_t i = 1; i <= 20; ++i) domain.put(small_job(), domain.caller(i));
  for (const std::size_t left : {12U, 4U, 0U}) {
    ASSERT_TRUE(domain.step());
    EXPECT_EQ(domain.requests.size(), left);
    EXPECT_EQ(domain.count("answer"), 20 - left);
  }
  domain.settle();
  EXPECT_EQ(domain.core->state().jobs().all().size(), 20U);
}

// What is put aside for reservations and launches must find room too, and follow in order.
TEST(Core, AFullBatchLeavesTheRestToTheNext) {
  constexpr std::uint64_t jobs = 80;
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  domain::SubmitJob large = small_job();
  large.spec.name = std::string(1U << 20U, 'n');
  for (std::uint64_t i = 1; i <= jobs; ++i) domain.put(large, domain.caller(i));
  ASSERT_TRUE(domain.step());
  EXPECT_GT(domain.requests.size(), 0U);
  EXPECT_EQ(domain.batches.size(), 1U);
  EXPECT_EQ(domain.count("answer"), jobs - domain.requests.size());
  domain.settle();
  EXPECT_EQ(domain.count("answer"), jobs);
  EXPECT_EQ(domain.core->state().jobs().all().size(), jobs);
  EXPECT_EQ(domain.core->state().market().leases().size(), static_cast<std::size_t>(small_cores));
}

TEST(Core, WhileTheDiskIsFullClientsAreTurnedAwayUndecided) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  const domain::Caller before = domain.caller(1);
  const std::size_t done = domain.put(small_job(), before);
  domain.settle();
  domain.journal.set_full(true);
  const domain::Caller kept = domain.caller(2);
  const std::size_t waiting = domain.put(small_job(), kept);
  ASSERT_TRUE(domain.step());
  ASSERT_TRUE(domain.core->is_stuck());
  domain.left.clear();

  const std::uint64_t decided = domain.core->counts().decided;
  const std::size_t repeated = domain.put(small_job(), before);
  const std::size_t undurable = domain.put(small_job(), kept);
  const std::size_t fresh = domain.put(small_job(), domain.caller(3));
  const std::size_t inner = domain.put(domain::CreateProject{"of-the-process", ""});
  domain.core->turn_away(domain.requests);
  EXPECT_EQ((*domain.answers[repeated])->sequence, (*domain.answers[done])->sequence);
  EXPECT_EQ(domain.answers[undurable]->error().code, Code::journal_full);
  EXPECT_EQ(domain.answers[fresh]->error().code, Code::journal_full);
  EXPECT_FALSE(domain.answers[inner].has_value());
  EXPECT_EQ(domain.requests.size(), 1U);
  EXPECT_EQ(domain.core->counts().decided, decided);

  domain.core->tell_unknown();
  EXPECT_EQ(domain.answers[waiting]->error().code, Code::outcome_unknown);
  domain.core->tell_unknown();  // Once is enough.

  domain.journal.set_full(false);
  domain.core->measure_space();
  domain.settle();
  EXPECT_TRUE(domain.answers[inner].has_value());
  const std::size_t outcome = domain.put(small_job(), kept);
  domain.settle();
  ASSERT_TRUE(*domain.answers[outcome]);
  EXPECT_EQ((*domain.answers[outcome])->id, "job-2");  // The kept one, once.
  EXPECT_EQ(domain.core->state().jobs().all().size(), 2U);
}

TEST(Core, WhatWasUnknownIsDoneOnceAlsoWhenTheProcessEnds) {
  journal::MemoryDisk disk;
  domain::Caller caller;
  {
    SmallDomain domain(disk);
    caller = domain.caller(1);
    domain.journal.set_full(true);
    const std::size_t asked = domain.put(small_job(), caller);
    ASSERT_TRUE(domain.step());
    domain.core->tell_unknown();
    EXPECT_EQ(domain.answers[asked]->error().code, Code::outcome_unknown);
  }
  SmallDomain domain(disk);
  EXPECT_EQ(domain.core->state().jobs().all().size(), 0U);
  const std::size_t asked = domain.put(small_job(), caller);
  domain.settle();
  EXPECT_EQ((*domain.answers[asked])->id, "job-1");
}

TEST(Core, LittleSpaceRefusesNewWorkAndFinishesTheRest) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  domain.put(small_job(), domain.caller(1));
  domain.settle();
  disk.set_free_bytes(1000);
  domain.core->measure_space();
  const std::size_t refused = domain.put(small_job(), domain.caller(2));
  const std::size_t stop = domain.put(domain::StopJob{JobId{1}}, domain.caller(3));
  domain.settle();
  EXPECT_EQ(domain.answers[refused]->error().code, Code::journal_full);
  EXPECT_TRUE(*domain.answers[stop]);
}

TEST(Core, SnapshotAndReplayIsReplay) {
  journal::MemoryDisk disk;
  SmallDomain domain(disk);
  for (std::uint64_t i = 1; i <= 12; ++i) {
    domain.put(small_job(1 + static_cast<std::int64_t>(i % 3), i % 2 == 0), domain.caller(i));
    domain.settle();
    if (i == 5) {
      ASSERT_TRUE(domain.journal.write_snapshot(domain.core->state().essence().sequence,
                                                encode_state(domain.core->state())));
    }
    const JobId job{i};
    if (domain.core->state().jobs().find(job)->units.front().attempt == 0) continue;
    domain.report(job, AttemptState::running);
    domain.clock.pass(seconds(5));
    if (i % 3 != 0) domain.report(job, AttemptState::ended, AttemptEnd::exited);
  }
  const Digest now = state_hash(domain.core->state());
  journal::MemoryJournal opened(disk);
  ASSERT_TRUE(opened.read_snapshot()->has_value());
  const auto by_snapshot = replay(opened);
  ASSERT_TRUE(by_snapshot);
  EXPECT_EQ(state_hash(*by_snapshot), now);

  domain::State from_first;
  const auto records = opened.follow(1, 100'000);
  ASSERT_TRUE(records);
  for (const journal::Record& record : *records)
    from_first.apply(*decode_events(record.bytes), record.moment);
  EXPECT_EQ(state_hash(from_first), now);
}

}  // namespace
}  // namespace suan::runtime
