#include "market/nodes.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <numeric>
#include <span>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

#include "market/foresight.h"
#include "testing/property.h"

namespace suan::market {
namespace {

constexpr std::int64_t gib = 1LL << 30U;

Pool pool_of(std::uint64_t id, std::uint32_t nodes, std::uint32_t cards) {
  Pool pool;
  pool.id = PoolId{id};
  pool.nodes = nodes;
  pool.cards_per_node = cards;
  pool.cpu_milli_per_node = 16'000;
  pool.memory_bytes_per_node = 64 * gib;
  return pool;
}

/// One node as the oracle sees it: card by card, counted anew from the grants each time.
struct PlainNode {
  std::vector<std::int64_t> cards;  // Free thousandths of each.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
  NodeReading others{};
  bool has_others = false;

  std::int64_t lent() const {  // Whole cards that others hold and nobody was granted here.
    return std::min<std::int64_t>(std::ranges::count(cards, 1000), others.cards);
  }
  std::int64_t whole() const { return std::ranges::count(cards, 1000) - lent(); }
  std::int64_t milli() const {
    return std::accumulate(cards.begin(), cards.end(), std::int64_t{}) - 1000 * lent();
  }

  bool fits(const Need& need) const {
    if (!others.takes_work || need.cpu_milli > cpu_milli || need.memory_bytes > memory_bytes)
      return false;
    if (need.card_milli >= 1000) return whole() * 1000 >= need.card_milli;
    return need.card_milli == 0 || whole() > 0 || fullest_shared(need.card_milli) > 0;
  }

