#include "placement/supply.h"

#include <map>

#include <gtest/gtest.h>

#include "placement/random_world.h"
#include "placement/rank.h"
#include "testing/property.h"

namespace suan::placement {
namespace {

// Everything that questions can tell of a supply.
std::vector<Ranking> ask_all(const Supply& supply, const World& world, std::uint64_t seed) {
  Random random(seed);
  std::vector<Ranking> answers;
  for (int i = 0; i < 6; ++i) {
    const JobSpec spec = random_spec(random);
    answers.push_back(rank(supply, make_demand(spec), &world, supply.size()));
  }
  return answers;
}

void expect_same(const std::vector<Ranking>& a, const std::vector<Ranking>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(a[i].counts, b[i].counts);
    ASSERT_EQ(a[i].total, b[i].total);
    ASSERT_EQ(a[i].best.size(), b[i].best.size());
    for (std::size_t k = 0; k < a[i].best.size(); ++k) {
      ASSERT_EQ(a[i].best[k].score, b[i].best[k].score);
      ASSERT_EQ(a[i].best[k].need, b[i].best[k].need);
      ASSERT_EQ(a[i].best[k].waits_for, b[i].best[k].waits_for);
    }
  }
}

void shuffle(std::vector<TestPool>& pools, Random& random) {
  for (std::size_t i = pools.size(); i > 1; --i) std::swap(pools[i - 1], pools[random.below(i)]);
}

TEST(Supply, TheOrderOfCallsDoesNotMatter) {
  for_each_seed(
      [](Random& random) {
        const World world(random, random.chance(1, 10) ? 1500 : 60);
        const Supply plain = world.supply();
        std::vector<TestPool> shuffled = world.pools;
        shuffle(shuffled, random);
        Supply other;
        other.set_speed("B", 900);
        other.set_speed("A", 300);
        for (const TestPool& each : shuffled) {
          // First other facts, or other pools that go again.
          if (random.chance(1, 2)) {
            TestPool before = world.make_pool(random, each.pool.id);
            world.put_into(other, before);
            if (random.chance(1, 2)) other.erase(each.pool.id);
          }
          world.put_into(other, each);
          if (random.chance(1, 8)) {
            Site before = world.site_of(each.pool);
            before.carbon_g_per_kwh = random.below(900U);
            before.region = "elsewhere";
            random.chance(1, 2) ? other.describe(before) : other.put(each.pool, before);
          }
        }
        other.describe(world.sites);
        for (const TestLink& each : world.links) other.set_link(each.from, each.to, each.rtt);
        ASSERT_EQ(other.size(), plain.size());
        ASSERT_EQ(other.chips(), plain.chips());
        expect_same(ask_all(plain, world, 7), ask_all(other, world, 7));
        for (const TestPool& each : world.pools) {
          ASSERT_EQ(other.free_of(each.pool.id), each.free());
        }
      },
      150);
}

TEST(Supply, AForkSeesNothingOfLaterWrites) {
  for_each_seed(
      [](Random& random) {
        const World world(random, 700);
        Supply supply = world.supply();
        const Supply fork = supply;
        const auto before = ask_all(fork, world, 3);
        for (const TestPool& each : world.pools) {
          if (random.chance(1, 3))
            supply.erase(each.pool.id);
          else if (random.chance(1, 2))
            supply.set_free(each.pool.id, {});
          else
            world.put_into(supply, world.make_pool(random, each.pool.id));
        }
        Site moved = world.sites[0];
        moved.region = "elsewhere";
        supply.describe(moved);
        expect_same(before, ask_all(fork, world, 3));
      },
      20);
}

TEST(Supply, EmptiesAndFillsAgain) {
  Random random(5);
  const World world(random, 3000);
  Supply supply = world.supply();
  for (const TestPool& each : world.pools) supply.erase(each.pool.id);
  EXPECT_EQ(supply.size(), 0U);
  EXPECT_TRUE(supply.extents().empty());
  EXPECT_TRUE(supply.chips().empty());
  for (const TestPool& each : world.pools) world.put_into(supply, each);
  expect_same(ask_all(world.supply(), world, 9), ask_all(supply, world, 9));
}

TEST(Supply, BlocksDoNotCrumble) {
  Random random(11);
  const World world(random, 6000);
  Supply supply = world.supply();
  for (std::size_t i = 0; i < world.pools.size(); ++i) {
    if (i % 16 != 0) supply.erase(world.pools[i].pool.id);
  }
  // At least an eighth full on average: two neighbours together fill more than half a block.
  EXPECT_LT(supply.extents().size(), supply.size() * 8 / block_rows + supply.chips().size());
}

TEST(Supply, ANewPoolIsFreeAndAKnownOneKeepsWhatIsFree) {
  Pool pool;
  pool.id = {1};
  pool.site = {1};
  pool.chip = "A";
  pool.nodes = 2;
  pool.cards_per_node = 8;
  pool.cpu_milli_per_node = 64'000;
  pool.memory_bytes_per_node = 1'000'000'000;
  Supply supply;
  supply.put(pool, Site{});
  EXPECT_EQ(supply.free_of({1}), all_free(pool));
  const std::vector<NodeFree> nodes{{8, 1000, 8000, 64'000, 1'000'000'000}, {}};
  supply.set_free({1}, summarise(pool, nodes));
  supply.set_reachable({1}, false);
  pool.price.card_hour = yuan(3);
  supply.put(pool, Site{});
  EXPECT_EQ(supply.free_of({1}), summarise(pool, nodes));
  JobSpec spec;
  spec.alternatives = {{"A", 1000, {}}};
  const auto unreachable = static_cast<std::size_t>(Reason::member_unreachable);
  EXPECT_EQ(rank(supply, make_demand(spec), nullptr, 1).counts[unreachable], 1U);
  supply.set_reachable({1}, true);
  EXPECT_EQ(choose(supply, make_demand(spec), nullptr)->hourly_cost, yuan(3));
}

// Amounts that differ by less than the summaries' unit of memory are told apart.
TEST(Supply, RoundingNeverSaysYesToTooMuch) {
  Pool pool;
  pool.id = {1};
  pool.site = {1};
  pool.nodes = 2;
  pool.cpu_milli_per_node = 4000;
  pool.memory_bytes_per_node = 1'000'000;
  Supply supply;
  supply.put(pool, Site{});
  const std::vector<NodeFree> nodes{{0, 0, 0, 3000, 100'000}, {}};
  supply.set_free({1}, summarise(pool, nodes));
  JobSpec spec;
  spec.alternatives = {{"", 0, {}}};
  spec.memory_bytes.least = 65'536;
  EXPECT_TRUE(choose(supply, make_demand(spec), nullptr));
  for (const std::int64_t bytes : {100'001, 130'000, 131'072, 131'073}) {
    spec.memory_bytes.least = bytes;
    EXPECT_FALSE(choose(supply, make_demand(spec), nullptr)) << bytes;
    EXPECT_EQ(rank(supply, make_demand(spec), nullptr, 1).starts_now, 0U) << bytes;
  }
}

TEST(Supply, WhatNoPoolUsesIsForgotten) {
  Supply supply;
  for (std::int64_t i = 1; i <= 1000; ++i) {
    Pool pool;
    pool.id = {1};
    pool.site = {static_cast<std::uint64_t>(i)};
    pool.chip = "chip-" + std::to_string(i);
    pool.cards_per_node = 1;
    pool.memory_bytes_per_node = i;
    supply.put(pool, Site{});
  }
  EXPECT_EQ(supply.chips(), std::vector<std::string>{"chip-1000"});
  EXPECT_LE(supply.shapes().bound(), 2U);
  EXPECT_LE(supply.sites().bound(), 2U);
}

TEST(Supply, SummariesAreExact) {
  Pool pool;
  pool.nodes = 3;
  pool.cards_per_node = 4;
  pool.cpu_milli_per_node = 8000;
  pool.memory_bytes_per_node = 100;
  const std::vector<NodeFree> nodes{
      {4, 1000, 4000, 8000, 100}, {4, 1000, 4000, 7000, 100}, {0, 500, 700, 8000, 50}};
  const Free free = summarise(pool, nodes);
  EXPECT_EQ(free.nodes_free, 1U);
  EXPECT_EQ(free.cards_max, 4U);
  EXPECT_EQ(free.cards_milli, 8700);
  EXPECT_EQ(free.widest_cpu_milli, 8000);
  EXPECT_EQ(free.memory_bytes, 250);
}

}  // namespace
}  // namespace suan::placement
