#include <algorithm>
#include <optional>
#include <vector>

#include <gtest/gtest.h>

#include "testing/domain_scene.h"

/// What the conversations do not say in passing: attempts after attempts, payloads, renewals.
namespace suan::domain {
namespace {

class Units : public testing::Test {
 protected:
  void start(JobSpec spec, std::uint32_t payloads = 0) {
    ASSERT_TRUE(scene.ask(submit(std::move(spec), payloads)));
    launch();
  }

  // The first job's first unit, from placed to launched.
  void launch() {
    const UnitKey key{{1}, 0};
    ASSERT_TRUE(scene.run(Reserve{key, unit().attempt}));
    ASSERT_TRUE(scene.run(Confirm{key, unit().attempt}));
  }

  void end(AttemptEnd end, Span wall = {}) {
    Progress progress;
    progress.key = {JobId{1}, 0, unit().attempt};
    progress.state = AttemptState::ended;
    progress.end = end;
    progress.usage.wall = wall;
    ASSERT_TRUE(scene.run(Report{progress}));
  }

  using UnitKey = jobs::UnitKey;
  const jobs::Job& job() const { return *scene.state.jobs().find(JobId{1}); }
  const jobs::Unit& unit() const { return job().units[0]; }

  Scene scene = furnished_scene();
};

TEST_F(Units, ThePauseBeforeAnotherAttemptDoublesUpToTenMinutes) {
  JobSpec spec = make_spec();
  spec.retry.on_site_lost = true;
  start(spec);
  for (const std::int64_t pause : {10, 20, 40, 80, 160, 320, 600, 600}) {
    end(AttemptEnd::lost);
    ASSERT_EQ(unit().timer, scene.now + seconds(pause));
    scene.now = unit().timer;
    ASSERT_TRUE(scene.run(Tick{}));
    ASSERT_TRUE(scene.run(PlaceWaiting{}));
    launch();
  }
  EXPECT_EQ(unit().mishaps.size(), 8U);
}

// Whether a job goes on after its first attempt ended so, that long after it was submitted.
bool is_tried_again(const Retry& retry, AttemptEnd end, Span after = {}, bool replace = false) {
  Scene scene = furnished_scene();
  JobSpec spec = make_spec();
  spec.retry = retry;
  spec.partition.replace = replace;
  scene.ask(submit(spec));
  scene.run(Reserve{{{1}, 0}, 1});
  scene.run(Confirm{{{1}, 0}, 1});
  scene.now = scene.now + after;
  Progress progress;
  progress.key = {JobId{1}, 0, 1};
  progress.state = AttemptState::ended;
  progress.end = end;
  progress.exit_code = 1;
  scene.run(Report{progress});
  return scene.state.jobs().find(JobId{1})->outcome == jobs::Outcome::none;
}

TEST_F(Units, AreTriedAgainOnlyForTheReasonsThatWereAskedFor) {
  const Retry lost{.on_interruption = false, .on_site_lost = true, .duration = {}};
  const Retry interrupted{.on_interruption = true, .on_site_lost = false, .duration = {}};
  EXPECT_TRUE(is_tried_again(lost, AttemptEnd::lost));
  EXPECT_TRUE(is_tried_again(lost, AttemptEnd::lapsed));
  EXPECT_FALSE(is_tried_again(lost, AttemptEnd::launch_failed));
  EXPECT_TRUE(is_tried_again(interrupted, AttemptEnd::launch_failed));
  EXPECT_FALSE(is_tried_again(interrupted, AttemptEnd::lost));
  EXPECT_FALSE(is_tried_again({}, AttemptEnd::lost));
  EXPECT_TRUE(is_tried_again({}, AttemptEnd::lapsed, {}, true));
  for (const AttemptEnd end : {AttemptEnd::exited, AttemptEnd::signalled, AttemptEnd::timed_out,
                               AttemptEnd::out_of_memory, AttemptEnd::cancelled})
    EXPECT_FALSE(is_tried_again({true, true, {}}, end));
  const Retry an_hour{.on_interruption = false, .on_site_lost = true, .duration = hours(1)};
  EXPECT_TRUE(is_tried_again(an_hour, AttemptEnd::lost, hours(1)));
  EXPECT_FALSE(is_tried_again(an_hour, AttemptEnd::lost, hours(1) + Span{1}));
}

// Ten yuan pay for an hour: after 40 minutes of a first attempt a second one gets the rest.
TEST_F(Units, AttemptsShareOneBudget) {
  JobSpec spec = make_spec();
  spec.max_duration = {};
  spec.budget = yuan(10);
  spec.retry.on_site_lost = true;
  start(spec);
  end(AttemptEnd::lost, minutes(42));
  scene.now = unit().timer;
  scene.run(Tick{});
  ASSERT_TRUE(scene.run(PlaceWaiting{}));
  EXPECT_EQ(unit().placement.allowance, yuan(3));
  launch();
  end(AttemptEnd::lost, minutes(17));
  // What is left does not pay for a minute and the grace.
  EXPECT_EQ(job().outcome, jobs::Outcome::failed);
  EXPECT_NE(job().reason.find("does not pay for another attempt"), std::string::npos);
  EXPECT_LE(job().cost, yuan(10));
}

TEST_F(Units, PayloadsAreNumberedAcrossJobsAndAVariantBringsItsOwn) {
  JobSpec spec = make_spec();
  spec.payload = PayloadId{1};
  spec.alternatives.push_back({"H100", 2000, PayloadId{2}});
  spec.is_ordered = true;
  start(spec, 2);
  ASSERT_TRUE(scene.ask(submit(spec, 2)));
  const JobSpec& second = *scene.state.jobs().find(JobId{2})->spec;
  EXPECT_EQ(second.payload, PayloadId{3});
  EXPECT_EQ(second.alternatives[0].payload, PayloadId{});
  EXPECT_EQ(second.alternatives[1].payload, PayloadId{4});
  const auto launch = std::ranges::find_if(
      scene.effects, [](const Effect& each) { return std::holds_alternative<AskLaunch>(each); });
  ASSERT_NE(launch, scene.effects.end());
  EXPECT_EQ(std::get<AskLaunch>(*launch).launch.payload, PayloadId{1});

  Scene other = furnished_scene();
  spec.alternatives[0].chip = "H20";  // Nobody has it: the second variant runs.
  other.ask(submit(spec, 2));
  other.run(Reserve{{{1}, 0}, 1});
  other.run(Confirm{{{1}, 0}, 1});
  EXPECT_EQ(std::get<AskLaunch>(other.effects.back()).launch.payload, PayloadId{2});
  EXPECT_EQ(std::get<AskLaunch>(other.effects.back()).launch.grant.cards.size(), 2U);
}

// The server was down while the hold should have been renewed: the hour counts from now.
TEST_F(Units, ALateRenewalPaysFromWhenItIsMade) {
  JobSpec spec = make_spec();
  spec.max_duration = {};
  start(spec);
  EXPECT_EQ(unit().paid_until, scene.now + hours(1));
  EXPECT_EQ(unit().timer, scene.now + minutes(49) + seconds(30));
  scene.now = scene.now + hours(3);
  while (scene.state.first_timer()->at <= scene.now) ASSERT_TRUE(scene.run(Tick{}));
  EXPECT_EQ(unit().paid_until, scene.now + hours(1));
  EXPECT_EQ(unit().allowance_left, yuan(20));
  EXPECT_EQ(unit().run_for, hours(1) - seconds(30));
}

TEST_F(Units, ThatAreReplacedWhenCutOffHearThreeTimesWithinTheirTime) {
  JobSpec spec = make_spec();
  spec.partition.replace = true;
  start(spec);
  EXPECT_EQ(unit().run_for, minutes(10));  // The default of lost_after.
  EXPECT_EQ(unit().timer, scene.now + minutes(10) / 3);
  scene.now = unit().timer;
  scene.effects.clear();
  ASSERT_TRUE(scene.run(Tick{}));
  ASSERT_EQ(scene.effects.size(), 1U);
  EXPECT_EQ(std::get<AskRenew>(scene.effects[0]).renew.run_for, minutes(10));
  EXPECT_EQ(unit().allowance_left, unit().placement.allowance);  // It costs nothing.
}

// Hours that are to be paid within five minutes are paid together, as far as the money goes; what
// is not paid early has its own time.
class PaidTogether : public Units {
 protected:
  void launch_three(Money funds) {
    ASSERT_TRUE(scene.ask(Deposit{"other", funds, ""}));
    for (std::uint64_t id = 1; id <= 3; ++id) {
      JobSpec spec = make_spec();
      spec.project = other;
      spec.max_duration = {};
      ASSERT_TRUE(scene.ask(submit(spec)));
      ASSERT_TRUE(scene.run(Reserve{{{id}, 0}, 1}));
      ASSERT_TRUE(scene.run(Confirm{{{id}, 0}, 1}));
      scene.now = scene.now + minutes(3);
    }
    scene.now = unit_of(1).timer;
    ASSERT_TRUE(scene.run(Tick{}));
  }
  const jobs::Unit& unit_of(std::uint64_t id) const {
    return scene.state.jobs().find(JobId{id})->units[0];
  }
  Money free() const { return scene.state.ledger().balance(ledger::project_account(other)); }
  static Moment first_paid(std::uint64_t id) {
    return scene_start + minutes(3) * static_cast<std::int64_t>(id - 1) + hours(1);
  }

