#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "model/spec.h"
#include "placement/supply.h"

namespace suan::placement {

/// One node, card by card. Test code only, as is everything in this file.
struct TestNode {
  std::vector<std::int64_t> cards;  // Free thousandths of each.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;

  bool fits(const Need& need) const {
    if (need.cpu_milli > cpu_milli || need.memory_bytes > memory_bytes) return false;
    if (need.card_milli < 1000) {
      return need.card_milli == 0 ||
             std::ranges::any_of(cards, [&](std::int64_t free) { return free >= need.card_milli; });
    }
    return std::ranges::count(cards, 1000) * 1000 >= need.card_milli;
  }

  NodeFree free() const {
    NodeFree free{0, 0, 0, cpu_milli, memory_bytes};
    for (const std::int64_t card : cards) {
      free.cards += card == 1000 ? 1U : 0U;
      free.share_milli = std::max(free.share_milli, card);
      free.cards_milli += card;
    }
    return free;
  }
};

struct TestPool {
  Pool pool;
  bool is_reachable = true;
  std::vector<TestNode> nodes;

  Free free() const {
    std::vector<NodeFree> frees;
    for (const TestNode& node : nodes) frees.push_back(node.free());
    return summarise(pool, frees);
  }
};

/// A round trip that somebody measured between two sites of a World.
struct TestLink {
  SiteId from;
  SiteId to;
  Rtt rtt;
};

/// Sites and pools with their nodes; few different values, so that ties and near misses are common.
class World : public NodeView {
 public:
  std::vector<Site> sites;
  std::vector<TestPool> pools;  // In order of id.
  std::vector<TestLink> links;  // The latest last.

  World(Random& random, std::size_t pool_count) {
    constexpr std::array<const char*, 5> regions{"cn-sh", "cn-js", "cn-nm", "hk", "cn"};
    for (std::uint64_t i = 0; i < 5; ++i) {
      Site site;
      site.id = {i + 1};
      site.name = "site-" + std::to_string(i);
      site.region = regions[random.below(regions.size())];
      site.pue_milli = random.chance(1, 4) ? 0 : 1000 + random.below(600U);
      site.carbon_g_per_kwh = 100 * random.below(9U);
      const Near spot = random_spot(random);
      site.latitude_micro = spot.latitude_micro;
      site.longitude_micro = spot.longitude_micro;
      sites.push_back(site);
    }
    for (std::uint64_t left = random.chance(1, 2) ? 0 : random.below(12U); left > 0; --left) {
      const Span p99 = milliseconds(random.between(1, 30));
      links.push_back({{1 + random.below(sites.size())},
                       {1 + random.below(sites.size())},
                       {.p50 = p99 / 2, .p99 = p99, .at = {}}});
    }
    std::uint64_t id = 0;
    for (std::size_t i = 0; i < pool_count; ++i) {
      id += 1 + random.below(3U);
      pools.push_back(make_pool(random, PoolId{id}));
    }
  }

  // A few places, some of them close together; the first is where nobody said.
  static Near random_spot(Random& random) {
    constexpr std::array<std::array<std::int32_t, 2>, 6> spots{{{0, 0},
                                                                {31'220'000, 121'480'000},
                                                                {31'220'000, 121'480'000},
                                                                {31'390'000, 121'600'000},
                                                                {31'330'000, 118'380'000},
                                                                {39'920'000, 116'460'000}}};
    const auto& spot = spots[random.below(spots.size())];
    return {"somewhere", spot[0], spot[1]};
  }

  const Site& site_of(const Pool& pool) const { return sites[pool.site.value - 1]; }
  const TestPool& at(PoolId id) const {
    return *std::ranges::find(pools, id, [](const TestPool& each) { return each.pool.id; });
  }

  std::uint32_t nodes_fitting(PoolId id, const Need& need, std::uint32_t limit) const override {
    std::uint32_t count = 0;
    for (const TestNode& node : at(id).nodes) {
      if (count < limit && node.fits(need)) ++count;
    }
    return count;
  }

  void put_into(Supply& supply, const TestPool& each) const {
    supply.put(each.pool, site_of(each.pool));
    supply.set_free(each.pool.id, each.free());
    supply.set_reachable(each.pool.id, each.is_reachable);
  }

  Supply supply() const {
    Supply supply;
    for (const TestPool& each : pools) put_into(supply, each);
    supply.set_speed("A", 300);
    supply.set_speed("B", 900);
    for (const TestLink& each : links) supply.set_link(each.from, each.to, each.rtt);
    return supply;
  }