  // What is left of the fullest card in use that still has room for a share; 0 if there is none.
  std::int64_t fullest_shared(std::int64_t share) const {
    std::int64_t best = 0;
    for (const std::int64_t free : cards) {
      if (free < 1000 && free >= share && (best == 0 || free < best)) best = free;
    }
    return best;
  }
};

std::vector<PlainNode> count_anew(const Pool& pool, const std::vector<Grant>& grants,
                                  const std::vector<NodeReading>& others) {
  const std::vector<std::int64_t> cards(pool.cards_per_node, 1000);
  const PlainNode idle{.cards = cards,
                       .cpu_milli = pool.cpu_milli_per_node,
                       .memory_bytes = pool.memory_bytes_per_node};
  std::vector<PlainNode> nodes(pool.nodes, idle);
  for (const NodeReading& each : others) {
    if (each.node >= pool.nodes) continue;
    PlainNode& node = nodes[each.node];
    node.others = each;
    node.has_others = true;
    node.cpu_milli -= each.cpu_milli;
    node.memory_bytes -= each.memory_bytes;
  }
  for (const Grant& grant : grants) {
    if (grant.node >= pool.nodes) continue;
    PlainNode& node = nodes[grant.node];
    node.cpu_milli -= grant.cpu_milli;
    node.memory_bytes -= grant.memory_bytes;
    for (const std::uint32_t card : grant.cards) {
      if (card < pool.cards_per_node) node.cards[card] -= grant.card_milli;
    }
  }
  return nodes;
}

// Less is tighter: shares go beside others before they break into a whole card, everything goes to
// the node with the fewest whole cards and then the fewest cores.
using Tightness = std::tuple<std::int64_t, std::int64_t, std::int64_t, std::uint32_t>;

Tightness tightness(const PlainNode& node, const Need& need, std::uint32_t index) {
  const bool is_share = need.card_milli > 0 && need.card_milli < 1000;
  const std::int64_t shared = is_share ? node.fullest_shared(need.card_milli) : 0;
  if (shared > 0) return {0, shared, 0, index};
  return {1, node.whole(), node.cpu_milli, index};
}

std::vector<std::uint32_t> tightest_first(const std::vector<PlainNode>& nodes, const Need& need) {
  std::vector<Tightness> order;
  for (std::uint32_t i = 0; i < nodes.size(); ++i) {
    if (nodes[i].fits(need)) order.push_back(tightness(nodes[i], need, i));
  }
  std::ranges::sort(order);
  std::vector<std::uint32_t> indexes;
  for (const Tightness& each : order) indexes.push_back(std::get<3>(each));
  return indexes;
}

void expect_right_cards(const Grant& grant, const PlainNode& node, const Need& need) {
  EXPECT_EQ(grant.cpu_milli, need.cpu_milli);
  EXPECT_EQ(grant.memory_bytes, need.memory_bytes);
  EXPECT_TRUE(std::ranges::is_sorted(grant.cards, std::less_equal<>{}) || grant.cards.size() < 2);
  if (need.card_milli == 0) {
    EXPECT_TRUE(grant.cards.empty());
    EXPECT_EQ(grant.card_milli, 0U);
  } else if (need.card_milli < 1000) {
    ASSERT_EQ(grant.cards.size(), 1U);
    EXPECT_EQ(grant.card_milli, need.card_milli);
    const std::int64_t shared = node.fullest_shared(need.card_milli);
    EXPECT_EQ(node.cards[grant.cards[0]], shared > 0 ? shared : 1000);
  } else {
    ASSERT_EQ(static_cast<std::int64_t>(grant.cards.size()) * 1000, need.card_milli);
    EXPECT_EQ(grant.card_milli, 1000U);
    for (const std::uint32_t card : grant.cards) EXPECT_EQ(node.cards[card], 1000);
    EXPECT_EQ(std::ranges::count(node.cards.begin(), node.cards.begin() + grant.cards.back(), 1000),
              static_cast<std::ptrdiff_t>(grant.cards.size()) - 1);  // The lowest ones.
  }
}

PoolFree count_free(const Pool& pool, const std::vector<PlainNode>& nodes) {
  PoolFree free;
  std::tuple<std::int64_t, std::int64_t, std::size_t> widest{-1, 0, 0};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const PlainNode& node = nodes[i];
    if (!node.others.takes_work) continue;
    free.card_milli += node.milli();
    free.cpu_milli += node.cpu_milli;
    free.memory_bytes += node.memory_bytes;
    free.nodes_idle += node.milli() == std::int64_t{1000} * pool.cards_per_node &&
                               node.cpu_milli == pool.cpu_milli_per_node &&
                               node.memory_bytes == pool.memory_bytes_per_node && !node.has_others
                           ? 1U
                           : 0U;
    free.cpu_milli_on_a_node = std::max(free.cpu_milli_on_a_node, node.cpu_milli);
    widest = std::max(widest, {node.whole(), node.cpu_milli, i});
    for (const std::int64_t card : node.cards) {
      if (card == 1000 && node.whole() == 0) continue;
      free.share_milli_of_a_card =
          std::max(free.share_milli_of_a_card, static_cast<std::uint32_t>(card));
    }
  }
  if (std::get<0>(widest) < 0) return free;
  free.cards_on_a_node = static_cast<std::uint32_t>(std::get<0>(widest));
  free.widest_cpu_milli = std::get<1>(widest);
  free.widest_memory_bytes = nodes[std::get<2>(widest)].memory_bytes;
  return free;
}

void expect_same(const PoolFree& free, const PoolFree& expected) {
  EXPECT_EQ(free.card_milli, expected.card_milli);
  EXPECT_EQ(free.cpu_milli, expected.cpu_milli);
  EXPECT_EQ(free.memory_bytes, expected.memory_bytes);
  EXPECT_EQ(free.nodes_idle, expected.nodes_idle);
  EXPECT_EQ(free.cards_on_a_node, expected.cards_on_a_node);
  EXPECT_EQ(free.cpu_milli_on_a_node, expected.cpu_milli_on_a_node);
  EXPECT_EQ(free.widest_cpu_milli, expected.widest_cpu_milli);
  EXPECT_EQ(free.widest_memory_bytes, expected.widest_memory_bytes);
  EXPECT_EQ(free.share_milli_of_a_card, expected.share_milli_of_a_card);
}

Need random_need(Random& random) {
  Need need;
  if (random.chance(1, 2)) need.card_milli = random.between(0, 4) * 1000;
  if (random.chance(1, 3)) need.card_milli = random.between(1, 10) * 100;
  need.cpu_milli = random.between(0, 10) * 500;
  need.memory_bytes = random.between(0, 8) * gib;
  return need;
}

/// Two neighbouring pools under random grants, returns and changes of size.
class Walk {
 public:
  explicit Walk(Random& random) : random_(random) {
    for (std::uint64_t id = 1; id <= 2; ++id) {
      pools_.push_back(random_size(id));
      nodes_.add(pools_.back());
    }
    grants_.resize(2);
    others_.resize(2);
  }

  void step() {
    const auto at = random_.below(std::size_t{2});
    const auto choice = random_.below(10U);
    if (choice == 0) {
      resize(at);
    } else if (choice == 1) {
      observe(at);
    } else if (choice < 4 && !grants_[at].empty()) {
      const auto given = random_.below(grants_[at].size());
      nodes_.give_back(pools_[at], grants_[at][given]);
      grants_[at].erase(grants_[at].begin() + static_cast<std::ptrdiff_t>(given));
    } else {
      const auto count = 1 + random_.below(3U);
      for (Grant& grant : choose(pools_[at], random_need(random_), count)) {
        nodes_.take(pools_[at], grant);
        foresight_.learn(pools_[at], grant, nodes_);
        grants_[at].push_back(std::move(grant));
      }
    }
  }

