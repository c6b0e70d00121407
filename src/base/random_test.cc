#include "base/random.h"

#include <array>
#include <cstdint>
#include <set>

#include <gtest/gtest.h>

namespace suan {
namespace {

// Seeds are bug reports: they must mean the same on every machine and for ever.
TEST(Random, IsSplitMix64) {
  Random random(1234567);
  EXPECT_EQ(random.next(), 6457827717110365317U);
  EXPECT_EQ(random.next(), 3203168211198807973U);
  EXPECT_EQ(random.next(), 9817491932198370423U);
  EXPECT_EQ(random.next(), 4593380528125082431U);
}

TEST(Random, ReachesEveryNumberOfARangeAndNoOther) {
  Random random(1);
  std::set<std::int64_t> between;
  std::set<std::uint32_t> below;
  for (int i = 0; i < 500; ++i) {
    between.insert(random.between(-2, 3));
    below.insert(random.below(5U));
  }
  EXPECT_EQ(between, (std::set<std::int64_t>{-2, -1, 0, 1, 2, 3}));
  EXPECT_EQ(below, (std::set<std::uint32_t>{0, 1, 2, 3, 4}));
  EXPECT_EQ(random.between(7, 7), 7);
}

TEST(Random, TakesChancesAsOftenAsItSays) {
  Random random(2);
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += random.chance(1, 4) ? 1 : 0;
  EXPECT_NEAR(hits, 2500, 200);
  EXPECT_TRUE(random.chance(1, 1));
  EXPECT_FALSE(random.chance(0, 1));
}

TEST(Random, ASplitOneIsNotDisturbedByItsOrigin) {
  Random one(3);
  Random two(3);
  Random from_one = one.split();
  Random from_two = two.split();
  for (int i = 0; i < 10; ++i) one.next();
  EXPECT_EQ(from_one.next(), from_two.next());
  EXPECT_NE(one.next(), two.next());
}

TEST(RandomDeathTest, AnEmptyRangeIsABug) {
  Random random(4);
  EXPECT_DEATH(random.below(0U), "random.h");
  EXPECT_DEATH(random.between(1, 0), "random.h");
}

}  // namespace
}  // namespace suan
