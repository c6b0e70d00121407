#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "testing/domain_scene.h"
#include "testing/property.h"

/// Spot work leaves its place to other work.
namespace suan::domain {
namespace {

using jobs::Phase;
using jobs::UnitKey;

/// Spot work pays 40 % in a pool of 2 nodes of 4 cards.
class Clearing : public testing::Test {
 protected:
  Clearing() {
    scene_.ask(Deposit{"lab", yuan(1'000'000), ""});
    offer(400);
  }

  void offer(std::uint32_t spot_milli) {
    Pool pool = make_pool("gpu", 2, 4, yuan(10));
    pool.spot_milli = spot_milli;
    scene_.start_member({pool});
  }

  static JobSpec spot(std::int64_t cards) {
    JobSpec spec = make_spec(cards);
    spec.is_spot = true;
    return spec;
  }

  JobId put(JobSpec spec) {
    const JobId id{scene_.state.essence().last.job + 1};
    EXPECT_TRUE(scene_.ask(submit(std::move(spec))));
    place();
    return id;
  }

  void place() {
    do {
      for (std::uint64_t id = 1; id <= scene_.state.essence().last.job; ++id)
        if (phase(JobId{id}) == Phase::reserving) launch(JobId{id});
    } while (scene_.run(PlaceWaiting{}));
  }

  const jobs::Job& job(JobId id) const { return *scene_.state.jobs().find(id); }
  const jobs::Unit& unit(JobId id) const { return job(id).units.front(); }
  Phase phase(JobId id) const { return unit(id).phase; }

  void launch(JobId id) {
    const UnitKey key{id, 0};
    const std::uint32_t attempt = unit(id).attempt;
    ASSERT_TRUE(scene_.run(Reserve{key, attempt}));
    ASSERT_TRUE(scene_.run(Confirm{key, attempt}));
    report(id, AttemptState::running, AttemptEnd::none);
  }

  void report(JobId id, AttemptState state, AttemptEnd end, Span wall = {}) {
    for (std::uint32_t task = 0; task < job(id).spec->nodes; ++task) {
      Progress progress;
      progress.key = {id, task, unit(id).attempt};
      progress.state = state;
      progress.end = end;
      progress.usage.wall = wall;
      ASSERT_TRUE(scene_.run(Report{progress}));
    }
  }

  // What was told to stop does so, having run for ten minutes.
  void let_stop(JobId id) {
    report(id, AttemptState::ended, AttemptEnd::preempted, minutes(10));
    place();
  }

  std::vector<JobId> stopping() const {
    std::vector<JobId> all;
    for (const auto& [id, each] : scene_.state.jobs().all())
      if (each.units.front().phase == Phase::stopping) all.push_back(id);
    return all;
  }