  void check() {
    for (std::size_t at = 0; at < 2; ++at) {
      const std::vector<PlainNode> nodes = count_anew(pools_[at], grants_[at], others_[at]);
      for (const PlainNode& node : nodes) {
        for (const std::int64_t card : node.cards) ASSERT_GE(card, 0) << "a card is granted twice";
      }
      expect_same(nodes_.free_in(pools_[at]), count_free(pools_[at], nodes));
      check_fit(pools_[at], nodes, random_need(random_));
      check_pack(pools_[at], nodes, random_need(random_));
    }
  }

 private:
  std::vector<Grant> choose(const Pool& pool, const Need& need, std::uint32_t count) {
    const auto outlook = foresight_.outlook(pool.id);
    if (!outlook || random_.chance(1, 3)) return nodes_.fit(pool, need, count);
    return nodes_.pack(pool, need, count, *outlook);
  }

  // Wherever it goes, it fits there, and it finds as many nodes as there are.
  void check_pack(const Pool& pool, const std::vector<PlainNode>& nodes, const Need& need) {
    const auto outlook = foresight_.outlook(pool.id);
    if (!outlook) return;
    const std::vector<std::uint32_t> fitting = tightest_first(nodes, need);
    const auto count = 1 + random_.below(4U);
    const std::vector<Grant> grants = nodes_.pack(pool, need, count, *outlook);
    ASSERT_EQ(grants.size(), fitting.size() < count ? 0 : count);
    std::set<std::uint32_t> distinct;
    for (const Grant& grant : grants) {
      EXPECT_TRUE(distinct.insert(grant.node).second);
      EXPECT_TRUE(std::ranges::find(fitting, grant.node) != fitting.end());
      EXPECT_TRUE(nodes_.can_take(pool, grant));
      EXPECT_EQ(std::int64_t{grant.card_milli} * static_cast<std::int64_t>(grant.cards.size()),
                need.card_milli);
    }
  }

  void check_fit(const Pool& pool, const std::vector<PlainNode>& nodes, const Need& need) {
    const std::vector<std::uint32_t> expected = tightest_first(nodes, need);
    const auto limit = 1 + random_.below(6U);
    const auto first = std::span(expected).first(std::min<std::size_t>(limit, expected.size()));
    EXPECT_TRUE(std::ranges::equal(nodes_.fitting(pool, need, limit), first));
    const auto count = 1 + random_.below(4U);
    const std::vector<Grant> grants = nodes_.fit(pool, need, count);
    ASSERT_EQ(grants.size(), expected.size() < count ? 0 : count);
    for (std::size_t i = 0; i < grants.size(); ++i) {
      ASSERT_EQ(grants[i].node, expected[i]);
      expect_right_cards(grants[i], nodes[grants[i].node], need);
    }
  }

  Pool random_size(std::uint64_t id) {
    Pool pool = pool_of(id, random_.below(6U), random_.below(5U));
    pool.cpu_milli_per_node = random_.between(1, 16) * 1000;
    pool.memory_bytes_per_node = random_.between(1, 32) * gib;
    return pool;
  }

  void resize(std::size_t at) {
    nodes_.remove(pools_[at]);
    foresight_.forget(pools_[at].id);
    pools_[at] = random_size(pools_[at].id.value);
    nodes_.add(pools_[at]);
    // Not all that was granted needs to fit into the new size, but no card is promised twice.
    for (const Grant& grant : grants_[at]) nodes_.take(pools_[at], grant);
  }

  void observe(std::size_t at) {
    others_[at].clear();
    for (std::uint32_t node = 0; node < 6; ++node) {
      if (random_.chance(1, 2)) continue;
      others_[at].push_back({.node = node,
                             .takes_work = random_.chance(3, 4),
                             .cards = static_cast<std::uint32_t>(random_.below(4U)),
                             .cpu_milli = random_.between(0, 8) * 500,
                             .memory_bytes = random_.between(0, 4) * gib});
    }
    nodes_.observe(pools_[at], others_[at]);
  }

