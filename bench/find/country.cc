#include "country.h"

#include <algorithm>
#include <array>
#include <utility>

#include "network/cities.h"

namespace suan::bench {

namespace {

struct Place {
  const char* region;
  const char* city;
  std::uint32_t share;  // Of the sites, out of 100.
  std::uint32_t pue_milli;
  std::uint32_t carbon_g_per_kwh;
};

// The eight national hubs and the big cities, with the targets for PUE of the hubs.
constexpr std::array<Place, 16> places{{{"cn-he", "zhangjiakou", 8, 1250, 720},
                                        {"cn-bj", "beijing", 10, 1300, 560},
                                        {"cn-sh", "shanghai", 10, 1250, 530},
                                        {"cn-js", "suzhou", 8, 1250, 600},
                                        {"cn-zj", "jiaxing", 6, 1250, 510},
                                        {"cn-ah", "wuhu", 6, 1250, 640},
                                        {"cn-gd", "shaoguan", 10, 1250, 440},
                                        {"cn-sc", "chengdu", 6, 1250, 120},
                                        {"cn-cq", "chongqing", 5, 1250, 400},
                                        {"cn-nm", "hohhot", 8, 1200, 690},
                                        {"cn-gz", "guiyang", 6, 1200, 430},
                                        {"cn-gs", "qingyang", 4, 1200, 410},
                                        {"cn-nx", "zhongwei", 5, 1200, 590},
                                        {"cn-hb", "wuhan", 3, 1350, 350},
                                        {"cn-sn", "xian", 3, 1350, 570},
                                        {"cn-hi", "haikou", 2, 1400, 0}}};

struct Kind {
  const char* chip;
  std::uint32_t share;  // Of the pools, out of 100.
  std::uint32_t cards;
  std::int64_t cores;
  std::int64_t gigabytes;
  std::int64_t card_hour_fen;
};

constexpr std::array<Kind, 14> kinds{{{"", 22, 0, 64, 256, 0},
                                      {"", 8, 0, 128, 512, 0},
                                      {"Ascend910B3", 10, 8, 192, 1536, 980},
                                      {"Ascend910B4", 6, 8, 192, 768, 620},
                                      {"Ascend910C", 3, 16, 320, 2048, 1850},
                                      {"H800-SXM", 8, 8, 128, 2048, 1950},
                                      {"H20", 8, 8, 192, 2048, 780},
                                      {"A100-80G-SXM", 9, 8, 128, 1024, 1080},
                                      {"RTX4090", 10, 8, 64, 512, 210},
                                      {"L40S", 4, 4, 96, 768, 520},
                                      {"MLU590", 4, 8, 128, 1024, 720},
                                      {"Hygon-K100-AI", 4, 8, 128, 1024, 460},
                                      {"MTT-S4000", 2, 8, 128, 1024, 310},
                                      {"Kunlun-P800", 2, 8, 192, 1024, 690}}};

template <class Rows>
const auto& draw(Random& random, const Rows& rows) {
  std::uint32_t at = random.below(100U);
  for (const auto& row : rows) {
    if (at < row.share) return row;
    at -= row.share;
  }
  return rows.back();
}

}  // namespace

Country::Country(std::size_t pools, std::uint32_t nodes_max, std::uint64_t seed) {
  Random random(seed);
  const std::size_t site_count = std::max<std::size_t>(pools / 100, 10);
  for (std::uint64_t i = 1; i <= site_count; ++i) {
    const Place& place = draw(random, places);
    Site site;
    site.id = {i};
    site.name = std::string(place.city) + "-" + std::to_string(i);
    site.city = place.city;
    site.region = place.region;
    const network::City* city = network::find_city(place.city);
    site.latitude_micro = city->latitude_micro;
    site.longitude_micro = city->longitude_micro;
    site.pue_milli = place.pue_milli + random.below(200U);
    site.carbon_g_per_kwh = place.carbon_g_per_kwh;
    sites_.push_back(std::move(site));
  }
  for (std::uint64_t i = 1; i <= pools; ++i) {
    Pool pool = make_pool(random, PoolId{i});
    // Most pools are small, a few are large.
    pool.nodes = 1 + random.below(1 + random.below(nodes_max));
    first_node_.push_back(static_cast<std::uint32_t>(nodes_.size()));
    for (std::uint32_t n = 0; n < pool.nodes; ++n) load(random, pool, nodes_.emplace_back());
    pools_.push_back(std::move(pool));
  }
  first_node_.push_back(static_cast<std::uint32_t>(nodes_.size()));
}

Pool Country::make_pool(Random& random, PoolId id) const {
  const Kind& kind = draw(random, kinds);
  Pool pool;
  pool.id = id;
  pool.site = {1 + random.below(sites_.size())};
  pool.member = {1};
  pool.name = "pool-" + std::to_string(id.value);
  pool.chip = kind.chip;
  pool.cards_per_node = kind.cards;
  // Machines of one kind still come with a few different fittings.
  pool.cpu_milli_per_node = kind.cores * 1000 * random.between(2, 4) / 3;
  pool.memory_bytes_per_node = kind.gigabytes * 1'000'000'000 * random.between(2, 4) / 3;
  pool.disk_bytes_per_node = random.between(0, 8) * 1'000'000'000'000;
  pool.network_tier = static_cast<NetworkTier>(random.below(6U) / 2);
  pool.price.card_hour = {kind.card_hour_fen * 100 * random.between(60, 140)};
  pool.price.core_hour = {800 * random.between(60, 140)};
  pool.is_firm = random.chance(3, 4);
  if (random.chance(1, 50)) pool.state = ServingState::draining;
  return pool;
}

// About two nodes in three are full or nearly so.
void Country::load(Random& random, const Pool& pool, Node& node) const {
  const std::uint32_t draw = random.below(100U);
  node.cards = static_cast<std::uint8_t>(pool.cards_per_node);
  std::int64_t free_percent = 100;
  if (draw < 55) {
    node.cards = 0;
    free_percent = random.between(0, 20);
  } else if (draw < 80) {
    node.cards = static_cast<std::uint8_t>(random.below(pool.cards_per_node + 1));
    // Jobs take cores with their cards; some take more.
    free_percent =
        pool.cards_per_node == 0 ? random.between(10, 90) : 100 * node.cards / pool.cards_per_node;
    if (random.chance(1, 3)) free_percent = free_percent * random.between(80, 100) / 100;
  }
  const bool has_share = node.cards == 0 && pool.cards_per_node > 0 && random.chance(1, 3);
  node.share_milli = node.cards > 0 ? 1000 : has_share ? 500 : 0;
  node.cpu_milli = static_cast<std::uint32_t>(pool.cpu_milli_per_node * free_percent / 100);
  node.memory_bytes = pool.memory_bytes_per_node * free_percent / 100;
}

std::uint32_t Country::nodes_fitting(PoolId id, const Need& need, std::uint32_t limit) const {
  std::uint32_t count = 0;
  for (std::size_t i = first_node_[id.value - 1]; i < first_node_[id.value]; ++i) {
    const Node& node = nodes_[i];
    const bool has_cards = need.card_milli < 1000 ? need.card_milli <= node.share_milli
                                                  : need.card_milli <= node.cards * 1000;
    if (has_cards && need.cpu_milli <= node.cpu_milli && need.memory_bytes <= node.memory_bytes &&
        ++count == limit) {
      break;
    }
  }
  return count;
}

placement::Free Country::free_of(const Pool& pool) const {
  std::vector<placement::NodeFree> nodes;
  for (std::size_t i = first_node_[pool.id.value - 1]; i < first_node_[pool.id.value]; ++i) {
    const Node& node = nodes_[i];
    nodes.push_back({node.cards, node.share_milli,
                     node.cards > 0 ? node.cards * 1000 : node.share_milli, node.cpu_milli,
                     node.memory_bytes});
  }
  return placement::summarise(pool, nodes);
}

placement::Supply Country::supply() const {
  placement::Supply supply;
  for (const Pool& pool : pools_) {
    supply.put(pool, site_of(pool));
    supply.set_free(pool.id, free_of(pool));
  }
  return supply;
}

const Pool& Country::change_a_node(Random& random) {
  const Pool& pool = pools_[random.below(pools_.size())];
  const std::size_t first = first_node_[pool.id.value - 1];
  load(random, pool, nodes_[first + random.below(pool.nodes)]);
  return pool;
}

}  // namespace suan::bench
