#include "market/foresight.h"

#include <gtest/gtest.h>

#include "market/nodes.h"

namespace suan::market {
namespace {

constexpr std::int64_t gib = std::int64_t{1} << 30;

Pool pool_of(std::uint32_t nodes, std::uint32_t cards) {
  Pool pool;
  pool.id = {1};
  pool.nodes = nodes;
  pool.cards_per_node = cards;
  pool.cpu_milli_per_node = 64'000;
  pool.memory_bytes_per_node = 256 * gib;
  return pool;
}

Grant share_of(std::uint32_t card, std::uint32_t milli) {
  return {.node = 0, .cards = {card}, .card_milli = milli, .cpu_milli = 1000, .memory_bytes = gib};
}

class Packed : public testing::Test {
 protected:
  Packed() { nodes.add(pool); }

  void learn(std::uint32_t milli, int times) {
    for (int i = 0; i < times; ++i) foresight.learn(pool, share_of(0, milli), nodes);
  }
  Grant pack(std::int64_t milli) {
    return nodes.pack(pool, {milli, 1000, gib}, 1, foresight.outlook(pool.id).value()).at(0);
  }

  Pool pool = pool_of(1, 2);
  Nodes nodes;
  Foresight foresight;
};

// The tightest fit leaves 200 that nothing ever takes; what is learnt leaves 300.
TEST_F(Packed, LeavesRestsThatOthersFill) {
  nodes.take(pool, share_of(0, 500));
  nodes.take(pool, share_of(1, 400));
  EXPECT_FALSE(foresight.outlook(pool.id));
  EXPECT_EQ(nodes.fit(pool, {300, 1000, gib}, 1).at(0).cards.at(0), 0U);
  learn(300, 40);
  learn(500, 40);
  learn(300, 40);
  EXPECT_EQ(pack(300).cards.at(0), 1U);
}

TEST_F(Packed, ForksLearnByThemselves) {
  learn(300, 100);
  const auto before = foresight.outlook(pool.id).value();
  Foresight fork = foresight;
  for (int i = 0; i < 200; ++i) fork.learn(pool, share_of(0, 900), nodes);
  EXPECT_EQ(foresight.outlook(pool.id).value().forecast, before.forecast);
  EXPECT_NE(fork.outlook(pool.id).value().forecast, before.forecast);
  EXPECT_LT(before.forecast->cards.of(300), 50);
  EXPECT_GT(fork.outlook(pool.id).value().forecast->cards.of(800), before.forecast->cards.of(800));
}

TEST_F(Packed, ForgetsWhatCameLongAgo) {
  learn(300, 5'000);
  const double before = foresight.outlook(pool.id).value().forecast->cards.of(700);
  learn(700, 40'000);
  const double after = foresight.outlook(pool.id).value().forecast->cards.of(300);
  EXPECT_LT(before, 200);
  EXPECT_GT(after, 250);  // Nobody asks for 300 any more.
}

TEST_F(Packed, NeedsSomethingToChooseFrom) {
  Foresight none;
  const Pool one = pool_of(1, 1);
  const Pool bare = pool_of(8, 0);
  none.learn(one, share_of(0, 300), nodes);
  none.learn(bare, {.node = 0, .cards = {}, .card_milli = 0, .cpu_milli = 1, .memory_bytes = 1},
             nodes);
  EXPECT_FALSE(none.outlook(one.id));
  EXPECT_FALSE(none.outlook(bare.id));
}

TEST_F(Packed, LearnsOfSoManyPoolsAndNoMore) {
  for (std::uint64_t id = 1; id <= 300; ++id) {
    Pool other = pool;
    other.id = {id};
    nodes = {};
    nodes.add(other);
    foresight.learn(other, share_of(0, 300), nodes);
    EXPECT_EQ(foresight.outlook(other.id).has_value(), id <= 256);
  }
}

TEST_F(Packed, BeginsAnewWithAnotherPool) {
  learn(300, 100);
  foresight.forget(pool.id);
  EXPECT_FALSE(foresight.outlook(pool.id));
  foresight.forget(pool.id);
}

}  // namespace
}  // namespace suan::market
