#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "member/engine.h"
#include "testing/progress_recorder.h"

/// What every member::Engine must do, as tests over a world that has one: the real engine on a real
/// machine, or a simulated one in virtual time. Test code only; included by one file per program,
/// which also says INSTANTIATE_TEST_SUITE_P(…, EngineContract, testing::Values(factory…)).
namespace suan::member {

/// Work of a known course, for an engine to run.
struct Work {
  Span runs;                   // Then it ends by itself,
  std::int32_t exit_code = 0;  // with this code,
  std::int32_t signal = 0;     // or by this signal if not 0.
  std::string output{};        // Written at its start.
  std::string error{};
  bool ignores_term = false;  // Goes on after SIGTERM.
};

/// An engine and the means to live through time with it.
class EngineWorld {
 public:
  virtual ~EngineWorld() = default;

  virtual Engine& engine() = 0;

  /// Ends the engine object and opens another on the same durable state; nothing is attached to it.
  virtual void restart() = 0;

  /// Lets this much time pass.
  virtual void pass(Span) = 0;

  /// The payload that does this work here.
  virtual Payload describe(const Work&) = 0;
};

using EngineWorldFactory = std::unique_ptr<EngineWorld> (*)();

class EngineContract : public testing::TestWithParam<EngineWorldFactory> {
 protected:
  void SetUp() override {
    world_ = GetParam()();
    ASSERT_NE(world_, nullptr);
    engine().attach(recorder_);
  }
  void TearDown() override {
    if (!world_) return;
    engine().detach();
    EXPECT_TRUE(recorder_.objections().empty()) << recorder_.objections().front();
  }

  Engine& engine() { return world_->engine(); }
  void launch(const Work& work, const Launch& launch = plain_launch()) {
    engine().launch(launch, world_->describe(work));
  }
  void restart() {
    engine().detach();
    world_->restart();
    engine().attach(recorder_);
  }

  /// Waits until the attempt is in the state or beyond, at most a virtual or real 20 s.
  // Two minutes: what schedules for a real cluster may look at its queue once a minute only.
  Progress wait_for(AttemptState state, const AttemptKey& key = first_key) {
    for (int i = 0; i < 12'000 && recorder_.latest(key).state < state; ++i)
      world_->pass(milliseconds(10));
    EXPECT_GE(recorder_.latest(key).state, state);
    return recorder_.latest(key);
  }
  Progress wait_for_end(const AttemptKey& key = first_key) {
    return wait_for(AttemptState::ended, key);
  }

  std::string whole_log(LogStream stream, const AttemptKey& key = first_key,
                        std::size_t bytes_max = 4096) {
    std::string text;
    for (int i = 0; i < 20'000; ++i) {
      const auto piece = engine().read_log(key, stream, text.size(), bytes_max);
      EXPECT_TRUE(piece.has_value());
      if (!piece) break;
      EXPECT_LE(piece->bytes.size(), bytes_max);
      text += piece->bytes;
      if (piece->is_end) break;
    }
    return text;
  }

  std::unique_ptr<EngineWorld> world_;
  ProgressRecorder recorder_;
};

TEST_P(EngineContract, offers_pools_with_distinct_names) {
  const auto pools = engine().pools();
  ASSERT_FALSE(pools.empty());
  std::map<std::string, int> names;
  for (const OfferedPool& pool : pools) {
    EXPECT_FALSE(pool.name.empty());
    EXPECT_EQ(++names[pool.name], 1);
    EXPECT_GT(pool.nodes, 0U);
    EXPECT_GT(pool.cpu_milli_per_node, 0);
  }
}

TEST_P(EngineContract, runs_to_a_clean_end) {
  launch({.runs = milliseconds(50)});
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::exited);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_GE(end.usage.wall, milliseconds(50));
  EXPECT_LT(end.usage.wall, seconds(15));
}

TEST_P(EngineContract, tells_the_exit_code) {
  launch({.runs = {}, .exit_code = 3});
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::exited);
  EXPECT_EQ(end.exit_code, 3);
}

TEST_P(EngineContract, tells_the_signal) {
  launch({.runs = {}, .signal = 11});
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::signalled);
  EXPECT_EQ(end.exit_code, 128 + 11);
}

TEST_P(EngineContract, launches_once_however_often_it_is_told) {
  const Work work{.runs = milliseconds(300), .output = "once\n"};
  launch(work);
  launch(work);
  wait_for(AttemptState::running);
  launch(work);
  wait_for_end();
  const std::size_t before = recorder_.reports();
  launch(work);
  for (int i = 0; i < 500 && recorder_.reports() == before; ++i) world_->pass(milliseconds(10));
  EXPECT_GT(recorder_.reports(), before);  // It answers with the end.
  EXPECT_EQ(whole_log(LogStream::output), "once\n");
}

