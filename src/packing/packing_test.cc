#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "packing/cluster.h"
#include "packing/policy.h"
#include "packing/room.h"
#include "testing/property.h"

namespace suan::packing {
namespace {

constexpr std::int64_t gigabyte = 1'000'000'000;

struct World {
  std::vector<NodeKind> kinds;
  std::vector<NodeRoom> rooms;
  std::vector<Ask> asks;
};

World random_world(Random& random) {
  World world;
  const std::uint32_t kinds = 1 + random.below(4U);
  for (std::uint32_t i = 0; i < kinds; ++i) {
    world.kinds.push_back({.chip = random.below(3U),
                           .cards = random.below(9U),
                           .cpu_milli = 1000 * random.between(4, 64),
                           .memory_bytes = gigabyte * random.between(8, 256)});
  }
  const std::uint32_t nodes = 1 + random.below(12U);
  for (std::uint32_t i = 0; i < nodes; ++i) {
    const std::uint32_t kind = random.below(kinds);
    world.rooms.push_back(all_free(kind, world.kinds[kind]));
  }
  for (int i = 0; i < 8; ++i) {
    Ask ask{.cards = 0,
            .share_milli = 0,
            .cpu_milli = 500 * random.between(1, 20),
            .memory_bytes = gigabyte * random.between(0, 24)};
    if (random.chance(1, 2))
      ask.share_milli = 50 + 50 * random.below(19U);
    else
      ask.cards = random.below(5U);
    if (ask.has_cards() && random.chance(1, 4)) ask.chips = 1 + random.below(7U);
    world.asks.push_back(ask);
  }
  return world;
}

Knowledge knowledge_of(const World& world, std::uint64_t seed) {
  Knowledge knowledge;
  for (const Ask& ask : world.asks) knowledge.mix.add(ask);
  knowledge.seed = seed;
  return knowledge;
}

bool fits_somewhere(const Cluster& cluster, const Ask& ask) {
  return std::ranges::any_of(cluster.rooms(), [&](const NodeRoom& room) {
    return fits(room, cluster.kinds()[room.kind], ask);
  });
}

// What the node has is what it was built with less what is on it, and no card is more than full.
void expect_books(const Cluster& cluster, const std::vector<std::pair<Ask, Placed>>& placed) {
  std::vector<NodeRoom> rooms;
  for (const NodeRoom& room : cluster.rooms())
    rooms.push_back(all_free(room.kind, cluster.kinds()[room.kind]));
  for (const auto& [ask, where] : placed) {
    NodeRoom& room = rooms[where.node];
    room.cpu_milli -= ask.cpu_milli;
    room.memory_bytes -= ask.memory_bytes;
    std::uint32_t cards = 0;
    for (std::uint32_t i = 0; i < room.cards.size(); ++i) {
      if ((where.cards >> i & 1U) == 0) continue;
      const std::uint32_t part = ask.is_share() ? ask.share_milli : card_milli;
      ASSERT_GE(room.cards[i], part);
      room.cards[i] = static_cast<std::uint16_t>(room.cards[i] - part);
      ++cards;
    }
    EXPECT_EQ(cards, ask.is_share() ? 1 : ask.cards);
    if (ask.has_cards()) {
      EXPECT_TRUE(ask.chips >> cluster.kinds()[room.kind].chip & 1U);
    }
  }
  for (std::size_t i = 0; i < rooms.size(); ++i) {
    const NodeRoom& there = cluster.rooms()[i];
    EXPECT_EQ(rooms[i].cards, there.cards);
    EXPECT_EQ(rooms[i].cpu_milli, there.cpu_milli);
    EXPECT_EQ(rooms[i].memory_bytes, there.memory_bytes);
    EXPECT_GE(there.cpu_milli, 0);
    EXPECT_GE(there.memory_bytes, 0);
    EXPECT_EQ(there.whole, std::ranges::count(there.cards, card_milli));
  }
}

// One world lived through: tasks come and go.
std::vector<std::pair<Ask, Placed>> live(Cluster& cluster, const World& world, Random random,
                                         int moments) {
  std::vector<std::pair<Ask, Placed>> placed;
  for (int i = 0; i < moments; ++i) {
    if (!placed.empty() && random.chance(1, 3)) {
      const std::size_t at = random.below(placed.size());
      cluster.end(placed[at].first, placed[at].second);
      placed.erase(placed.begin() + static_cast<std::ptrdiff_t>(at));
      continue;
    }
    const Ask& ask = world.asks[random.below(world.asks.size())];
    const bool could = fits_somewhere(cluster, ask);
    const auto where = cluster.place(ask);
    EXPECT_EQ(where.has_value(), could);
    if (where) placed.emplace_back(ask, *where);
  }
  return placed;
}

TEST(Packing, PlacesWhateverFitsAndKeepsTheBooks) {
  for_each_seed(
      [](Random& random) {
        const World world = random_world(random);
        for (const std::string_view name : policy_names()) {
          SCOPED_TRACE(std::string(name));
          const std::uint64_t seed = random.next();
          Cluster cluster(world.kinds, world.rooms, make_policy(name, knowledge_of(world, seed)));
          const auto placed = live(cluster, world, Random(seed), 120);
          expect_books(cluster, placed);
          for (const auto& [ask, where] : placed) cluster.end(ask, where);
          for (const NodeRoom& room : cluster.rooms())
            EXPECT_EQ(room.cards, all_free(room.kind, world.kinds[room.kind]).cards);
          if (testing::Test::HasFailure()) return;
        }
      },
      100);
}

TEST(Packing, IsTheSameFromTheSameSeed) {
  for_each_seed(
      [](Random& random) {
        const World world = random_world(random);
        for (const std::string_view name : policy_names()) {
          const std::uint64_t seed = random.next();
          const auto run = [&] {
            Cluster cluster(world.kinds, world.rooms, make_policy(name, knowledge_of(world, seed)));
            std::vector<std::pair<std::uint32_t, std::uint64_t>> ends;
            for (const auto& [ask, where] : live(cluster, world, Random(seed), 80))
              ends.emplace_back(where.node, where.cards);
            return ends;
          };
          EXPECT_EQ(run(), run());
        }
      },
      30);
}

// What a cluster keeps of earlier judgements never shows: a policy of its own, told the same and
// asked about every node each time, chooses alike.
TEST(Packing, RemembersJudgementsOnlyWhileTheyHold) {
  for_each_seed(
      [](Random& random) {
        const World world = random_world(random);
        for (const std::string_view name : policy_names()) {
          SCOPED_TRACE(std::string(name));
          const std::uint64_t seed = random.next();
          Cluster cluster(world.kinds, world.rooms, make_policy(name, knowledge_of(world, seed)));
          std::vector<NodeRoom> rooms = world.rooms;
          const auto judge = make_policy(name, knowledge_of(world, seed));
          if (judge->judged_max() > 0) continue;
          judge->begin(world.kinds, rooms);
          Random course(seed);
          for (int i = 0; i < 120; ++i) {
            const Ask& ask = world.asks[course.below(world.asks.size())];
            judge->arrived(ask);
            std::optional<std::uint32_t> best;
            Fit best_fit;
            for (std::uint32_t node = 0; node < rooms.size(); ++node) {
              if (!fits(rooms[node], world.kinds[rooms[node].kind], ask)) continue;
              const Fit fit = judge->judge(node, rooms[node], ask);
              if (best && fit.score <= best_fit.score) continue;
              best = node;
              best_fit = fit;
            }
            const auto placed = cluster.place(ask);
            ASSERT_EQ(placed.has_value(), best.has_value());
            if (!placed) continue;
            ASSERT_EQ(placed->node, *best);
            const NodeRoom before = rooms[*best];
            ASSERT_EQ(placed->cards, take(rooms[*best], ask, best_fit.card));
            judge->changed(before, rooms[*best]);
          }
        }
      },
      60);
}

TEST(Packing, HasAPolicyForEachName) {
  for (const std::string_view name : policy_names()) EXPECT_NE(make_policy(name, {}), nullptr);
  EXPECT_EQ(make_policy("worstfit", {}), nullptr);
}

// The fuller node for one card, so that the idle one stays whole for two.
TEST(Packing, KeepsNodesWholeForThoseThatNeedThem) {
  const NodeKind kind{.chip = 0, .cards = 2, .cpu_milli = 16'000, .memory_bytes = gigabyte};
  const Ask one{.cards = 1, .share_milli = 0, .cpu_milli = 8000, .memory_bytes = 0};
  const Ask two{.cards = 2, .share_milli = 0, .cpu_milli = 16'000, .memory_bytes = 0};
  for (const std::string_view name : {"suan", "fgd", "bestfit", "packing"}) {
    SCOPED_TRACE(std::string(name));
    Knowledge knowledge;
    knowledge.mix.add(one);
    knowledge.mix.add(two);
    Cluster cluster({kind}, {all_free(0, kind), all_free(0, kind)}, make_policy(name, knowledge));
    const auto first = cluster.place(one);
    const auto second = cluster.place(one);
    ASSERT_TRUE(first && second);
    EXPECT_EQ(first->node, second->node);
    EXPECT_TRUE(cluster.place(two));
  }
}

}  // namespace
}  // namespace suan::packing
