#include "jobs/jobs.h"

#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::jobs {
namespace {

constexpr Moment noon{1'000'000'000};

JobSpec spec_of(Priority priority = Priority::normal, std::string chip = "H100-SXM") {
  JobSpec spec;
  spec.project = ProjectId{1};
  spec.alternatives.push_back({std::move(chip), 1000, {}});
  spec.priority = priority;
  return spec;
}

JobSubmitted submitted(std::uint64_t id, JobSpec spec) {
  return {.job = JobId{id},
          .user = UserId{1},
          .hold = HoldId{id},
          .spec = std::make_shared<const JobSpec>(std::move(spec)),
          .held = yuan(10),
          .is_rolling = false,
          .payloads = 0};
}

void submit(Jobs& jobs, std::uint64_t id, JobSpec spec) {
  jobs.apply(submitted(id, std::move(spec)), noon);
  jobs.settle();
}

UnitPlaced placed(const UnitKey& key, std::uint32_t attempt) {
  Placement placement;
  placement.pool = PoolId{1};
  placement.hourly = yuan(1);
  placement.allowance = yuan(2);
  return {key, attempt, placement};
}

UnitGranted granted(const Jobs& jobs, const UnitKey& key) {
  UnitGranted event{key, {}};
  for (std::size_t i = 0; i < jobs.find(key.job)->units[key.unit].tasks.size(); ++i)
    event.leases.push_back(LeaseId{i + 1});
  return event;
}

// From the queue to running on a member.
void launch(Jobs& jobs, const UnitKey& key) {
  jobs.apply(placed(key, jobs.find(key.job)->units[key.unit].attempt + 1));
  jobs.apply(granted(jobs, key));
  jobs.apply(UnitLaunched{.unit = key, .run_for = {}, .max_duration = {}, .paid_until = {}}, noon);
}

TaskEnded ended(const AttemptKey& key, Money cost = {}) {
  return {.key = key,
          .end = AttemptEnd::exited,
          .exit_code = 0,
          .usage = {},
          .cost = cost,
          .reason = ""};
}

UnitEnded unit_ended(const UnitKey& key, AttemptEnd end, std::int32_t exit_code = 0) {
  return {.unit = key, .end = end, .exit_code = exit_code, .reason = "because"};
}

std::vector<UnitKey> queue_of(const Jobs& jobs) {
  std::vector<UnitKey> order;
  for (const auto& [head, print] : jobs.heads()) {
    for (const auto& [key, present] : jobs.lines().at(print).units) order.push_back(key.unit);
  }
  return order;
}

TEST(Jobs, QueueByPriorityThenByAge) {
  Jobs jobs;
  submit(jobs, 1, spec_of(Priority::low));
  submit(jobs, 2, spec_of(Priority::normal));
  submit(jobs, 3, spec_of(Priority::high));
  submit(jobs, 4, spec_of(Priority::normal));
  submit(jobs, 5, spec_of(Priority::high));
  const std::vector<UnitKey> expected{{{3}, 0}, {{5}, 0}, {{2}, 0}, {{4}, 0}, {{1}, 0}};
  EXPECT_EQ(queue_of(jobs), expected);
  EXPECT_EQ(jobs.lines().size(), 1U);
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(jobs.ahead_of(expected[i]), i);
}

TEST(Jobs, UnitsThatAskForTheSameWaitInOneLineAndHeadsAreInOrder) {
  Jobs jobs;
  submit(jobs, 1, spec_of(Priority::low, "A100-80G-SXM"));
  submit(jobs, 2, spec_of());
  submit(jobs, 3, spec_of(Priority::high, "A100-80G-SXM"));
  submit(jobs, 4, spec_of());
  EXPECT_EQ(jobs.lines().size(), 2U);
  EXPECT_EQ(jobs.heads().begin()->first.unit, (UnitKey{{3}, 0}));
  EXPECT_EQ(queue_of(jobs), (std::vector<UnitKey>{{{3}, 0}, {{1}, 0}, {{2}, 0}, {{4}, 0}}));
  EXPECT_EQ(jobs.ahead_of({{1}, 0}), 1U);
  EXPECT_EQ(jobs.ahead_of({{4}, 0}), 1U);
}

TEST(Jobs, AUnitThatComesBackTakesItsOldPlace) {
  Jobs jobs;
  for (std::uint64_t id = 1; id <= 3; ++id) submit(jobs, id, spec_of());
  jobs.apply(placed({{1}, 0}, 1));
  EXPECT_EQ(jobs.waiting(), 2U);
  EXPECT_EQ(jobs.ahead_of({{1}, 0}), 0U);
  jobs.apply(UnitReturned{{{1}, 0}, Setback::capacity_taken, {}}, noon);
  EXPECT_EQ(queue_of(jobs), (std::vector<UnitKey>{{{1}, 0}, {{2}, 0}, {{3}, 0}}));
}

TEST(Jobs, AUnitThatPausesIsQueuedWhenItsTimeHasCome) {
  Jobs jobs;
  JobSpec later = spec_of();
  later.not_before = noon + hours(1);
  submit(jobs, 1, later);
  EXPECT_EQ(jobs.waiting(), 0U);
  EXPECT_TRUE(jobs.lines().empty());
  jobs.apply(UnitQueued{{{1}, 0}});
  EXPECT_EQ(jobs.waiting(), 1U);
  jobs.apply(placed({{1}, 0}, 1));
  jobs.apply(UnitReturned{{{1}, 0}, Setback::site_lost, noon + seconds(10)}, noon);
  EXPECT_EQ(jobs.waiting(), 0U);
  EXPECT_FALSE(jobs.find(JobId{1})->units[0].is_queued);
  jobs.apply(UnitQueued{{{1}, 0}});
  jobs.apply(placed({{1}, 0}, 2));
  jobs.apply(UnitReturned{{{1}, 0}, Setback::site_lost, noon}, noon);
  EXPECT_EQ(jobs.waiting(), 1U);  // Its time is now.
}

TEST(Jobs, OnlyTheLatestMishapsAreKept) {
  Jobs jobs;
  submit(jobs, 1, spec_of());
  for (std::uint32_t attempt = 1; attempt <= 10; ++attempt) {
    jobs.apply(placed({{1}, 0}, attempt));
    jobs.apply(UnitReturned{{{1}, 0}, Setback::lease_expired, {}}, noon + seconds(attempt));
  }
  const std::vector<Mishap>& mishaps = jobs.find(JobId{1})->units[0].mishaps;
  ASSERT_EQ(mishaps.size(), 8U);
  EXPECT_EQ(mishaps.front().at, noon + seconds(3));
  EXPECT_EQ(mishaps.back().at, noon + seconds(10));
  EXPECT_EQ(mishaps.back().pool, PoolId{1});
}

TEST(Jobs, PhasesFollowTheEventsOfAGang) {
  Jobs jobs;
  JobSpec gang = spec_of();
  gang.nodes = 2;
  submit(jobs, 1, gang);
  launch(jobs, {{1}, 0});
  const auto unit = [&]() -> const Unit& { return jobs.find(JobId{1})->units[0]; };
  EXPECT_EQ(unit().phase, Phase::staging);
  jobs.apply(TaskStarted{{JobId{1}, 1, 1}}, noon + seconds(1));
  EXPECT_EQ(unit().phase, Phase::running);
  EXPECT_EQ(unit().tasks[0].phase, Phase::staging);
  EXPECT_EQ(unit().tasks[1].phase, Phase::running);
  EXPECT_EQ(jobs.find(JobId{1})->started, noon + seconds(1));
  jobs.apply(TaskStarted{{JobId{1}, 0, 1}}, noon + seconds(2));
  EXPECT_EQ(jobs.find(JobId{1})->started, noon + seconds(1));  // Of the first.
  jobs.apply(TaskStopping{{JobId{1}, 0, 1}, AttemptEnd::over_budget});
  EXPECT_EQ(unit().phase, Phase::stopping);
  EXPECT_EQ(unit().tasks[0].end, AttemptEnd::over_budget);
  jobs.apply(ended({JobId{1}, 0, 1}, yuan(1)), noon + seconds(3));
  jobs.apply(ended({JobId{1}, 1, 1}, Money{500'000}), noon + seconds(4));
  EXPECT_EQ(unit().allowance_left, Money{500'000});
  EXPECT_EQ(jobs.find(JobId{1})->cost, Money{1'500'000});
  EXPECT_FALSE(unit().tasks[0].lease);
}

TEST(Jobs, ATaskKeepsWhatItsEarlierAttemptsCost) {
  Jobs jobs;
  submit(jobs, 1, spec_of());
  for (std::uint32_t attempt = 1; attempt <= 2; ++attempt) {
    launch(jobs, {{1}, 0});
    jobs.apply(ended({JobId{1}, 0, attempt}, yuan(1)), noon);
    jobs.apply(UnitReturned{{{1}, 0}, Setback::site_lost, {}}, noon);
  }
  EXPECT_EQ(jobs.find(JobId{1})->units[0].tasks[0].cost, yuan(2));
  EXPECT_EQ(jobs.find(JobId{1})->cost, yuan(2));
  EXPECT_EQ(jobs.find(JobId{1})->units[0].attempt, 2U);
}

TEST(Jobs, ATaskThatWasStoppedBeforeItsLaunchHasNoLeaseLeft) {
  Jobs jobs;
  submit(jobs, 1, spec_of());
  jobs.apply(placed({{1}, 0}, 1));
  jobs.apply(granted(jobs, {{1}, 0}));
  EXPECT_TRUE(jobs.find(JobId{1})->units[0].tasks[0].lease);
  jobs.apply(unit_ended({{1}, 0}, AttemptEnd::cancelled));
  EXPECT_FALSE(jobs.find(JobId{1})->units[0].tasks[0].lease);
}

TEST(Jobs, AJobIsSaidToEndAsItsFirstFailureDid) {
  Jobs jobs;
  JobSpec array = spec_of();
  array.elements = 4;
  submit(jobs, 1, array);
  jobs.apply(unit_ended({{1}, 0}, AttemptEnd::exited, 0));
  jobs.apply(unit_ended({{1}, 1}, AttemptEnd::cancelled, 143));
  EXPECT_EQ(jobs.find(JobId{1})->units_failed, 0U);
  jobs.apply(unit_ended({{1}, 2}, AttemptEnd::exited, 3));
  jobs.apply(unit_ended({{1}, 3}, AttemptEnd::exited, 4));
  EXPECT_EQ(jobs.find(JobId{1})->units_failed, 2U);
  EXPECT_EQ(jobs.find(JobId{1})->exit_code, 3);
  EXPECT_EQ(jobs.find(JobId{1})->units_ended, 4U);
  EXPECT_EQ(jobs.waiting(), 0U);
}

TEST(Jobs, TheFingerprintIsOfWhatDecidesWhereAndWhenItFits) {
  using Change = void (*)(JobSpec&);
  const std::vector<Change> deciding{
      [](JobSpec& spec) { spec.alternatives[0].chip = "H20"; },
      [](JobSpec& spec) { spec.alternatives[0].card_milli = 2000; },
      [](JobSpec& spec) { spec.alternatives.push_back(spec.alternatives[0]); },
      [](JobSpec& spec) { spec.is_ordered = true; },
      [](JobSpec& spec) { spec.nodes = 2; },
      [](JobSpec& spec) { spec.elements = 2; },
      [](JobSpec& spec) { spec.cpu_milli.least = 1; },
      [](JobSpec& spec) { spec.memory_bytes.most = 1; },
      [](JobSpec& spec) { spec.disk_bytes = 1; },
      [](JobSpec& spec) { spec.alternatives[0].runs_image = true; },
      [](JobSpec& spec) { spec.network_tier = NetworkTier::rdma; },
      [](JobSpec& spec) { spec.where.sites = {"here"}; },
      [](JobSpec& spec) { spec.hourly_max = yuan(1); },
      [](JobSpec& spec) { spec.objective = Objective::carbon; },
      [](JobSpec& spec) { spec.is_spot = true; },
      [](JobSpec& spec) { spec.budget = yuan(1); },
      [](JobSpec& spec) { spec.max_duration = hours(1); },
      [](JobSpec& spec) { spec.moves_data = true; },
      [](JobSpec& spec) { spec.stores = {"bucket"}; },
      [](JobSpec& spec) { spec.project = ProjectId{2}; },
  };
  const std::uint64_t plain = demand_fingerprint(spec_of());
  std::map<std::uint64_t, int> seen{{plain, -1}};
  for (const Change change : deciding) {
    JobSpec spec = spec_of();
    change(spec);
    EXPECT_EQ(++seen[demand_fingerprint(spec)], 1) << seen.size();
  }
  JobSpec same = spec_of(Priority::high);
  same.name = "another";
  same.payload = PayloadId{7};
  same.alternatives[0].payload = PayloadId{8};
  same.deadline = noon;
  same.retry.on_site_lost = true;
  EXPECT_EQ(demand_fingerprint(same), plain);
}

TEST(Jobs, APlaceAndItsTaskNumberAreEachOthersInverse) {
  for_each_seed([](Random& random) {
    JobSpec spec = spec_of();
    spec.nodes = static_cast<std::uint32_t>(random.between(1, 1024));
    spec.elements = spec.nodes == 1 ? static_cast<std::uint32_t>(random.between(1, 10'000)) : 1;
    const auto task = random.below(spec.tasks());
    const TaskPlace place = place_of(spec, task);
    EXPECT_LT(place.index, spec.nodes);
    EXPECT_LT(place.unit, spec.elements);
    EXPECT_EQ(task_number(spec, place.unit, place.index), task);
  });
}

/// Random events that may happen to a handful of jobs.
class Walk {
 public:
  explicit Walk(Random& random) : random_(random) {}

  void step() {
    now_ = now_ + seconds(random_.between(0, 3));
    if (jobs.all().empty() || random_.chance(1, 6)) {
      submit_one();
    } else {
      auto at = jobs.all().begin();
      for (auto n = random_.below(jobs.all().size()); n > 0; --n) ++at;
      step_job(at->second);
    }
    jobs.settle();
  }

  Jobs jobs;

 private:
  void submit_one() {
    JobSpec spec = spec_of(static_cast<Priority>(random_.below(3U)),
                           random_.chance(1, 2) ? "H100-SXM" : "H20");
    if (random_.chance(1, 3)) spec.nodes = 1 + random_.below(3U);
    if (spec.nodes == 1) spec.elements = 1 + random_.below(4U);
    if (random_.chance(1, 4)) spec.not_before = now_ + seconds(random_.between(0, 5));
    spec.is_spot = random_.chance(1, 2);
    const JobId id{++last_};
    const bool is_queued = spec.not_before <= now_;
    jobs.apply(submitted(id.value, std::move(spec)), now_);
    if (is_queued && random_.chance(1, 3)) jobs.apply(placed({id, 0}, 1));  // In the same record.
  }

  void step_job(const Job& job) {
    if (job.outcome != Outcome::none) return jobs.apply(JobEvicted{job.id, {}, 0});
    if (job.units_ended == job.units.size())
      return jobs.apply(JobEnded{job.id, Outcome::failed, 1, "because"}, now_);
    if (random_.chance(1, 10)) return jobs.apply(JobStopping{job.id, UserId{1}});
    const UnitKey key{job.id, random_.below(static_cast<std::uint32_t>(job.units.size()))};
    step_unit(key, job.units[key.unit]);
  }

  void step_unit(const UnitKey& key, const Unit& unit) {
    switch (unit.phase) {
      case Phase::waiting:
        if (random_.chance(1, 8)) return end_unit(key);
        return unit.is_queued ? jobs.apply(placed(key, unit.attempt + 1))
                              : jobs.apply(UnitQueued{key});
      case Phase::reserving:
        if (random_.chance(1, 4)) return return_unit(key);
        return jobs.apply(granted(jobs, key));
      case Phase::confirming:
        if (random_.chance(1, 4)) return return_unit(key);
        return jobs.apply(UnitLaunched{key, {}, {}, {}}, noon);
      case Phase::staging:
      case Phase::running:
      case Phase::stopping:
        return step_task(key, unit);
      case Phase::ended:
        return;
    }
  }

  void step_task(const UnitKey& key, const Unit& unit) {
    for (std::uint32_t i = 0; i < unit.tasks.size(); ++i) {
      const AttemptKey task{key.job, task_number(*jobs.find(key.job)->spec, key.unit, i),
                            unit.attempt};
      const Phase phase = unit.tasks[i].phase;
      if (phase == Phase::ended) continue;
      if (phase == Phase::staging && random_.chance(1, 2))
        return jobs.apply(TaskStarted{task}, now_);
      if (phase != Phase::stopping && random_.chance(1, 4))
        return jobs.apply(TaskStopping{task, AttemptEnd::cancelled});
      return jobs.apply(ended(task, Money{random_.between(0, unit.allowance_left.micro)}), now_);
    }
    return random_.chance(1, 3) ? return_unit(key) : end_unit(key);
  }

  void return_unit(const UnitKey& key) {
    const Moment queue_at = random_.chance(1, 2) ? Moment{} : now_ + seconds(1);
    jobs.apply(UnitReturned{key, Setback::site_lost, queue_at}, now_);
  }

  void end_unit(const UnitKey& key) {
    jobs.apply(unit_ended(key, random_.chance(1, 2) ? AttemptEnd::exited : AttemptEnd::cancelled,
                          random_.chance(1, 2) ? 0 : 2));
  }

  Random& random_;
  Moment now_ = noon;
  std::uint64_t last_ = 0;
};

bool is_active(const Job& job) {
  for (const Unit& unit : job.units) {
    if (unit.phase != Phase::waiting && unit.phase != Phase::ended) return true;
  }
  return false;
}

// The queue and the counts as the jobs themselves say.
void expect_indexes_follow(const Jobs& jobs) {
  std::map<std::uint64_t, std::map<std::pair<int, UnitKey>, bool>> lines;
  JobCounts counts;
  std::uint64_t waiting = 0;
  std::set<SpotKey> spots;
  for (const auto& [id, job] : jobs.all()) {
    ++(job.outcome != Outcome::none ? counts.ended
       : is_active(job)             ? counts.active
                                    : counts.waiting);
    const Priority priority = job.spec->priority;
    int rank = priority == Priority::high ? 0 : priority == Priority::normal ? 1 : 2;
    if (job.spec->is_spot) rank += 3;
    for (std::uint32_t i = 0; i < job.units.size(); ++i) {
      const Unit& unit = job.units[i];
      const bool is_launched = unit.phase == Phase::staging || unit.phase == Phase::running ||
                               unit.phase == Phase::stopping;
      if (job.spec->is_spot && is_launched) spots.insert({unit.placement.pool, {id, i}});
      if (!job.units[i].is_queued) continue;
      EXPECT_EQ(job.units[i].phase, Phase::waiting);
      lines[demand_fingerprint(*job.spec)][{rank, {id, i}}] = true;
      ++waiting;
    }
  }
  EXPECT_EQ(jobs.waiting(), waiting);
  ASSERT_EQ(jobs.spots().size(), spots.size());
  for (const SpotKey& each : spots) EXPECT_TRUE(jobs.spots().contains(each));
  EXPECT_EQ(jobs.counts().waiting, counts.waiting);
  EXPECT_EQ(jobs.counts().active, counts.active);
  EXPECT_EQ(jobs.counts().ended, counts.ended);
  ASSERT_EQ(jobs.lines().size(), lines.size());
  ASSERT_EQ(jobs.heads().size(), lines.size());
  for (const auto& [print, expected] : lines) {
    const auto& units = jobs.lines().at(print).units;
    ASSERT_EQ(units.size(), expected.size());
    auto at = units.begin();
    std::uint64_t ahead = 0;
    for (const auto& [key, present] : expected) {
      EXPECT_EQ(at->first.unit, key.second);
      EXPECT_EQ(jobs.ahead_of(key.second), ahead++);
      ++at;
    }
    const QueueKey first = units.begin()->first;
    const ProjectId project = jobs.find(first.unit.job)->spec->project;
    EXPECT_EQ(jobs.heads().at({first.rank, project, first.unit}), print);
  }
}

TEST(Jobs, IndexesFollowTheJobsAndAreTheSameWhenTheyAreMadeAnew) {
  for_each_seed(
      [](Random& random) {
        Walk walk(random);
        for (int i = 0; i < 150; ++i) {
          walk.step();
          if (i % 3 != 0) continue;
          expect_indexes_follow(walk.jobs);
          Jobs again = walk.jobs;
          again.reindex();
          expect_indexes_follow(again);
          if (testing::Test::HasFailure()) return;
        }
      },
      100);
}

TEST(JobsDeathTest, EventsOutOfTurnAreABug) {
  Jobs jobs;
  submit(jobs, 1, spec_of());
  const UnitKey key{{1}, 0};
  EXPECT_DEATH(jobs.apply(UnitQueued{key}), "jobs.cc");     // It is queued.
  EXPECT_DEATH(jobs.apply(placed(key, 2)), "jobs.cc");      // Attempts have no gaps.
  EXPECT_DEATH(jobs.apply(granted(jobs, key)), "jobs.cc");  // Nobody asked.
  EXPECT_DEATH(jobs.apply(UnitLaunched{key, {}, {}, {}}, noon), "jobs.cc");
  EXPECT_DEATH(jobs.apply(UnitReturned{key, Setback::none, {}}, noon), "jobs.cc");
  launch(jobs, key);
  EXPECT_DEATH(jobs.apply(placed(key, 2)), "jobs.cc");
  EXPECT_DEATH(jobs.apply(ended({JobId{1}, 0, 1}, yuan(3)), noon),
               "jobs.cc");  // Over its allowance.
  jobs.apply(ended({JobId{1}, 0, 1}), noon);
  EXPECT_DEATH(jobs.apply(ended({JobId{1}, 0, 1}), noon), "jobs.cc");
  EXPECT_DEATH(jobs.apply(JobStopping{JobId{2}, UserId{1}}), "jobs.cc");
}

}  // namespace
}  // namespace suan::jobs