  const ProjectId other{2};
};

TEST_F(PaidTogether, WithinFiveMinutes) {
  launch_three(yuan(100));
  EXPECT_EQ(unit_of(1).paid_until, first_paid(1) + hours(1));
  EXPECT_EQ(unit_of(2).paid_until, first_paid(2) + hours(1));
  EXPECT_EQ(unit_of(2).run_for, hours(1) + minutes(13));  // Less what it stops in.
  EXPECT_EQ(unit_of(3).paid_until, first_paid(3));        // In six minutes.
  EXPECT_EQ(free(), yuan(50));
}

TEST_F(PaidTogether, AsFarAsTheMoneyGoes) {
  launch_three(yuan(40));
  EXPECT_EQ(unit_of(1).paid_until, first_paid(1) + hours(1));
  EXPECT_EQ(unit_of(2).paid_until, first_paid(2));
  EXPECT_EQ(free(), Money{});
  scene.now = unit_of(2).timer;
  ASSERT_TRUE(scene.run(Tick{}));
  EXPECT_EQ(unit_of(2).phase, jobs::Phase::stopping);
  EXPECT_EQ(unit_of(3).phase, jobs::Phase::staging);  // Its money is there until its time comes.
}

// The moment at which a grant expires is too late for its confirmation, whichever comes first.
TEST_F(Units, AGrantIsNotConfirmedInTheMomentItExpires) {
  ASSERT_TRUE(scene.ask(submit(make_spec())));
  ASSERT_TRUE(scene.run(Reserve{{{1}, 0}, 1}));
  scene.now = scene.now + tentative_lease_lasts;
  ASSERT_TRUE(scene.run(Confirm{{{1}, 0}, 1}));
  EXPECT_EQ(unit().phase, jobs::Phase::waiting);
  EXPECT_EQ(unit().mishaps.back().setback, jobs::Setback::lease_expired);
  EXPECT_TRUE(scene.state.market().leases().empty());
}

// A gang is judged by what went wrong first, not by what its other members died of.
TEST_F(Units, AGangEndsAsItsFirstFailureDid) {
  JobSpec spec = make_spec();
  spec.nodes = 2;
  start(spec);
  Progress progress;
  progress.key = {JobId{1}, 1, 1};
  progress.state = AttemptState::ended;
  progress.end = AttemptEnd::out_of_memory;
  progress.exit_code = 137;
  scene.run(Report{progress});
  scene.now = scene.now + seconds(1);
  progress.key.task = 0;
  progress.end = AttemptEnd::exited;
  progress.exit_code = 9;
  scene.run(Report{progress});
  EXPECT_EQ(job().outcome, jobs::Outcome::failed);
  EXPECT_EQ(job().exit_code, 137);
  EXPECT_EQ(job().reason, "it used more memory than it asked for");
}

// All ends are told at one moment, as after a time without a server.
TEST_F(Units, WhatWasStoppedForAnotherIsNotTheFirstFailureOfAGang) {
  scene.start_member({make_pool("gpu", 3, 4, yuan(10))});
  JobSpec spec = make_spec();
  spec.nodes = 3;
  start(spec);
  Progress progress;
  progress.state = AttemptState::ended;
  for (const std::uint32_t task : {1U, 0U, 2U}) {
    progress.key = {JobId{1}, task, 1};
    progress.end = task == 1 ? AttemptEnd::out_of_memory : AttemptEnd::cancelled;
    progress.exit_code = task == 1 ? 137 : 143;
    ASSERT_TRUE(scene.run(Report{progress}));
  }
  EXPECT_EQ(job().outcome, jobs::Outcome::failed);
  EXPECT_EQ(job().exit_code, 137);
  EXPECT_EQ(job().reason, "it used more memory than it asked for");
}

// Reserved and not granted yet: nobody else is promised the same cards.
TEST_F(Units, WhatIsReservedIsNotPromisedAgain) {
  ASSERT_TRUE(scene.ask(submit(make_spec(4))));
  ASSERT_TRUE(scene.ask(submit(make_spec(4))));
  ASSERT_TRUE(scene.ask(submit(make_spec(4))));
  EXPECT_EQ(scene.state.jobs().waiting(), 1U);
  scene.ask(StopJob{JobId{1}});
  EXPECT_TRUE(scene.run(PlaceWaiting{}));
  EXPECT_EQ(scene.state.jobs().waiting(), 0U);
}

// A member that starts again with the same offer changes nothing but its incarnation.
TEST_F(Units, AMemberOffersOnlyWhatHasChanged) {
  Site site;
  site.name = "here";
  site.region = "cn-sh";
  const StartMember same{"engine", "", site, {make_pool("gpu", 2, 4, yuan(10))}};
  const Decision again = scene.run(same);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->size(), 1U);
  EXPECT_EQ(scene.state.catalogue().find_member("engine")->incarnation, 2U);
  // Another member's pools at the same site are not its to close.
  const StartMember other{"other", "", site, {make_pool("cpu", 1, 0, yuan(1))}};
  ASSERT_TRUE(scene.run(other));
  EXPECT_EQ(scene.state.catalogue().pools().at(PoolId{1}).state, ServingState::production);
  EXPECT_EQ(scene.state.catalogue().pools().size(), 2U);
}

}  // namespace
}  // namespace suan::domain