  Random& random_;
  std::vector<Pool> pools_;
  std::vector<std::vector<Grant>> grants_;
  std::vector<std::vector<NodeReading>> others_;
  Nodes nodes_;
  Foresight foresight_;
};

TEST(Nodes, FitAndCountAsAPlainSearchDoes) {
  for_each_seed(
      [](Random& random) {
        Walk walk(random);
        for (int i = 0; i < 60; ++i) {
          walk.step();
          walk.check();
          if (testing::Test::HasFailure()) return;
        }
      },
      300);
}

TEST(Nodes, WorkWithoutCardsSparesNodesWithCards) {
  Nodes nodes;
  const Pool pool = pool_of(1, 2, 2);
  nodes.add(pool);
  nodes.take(pool, {0, {0}, 1000, 1000, gib});
  const auto grants = nodes.fit(pool, {0, 1000, gib}, 1);
  ASSERT_EQ(grants.size(), 1U);
  EXPECT_EQ(grants[0].node, 0U);
}

TEST(Nodes, SharesFillACardBeforeTheyBreakIntoAnother) {
  Nodes nodes;
  const Pool pool = pool_of(1, 2, 2);
  nodes.add(pool);
  const Need third{300, 1000, gib};
  std::vector<std::pair<std::uint32_t, std::uint32_t>> places;
  for (int i = 0; i < 5; ++i) {
    const Grant grant = nodes.fit(pool, third, 1).at(0);
    nodes.take(pool, grant);
    places.emplace_back(grant.node, grant.cards.at(0));
  }
  using Places = std::vector<std::pair<std::uint32_t, std::uint32_t>>;
  EXPECT_EQ(places, (Places{{0, 0}, {0, 0}, {0, 0}, {0, 1}, {0, 1}}));
  EXPECT_EQ(nodes.free_in(pool).card_milli, 2500);
  EXPECT_EQ(nodes.free_in(pool).nodes_idle, 1U);
}

TEST(Nodes, AGangGetsDistinctNodesOrNothing) {
  Nodes nodes;
  const Pool pool = pool_of(1, 3, 4);
  nodes.add(pool);
  const auto gang = nodes.fit(pool, {2000, 1000, gib}, 3);
  ASSERT_EQ(gang.size(), 3U);
  EXPECT_NE(gang[0].node, gang[1].node);
  EXPECT_NE(gang[1].node, gang[2].node);
  EXPECT_NE(gang[0].node, gang[2].node);
  EXPECT_TRUE(nodes.fit(pool, {2000, 1000, gib}, 4).empty());
}

TEST(Nodes, ANodeThatIsDownTakesNothingUntilItIsBack) {
  Nodes nodes;
  const Pool pool = pool_of(1, 2, 2);
  nodes.add(pool);
  nodes.observe(pool, {{.node = 0, .takes_work = false}, {.node = 1, .cards = 1}});
  EXPECT_EQ(nodes.free_in(pool).card_milli, 1000);
  EXPECT_TRUE(nodes.fit(pool, {2000, 1000, gib}, 1).empty());
  EXPECT_TRUE(nodes.fit(pool, {1000, 1000, gib}, 2).empty());
  EXPECT_EQ(nodes.left_after(pool, 1).cards, 0U);
  nodes.observe(pool, {});
  EXPECT_EQ(nodes.fit(pool, {2000, 1000, gib}, 2).size(), 2U);
  EXPECT_EQ(nodes.free_in(pool).nodes_idle, 2U);
}

TEST(Nodes, HaveUpTo64Cards) {
  Nodes nodes;
  const Pool pool = pool_of(1, 1, 64);
  nodes.add(pool);
  const Grant all = nodes.fit(pool, {64'000, 0, 0}, 1).at(0);
  EXPECT_EQ(all.cards.size(), 64U);
  nodes.take(pool, all);
  EXPECT_EQ(nodes.free_in(pool).card_milli, 0);
  nodes.give_back(pool, all);
  EXPECT_EQ(nodes.free_in(pool).cards_on_a_node, 64U);
}

TEST(NodesDeathTest, ACardIsNeitherGrantedNorReturnedTwice) {
  Nodes nodes;
  const Pool pool = pool_of(1, 1, 2);
  nodes.add(pool);
  const Grant whole{0, {0}, 1000, 1000, gib};
  EXPECT_DEATH(nodes.give_back(pool, whole), "nodes.cc");
  nodes.take(pool, whole);
  EXPECT_DEATH(nodes.take(pool, whole), "nodes.cc");
  EXPECT_DEATH(nodes.take(pool, {0, {0}, 300, 1000, gib}), "nodes.cc");
  nodes.take(pool, {0, {1}, 600, 1000, gib});
  EXPECT_DEATH(nodes.take(pool, {0, {1}, 500, 1000, gib}), "nodes.cc");
  EXPECT_DEATH(nodes.give_back(pool, {0, {1}, 700, 1000, gib}), "nodes.cc");
}

}  // namespace
}  // namespace suan::market