TEST_P(EngineContract, keeps_both_streams_and_reads_them_in_pieces) {
  launch({.runs = {}, .output = "some words\n", .error = "and others\n"});
  wait_for_end();
  EXPECT_EQ(whole_log(LogStream::output, first_key, 3), "some words\n");
  EXPECT_EQ(whole_log(LogStream::error), "and others\n");
  const auto behind = engine().read_log(first_key, LogStream::output, 1000, 10);
  ASSERT_TRUE(behind);
  EXPECT_EQ(behind->bytes, "");
  EXPECT_TRUE(behind->is_end);
}

TEST_P(EngineContract, reads_the_log_of_running_work) {
  launch({.runs = seconds(600), .output = "early\n"});
  wait_for(AttemptState::running);
  std::string text;
  for (int i = 0; i < 1000 && text.empty(); ++i) {
    world_->pass(milliseconds(10));
    const auto piece = engine().read_log(first_key, LogStream::output, 0, 100);
    ASSERT_TRUE(piece);
    EXPECT_FALSE(piece->is_end);
    text = piece->bytes;
  }
  EXPECT_EQ(text, "early\n");
  engine().stop({.key = first_key, .why = AttemptEnd::cancelled, .grace = {}});
  wait_for_end();
}

TEST_P(EngineContract, knows_no_log_of_an_unknown_attempt) {
  const auto piece =
      engine().read_log({.job = {99}, .task = 0, .attempt = 1}, LogStream::output, 0, 1);
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().kind, Failure::Kind::not_found);
}

TEST_P(EngineContract, stops_with_the_reason_given) {
  launch({.runs = seconds(600)});
  wait_for(AttemptState::running);
  engine().stop({.key = first_key, .why = AttemptEnd::over_budget, .grace = seconds(5)});
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::over_budget);
  EXPECT_EQ(end.exit_code, 128 + 15);
}

TEST_P(EngineContract, kills_what_outlives_its_grace) {
  launch({.runs = seconds(600), .output = "ready\n", .ignores_term = true});
  wait_for(AttemptState::running);
  for (int i = 0; i < 1000; ++i) {
    const auto piece = engine().read_log(first_key, LogStream::output, 0, 100);
    if (piece && !piece->bytes.empty()) break;
    world_->pass(milliseconds(10));
  }
  engine().stop({.key = first_key, .why = AttemptEnd::cancelled, .grace = milliseconds(300)});
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::cancelled);
  EXPECT_EQ(end.exit_code, 128 + 9);
  EXPECT_GE(end.usage.wall, milliseconds(300));
}

TEST_P(EngineContract, never_starts_what_was_stopped_before) {
  engine().stop({.key = first_key, .why = AttemptEnd::cancelled, .grace = {}});
  EXPECT_EQ(wait_for_end().end, AttemptEnd::cancelled);
  launch({.runs = {}, .output = "ran\n"});
  restart();
  launch({.runs = {}, .output = "ran\n"});
  world_->pass(milliseconds(500));
  EXPECT_EQ(recorder_.latest(first_key).end, AttemptEnd::cancelled);
  EXPECT_EQ(whole_log(LogStream::output), "");
}

TEST_P(EngineContract, a_stop_close_behind_the_launch_ends_it) {
  for (std::uint32_t attempt = 1; attempt <= 20; ++attempt) {
    const AttemptKey key{.job = {8}, .task = 0, .attempt = attempt};
    launch({.runs = seconds(600)}, plain_launch(key));
    if (attempt % 2 == 0) world_->pass(milliseconds(attempt));
    engine().stop({.key = key, .why = AttemptEnd::cancelled, .grace = seconds(5)});
  }
  for (std::uint32_t attempt = 1; attempt <= 20; ++attempt)
    EXPECT_EQ(wait_for_end({.job = {8}, .task = 0, .attempt = attempt}).end, AttemptEnd::cancelled);
}

TEST_P(EngineContract, never_starts_what_was_forgotten) {
  engine().forget({.key = first_key});
  launch({.runs = {}, .output = "ran\n"});
  restart();
  launch({.runs = {}, .output = "ran\n"});
  world_->pass(milliseconds(500));
  EXPECT_EQ(recorder_.latest(first_key).state, AttemptState::none);
}

TEST_P(EngineContract, repeats_an_end_until_it_is_forgotten) {
  launch({.runs = {}, .exit_code = 5});
  wait_for_end();
  for (int round = 0; round < 2; ++round) {
    const std::size_t before = recorder_.reports();
    restart();
    for (int i = 0; i < 500 && recorder_.reports() == before; ++i) world_->pass(milliseconds(10));
    EXPECT_GT(recorder_.reports(), before);
    EXPECT_EQ(recorder_.latest(first_key).exit_code, 5);
  }
  engine().forget({.key = first_key});
  world_->pass(milliseconds(200));
  const std::size_t before = recorder_.reports();
  restart();
  world_->pass(milliseconds(500));
  EXPECT_EQ(recorder_.reports(), before);
}

