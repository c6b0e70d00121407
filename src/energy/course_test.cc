#include "energy/course.h"

#include <gtest/gtest.h>

#include "base/random.h"

namespace suan::energy {
namespace {

// 2026-11-27T00:00:00Z.
constexpr Moment midnight{1'795'737'600'000'000};

// Hours h of day d have the value 100 d + h.
Hourly days(std::uint32_t count) {
  Hourly hourly{.from = midnight, .values = {}};
  for (std::uint32_t day = 0; day < count; ++day) {
    for (std::uint32_t hour = 0; hour < 24; ++hour) hourly.values.push_back(100 * day + hour);
  }
  return hourly;
}

Hourly random_hours(Random& random) {
  Hourly hourly{.from = midnight, .values = {}};
  const std::size_t days = 1 + random.below(std::size_t{3});
  for (std::size_t i = 0; i < 24 * days; ++i)
    hourly.values.push_back(random.chance(1, 4) ? 0U : random.below(3000U));
  return hourly;
}

// Minute by minute.
std::int64_t weighed_slowly(const Hourly& hourly, Moment from, std::int64_t minutes_long) {
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < minutes_long; ++i) sum += value_at(hourly, from + minutes(i));
  return sum * minutes(1).us;
}

TEST(Course, later_days_are_like_the_last_one_and_earlier_ones_like_the_first) {
  const Hourly hourly = days(2);
  EXPECT_EQ(value_at(hourly, midnight), 0U);
  EXPECT_EQ(value_at(hourly, midnight + hours(23) + minutes(59)), 23U);
  EXPECT_EQ(value_at(hourly, midnight + hours(24)), 100U);
  EXPECT_EQ(value_at(hourly, midnight + hours(48 + 5)), 105U);
  EXPECT_EQ(value_at(hourly, midnight + hours(24 * 400 + 7)), 107U);
  EXPECT_EQ(value_at(hourly, midnight - Span{1}), 23U);
  EXPECT_EQ(value_at(hourly, midnight - hours(24 * 3)), 0U);
}

TEST(Course, a_mean_is_of_the_hours_as_far_as_each_counts) {
  const Course course(days(1));
  EXPECT_EQ(course.mean_milli(midnight + hours(4), hours(1)), 4000);
  EXPECT_EQ(course.mean_milli(midnight + hours(4), hours(3)), 5000);
  EXPECT_EQ(course.mean_milli(midnight + hours(4) + minutes(30), hours(1)), 4500);
  EXPECT_EQ(course.mean_milli(midnight - hours(24 * 5), hours(24 * 20)), 11'500);
}

TEST(Course, weighs_as_a_sum_minute_by_minute) {
  Random random(7);
  for (int i = 0; i < 200; ++i) {
    const Hourly hourly = random_hours(random);
    const Course course(hourly);
    const Moment from = midnight + minutes(random.between(-5000, 9000));
    const std::int64_t minutes_long = random.between(1, 4000);
    const std::int64_t slowly = weighed_slowly(hourly, from, minutes_long);
    EXPECT_EQ(course.weigh(from, minutes(minutes_long)).us, (slowly + 500) / 1000);
  }
}

TEST(Course, no_start_is_dearer_than_the_dearest) {
  Random random(8);
  for (int i = 0; i < 200; ++i) {
    const Course course(random_hours(random));
    const Moment first = midnight + minutes(random.between(-3000, 5000));
    const Starts starts = random.chance(1, 3)
                              ? course.all_from(first)
                              : Starts{first, first + minutes(random.between(0, 600))};
    const Span span = minutes(random.between(1, 3000));
    const Span dearest = course.dearest(starts, span);
    bool is_reached = false;
    const bool is_open = starts.last - starts.first > minutes(600);
    for (Moment at = starts.first; at <= starts.last; at = at + minutes(1)) {
      EXPECT_LE(course.weigh(at, span), dearest);
      is_reached = is_reached || course.weigh(at, span) == dearest;
    }
    EXPECT_TRUE(is_reached);
    if (!is_open) continue;
    for (int j = 0; j < 50; ++j)
      EXPECT_LE(course.weigh(first + minutes(random.between(0, 100'000)), span), dearest);
  }
}

TEST(Course, the_longest_is_paid_for_and_a_little_more_is_not) {
  Random random(9);
  int limited = 0;
  for (int i = 0; i < 100; ++i) {
    const Course course(random_hours(random));
    const Moment first = midnight + minutes(random.between(-3000, 5000));
    const Starts starts{first, first + hours(1)};
    const Span paid = minutes(random.between(0, 5000));
    constexpr Span most = hours(500);
    const Span longest = course.longest(starts, paid, most);
    EXPECT_LE(course.dearest(starts, longest), paid);
    if (longest == most) continue;
    ++limited;
    EXPECT_GT(course.dearest(starts, longest + Span{1}), paid);
  }
  EXPECT_GT(limited, 50);
}

TEST(Course, holds_for_a_hundred_years) {
  Hourly hourly{.from = midnight, .values = std::vector<std::uint32_t>(24, rate_max)};
  const Course course(hourly);
  constexpr Span century = hours(100LL * 366 * 24);
  EXPECT_EQ(course.weigh(midnight, century), century * 10);
  EXPECT_EQ(course.longest(course.all_from(midnight), hours(10), century), hours(1));
}

TEST(Hour, pools_and_sites_are_as_in_that_hour) {
  Pool pool;
  pool.price = {yuan(10), yuan(1)};
  EXPECT_EQ(at_hour(pool, midnight).price, pool.price);
  pool.rates = days(1);
  pool.rates.values[20] = 1500;
  EXPECT_EQ(at_hour(pool, midnight + hours(20)).price, (Price{yuan(15), {1'500'000}}));
  Site site;
  site.carbon_g_per_kwh = 580;
  EXPECT_EQ(at_hour(site, midnight).carbon_g_per_kwh, 580U);
  site.carbon_hours = days(1);
  EXPECT_EQ(at_hour(site, midnight + hours(9)).carbon_g_per_kwh, 9U);
}

TEST(Hourly, is_sound_in_whole_days_from_a_whole_hour) {
  EXPECT_TRUE(is_sound({}, 10));
  EXPECT_TRUE(is_sound(days(7), 1000));
  EXPECT_FALSE(is_sound(days(8), 1000));
  EXPECT_FALSE(is_sound(days(2), 122));
  EXPECT_FALSE(is_sound({midnight, {}}, 10));
  Hourly odd = days(1);
  odd.from = odd.from + minutes(30);
  EXPECT_FALSE(is_sound(odd, 1000));
  odd = days(1);
  odd.values.push_back(1);
  EXPECT_FALSE(is_sound(odd, 1000));
}

}  // namespace
}  // namespace suan::energy
