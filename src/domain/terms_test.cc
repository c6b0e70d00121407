#include "domain/terms.h"

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::domain {
namespace {

constexpr Span stop_takes = seconds(1);  // As terms.cc has it.

JobSpec random_terms(Random& random) {
  JobSpec spec;
  if (random.chance(1, 2)) spec.max_duration = Span{random.between(1, hours(500).us)};
  if (random.chance(1, 2)) spec.budget = Money{random.between(1, 2'000'000'000)};
  spec.grace = Span{random.between(0, minutes(30).us)};
  spec.elements = random.chance(1, 2) ? 1 : 1 + random.below(200U);
  return spec;
}

Money random_hourly(Random& random) {
  if (random.chance(1, 8)) return {};
  return {random.between(1, random.chance(1, 3) ? 1000 : 1'000'000'000)};
}

// What a unit is told to run, its grace and the stopping after it never cost more than it may
// spend, unless there is no time to run at all.
TEST(Terms, AnAllowancePaysForTheTimeThatItAllows) {
  for_each_seed(
      [](Random& random) {
        const JobSpec spec = random_terms(random);
        const Money hourly = random_hourly(random);
        if (is_rolling(spec) || hourly == Money{}) return;
        const Money allowance = unit_allowance(spec, hourly);
        const Span limit = running_limit(spec, hourly, allowance);
        ASSERT_GT(limit, Span{});
        ASSERT_TRUE(spec.max_duration == Span{} || limit <= spec.max_duration);
        if (limit == Span{1}) return;
        EXPECT_LE(charge_for(hourly, limit + spec.grace + stop_takes), allowance);
      },
      5000);
}

// And not much less: a second more would not be paid.
TEST(Terms, ABudgetIsUsedToItsEnd) {
  for_each_seed(
      [](Random& random) {
        JobSpec spec = random_terms(random);
        spec.max_duration = {};
        spec.budget = Money{random.between(1'000'000, 2'000'000'000)};
        const Money hourly{random.between(1'000'000, 1'000'000'000)};
        const Money allowance = unit_allowance(spec, hourly);
        const Span limit = running_limit(spec, hourly, allowance);
        EXPECT_GT(charge_for(hourly, limit + spec.grace + stop_takes + seconds(1)), allowance);
      },
      2000);
}

TEST(Terms, WithoutABudgetTheWholeLengthIsPaid) {
  for_each_seed(
      [](Random& random) {
        JobSpec spec = random_terms(random);
        spec.budget = {};
        if (is_rolling(spec)) return;
        const Money hourly = random_hourly(random);
        const Money allowance = unit_allowance(spec, hourly);
        EXPECT_EQ(running_limit(spec, hourly, allowance), spec.max_duration);
        EXPECT_LE(allowance, charge_for(hourly, spec.max_duration + spec.grace + stop_takes) +
                                 Money{hourly == Money{} ? 0 : 1});
      },
      2000);
}

TEST(Terms, TheUnitsOfAJobNeverSpendMoreThanItsBudget) {
  for_each_seed(
      [](Random& random) {
        const JobSpec spec = random_terms(random);
        if (spec.budget == Money{}) return;
        const Money allowance = unit_allowance(spec, random_hourly(random));
        EXPECT_GE(allowance, Money{});
        EXPECT_LE(allowance.micro * spec.elements, spec.budget.micro);
      },
      2000);
}

TEST(Terms, RollingJobsPayByTheHourAndHaveNoLimit) {
  JobSpec spec;
  EXPECT_TRUE(is_rolling(spec));
  EXPECT_EQ(unit_allowance(spec, yuan(7)), yuan(7));
  EXPECT_EQ(running_limit(spec, yuan(7), yuan(7)), Span{});
  spec.max_duration = hours(1);
  EXPECT_FALSE(is_rolling(spec));
  spec.max_duration = {};
  spec.budget = yuan(1);
  EXPECT_FALSE(is_rolling(spec));
}

TEST(Terms, WhatCostsNothingRunsAsLongAsItAsked) {
  JobSpec spec;
  spec.max_duration = hours(5);
  EXPECT_EQ(unit_allowance(spec, Money{}), Money{});
  EXPECT_EQ(running_limit(spec, Money{}, {}), hours(5));
  spec.max_duration = {};
  spec.budget = yuan(10);
  EXPECT_EQ(running_limit(spec, Money{}, yuan(10)), Span{});
}

TEST(Terms, SaturateAboveWhatAnyAccountHas) {
  JobSpec spec;
  spec.max_duration = hours(100LL * 366 * 24);
  EXPECT_EQ(unit_allowance(spec, Money{INT64_MAX}), Money{INT64_MAX});
  EXPECT_GT(running_limit(spec, Money{1}, {INT64_MAX}), hours(99LL * 366 * 24));
}

// The tasks of a gang are charged one by one, each rounded by at most half a micro-yuan: what that
// can add to the promise is its provider's loss, and no more than this.
TEST(Terms, AGangIsOverItsAllowanceByLessThanItsRounding) {
  for_each_seed(
      [](Random& random) {
        JobSpec spec = random_terms(random);
        spec.elements = 1;
        spec.nodes = 1 + random.below(1024U);
        if (is_rolling(spec)) return;
        const Money task = Money{random.between(1, 100'000'000)};
        const Money unit = scale(task, spec.nodes, 1);
        const Money allowance = unit_allowance(spec, unit);
        const Span limit = running_limit(spec, unit, allowance);
        if (limit == Span{1}) return;
        const Money each = charge_for(task, limit + spec.grace + stop_takes);
        EXPECT_LE(each.micro * spec.nodes, allowance.micro + spec.nodes / 2);
      },
      2000);
}

}  // namespace
}  // namespace suan::domain
