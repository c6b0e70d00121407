#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "testing/domain_scene.h"
#include "testing/property.h"

/// Nodes kept for work that smaller work would pass by for ever.
namespace suan::domain {
namespace {

/// A domain of one pool, 2 nodes of 4 cards, minute by minute: what is launched runs for as long as
/// its test says, and somebody always has more small work.
class Yard {
 public:
  explicit Yard(bool may_promise) : may_promise_(may_promise) {
    scene.ask(Deposit{"lab", yuan(1'000'000), ""});
  }

  JobId put(JobSpec spec, Span runs_for) {
    const JobId id{scene.state.essence().last.job + 1};
    runs_for_[id] = runs_for;
    EXPECT_TRUE(scene.ask(submit(std::move(spec))));
    place();
    return id;
  }

  void pass(Span time) {
    for (Moment end = scene.now + time; scene.now < end;) {
      scene.now = scene.now + minutes(1);
      while (const auto timer = scene.state.first_timer()) {
        if (timer->at > scene.now) break;
        ASSERT_TRUE(scene.run(Tick{}));
      }
      finish();
      place();
    }
  }

  const jobs::Job& job(JobId id) const { return *scene.state.jobs().find(id); }
  const jobs::Unit& unit(JobId id) const { return job(id).units.front(); }
  bool waits(JobId id) const { return unit(id).phase == jobs::Phase::waiting; }

  /// Places what can be placed one after another; each is launched before the next is looked for.
  void place() {
    do {
      std::vector<JobId> placed;
      for (const auto& [id, job] : scene.state.jobs().all()) {
        if (job.units.front().phase == jobs::Phase::reserving) placed.push_back(id);
      }
      for (const JobId id : placed) launch(id);
    } while (scene.run(PlaceWaiting{0, may_promise_}));
  }

  Scene scene = furnished_scene();

 private:
  void launch(JobId id) {
    const jobs::UnitKey key{id, 0};
    const std::uint32_t attempt = unit(id).attempt;
    ASSERT_TRUE(scene.run(Reserve{key, attempt}));
    ASSERT_EQ(unit(id).phase, jobs::Phase::confirming) << id.value << " is not granted its place";
    ASSERT_TRUE(scene.run(Confirm{key, attempt}));
    for (std::uint32_t task = 0; task < job(id).spec->nodes; ++task) {
      Progress progress;
      progress.key = {id, task, attempt};
      progress.state = AttemptState::running;
      ASSERT_TRUE(scene.run(Report{progress}));
    }
    ends_[id] = scene.now + runs_for_.at(id);
  }

  void finish() {
    std::erase_if(ends_, [&](const auto& each) {
      if (each.second > scene.now) return false;
      for (std::uint32_t task = 0; task < job(each.first).spec->nodes; ++task) {
        Progress progress;
        progress.key = {each.first, task, unit(each.first).attempt};
        progress.state = AttemptState::ended;
        progress.end = AttemptEnd::exited;
        progress.usage.wall = runs_for_.at(each.first);
        EXPECT_TRUE(scene.run(Report{progress}));
      }
      return true;
    });
  }

