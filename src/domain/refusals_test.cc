#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "testing/domain_scene.h"

/// Each code with which the rules say no, and where in the request they point. journal_full,
/// overloaded, stopping and request_body_differs are said by others.
namespace suan::domain {
namespace {

Progress progress_of(AttemptState state) {
  Progress progress;
  progress.key = {JobId{1}, 0, 1};
  progress.state = state;
  return progress;
}

class Refusals : public testing::Test {
 protected:
  // What `who` is told; Code::none if it stands.
  Refusal said(const Command& command, std::string_view who = "root") {
    const Decision decision =
        decide(scene.state, command, scene.caller(scene.user(who)), scene.now);
    return decision ? Refusal{} : decision.error();
  }
  Code code_of(const Command& command, std::string_view who = "root") {
    return said(command, who).code;
  }
  void expect_invalid(JobSpec spec, const char* field) {
    const Refusal refusal = said(submit(std::move(spec)));
    EXPECT_EQ(refusal.code, Code::spec_invalid) << refusal.detail;
    EXPECT_EQ(refusal.field, field);
  }

  Scene scene = furnished_scene();
};

TEST_F(Refusals, NamesAreShortPlainAndUnique) {
  for (const char* bad : {"", "Lab", "a b", "a/b", "算"}) {
    EXPECT_EQ(code_of(CreateProject{bad, ""}), Code::name_invalid) << bad;
    EXPECT_EQ(code_of(CreateOrganisation{bad}), Code::name_invalid) << bad;
  }
  EXPECT_EQ(code_of(CreateProject{std::string(64, 'a'), ""}), Code::name_invalid);
  EXPECT_EQ(code_of(CreateProject{std::string(63, 'a'), ""}), Code::none);
  EXPECT_EQ(code_of(CreateOrganisation{"a-b_c.9"}), Code::none);
  EXPECT_EQ(code_of(CreateProject{"lab", ""}), Code::name_taken);
  EXPECT_EQ(code_of(CreateOrganisation{"acme"}), Code::name_taken);
  const Refusal unknown = said(CreateProject{"new", "acne"});
  EXPECT_EQ(unknown.code, Code::organisation_unknown);
  EXPECT_EQ(unknown.suggestion, "acme");
}

TEST_F(Refusals, DepositsHaveBounds) {
  EXPECT_EQ(code_of(Deposit{"lab", {}, ""}), Code::amount_not_positive);
  EXPECT_EQ(code_of(Deposit{"lab", {-1}, ""}), Code::amount_not_positive);
  EXPECT_EQ(code_of(Deposit{"lab", yuan(1'000'000'000), ""}), Code::none);
  EXPECT_EQ(code_of(Deposit{"lab", yuan(1'000'000'000) + Money{1}, ""}), Code::amount_not_positive);
  EXPECT_EQ(code_of(Deposit{"lab", yuan(1), std::string(200, 'a')}), Code::none);
  EXPECT_EQ(code_of(Deposit{"lab", yuan(1), std::string(201, 'a')}), Code::spec_invalid);
  const Refusal unknown = said(Deposit{"labb", yuan(1), ""});
  EXPECT_EQ(unknown.code, Code::project_unknown);
  EXPECT_EQ(unknown.suggestion, "lab");
  // A domain keeps at most a trillion; the scene has put a thousand in.
  for (int i = 0; i < 999; ++i) scene.ask(Deposit{"lab", yuan(1'000'000'000), ""});
  EXPECT_EQ(code_of(Deposit{"lab", yuan(1'000'000'000) - yuan(1000), ""}), Code::none);
  EXPECT_EQ(code_of(Deposit{"lab", yuan(1'000'000'000), ""}), Code::amount_too_large);
}

TEST_F(Refusals, KeysAreNewAndForProjectsThatAreThere) {
  CreateKey command{.user = "carl",
                    .organisation = "",
                    .role = identity::Role::consumer,
                    .projects = {"lab", "lba"},
                    .label = "",
                    .secret_hash = digest_of("new")};
  EXPECT_EQ(code_of(command), Code::project_unknown);
  EXPECT_EQ(said(command).field, "/projects/1");
  command.projects = {"lab"};
  EXPECT_EQ(code_of(command), Code::none);
  command.organisation = "nobody";
  EXPECT_EQ(code_of(command), Code::organisation_unknown);
  command.organisation = "";
  command.secret_hash = digest_of("ann");
  EXPECT_EQ(code_of(command), Code::key_exists);
  command.secret_hash = digest_of("new");
  command.user = "ann";
  EXPECT_EQ(code_of(command), Code::none);
  command.role = identity::Role::provider;
  EXPECT_EQ(code_of(command), Code::name_taken);
  command.user = "";
  EXPECT_EQ(code_of(command), Code::name_invalid);
  EXPECT_EQ(code_of(RevokeKey{KeyId{77}}), Code::key_unknown);
}

TEST_F(Refusals, AJobIsFoundOnlyWhileItLives) {
  EXPECT_EQ(code_of(StopJob{JobId{1}}), Code::job_unknown);
  scene.ask(submit(make_spec()));
  EXPECT_EQ(code_of(StopJob{JobId{1}}), Code::none);
  EXPECT_EQ(code_of(StopJob{JobId{1}}, "bob"), Code::job_unknown);
  scene.ask(StopJob{JobId{1}});
  EXPECT_EQ(code_of(StopJob{JobId{1}}), Code::job_ended);
}

TEST_F(Refusals, SpecificationsHaveBounds) {
  const auto changed = [](auto change) {
    JobSpec spec = make_spec();
    change(spec);
    return spec;
  };
  using Spec = JobSpec&;
  expect_invalid(changed([](Spec s) { s.alternatives.clear(); }), "/variants");
  expect_invalid(changed([](Spec s) { s.alternatives.resize(17, s.alternatives[0]); }),
                 "/variants");
  expect_invalid(changed([](Spec s) { s.nodes = 0; }), "/num_nodes");
  expect_invalid(changed([](Spec s) { s.nodes = 1025; }), "/num_nodes");
  expect_invalid(changed([](Spec s) { s.elements = 0; }), "/array");
  expect_invalid(changed([](Spec s) { s.elements = 10'001; }), "/array");
  expect_invalid(changed([](Spec s) { s.elements = s.nodes = 2; }), "/array");
  for (const std::int64_t milli : {-1000, 1500, 65'000, 0}) {
    expect_invalid(changed([&](Spec s) { s.alternatives[0].card_milli = milli; }),
                   "/resources/accelerators");
  }
  expect_invalid(changed([](Spec s) { s.alternatives[0].chip = ""; }), "/resources/accelerators");
  expect_invalid(changed([](Spec s) { s.grace = minutes(30) + Span{1}; }), "/grace");
  expect_invalid(changed([](Spec s) { s.partition.lost_after = seconds(10) - Span{1}; }),
                 "/partition/lost_after");
  expect_invalid(changed([](Spec s) { s.max_duration = hours(100LL * 366 * 24) + Span{1}; }),
                 "/max_duration");
  expect_invalid(changed([&](Spec s) { s.deadline = scene.now; }), "/start/deadline");
  expect_invalid(changed([](Spec s) { s.budget = {-1}; }), "");
  expect_invalid(changed([](Spec s) { s.hourly_max = {-1}; }), "");
  expect_invalid(changed([](Spec s) { s.max_duration = {-1}; }), "");
  expect_invalid(changed([](Spec s) { s.grace = {-1}; }), "");
  expect_invalid(changed([](Spec s) { s.cpu_milli.least = -1; }), "");
  expect_invalid(changed([](Spec s) { s.memory_bytes.most = -1; }), "");
  expect_invalid(changed([](Spec s) { s.retry.duration = {-1}; }), "");
  EXPECT_EQ(code_of(submit(changed([](Spec s) { s.alternatives[0].card_milli = 999; }))),
            Code::none);
  EXPECT_EQ(code_of(submit(changed([](Spec s) { s.grace = minutes(30); }))), Code::none);
  EXPECT_EQ(code_of(submit(changed([&](Spec s) { s.deadline = scene.now + Span{1}; }))),
            Code::none);
}

TEST_F(Refusals, AJobNeedsAPlaceThatCouldRunIt) {
  EXPECT_EQ(code_of(submit(make_spec(4))), Code::none);
  const Refusal wide = said(submit(make_spec(5)));
  EXPECT_EQ(wide.code, Code::no_pool_fits);
  EXPECT_NE(wide.detail.find("1 pool: fewer cards on a node"), std::string::npos) << wide.detail;
  JobSpec spec = make_spec();
  spec.nodes = 3;
  EXPECT_EQ(code_of(submit(spec)), Code::no_pool_fits);
  Scene empty;
  empty.found();
  empty.ask(CreateProject{"lab", ""});
  EXPECT_EQ(empty.ask(submit(make_spec())).error().code, Code::no_pool_fits);
}

TEST_F(Refusals, AJobNeedsTheMoneyForAllOfIt) {
  JobSpec spec = make_spec(4);  // 40 CNY/h, and a thousand on the account.
  spec.max_duration = hours(25);
  EXPECT_EQ(code_of(submit(spec)), Code::credit_insufficient);
  spec.max_duration = hours(24);
  EXPECT_EQ(code_of(submit(spec)), Code::none);
  spec.elements = 2;
  EXPECT_EQ(code_of(submit(spec)), Code::credit_insufficient);
  spec = make_spec(4);
  spec.max_duration = {};
  spec.budget = scale(yuan(40), 91, 3600);  // A minute, the grace, and a second to stop.
  EXPECT_EQ(code_of(submit(spec)), Code::budget_too_small);
  spec.budget = spec.budget + Money{1};
  EXPECT_EQ(code_of(submit(spec)), Code::none);
  spec.max_duration = seconds(10);  // All it wants, if less than a minute.
  spec.budget = scale(yuan(40), 42, 3600);
  EXPECT_EQ(code_of(submit(spec)), Code::none);
  spec.budget = scale(yuan(40), 40, 3600);
  EXPECT_EQ(code_of(submit(spec)), Code::budget_too_small);
}

TEST_F(Refusals, ABudgetForExactlyAMinuteIsEnough) {
  scene.start_member({make_pool("gpu", 2, 4, yuan(9))});
  JobSpec spec = make_spec(4);  // A yuan buys a hundred seconds.
  spec.max_duration = {};
  spec.budget = {910'000};
  EXPECT_EQ(code_of(submit(spec)), Code::none);
  spec.budget = {909'999};
  EXPECT_EQ(code_of(submit(spec)), Code::budget_too_small);
}

TEST_F(Refusals, AProjectOfOthersIsUnknown) {
  JobSpec spec = make_spec();
  spec.project = ProjectId{9};
  EXPECT_EQ(code_of(submit(spec)), Code::project_unknown);
  EXPECT_EQ(code_of(submit(make_spec()), "bob"), Code::project_unknown);
  EXPECT_EQ(code_of(submit(make_spec()), "ann"), Code::none);
}

TEST_F(Refusals, APlanHoldsOrIsStale) {
  SubmitJob command = submit(make_spec(2));
  command.plan = {.is_bound = true, .pool = PoolId{1}, .alternative = 0, .hourly = yuan(20)};
  EXPECT_EQ(code_of(command), Code::none);
  command.plan.hourly = yuan(21);
  EXPECT_EQ(code_of(command), Code::plan_stale);
  command.plan.hourly = yuan(20);
  command.plan.alternative = 1;
  EXPECT_EQ(code_of(command), Code::plan_stale);
  command.plan = {.is_bound = true, .pool = PoolId{2}, .alternative = 0, .hourly = yuan(20)};
  EXPECT_EQ(code_of(command), Code::plan_stale);
  command.plan = {.is_bound = true, .pool = {}, .alternative = 0, .hourly = {}};
  EXPECT_EQ(code_of(command), Code::plan_stale);
}

TEST_F(Refusals, AnEqualJobWaitsBehindOnesThatWait) {
  JobSpec whole = make_spec(4);
  whole.nodes = 2;
  scene.ask(submit(whole));
  scene.ask(submit(make_spec(4)));  // It waits for either node.
  ASSERT_EQ(scene.state.jobs().waiting(), 1U);
  scene.ask(StopJob{JobId{1}});
  SubmitJob equal = submit(make_spec(4));
  equal.plan = {.is_bound = true, .pool = {}, .alternative = 0, .hourly = {}};
  EXPECT_EQ(code_of(equal), Code::none);  // Though two nodes are free now.
}

TEST_F(Refusals, WhatIsOverOrNotDueIsSaidSo) {
  EXPECT_EQ(code_of(FoundDomain{"again", "acme", "root", {}}), Code::domain_exists);
  EXPECT_EQ(code_of(Tick{}), Code::nothing_due);
  EXPECT_EQ(code_of(PlaceWaiting{}), Code::nothing_placeable);
  EXPECT_EQ(code_of(NotePayloadsDestroyed{PayloadId{1}}), Code::stale);
  EXPECT_EQ(code_of(Reserve{{{1}, 0}, 1}), Code::stale);
  EXPECT_EQ(code_of(Report{progress_of(AttemptState::none)}), Code::stale);
  scene.ask(submit(make_spec()));
  EXPECT_EQ(code_of(Confirm{{{1}, 0}, 1}), Code::stale);  // Not reserved yet.
  EXPECT_EQ(code_of(Reserve{{{1}, 0}, 2}), Code::stale);
  EXPECT_EQ(code_of(Reserve{{{1}, 1}, 1}), Code::stale);
  EXPECT_EQ(code_of(Reserve{{{1}, 0}, 1}), Code::none);
  EXPECT_EQ(code_of(Report{progress_of(AttemptState::running)}), Code::stale);  // Not launched yet.
}

TEST_F(Refusals, AReportThatSaysNothingNewIsStale) {
  scene.ask(submit(make_spec()));
  scene.run(Reserve{{{1}, 0}, 1});
  scene.run(Confirm{{{1}, 0}, 1});
  Progress progress = progress_of(AttemptState::staging);
  EXPECT_EQ(code_of(Report{progress}), Code::stale);
  progress.state = AttemptState::running;
  EXPECT_EQ(code_of(Report{progress}), Code::none);
  scene.run(Report{progress});
  EXPECT_EQ(code_of(Report{progress}), Code::stale);
  progress.state = AttemptState::ended;
  EXPECT_EQ(code_of(Report{progress}), Code::stale);  // Without saying how.
  progress.end = AttemptEnd::exited;
  progress.usage.wall = {-1};
  EXPECT_EQ(code_of(Report{progress}), Code::stale);
  progress.usage.wall = seconds(1);
  progress.key.task = 1;
  EXPECT_EQ(code_of(Report{progress}), Code::stale);
  progress.key = {JobId{1}, 0, 2};
  EXPECT_EQ(code_of(Report{progress}), Code::stale);
  progress.key = {JobId{1}, 0, 1};
  EXPECT_EQ(code_of(Report{progress}), Code::none);
}

}  // namespace
}  // namespace suan::domain
