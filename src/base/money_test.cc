#include "base/money.h"

#include <cstdint>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan {
namespace {

__extension__ using Wide = __int128;

// Numbers of every length, so that products of all sizes are met.
std::int64_t any_length(Random& random) {
  const auto bits = static_cast<std::int64_t>(random.next() >> random.between(1, 63));
  return random.chance(1, 2) ? bits : -bits;
}

bool fits(Wide value) {
  return value <= INT64_MAX && value >= INT64_MIN;
}

// Half away from zero by another road: the quotient towards zero, and a step outwards if what
// remains is at least half.
Wide rounded_quotient(Wide dividend, std::int64_t divisor) {
  const Wide whole = dividend / divisor;
  const Wide rest = dividend % divisor;
  const Wide size = rest < 0 ? -rest : rest;
  if (2 * size < divisor) return whole;
  return dividend < 0 ? whole - 1 : whole + 1;
}

TEST(Money, IsRoundedHalfAwayFromZero) {
  EXPECT_EQ(scale({5}, 1, 10), Money{1});
  EXPECT_EQ(scale({4}, 1, 10), Money{0});
  EXPECT_EQ(scale({-5}, 1, 10), Money{-1});
  EXPECT_EQ(scale({-4}, 1, 10), Money{0});
  EXPECT_EQ(scale({1}, 1, 3), Money{0});
  EXPECT_EQ(scale({2}, 1, 3), Money{1});
  EXPECT_EQ(scale(yuan(10), 1, 3), Money{3'333'333});
  EXPECT_EQ(scale({INT64_MAX}, INT64_MAX, INT64_MAX), Money{INT64_MAX});
}

TEST(Money, IsScaledExactlyAndRoundedOnce) {
  for_each_seed(
      [](Random& random) {
        const Money price{any_length(random)};
        const std::int64_t numerator = any_length(random);
        const std::int64_t denominator =
            1 + static_cast<std::int64_t>(random.next() >> random.between(2, 63));
        const Wide expected = rounded_quotient(Wide{price.micro} * numerator, denominator);
        if (!fits(expected)) return;
        EXPECT_TRUE(Wide{scale(price, numerator, denominator).micro} == expected)
            << price.micro << " * " << numerator << " / " << denominator;
      },
      20'000);
}

TEST(Money, AddsAndSubtractsExactly) {
  for_each_seed([](Random& random) {
    const Money a{any_length(random) / 2};
    const Money b{any_length(random) / 2};
    EXPECT_EQ((a + b).micro, a.micro + b.micro);
    EXPECT_EQ(a + b - b, a);
    EXPECT_EQ(a - a, Money{});
    EXPECT_EQ(-(a - b), b - a);
    EXPECT_EQ(a < b, a.micro < b.micro);
  });
}

TEST(MoneyDeathTest, AnOverflowIsABug) {
  const auto add = [] { return (Money{INT64_MAX} + Money{1}).micro; };
  const auto subtract = [] { return (Money{INT64_MIN} - Money{1}).micro; };
  EXPECT_DEATH(add(), "money.h");
  EXPECT_DEATH(subtract(), "money.h");
  EXPECT_DEATH(scale({INT64_MAX}, 2, 1), "money.h");
  EXPECT_DEATH(scale({1}, 1, 0), "money.h");
  EXPECT_DEATH(scale({1}, 1, -1), "money.h");
}

}  // namespace
}  // namespace suan