  bool may_promise_;
  std::map<JobId, Span> runs_for_;
  std::map<JobId, Moment> ends_;
};

JobSpec small(Span length) {
  JobSpec spec = make_spec(1);
  spec.max_duration = length;
  return spec;
}

JobSpec gang_of_all() {
  JobSpec spec = make_spec(4);
  spec.nodes = 2;
  return spec;
}

// Fills the pool, submits a gang that needs all of it, and goes on with small work for ten hours.
struct Told {
  std::optional<Moment> started;
  std::optional<Moment> promised;  // As it was said first.
  std::size_t small_while_kept = 0;
};
Told tell_of_gang(bool may_promise, Random& random, bool has_limits) {
  Yard yard(may_promise);
  const auto put_small = [&] {
    const std::int64_t length = random.between(5, 90);
    return yard.put(small(has_limits ? minutes(length) : Span{}),
                    minutes(random.between(1, length)));
  };
  for (int i = 0; i < 8; ++i) put_small();
  const JobId gang = yard.put(gang_of_all(), hours(1));
  Told told;
  for (int minute = 0; minute < 600 && !told.started; ++minute) {
    while (yard.scene.state.jobs().waiting() < 6) {
      const JobId id = put_small();
      const jobs::Promise& kept = yard.unit(gang).promise;
      if (kept.pool && yard.waits(gang) && !yard.waits(id)) ++told.small_while_kept;
    }
    yard.pass(minutes(1));
    if (yard.unit(gang).promise.pool && !told.promised) told.promised = yard.unit(gang).promise.by;
    if (!yard.waits(gang)) told.started = yard.scene.now;
  }
  return told;
}

TEST(Promises, AGangStartsWhenItIsPromisedWhateverElseComes) {
  std::size_t small_while_kept = 0;
  for_each_seed(
      [&](Random& random) {
        const Told told = tell_of_gang(true, random, true);
        ASSERT_TRUE(told.started.has_value());
        ASSERT_TRUE(told.promised.has_value());
        EXPECT_LE(*told.started, *told.promised + minutes(1));
        small_while_kept += told.small_while_kept;
      },
      20);
  EXPECT_GT(small_while_kept, 0U) << "nothing short ran meanwhile";
}

TEST(Promises, WithoutThemItIsPassedByForEver) {
  std::size_t started = 0;
  for_each_seed(
      [&](Random& random) { started += tell_of_gang(false, random, true).started ? 1U : 0U; }, 20);
  EXPECT_LE(started, 2U);
}

TEST(Promises, HoldAlsoWhereNothingHasALimit) {
  for_each_seed(
      [&](Random& random) { ASSERT_TRUE(tell_of_gang(true, random, false).started.has_value()); },
      20);
}

TEST(Promises, LeaveNodesWhereWorkNeverEnds) {
  Yard yard(true);
  JobSpec endless = make_spec(4);
  endless.max_duration = {};
  yard.put(std::move(endless), hours(1000));
  // The other node is never nearly free: one of its cards is every twenty minutes.
  for (const std::int64_t length : {20, 40, 60}) yard.put(small(minutes(length)), minutes(length));
  const JobId large = yard.put(make_spec(4), hours(1));
  for (int minute = 0; minute < 600 && yard.waits(large); ++minute) {
    while (yard.scene.state.jobs().waiting() < 3) yard.put(small(hours(1)), hours(1));
    yard.pass(minutes(1));
  }
  EXPECT_FALSE(yard.waits(large));
  EXPECT_LE(yard.scene.now, scene_start + hours(4));
}

class Kept : public testing::Test {
 protected:
  // Three hours on all cards but one, then a gang that must wait for all of it and is passed by.
  void SetUp() override {
    for (int i = 0; i < 7; ++i) yard.put(small(hours(3)), hours(3));
    gang = yard.put(gang_of_all(), hours(1));
    yard.put(small(minutes(30)), minutes(10));
    yard.pass(minutes(1));
    ASSERT_TRUE(yard.unit(gang).promise.pool);
    yard.pass(minutes(11));  // The last one has ended: one card is free, and kept.
  }