  Scene scene_ = furnished_scene();
};

TEST_F(Clearing, SpotWorkPaysTheSpotPriceAndWaitsWhereNoneIsTaken) {
  const JobId id = put(spot(2));
  EXPECT_EQ(phase(id), Phase::running);
  EXPECT_EQ(unit(id).placement.hourly, yuan(8));
  report(id, AttemptState::ended, AttemptEnd::exited, minutes(30));
  EXPECT_EQ(job(id).cost, yuan(4));
  offer(0);
  const Decision refused = scene_.ask(submit(spot(2)));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::no_pool_fits);
  EXPECT_NE(refused.error().detail.find("it takes no spot work"), std::string::npos);
}

TEST_F(Clearing, WhatWaitsTakesThePlaceOfSpotWorkWhichIsTriedAgain) {
  const JobId first = put(spot(4));
  const JobId second = put(spot(4));
  scene_.now = scene_.now + minutes(10);
  const JobId wanted = put(make_spec(4));
  EXPECT_EQ(phase(wanted), Phase::waiting);
  ASSERT_EQ(stopping(), std::vector{first});  // Both have run as long.
  EXPECT_TRUE(unit(wanted).promise.pool);
  EXPECT_EQ(unit(wanted).cleared_by, scene_.now + seconds(31));  // Its grace, and a second.
  place();
  EXPECT_EQ(stopping().size(), 1U);  // Once is enough.
  let_stop(first);
  EXPECT_EQ(phase(wanted), Phase::running);
  EXPECT_EQ(unit(wanted).placement.hourly, yuan(40));
  EXPECT_EQ(phase(first), Phase::waiting);
  EXPECT_EQ(unit(first).mishaps.back().setback, jobs::Setback::preempted);
  EXPECT_EQ(scene_.state.ledger().holds().at(job(first).hold).charged,
            scale(yuan(16), 10, 60));  // It pays for what it ran.
  report(wanted, AttemptState::ended, AttemptEnd::exited, minutes(1));
  place();
  EXPECT_EQ(phase(first), Phase::running);
  EXPECT_EQ(unit(first).attempt, 2U);
  EXPECT_EQ(phase(second), Phase::running);
}

TEST_F(Clearing, TheLeastIsLost) {
  const JobId old = put(spot(2));
  scene_.now = scene_.now + minutes(5);
  const JobId wide = put(spot(2));
  put(spot(3));  // On the other node, and longer than the next.
  scene_.now = scene_.now + minutes(5);
  const JobId young = put(spot(1));
  scene_.now = scene_.now + minutes(5);
  put(make_spec(1));
  EXPECT_EQ(stopping(), std::vector{young});
  put(make_spec(2));  // The pool keeps nodes for one at a time, and others find a way beside it.
  EXPECT_EQ(stopping(), (std::vector{wide, young}));
  EXPECT_EQ(phase(old), Phase::running);
}

TEST_F(Clearing, WhatStopsAlreadyIsForWhoeverAskedForIt) {
  for (int i = 0; i < 4; ++i) put(spot(2));
  for (std::size_t asked = 1; asked <= 4; ++asked) {
    JobSpec spec = make_spec(2);
    spec.max_duration = hours(static_cast<std::int64_t>(asked));  // Each in a line of its own.
    put(spec);
    // For the first the whole node is kept; the others share the other one.
    EXPECT_EQ(stopping().size(), std::min<std::size_t>(asked, 3));
  }
}

TEST_F(Clearing, WhatIsNotNeededStays) {
  put(spot(1));
  scene_.now = scene_.now + minutes(1);
  put(spot(1));
  scene_.now = scene_.now + minutes(1);
  const JobId two = put(spot(2));
  put(make_spec(4));
  scene_.now = scene_.now + minutes(1);
  const JobId wanted = put(make_spec(2));
  EXPECT_EQ(stopping(), std::vector{two});  // The two single ones would do together, but are older.
  EXPECT_EQ(phase(wanted), Phase::waiting);
}

TEST_F(Clearing, AGangIsClearedNodeByNodeAndAGangLeavesWhole) {
  JobSpec all = spot(3);
  all.nodes = 2;
  const JobId victim = put(all);
  JobSpec gang = make_spec(4);
  gang.nodes = 2;
  const JobId wanted = put(gang);
  EXPECT_EQ(phase(victim), Phase::stopping);
  for (const jobs::Task& task : unit(victim).tasks) EXPECT_EQ(task.phase, Phase::stopping);
  let_stop(victim);
  EXPECT_EQ(phase(wanted), Phase::running);
}

TEST_F(Clearing, AGangTakesTheNodesThatAreFreeBesideThoseThatAreCleared) {
  const JobId victim = put(spot(3));
  JobSpec gang = make_spec(4);
  gang.nodes = 2;
  const JobId wanted = put(gang);
  EXPECT_EQ(stopping(), std::vector{victim});
  EXPECT_EQ(unit(wanted).promise.nodes, (std::vector<std::uint32_t>{0, 1}));
  let_stop(victim);
  EXPECT_EQ(phase(wanted), Phase::running);
}

TEST_F(Clearing, OnlyForWorkThatIsNoSpotWorkAndOnlyWhereItHelps) {
  put(spot(4));
  put(make_spec(4));
  JobSpec urgent = spot(4);
  urgent.priority = Priority::high;
  put(urgent);
  EXPECT_TRUE(stopping().empty());  // Spot work never stops other spot work.
  JobSpec gang = make_spec(4);
  gang.nodes = 2;
  put(gang);
  EXPECT_TRUE(stopping().empty());  // One node of two would not do.
  JobSpec poor = make_spec(4);
  poor.hourly_max = yuan(30);
  EXPECT_FALSE(scene_.ask(submit(poor)));
  EXPECT_TRUE(stopping().empty());
}

TEST_F(Clearing, SpotWorkComesAfterAllOther) {
  put(make_spec(4));
  const JobId last = put(make_spec(4));
  JobSpec urgent = spot(4);
  urgent.priority = Priority::high;
  const JobId spare = put(urgent);
  JobSpec patient = make_spec(4);
  patient.priority = Priority::low;
  const JobId wanted = put(patient);
  report(last, AttemptState::ended, AttemptEnd::exited, minutes(1));
  place();
  EXPECT_EQ(phase(wanted), Phase::running);
  EXPECT_EQ(phase(spare), Phase::waiting);
  EXPECT_FALSE(unit(spare).promise.pool);
}

TEST_F(Clearing, WhoeverIsStoppedByItsUserIsNotTriedAgain) {
  const JobId spare = put(spot(4));
  put(make_spec(4));
  put(make_spec(4));
  ASSERT_EQ(phase(spare), Phase::stopping);
  ASSERT_TRUE(scene_.ask(StopJob{spare}));
  let_stop(spare);
  EXPECT_EQ(job(spare).outcome, jobs::Outcome::cancelled);
}

TEST_F(Clearing, WhoCannotStartAgainInTimeEndsAndSaysWhy) {
  JobSpec hurried = spot(4);
  hurried.deadline = scene_.now + minutes(5);
  const JobId spare = put(hurried);
  put(make_spec(4));
  put(make_spec(4));
  let_stop(spare);
  EXPECT_EQ(phase(spare), Phase::waiting);
  scene_.now = scene_.now + minutes(6);
  while (scene_.state.first_timer()->at <= scene_.now && scene_.run(Tick{})) {
  }
  EXPECT_EQ(job(spare).outcome, jobs::Outcome::failed);
  EXPECT_EQ(job(spare).reason,
            "other work needed its place, and its start.deadline passed before it could start "
            "again");
}

// Whatever runs: what has been cleared suffices, and without any one of those who left it would
// not have.
TEST(ClearingProperty, WhoLeavesIsEnoughAndNobodyLeavesForNothing) {
  int seen = 0;
  for_each_seed(
      [&](Random& random) {
        Scene scene = furnished_scene();
        scene.ask(Deposit{"lab", yuan(10'000'000), ""});
        Pool pool = make_pool("gpu", 4, 8, yuan(10));
        pool.spot_milli = 500;
        scene.start_member({pool});
        const auto settle = [&] {
          do {
            for (std::uint64_t id = 1; id <= scene.state.essence().last.job; ++id) {
              const jobs::Job& job = *scene.state.jobs().find(JobId{id});
              if (job.units.front().phase != Phase::reserving) continue;
              ASSERT_TRUE(scene.run(Reserve{{job.id, 0}, 1}));
              ASSERT_TRUE(scene.run(Confirm{{job.id, 0}, 1}));
            }
          } while (scene.run(PlaceWaiting{}));
        };
        for (int i = 0; i < 24; ++i) {
          JobSpec spec = make_spec(1 + random.below(4U));
          spec.is_spot = random.chance(19, 20);
          ASSERT_TRUE(scene.ask(submit(spec)));
          settle();
          scene.now = scene.now + seconds(random.between(1, 1000));
        }
        JobSpec wanted = make_spec(1 + random.below(8U));
        const JobId id{scene.state.essence().last.job + 1};
        ASSERT_TRUE(scene.ask(submit(wanted)));
        settle();
        const jobs::Unit& unit = scene.state.jobs().find(id)->units.front();
        // Who left for whom is known where nobody else has asked.
        int cleared = 0;
        for (const auto& [job_id, each] : scene.state.jobs().all())
          cleared += each.units.front().cleared_by != Moment{} ? 1 : 0;
        if (unit.cleared_by == Moment{} || cleared > 1) return;
        ++seen;
        const Pool& own = scene.state.catalogue().pools().at(unit.promise.pool);
        ASSERT_EQ(unit.promise.nodes.size(), 1U);
        std::vector<const Grant*> leaving;
        for (const auto& [lease_id, lease] : scene.state.market().leases()) {
          const jobs::Job& holder = *scene.state.jobs().find(lease.holder.job);
          const bool is_there = lease.grant.node == unit.promise.nodes.front();
          if (!is_there || holder.units.front().phase != Phase::stopping) continue;
          EXPECT_TRUE(holder.spec->is_spot);
          leaving.push_back(&lease.grant);
        }
        const Need need{wanted.alternatives[0].card_milli,
                        own.cpu_milli_per_node * wanted.alternatives[0].card_milli / 8000,
                        own.memory_bytes_per_node / 8 * wanted.alternatives[0].card_milli / 1000};
        const market::Nodes& nodes = scene.state.market().nodes();
        const std::uint32_t node = unit.promise.nodes.front();
        EXPECT_TRUE(nodes.ends_needed(own, node, need, leaving));
        for (std::size_t i = 0; i < leaving.size(); ++i) {
          auto fewer = leaving;
          fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
          EXPECT_FALSE(nodes.ends_needed(own, node, need, fewer));
        }
      },
      100);
  EXPECT_GT(seen, 10);
}

}  // namespace
}  // namespace suan::domain