TEST_P(EngineContract, keeps_logs_of_the_forgotten) {
  launch({.runs = {}, .output = "kept\n"});
  wait_for_end();
  engine().forget({.key = first_key});
  world_->pass(milliseconds(200));
  EXPECT_EQ(whole_log(LogStream::output), "kept\n");
  EXPECT_EQ(whole_log(LogStream::error), "");
  restart();
  EXPECT_EQ(whole_log(LogStream::output), "kept\n");
}

TEST_P(EngineContract, does_not_forget_what_has_not_ended) {
  launch({.runs = seconds(600)});
  wait_for(AttemptState::running);
  engine().forget({.key = first_key});
  engine().stop({.key = first_key, .why = AttemptEnd::cancelled, .grace = seconds(5)});
  EXPECT_EQ(wait_for_end().end, AttemptEnd::cancelled);
}

TEST_P(EngineContract, finds_again_what_still_runs) {
  launch({.runs = milliseconds(1500), .exit_code = 4, .output = "once\n"});
  wait_for(AttemptState::running);
  restart();
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::exited);
  EXPECT_EQ(end.exit_code, 4);
  EXPECT_GE(end.usage.wall, milliseconds(1500));
  EXPECT_EQ(whole_log(LogStream::output), "once\n");
}

TEST_P(EngineContract, stops_what_it_found_again) {
  launch({.runs = seconds(600)});
  wait_for(AttemptState::running);
  restart();
  engine().stop({.key = first_key, .why = AttemptEnd::cancelled, .grace = seconds(5)});
  EXPECT_EQ(wait_for_end().end, AttemptEnd::cancelled);
}

TEST_P(EngineContract, reports_nothing_once_detached) {
  launch({.runs = milliseconds(300)});
  engine().detach();
  const std::size_t before = recorder_.reports();
  world_->pass(milliseconds(800));
  EXPECT_EQ(recorder_.reports(), before);
  engine().attach(recorder_);
  EXPECT_EQ(wait_for_end().end, AttemptEnd::exited);
}

TEST_P(EngineContract, times_out) {
  Launch limited = plain_launch();
  limited.max_duration = milliseconds(400);
  launch({.runs = seconds(600)}, limited);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::timed_out);
  EXPECT_GE(end.usage.wall, milliseconds(400));
}

TEST_P(EngineContract, lapses_without_renewal) {
  Launch limited = plain_launch();
  limited.run_for = milliseconds(600);
  launch({.runs = seconds(600)}, limited);
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lapsed);
}

TEST_P(EngineContract, starts_nothing_new_by_a_late_launch) {
  Launch late = plain_launch();
  late.run_for = seconds(600);
  late.is_late = true;
  launch({.runs = seconds(600)}, late);
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lapsed);
  late.is_late = false;
  launch({.runs = seconds(600)}, late);
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lapsed);
}

TEST_P(EngineContract, goes_on_after_a_late_launch_of_what_runs) {
  Launch limited = plain_launch();
  limited.run_for = seconds(600);
  launch({.runs = milliseconds(1500)}, limited);
  wait_for(AttemptState::running);
  limited.is_late = true;
  launch({.runs = milliseconds(1500)}, limited);
  EXPECT_EQ(wait_for_end().end, AttemptEnd::exited);
}

TEST_P(EngineContract, runs_on_while_renewed) {
  Launch limited = plain_launch();
  limited.run_for = milliseconds(1000);
  launch({.runs = milliseconds(2500)}, limited);
  for (int i = 0; i < 10; ++i) {
    world_->pass(milliseconds(250));
    engine().renew({.key = first_key, .run_for = milliseconds(1000)});
  }
  engine().renew({.key = first_key, .run_for = {}});
  EXPECT_EQ(wait_for_end().end, AttemptEnd::exited);
}

TEST_P(EngineContract, lapses_while_the_engine_is_away) {
  Launch limited = plain_launch();
  limited.run_for = milliseconds(800);
  launch({.runs = seconds(600)}, limited);
  wait_for(AttemptState::running);
  restart();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lapsed);
}

TEST_P(EngineContract, refuses_what_it_cannot_run_with_a_reason) {
  Launch excess = plain_launch();
  excess.grant.node = 1'000'000;
  launch({.runs = {}}, excess);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::launch_failed);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_FALSE(end.reason.empty());
}

}  // namespace suan::member