  TestPool make_pool(Random& random, PoolId id) const {
    constexpr std::array<const char*, 4> chips{"", "A", "B", "C"};
    constexpr std::array<std::uint32_t, 4> counts{1, 2, 4, 8};
    TestPool made;
    Pool& pool = made.pool;
    pool.id = id;
    pool.site = {1 + random.below(sites.size())};
    pool.member = {1};
    pool.chip = chips[random.below(chips.size())];
    pool.nodes = random.below(5U);
    pool.cards_per_node = pool.chip.empty() ? 0 : counts[random.below(counts.size())];
    pool.cpu_milli_per_node = 2000 << random.below(4U);
    pool.memory_bytes_per_node = 4'000'000'000 << random.below(4U);
    pool.disk_bytes_per_node = 500'000'000'000 * random.between(0, 2);
    pool.network_tier = static_cast<NetworkTier>(random.below(3U));
    pool.runs_images = random.chance(1, 2);
    pool.moves_data = random.chance(1, 2);
    if (pool.moves_data && random.chance(1, 2)) pool.stores.emplace_back("hot");
    if (pool.moves_data && random.chance(1, 2)) pool.stores.emplace_back("warm");
    pool.price.card_hour = {random.between(0, 3) * 2'500'000};
    pool.price.core_hour = {random.between(0, 3) * 33'333};
    pool.is_firm = random.chance(3, 4);
    if (random.chance(1, 2)) pool.spot_milli = 200 * (1 + random.below(4U));
    if (random.chance(1, 8)) pool.state = ServingState::draining;
    made.is_reachable = random.chance(7, 8);
    for (std::uint32_t i = 0; i < pool.nodes; ++i) made.nodes.push_back(make_node(random, pool));
    return made;
  }

  static TestNode make_node(Random& random, const Pool& pool) {
    constexpr std::array<std::int64_t, 5> shares{0, 250, 500, 1000, 1000};
    const bool is_idle = random.chance(1, 3);
    TestNode node{std::vector<std::int64_t>(pool.cards_per_node, 1000), pool.cpu_milli_per_node,
                  pool.memory_bytes_per_node};
    if (is_idle) return node;
    for (std::int64_t& card : node.cards) card = shares[random.below(shares.size())];
    node.cpu_milli = node.cpu_milli * random.between(0, 4) / 4;
    node.memory_bytes = node.memory_bytes * random.between(0, 4) / 4;
    return node;
  }
};

/// A job that a World may or may not be able to run.
inline JobSpec random_spec(Random& random) {
  constexpr std::array<const char*, 5> chips{"", "A", "B", "C", "D"};
  constexpr std::array<std::int64_t, 6> cards{250, 500, 1000, 2000, 4000, 8000};
  constexpr std::array<const char*, 5> regions{"cn-sh", "cn-js", "cn-nm", "hk", "cn"};
  JobSpec spec;
  const std::uint64_t count = 1 + random.below(2U) * random.below(3U);
  for (std::uint64_t i = 0; i < count; ++i) {
    Alternative alternative{chips[random.below(chips.size())], 0, {}};
    if (!alternative.chip.empty()) alternative.card_milli = cards[random.below(cards.size())];
    alternative.runs_image = random.chance(1, 5);
    spec.alternatives.push_back(alternative);
  }
  spec.is_ordered = random.chance(1, 3);
  spec.moves_data = random.chance(1, 6);
  spec.is_spot = random.chance(1, 5);
  for (const char* store : {"cold", "hot", "warm"})
    if (spec.moves_data && random.chance(1, 4)) spec.stores.emplace_back(store);
  if (random.chance(1, 4)) spec.nodes = 1 + random.below(4U);
  if (spec.nodes == 1 && random.chance(1, 6)) spec.elements = 1 + random.below(5U);
  if (random.chance(1, 3)) spec.cpu_milli.least = 500 * random.between(1, 40);
  if (random.chance(1, 5)) spec.cpu_milli.most = spec.cpu_milli.least + 1000 * random.between(0, 2);
  if (random.chance(1, 3)) spec.memory_bytes.least = 500'000'000 * random.between(1, 80);
  if (random.chance(1, 6)) spec.memory_bytes.most = spec.memory_bytes.least + 1'000'000'000;
  if (random.chance(1, 4)) spec.disk_bytes = 300'000'000'000 * random.between(1, 4);
  spec.network_tier = static_cast<NetworkTier>(random.below(4U) / 2 * random.below(3U));
  const auto some = [&](std::vector<std::string>& names, std::string name) {
    names.push_back(std::move(name));
  };
  if (random.chance(1, 4)) some(spec.where.regions, regions[random.below(regions.size())]);
  if (random.chance(1, 4)) some(spec.where.exclude_regions, regions[random.below(regions.size())]);
  if (random.chance(1, 4)) some(spec.where.sites, "site-" + std::to_string(random.below(6U)));
  if (random.chance(1, 4)) spec.where.data_residency = random.chance(1, 2) ? "cn" : "cn-sh";
  if (random.chance(1, 3)) {
    spec.where.near = World::random_spot(random);
    if (random.chance(1, 3)) spec.where.near.name = "site-" + std::to_string(random.below(5U));
    if (random.chance(1, 2)) spec.where.max_rtt = microseconds(random.between(1, 80) * 500);
    if (spec.where.max_rtt == Span{} || random.chance(1, 4))
      spec.where.circle = static_cast<Circle>(random.between(1, 3));
  }
  if (random.chance(1, 8)) spec.carbon_max = 100 + random.below(900U);
  if (random.chance(1, 3)) spec.hourly_max = {random.between(1, 40) * 1'250'000};
  spec.objective = static_cast<Objective>(random.below(4U));
  return spec;
}

}  // namespace suan::placement
