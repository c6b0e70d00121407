#include <gtest/gtest.h>

#include "domain/terms.h"
#include "energy/course.h"
#include "testing/domain_scene.h"
#include "testing/property.h"

/// Prices by the hour, and work that waits for a better one.
namespace suan::domain {
namespace {

constexpr Moment midnight = scene_start - hours(8);

// Half the price by night, from 22:00 to 07:00, half as much again in the evening from 18:00 on.
Hourly night_rates() {
  Hourly rates{.from = midnight, .values = std::vector<std::uint32_t>(24, 1000)};
  for (std::size_t hour = 0; hour < 24; ++hour) {
    if (hour < 7 || hour >= 22) rates.values[hour] = 500;
    if (hour >= 18 && hour < 22) rates.values[hour] = 1500;
  }
  return rates;
}

Scene rated_scene() {
  Scene scene = furnished_scene();
  Pool pool = make_pool("gpu", 2, 4, yuan(10));
  pool.rates = night_rates();
  scene.start_member({pool});
  return scene;
}

JobSpec patient(Span deadline, Window window = Window::cheapest) {
  JobSpec spec = make_spec(1);
  spec.window = window;
  spec.deadline = scene_start + deadline;
  if (window == Window::greenest) spec.objective = Objective::carbon;
  return spec;
}

const jobs::Unit& unit_of(const Scene& scene, std::uint64_t job = 1) {
  return scene.state.jobs().find(JobId{job})->units.front();
}

// What falls due on the way happens when it is due.
void pass_to(Scene& scene, Moment target) {
  while (const auto timer = scene.state.first_timer()) {
    if (timer->at > target) break;
    scene.now = std::max(scene.now, timer->at);
    ASSERT_TRUE(scene.run(Tick{}));
  }
  scene.now = target;
}

void start(Scene& scene, std::uint64_t job = 1) {
  const jobs::UnitKey key{JobId{job}, 0};
  scene.run(PlaceWaiting{});
  ASSERT_TRUE(scene.run(Reserve{key, 1}));
  ASSERT_TRUE(scene.run(Confirm{key, 1}));
  Progress progress;
  progress.key = {JobId{job}, 0, 1};
  progress.state = AttemptState::running;
  ASSERT_TRUE(scene.run(Report{progress}));
}

void end(Scene& scene, Span wall, std::uint64_t job = 1) {
  Progress progress;
  progress.key = {JobId{job}, 0, 1};
  progress.state = AttemptState::ended;
  progress.end = AttemptEnd::exited;
  progress.usage.wall = wall;
  ASSERT_TRUE(scene.run(Report{progress}));
}

Money price_of_a_card(const Scene& scene) {
  const JobSpec spec = make_spec(1);
  const placement::Demand demand = placement::make_demand(spec);
  return placement::rank(scene.state.supply(), demand, nullptr, 1).best.front().hourly_cost;
}

TEST(Hours, APriceIsThatOfItsHour) {
  Scene scene = rated_scene();
  EXPECT_EQ(scene.state.essence().hour, scene_start);
  EXPECT_EQ(price_of_a_card(scene), yuan(10));
  pass_to(scene, scene_start + hours(10) + minutes(1));
  EXPECT_EQ(scene.state.essence().hour, scene_start + hours(10));
  EXPECT_EQ(price_of_a_card(scene), yuan(15));
  State copy = scene.state;
  copy.reindex();
  scene.state = copy;
  EXPECT_EQ(price_of_a_card(scene), yuan(15));
  pass_to(scene, scene_start + hours(14));
  EXPECT_EQ(price_of_a_card(scene), yuan(5));
}

TEST(Hours, TurnOnlyWhereSomethingGoesByThem) {
  Scene plain = furnished_scene();
  EXPECT_EQ(plain.state.essence().hour, Moment{});
  Scene scene = rated_scene();
  scene.start_member({make_pool("gpu", 2, 4, yuan(10))});
  EXPECT_EQ(price_of_a_card(scene), yuan(10));
  pass_to(scene, scene_start + hours(3));
  EXPECT_EQ(scene.state.essence().hour, Moment{});
}

TEST(Hours, EachIsChargedByItsRate) {
  Scene scene = rated_scene();
  pass_to(scene, scene_start + hours(13) + minutes(30));  // 21:30.
  JobSpec spec = make_spec(1);
  spec.max_duration = hours(3);
  ASSERT_TRUE(scene.ask(submit(spec)));
  start(scene);
  // Should it start an hour later it is cheaper: half an hour of the evening is the dearest.
  EXPECT_EQ(unit_of(scene).placement.hourly, yuan(10));
  pass_to(scene, scene.now + hours(2));
  end(scene, hours(2));
  EXPECT_EQ(unit_of(scene).tasks.front().cost, scale(yuan(10), 1500 * 30 + 500 * 90, 60'000));
  EXPECT_EQ(unit_of(scene).tasks.front().usage.priced, minutes(90));
}

// The server was away while it ran: what it hears at last is not when it happened.
TEST(Hours, AreThoseInWhichItRanHoweverLateThatIsHeard) {
  JobSpec spec = make_spec(1);
  spec.max_duration = hours(1);
  for (const bool has_started_in_time : {true, false}) {
    Scene scene = rated_scene();
    pass_to(scene, scene_start + hours(13));  // 21:00, dear.
    ASSERT_TRUE(scene.ask(submit(spec)));
    ASSERT_TRUE(scene.run(Reserve{{JobId{1}, 0}, 1}));
    ASSERT_TRUE(scene.run(Confirm{{JobId{1}, 0}, 1}));
    Progress progress;
    progress.key = {JobId{1}, 0, 1};
    progress.state = AttemptState::running;
    if (has_started_in_time) {
      ASSERT_TRUE(scene.run(Report{progress}));
    }
    pass_to(scene, scene_start + hours(18));  // 02:00, cheap.
    end(scene, hours(1));
    EXPECT_EQ(unit_of(scene).tasks.front().usage.priced, minutes(90));
  }
  Scene scene = rated_scene();
  pass_to(scene,
          scene_start + hours(8) + minutes(30));  // 16:30; it starts at 17:00, is heard of at
  ASSERT_TRUE(scene.ask(submit(spec)));           // 18:30, and ends then, after an hour.
  ASSERT_TRUE(scene.run(Reserve{{JobId{1}, 0}, 1}));
  ASSERT_TRUE(scene.run(Confirm{{JobId{1}, 0}, 1}));
  pass_to(scene, scene_start + hours(10) + minutes(30));
  Progress progress;
  progress.key = {JobId{1}, 0, 1};
  progress.state = AttemptState::running;
  ASSERT_TRUE(scene.run(Report{progress}));
  end(scene, hours(1));
  EXPECT_EQ(unit_of(scene).tasks.front().usage.priced, minutes(75));  // 17:30 to 18:30.
}

TEST(Hours, AreSetAsideForAsIfTheyWereTheDearestThatMayBe) {
  Scene scene = rated_scene();
  pass_to(scene, scene_start + hours(9) + minutes(30));  // 17:30; from 18:00 on it is dear.
  JobSpec spec = make_spec(1);
  spec.max_duration = minutes(30);
  spec.grace = {};
  ASSERT_TRUE(scene.ask(submit(spec)));
  const jobs::Job& job = *scene.state.jobs().find(JobId{1});
  EXPECT_GE(job.held, scale(yuan(15), 30, 60));
  EXPECT_LT(job.held, scale(yuan(15), 31, 60));
  pass_to(scene, scene_start + hours(15));
  ASSERT_TRUE(scene.ask(submit(spec)));  // At night it need not be set aside for the day.
  EXPECT_LT(scene.state.jobs().find(JobId{2})->held, scale(yuan(5), 31, 60));
}

// A sub-domain is asked for the list price and the rates that it offered, and no others; it lets
// nothing run beyond what was sent for it, whatever its home says.
TEST(Hours, AGuestRunsAsLongAsItsAllowancePays) {
  Scene scene = rated_scene();
  ASSERT_TRUE(scene.run(JoinParent{"north", {}}));
  FromParent<HostUnit> host{ParentId{1}, {}};
  HostUnit& wish = host.message;
  wish.unit = {JobId{7}, 0, 1};
  wish.pool = PoolId{1};
  wish.chip = "H100";
  wish.need = {1000, 4000, 1LL << 30U};
  wish.hourly = yuan(10);
  wish.allowance = yuan(10);
  EXPECT_EQ(scene.run(host).error().code, Code::plan_stale);
  wish.rates = night_rates();
  wish.hourly = yuan(15);
  EXPECT_EQ(scene.run(host).error().code, Code::plan_stale);
  wish.hourly = yuan(10);
  pass_to(scene, scene_start + hours(15));  // At night it pays for two hours.
  ASSERT_TRUE(scene.run(host));
  ASSERT_TRUE(scene.run(Reserve{{JobId{1}, 0}, 1}));
  FromParent<CommitUnit> commit{ParentId{1}, {}};
  commit.message.unit = wish.unit;
  commit.message.max_duration = hours(9);
  ASSERT_TRUE(scene.run(commit));
  const auto* launch = std::get_if<AskLaunch>(&scene.effects.back());
  ASSERT_NE(launch, nullptr);
  EXPECT_EQ(launch->launch.max_duration, hours(2) - seconds(1));
}

TEST(Hours, DearerOnesMayBeMoreThanAJobPays) {
  Scene scene = rated_scene();
  JobSpec spec = make_spec(1);
  spec.hourly_max = yuan(12);
  pass_to(scene, scene_start + hours(10));
  ASSERT_FALSE(scene.ask(submit(spec)));
  pass_to(scene, scene_start + hours(14));
  ASSERT_TRUE(scene.ask(submit(spec)));
}

TEST(Windows, WorkWaitsForTheCheapestHour) {
  Scene scene = rated_scene();
  JobSpec spec = patient(hours(18));
  spec.max_duration = hours(1);
  ASSERT_TRUE(scene.ask(submit(spec)));
  EXPECT_FALSE(unit_of(scene).is_queued);
  EXPECT_LT(scene.state.jobs().find(JobId{1})->held, yuan(6));  // The money of the night.
  const jobs::PutOff& put_off = unit_of(scene).put_off;
  EXPECT_EQ(put_off.until, scene_start + hours(14));
  EXPECT_EQ(put_off.then, yuan(5).micro);
  EXPECT_EQ(put_off.now, yuan(10).micro);
  pass_to(scene, scene_start + hours(14));
  ASSERT_TRUE(unit_of(scene).is_queued);
  start(scene);
  pass_to(scene, scene.now + hours(1));
  end(scene, hours(1));
  EXPECT_EQ(unit_of(scene).tasks.front().cost, yuan(5));
}

TEST(Windows, NothingWaitsWithoutACheaperHourBeforeItsDeadline) {
  for (const Span deadline : {hours(1), hours(9), hours(13)}) {
    Scene scene = rated_scene();
    ASSERT_TRUE(scene.ask(submit(patient(deadline))));
    EXPECT_EQ(unit_of(scene).phase, jobs::Phase::reserving);
  }
  Scene scene = rated_scene();
  pass_to(scene, scene_start + hours(15));
  ASSERT_TRUE(scene.ask(submit(patient(hours(40)))));
  EXPECT_EQ(unit_of(scene).phase, jobs::Phase::reserving);
}

TEST(Windows, OfHoursThatSaveNearlyAsMuchTheFirstIsTaken) {
  for (const std::uint32_t later : {460U, 400U}) {  // Of 500 or more that is a tenth, or more.
    Scene scene = furnished_scene();
    Pool pool = make_pool("gpu", 2, 4, yuan(10));
    pool.rates = {.from = midnight, .values = std::vector<std::uint32_t>(24, 1000)};
    pool.rates.values[12] = 500;
    pool.rates.values[14] = later;
    scene.start_member({pool});
    ASSERT_TRUE(scene.ask(submit(patient(hours(12)))));
    EXPECT_EQ(unit_of(scene).put_off.until, scene_start + hours(later == 460 ? 4 : 6));
  }
}

// What is full now may be full then: it is waited for only where nothing has room.
TEST(Windows, OnlyPoolsWithRoomAreWaitedFor) {
  Scene scene = furnished_scene();
  Pool rated = make_pool("rated", 1, 4, yuan(10));
  rated.rates = night_rates();
  scene.start_member({rated, make_pool("steady", 1, 4, yuan(9))});
  const auto fill = [&](std::uint64_t job, Money most) {
    JobSpec all = make_spec(4);
    all.objective = Objective::cost;
    all.hourly_max = most;
    ASSERT_TRUE(scene.ask(submit(all)));
    ASSERT_EQ(unit_of(scene, job).phase, jobs::Phase::reserving);
    start(scene, job);
  };
  fill(1, yuan(36));  // The steady pool; the rated one is dearer.
  ASSERT_TRUE(scene.ask(submit(patient(hours(18)))));
  EXPECT_EQ(unit_of(scene, 2).put_off.until, scene_start + hours(14));
  ASSERT_TRUE(scene.ask(StopJob{JobId{2}}));
  fill(3, {});
  ASSERT_TRUE(scene.ask(submit(patient(hours(18)))));  // All are full.
  EXPECT_EQ(unit_of(scene, 4).put_off.until, scene_start + hours(14));
  EXPECT_EQ(unit_of(scene, 4).put_off.pool_now, PoolId{});
  ASSERT_TRUE(scene.ask(StopJob{JobId{4}}));
  end(scene, minutes(1), 1);  // The steady pool has room again.
  ASSERT_TRUE(scene.ask(submit(patient(hours(18)))));
  EXPECT_EQ(unit_of(scene, 5).phase, jobs::Phase::reserving);
}

TEST(Windows, ARunThatReachesIntoDearHoursIsWeighedAsAWhole) {
  Scene scene = rated_scene();
  JobSpec spec = patient(hours(20));
  spec.max_duration = hours(9);  // From 22:00 on all of it is cheap; from 23:00 on not quite.
  ASSERT_TRUE(scene.ask(submit(spec)));
  EXPECT_EQ(unit_of(scene).put_off.until, scene_start + hours(14));
  spec.max_duration = hours(72);  // Of three days each hour is the same part.
  ASSERT_TRUE(scene.ask(submit(spec)));
  EXPECT_NE(unit_of(scene, 2).phase, jobs::Phase::waiting);
}

TEST(Windows, StartsEvenIfItsHourHasPassed) {
  Scene scene = rated_scene();
  ASSERT_TRUE(scene.ask(submit(patient(hours(18)))));
  scene.now = scene_start + hours(17);  // Nobody was there at its time.
  pass_to(scene, scene.now);
  ASSERT_TRUE(unit_of(scene).is_queued);
  start(scene);
  EXPECT_EQ(unit_of(scene).phase, jobs::Phase::running);
}

TEST(Windows, ThatWaitsCanBeStopped) {
  Scene scene = rated_scene();
  ASSERT_TRUE(scene.ask(submit(patient(hours(18)))));
  ASSERT_TRUE(scene.ask(StopJob{JobId{1}}));
  EXPECT_EQ(scene.state.jobs().find(JobId{1})->outcome, jobs::Outcome::cancelled);
  pass_to(scene, scene_start + hours(15));
}

TEST(Windows, GreenWorkGoesWhereAndWhenItIsGreenest) {
  Scene scene = furnished_scene();
  const auto offer = [&](const std::string& name, std::uint32_t by_day, std::uint32_t by_night) {
    Site site;
    site.name = name;
    site.region = "cn-sh";
    site.pue_milli = 1000;
    site.carbon_hours = {.from = midnight, .values = std::vector<std::uint32_t>(24, by_night)};
    for (std::size_t hour = 7; hour < 18; ++hour) site.carbon_hours.values[hour] = by_day;
    ASSERT_TRUE(scene.run(StartMember{name, "", site, {make_pool("gpu", 1, 4, yuan(10))}}));
  };
  offer("solar", 100, 600);
  offer("coal", 550, 550);
  const auto pool_of = [&](std::uint64_t job) {
    return scene.state.catalogue().pool_name(
        scene.state.catalogue().pools().at(unit_of(scene, job).placement.pool));
  };
  JobSpec spec = patient(hours(40), Window::greenest);
  ASSERT_TRUE(scene.ask(submit(spec)));
  EXPECT_EQ(pool_of(1), "solar/gpu");  // By day it starts at once.
  spec.max_duration = hours(14);       // Most of which is night: as a whole coal is cleaner.
  pass_to(scene, scene_start + hours(9) + minutes(30));
  spec.deadline = scene.now + hours(1);
  ASSERT_TRUE(scene.ask(submit(spec)));
  EXPECT_EQ(pool_of(2), "coal/gpu");
  pass_to(scene, scene_start + hours(12));
  spec = patient(hours(40), Window::greenest);
  ASSERT_TRUE(scene.ask(submit(spec)));
  EXPECT_EQ(unit_of(scene, 3).put_off.until, scene_start + hours(23));  // 07:00.
}

TEST(Windows, GoWithADeadlineAndTheirObjective) {
  Scene scene = rated_scene();
  JobSpec spec = make_spec(1);
  spec.window = Window::cheapest;
  EXPECT_FALSE(scene.ask(submit(spec)));
  spec.deadline = scene_start + hours(20);
  spec.objective = Objective::carbon;
  EXPECT_FALSE(scene.ask(submit(spec)));
  spec.objective = Objective::cost;
  EXPECT_TRUE(scene.ask(submit(spec)));
}

// The same as of one price: what is told to run never costs more than it may, whenever it starts.
TEST(Terms, AnAllowancePaysAtAllRatesForTheTimeThatItAllows) {
  for_each_seed(
      [](Random& random) {
        jobs::Placement placement;
        placement.hourly = Money{random.between(1, 1'000'000'000)};
        placement.rates.from = midnight;
        const std::size_t days = 1 + random.below(std::size_t{3});
        for (std::size_t i = 0; i < 24 * days; ++i)
          placement.rates.values.push_back(random.chance(1, 5) ? 0 : random.below(3000U));
        placement.starts_from = midnight + minutes(random.between(-3000, 6000));
        placement.starts_by = placement.starts_from + minutes(random.between(0, 60));
        if (random.chance(1, 3)) placement.starts_by = {};
        JobSpec spec;
        if (random.chance(1, 2)) spec.max_duration = minutes(random.between(1, 3000));
        if (spec.max_duration == Span{} || random.chance(1, 2))
          spec.budget = Money{random.between(1, 2'000'000'000)};
        spec.grace = seconds(random.between(0, 600));
        const Fare fare{placement, 1};
        const Money allowance = unit_allowance(spec, fare);
        const Span limit = running_limit(spec, fare, allowance);
        ASSERT_GT(limit, Span{});
        if (spec.budget == Money{}) {
          EXPECT_EQ(limit, spec.max_duration);
        }
        if (limit == Span{1}) return;
        const Span whole = limit + spec.grace + seconds(1);
        const energy::Course course(placement.rates);
        const Moment last = placement.starts_by == Moment{} ? placement.starts_from + hours(100)
                                                            : placement.starts_by;
        for (int i = 0; i < 20; ++i) {
          const Moment started =
              placement.starts_from + Span{random.between(0, (last - placement.starts_from).us)};
          EXPECT_LE(charge_for(placement.hourly, course.weigh(started, whole)), allowance);
        }
      },
      1000);
}

}  // namespace
}  // namespace suan::domain
