#include "engine/deadlines.h"

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::engine {
namespace {

Instant at(Span time, Span slept = {}) {
  return {time, time + slept};
}

Launch limits(Span run_for, Span max_duration, Span grace) {
  Launch launch;
  launch.run_for = run_for;
  launch.max_duration = max_duration;
  launch.grace = grace;
  return launch;
}

TEST(Deadlines, nothing_is_ever_due_without_limits) {
  Deadlines deadlines(limits({}, {}, seconds(5)), seconds(0), at(seconds(0)));
  EXPECT_EQ(deadlines.due(at(hours(1000))), Due::nothing);
  EXPECT_FALSE(deadlines.next(at(hours(1000))));
}

TEST(Deadlines, max_duration_counts_from_the_start_of_the_work) {
  Deadlines deadlines(limits({}, seconds(10), seconds(2)), seconds(0), at(seconds(100)));
  EXPECT_EQ(deadlines.due(at(milliseconds(109'999))), Due::nothing);
  EXPECT_EQ(deadlines.next(at(seconds(104))), seconds(6));
  EXPECT_EQ(deadlines.due(at(seconds(110))), Due::terminate);
  EXPECT_EQ(deadlines.why(), AttemptEnd::timed_out);
  EXPECT_EQ(deadlines.next(at(seconds(110))), seconds(2));
  EXPECT_EQ(deadlines.due(at(seconds(111))), Due::nothing);
  EXPECT_EQ(deadlines.due(at(seconds(112))), Due::kill);
  EXPECT_EQ(deadlines.due(at(seconds(113))), Due::nothing);
  EXPECT_FALSE(deadlines.next(at(seconds(113))));
}

TEST(Deadlines, run_for_counts_from_the_receipt_also_while_the_machine_sleeps) {
  Deadlines deadlines(limits(seconds(60), {}, seconds(1)), seconds(100), at(seconds(110)));
  EXPECT_EQ(deadlines.due(at(seconds(159))), Due::nothing);
  EXPECT_EQ(deadlines.due(at(seconds(120), seconds(40))), Due::terminate);
  EXPECT_EQ(deadlines.why(), AttemptEnd::lapsed);
}

TEST(Deadlines, a_renewal_counts_from_its_own_receipt_and_is_void_once_stopping) {
  Deadlines deadlines(limits(seconds(60), {}, seconds(1)), seconds(0), at(seconds(0)));
  deadlines.renew(seconds(60), seconds(50));
  EXPECT_EQ(deadlines.due(at(seconds(109))), Due::nothing);
  EXPECT_EQ(deadlines.due(at(seconds(110))), Due::terminate);
  deadlines.renew(seconds(600), seconds(110));
  EXPECT_EQ(deadlines.due(at(seconds(111))), Due::kill);
  EXPECT_EQ(deadlines.why(), AttemptEnd::lapsed);
}

TEST(Deadlines, a_renewal_without_limit_takes_the_limit_away) {
  Deadlines deadlines(limits(seconds(60), {}, seconds(1)), seconds(0), at(seconds(0)));
  deadlines.renew({}, seconds(50));
  EXPECT_EQ(deadlines.due(at(hours(5))), Due::nothing);
}

TEST(Deadlines, the_first_reason_stays_and_the_earliest_kill_holds) {
  Deadlines deadlines(limits({}, {}, seconds(30)), seconds(0), at(seconds(0)));
  deadlines.stop(AttemptEnd::over_budget, seconds(20), at(seconds(1)));
  EXPECT_EQ(deadlines.due(at(seconds(1))), Due::terminate);
  deadlines.stop(AttemptEnd::cancelled, seconds(3), at(seconds(2)));
  deadlines.stop(AttemptEnd::cancelled, seconds(60), at(seconds(2)));
  EXPECT_EQ(deadlines.due(at(seconds(4))), Due::nothing);
  EXPECT_EQ(deadlines.due(at(seconds(5))), Due::kill);
  EXPECT_EQ(deadlines.why(), AttemptEnd::over_budget);
}

TEST(Deadlines, a_stop_with_a_checkpoint_gives_notice_first) {
  Launch launch = limits({}, {}, seconds(30));
  launch.checkpoint_signal = "USR1";
  launch.checkpoint_notice = seconds(10);
  Deadlines deadlines(launch, seconds(0), at(seconds(0)));
  deadlines.stop(AttemptEnd::cancelled, seconds(2), at(seconds(5)));
  EXPECT_EQ(deadlines.due(at(seconds(5))), Due::checkpoint);
  EXPECT_EQ(deadlines.due(at(seconds(5))), Due::nothing);
  EXPECT_EQ(deadlines.next(at(seconds(5))), seconds(10));
  EXPECT_EQ(deadlines.due(at(seconds(15))), Due::terminate);
  EXPECT_EQ(deadlines.due(at(seconds(17))), Due::kill);
}

TEST(Deadlines, a_foreseen_end_is_announced_before_it_comes) {
  Launch launch = limits({}, seconds(100), seconds(1));
  launch.checkpoint_signal = "USR1";
  launch.checkpoint_notice = seconds(10);
  Deadlines deadlines(launch, seconds(0), at(seconds(0)));
  EXPECT_EQ(deadlines.due(at(seconds(89))), Due::nothing);
  EXPECT_EQ(deadlines.due(at(seconds(90))), Due::checkpoint);
  EXPECT_EQ(deadlines.due(at(seconds(90))), Due::nothing);
  EXPECT_EQ(deadlines.due(at(seconds(100))), Due::terminate);
}

TEST(Deadlines, a_lapse_is_announced_in_its_last_quarter_only) {
  Launch launch = limits(seconds(60), {}, seconds(1));
  launch.checkpoint_signal = "USR1";
  launch.checkpoint_notice = seconds(50);
  Deadlines deadlines(launch, seconds(0), at(seconds(0)));
  EXPECT_EQ(deadlines.due(at(seconds(44))), Due::nothing);
  EXPECT_EQ(deadlines.due(at(seconds(45))), Due::checkpoint);
  deadlines.renew(seconds(60), seconds(46));
  EXPECT_EQ(deadlines.due(at(seconds(90))), Due::nothing);
  EXPECT_EQ(deadlines.due(at(seconds(91))), Due::checkpoint);
  EXPECT_EQ(deadlines.due(at(seconds(106))), Due::terminate);
}

// Whatever happens: what was asked to end is killed within the grace, and sleeping until next() and
// no longer misses nothing.
TEST(Deadlines, next_never_oversleeps_and_a_stop_always_ends) {
  for_each_seed([](Random& random) {
    const auto some = [&] { return seconds(static_cast<std::int64_t>(random.below(20U))); };
    Launch launch = limits(some(), some(), some());
    if (random.chance(1, 2)) launch.checkpoint_signal = "USR1";
    launch.checkpoint_notice = some();
    Deadlines deadlines(launch, seconds(0), at(seconds(0)));
    deadlines.stop(AttemptEnd::cancelled, seconds(3), at(seconds(15)));
    Span now = seconds(15);
    bool is_killed = false;
    for (int step = 0; step < 20 && !is_killed; ++step) {
      while (true) {
        const Due due = deadlines.due(at(now));
        is_killed = is_killed || due == Due::kill;
        if (due == Due::nothing) break;
      }
      const auto next = deadlines.next(at(now));
      if (is_killed) break;
      ASSERT_TRUE(next);
      ASSERT_GT(*next, Span{});
      now = now + *next;
    }
    EXPECT_TRUE(is_killed);
    EXPECT_LE(now, seconds(15 + 20 + 20));
    EXPECT_NE(deadlines.why(), AttemptEnd::none);
  });
}

}  // namespace
}  // namespace suan::engine
