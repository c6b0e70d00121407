#include "placement/demand.h"

#include <gtest/gtest.h>

#include "placement/random_world.h"
#include "placement/reason.h"
#include "placement/row_wise.h"
#include "testing/property.h"

namespace suan::placement {
namespace {

Pool node_of(std::uint32_t cards, std::int64_t cores, std::int64_t gigabytes) {
  Pool pool;
  pool.cards_per_node = cards;
  pool.cpu_milli_per_node = cores * 1000;
  pool.memory_bytes_per_node = gigabytes * 1'000'000'000;
  return pool;
}

Need need_for(const Pool& pool, const JobSpec& spec) {
  return need_in(pool, make_demand(spec), 0);
}

TEST(Need, CardsBringTheirShareOfTheNode) {
  JobSpec spec;
  spec.alternatives = {{"A", 2000, {}}};
  EXPECT_EQ(need_for(node_of(8, 128, 1024), spec), (Need{2000, 32'000, 256'000'000'000}));
  spec.alternatives = {{"A", 250, {}}};
  EXPECT_EQ(need_for(node_of(8, 128, 1024), spec), (Need{250, 4000, 32'000'000'000}));
}

TEST(Need, WithoutCardsItIsOneCore) {
  JobSpec spec;
  spec.alternatives = {{"", 0, {}}};
  EXPECT_EQ(need_for(node_of(0, 32, 64), spec), (Need{0, 1000, 2'000'000'000}));
}

TEST(Need, WhatIsAskedIsTaken) {
  JobSpec spec;
  spec.alternatives = {{"A", 1000, {}}};
  spec.cpu_milli = {64'000, 0};
  spec.memory_bytes = {1'000, 0};
  EXPECT_EQ(need_for(node_of(8, 32, 64), spec), (Need{1000, 64'000, 1'000}));
}

TEST(Need, TheMostBoundsTheShare) {
  JobSpec spec;
  spec.alternatives = {{"A", 8000, {}}};
  spec.cpu_milli = {0, 16'000};
  EXPECT_EQ(need_for(node_of(8, 128, 1024), spec), (Need{8000, 16'000, 128'000'000'000}));
}

TEST(Need, PartsBeyondOneCardAreWholeCards) {
  JobSpec spec;
  spec.alternatives = {{"A", 1500, {}}};
  EXPECT_EQ(need_for(node_of(8, 8, 8), spec).card_milli, 2000);
}

TEST(Need, NothingOverflows) {
  JobSpec spec;
  spec.alternatives = {{"A", INT64_MAX, {}}};
  Pool pool = node_of(1, 1, 1);
  pool.cpu_milli_per_node = INT64_MAX;
  pool.memory_bytes_per_node = INT64_MAX;
  const Need need = need_for(pool, spec);
  EXPECT_EQ(need.cpu_milli, INT64_MAX);
  EXPECT_EQ(need.memory_bytes, INT64_MAX);
}

TEST(Cost, IsRoundedOncePerTask) {
  for_each_seed([](Random& random) {
    const Price price{{random.between(0, 40'000'000'000)}, {random.between(0, 9'000'000'000)}};
    const Need need{random.between(0, 64'000), random.between(0, 500'000), 0};
    const std::uint32_t tasks = 1 + random.below(10'000U);
    ASSERT_EQ(hourly_cost(price, need, tasks).micro, hourly_price(price, need).micro * tasks);
  });
}

TEST(Cost, SaturatesWhereMoneyEnds) {
  EXPECT_EQ(hourly_cost({{INT64_MAX}, {}}, {2000, 0, 0}, 1).micro, INT64_MAX);
  EXPECT_EQ(hourly_cost({{INT64_MAX / 2}, {}}, {1000, 0, 0}, 3).micro, INT64_MAX);
  EXPECT_EQ(hourly_cost({{INT64_MAX}, {INT64_MAX}}, {1000, 1000, 0}, 1).micro, INT64_MAX);
  EXPECT_EQ(hourly_cost({{INT64_MAX}, {}}, {1000, 0, 0}, 1).micro, INT64_MAX);
}

TEST(Region, LiesInItsPrefix) {
  EXPECT_TRUE(lies_in("cn-sh", ""));
  EXPECT_TRUE(lies_in("cn-sh", "cn"));
  EXPECT_TRUE(lies_in("cn-sh", "cn-sh"));
  EXPECT_FALSE(lies_in("cnx-sh", "cn"));
  EXPECT_FALSE(lies_in("cn", "cn-sh"));
  EXPECT_FALSE(lies_in("hk", "cn"));
}

TEST(Reason, HasAWordForEach) {
  for (std::size_t i = 0; i < reason_count; ++i) {
    const auto reason = static_cast<Reason>(i);
    EXPECT_FALSE(name(reason).empty());
    EXPECT_FALSE(sentence(reason).empty());
    EXPECT_EQ(find_reason(number(reason)), reason);
  }
  // In journals: these never change.
  EXPECT_EQ(number(Reason::network_tier_too_low), 8U);
  EXPECT_EQ(number(Reason::region_not_allowed), 9U);
  EXPECT_EQ(number(Reason::nodes_busy), 18U);
  EXPECT_EQ(number(Reason::images_not_run), 19U);
  EXPECT_EQ(number(Reason::data_not_moved), 21U);
  EXPECT_EQ(number(Reason::store_missing), 22U);
  EXPECT_FALSE(find_reason(1000));
  EXPECT_EQ(name(Reason::price_above_hourly_max), "price_above_hourly_max");
  EXPECT_EQ(name(Reason::nodes_busy), "nodes_busy");
}

}  // namespace
}  // namespace suan::placement