  Yard yard{true};
  JobId gang;
};

TEST_F(Kept, IsFreeByTheEndOfWhatRunsThere) {
  const jobs::Promise& promise = yard.unit(gang).promise;
  EXPECT_EQ(promise.nodes, (std::vector<std::uint32_t>{0, 1}));
  EXPECT_TRUE(promise.is_bound);
  EXPECT_EQ(promise.by, scene_start + hours(3) + JobSpec{}.grace + seconds(1));
  yard.pass(hours(3));
  EXPECT_FALSE(yard.waits(gang));
  EXPECT_TRUE(yard.scene.state.jobs().promises().empty());
}

TEST_F(Kept, IsUsedMeanwhileByWhatEndsInTime) {
  EXPECT_TRUE(yard.waits(yard.put(small(hours(3)), hours(3))));
  EXPECT_FALSE(yard.waits(yard.put(small(hours(2)), hours(2))));
}

TEST_F(Kept, GivesWayToWhatComesFirst) {
  JobSpec urgent = small(hours(5));
  urgent.priority = Priority::high;
  EXPECT_FALSE(yard.waits(yard.put(std::move(urgent), hours(5))));
}

TEST_F(Kept, IsOpenAgainWhenItsOwnerIsStopped) {
  const JobId passing = yard.put(small(hours(4)), hours(4));
  EXPECT_TRUE(yard.waits(passing));
  ASSERT_TRUE(yard.scene.ask(StopJob{gang}));
  yard.place();
  EXPECT_FALSE(yard.waits(passing));
}

TEST_F(Kept, SaysHowShortWorkMustBeToUseIt) {
  const auto gap = widest_gap(yard.scene.state, small(hours(4)), yard.scene.state.essence().now);
  ASSERT_TRUE(gap.has_value());
  EXPECT_EQ(gap->owner, gang);
  ASSERT_GT(gap->longest, minutes(1));
  EXPECT_TRUE(
      places_now(yard.scene.state, small(gap->longest + seconds(1)), yard.scene.state.essence().now)
          .empty());
  EXPECT_FALSE(
      places_now(yard.scene.state, small(gap->longest), yard.scene.state.essence().now).empty());
  EXPECT_FALSE(widest_gap(yard.scene.state, make_spec(4), yard.scene.now).has_value());
}

TEST_F(Kept, OutlivesARestart) {
  State copy = yard.scene.state;
  copy.reindex();
  EXPECT_EQ(copy.market().nodes().kept_in(PoolId{1}), (std::vector<std::uint32_t>{0, 1}));
  EXPECT_TRUE(places_now(copy, small(hours(4)), copy.essence().now).empty());
  EXPECT_FALSE(places_now(copy, small(minutes(20)), copy.essence().now).empty());
}

TEST_F(Kept, IsOpenAgainWhenItsPoolIsTooSmallNow) {
  yard.scene.start_member({make_pool("gpu", 1, 4, yuan(10))});
  EXPECT_EQ(yard.scene.state.market().nodes().kept_in(PoolId{1}).size(), 1U);
  yard.pass(minutes(1));
  EXPECT_TRUE(yard.waits(gang));
  EXPECT_TRUE(yard.scene.state.jobs().promises().empty());
  EXPECT_TRUE(yard.scene.state.market().nodes().kept_in(PoolId{1}).empty());
}

// The rule of promises written a second time: for each node when enough of its leases have ended,
// of all nodes the first.
Moment earliest(const State& state, const Need& need, std::uint32_t tasks, Moment now) {
  const Pool& pool = state.catalogue().pools().at(PoolId{1});
  std::vector<Moment> openings;
  for (std::uint32_t node = 0; node < pool.nodes; ++node) {
    std::vector<std::pair<Moment, const Grant*>> ends;
    for (const auto& [id, lease] : state.market().leases()) {
      if (lease.grant.node != node) continue;
      const jobs::Job& job = *state.jobs().find(lease.holder.job);
      const jobs::Task& task = job.units.front().tasks[lease.holder.task];
      const Span ran = now - task.started;
      const Span length = job.spec->max_duration;
      const Span left = length == Span{} ? std::max(ran, minutes(10))
                                         : length - ran + job.spec->grace + seconds(1);
      ends.emplace_back(now + std::max(left, seconds(1)), &lease.grant);
    }
    std::ranges::sort(ends);
    std::vector<const Grant*> grants;
    for (const auto& [at, grant] : ends) grants.push_back(grant);
    const auto needed = state.market().nodes().ends_needed(pool, node, need, grants);
    if (needed) openings.push_back(*needed == 0 ? now : ends[*needed - 1].first);
  }
  std::ranges::sort(openings);
  return openings.size() < tasks ? Moment{} : std::max(openings[tasks - 1], now + seconds(10));
}

std::vector<market::EndingKey> endings_of(const State& state) {
  std::vector<market::EndingKey> endings;
  for (const auto& [key, is_there] : state.market().endings()) endings.push_back(key);
  return endings;
}

TEST(Promises, AreOfTheNodesThatAreFreeFirst) {
  std::size_t compared = 0;
  for_each_seed(
      [&](Random& random) {
        Yard yard(true);
        yard.scene.start_member({make_pool("gpu", 6, 4, yuan(10))});
        const auto put_small = [&](std::int64_t cards) {
          JobSpec spec = small(random.chance(1, 4) ? Span{} : minutes(random.between(5, 200)));
          spec.alternatives.front().card_milli = cards == 0 ? 500 : cards * 1000;
          spec.cpu_milli.least = random.between(1, 6) * 1000;
          return yard.put(std::move(spec), minutes(random.between(5, 200)));
        };
        for (int i = 0; i < 30; ++i) {
          put_small(random.between(0, 3));
          while (yard.scene.state.jobs().waiting() > 0) yard.pass(minutes(random.between(1, 20)));
        }
        JobSpec large = make_spec(4);
        large.nodes = 1 + static_cast<std::uint32_t>(random.below(4U));
        large.cpu_milli.least = random.between(1, 16) * 1000;
        large.alternatives.front().card_milli = random.between(1, 4) * 1000;
        const JobId gang = yard.put(large, hours(1));
        for (int i = 0; i < 5 && !yard.unit(gang).promise.pool; ++i) put_small(0);
        State again = yard.scene.state;
        again.reindex();
        EXPECT_EQ(endings_of(again), endings_of(yard.scene.state));
        EXPECT_EQ(endings_of(again).size(), again.market().leases().size());
        const jobs::Promise& promise = yard.unit(gang).promise;
        if (!promise.pool) return;
        ++compared;
        const auto& need = placement::candidates_in(
            yard.scene.state.supply(), placement::make_demand(*yard.job(gang).spec), PoolId{1});
        const Moment expected =
            earliest(yard.scene.state, need.front().need, large.nodes, yard.scene.now);
        EXPECT_LT(promise.by - expected, seconds(1));
        EXPECT_GE(promise.by, expected);
        EXPECT_EQ(promise.nodes.size(), large.nodes);
      },
      60);
  EXPECT_GT(compared, 20U);
}

TEST(Promises, NobodyNeedsThemInALineOfEquals) {
  Yard yard(true);
  for (int i = 0; i < 30; ++i) yard.put(small(minutes(30)), minutes(20));
  yard.pass(minutes(40));
  EXPECT_TRUE(yard.scene.state.jobs().promises().empty());
}

}  // namespace
}  // namespace suan::domain
