#include "packing/shelves.h"

#include <algorithm>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::packing {
namespace {

struct Nodes {
  std::vector<NodeKind> kinds;
  std::vector<NodeRoom> rooms;

  explicit Nodes(Random& random) {
    const std::uint32_t kind_count = 1 + random.below(4U);
    for (std::uint32_t i = 0; i < kind_count; ++i) {
      kinds.push_back({.chip = random.below(3U),
                       .cards = random.below(9U),
                       .cpu_milli = 1000 * random.between(4, 64),
                       .memory_bytes = random.between(8, 256)});
    }
    for (std::uint32_t i = 0, count = 1 + random.below(60U); i < count; ++i) {
      const std::uint32_t kind = random.below(kind_count);
      rooms.push_back(all_free(kind, kinds[kind]));
    }
  }

  bool fit(std::uint32_t node, const Ask& ask) const {
    return fits(rooms[node], kinds[rooms[node].kind], ask);
  }
};

Ask random_ask(Random& random) {
  Ask ask{.cards = 0,
          .share_milli = 0,
          .cpu_milli = 500 * random.between(0, 20),
          .memory_bytes = random.between(0, 24)};
  if (random.chance(1, 2))
    ask.share_milli = 50 + 50 * random.below(19U);
  else
    ask.cards = random.below(5U);
  if (ask.has_cards() && random.chance(1, 4)) ask.chips = 1 + random.below(7U);
  return ask;
}

struct Taken {
  Ask ask;
  std::uint32_t node = 0;
  std::uint64_t cards = 0;
};

// As the cluster fills and empties: what is picked fits, is picked once, and something is picked
// wherever something fits.
TEST(Shelves, PickWhatFits) {
  for_each_seed(
      [](Random& random) {
        Nodes nodes(random);
        Shelves shelves;
        shelves.begin(nodes.kinds, nodes.rooms);
        std::vector<Taken> taken;
        std::vector<std::uint32_t> picked;
        const std::size_t most = 1 + random.below(40U);
        for (int i = 0; i < 400; ++i) {
          if (!taken.empty() && random.chance(1, 3)) {
            const std::size_t at = random.below(taken.size());
            std::swap(taken[at], taken.back());
            const Taken over = taken.back();
            taken.pop_back();
            const NodeRoom before = nodes.rooms[over.node];
            give_back(nodes.rooms[over.node], over.ask, over.cards);
            shelves.changed(over.node, before, nodes.rooms[over.node]);
            continue;
          }
          const Ask ask = random_ask(random);
          shelves.pick(ask, nodes.rooms, most, picked);
          EXPECT_LE(picked.size(), most);
          EXPECT_EQ(std::set(picked.begin(), picked.end()).size(), picked.size());
          for (const std::uint32_t node : picked) ASSERT_TRUE(nodes.fit(node, ask));
          bool fits_somewhere = false;
          for (std::uint32_t node = 0; node < nodes.rooms.size(); ++node)
            fits_somewhere = fits_somewhere || nodes.fit(node, ask);
          ASSERT_EQ(!picked.empty(), fits_somewhere);
          if (picked.empty()) continue;
          const std::uint32_t node = picked[random.below(picked.size())];
          NodeRoom& room = nodes.rooms[node];
          const NodeRoom before = room;
          std::uint32_t card = 0;
          while (ask.is_share() && room.cards[card] < ask.share_milli) ++card;
          taken.push_back({ask, node, take(room, ask, card)});
          shelves.changed(node, before, room);
        }
      },
      60);
}

// Of the many that are alike, the one with the fewest cores that suffice and the one with the most.
TEST(Shelves, PickTheEnds) {
  const NodeKind kind{.chip = 0, .cards = 1, .cpu_milli = 64'000, .memory_bytes = 100};
  std::vector<NodeRoom> rooms;
  for (std::int64_t i = 0; i < 20; ++i) {
    rooms.push_back(all_free(0, kind));
    rooms.back().cpu_milli = 1000 * (20 - i);
  }
  rooms[12].memory_bytes = 1;  // Would have had the fewest cores.
  Shelves shelves;
  shelves.begin({&kind, 1}, rooms);
  std::vector<std::uint32_t> picked;
  const Ask ask{.cards = 1, .share_milli = 0, .cpu_milli = 7500, .memory_bytes = 50};
  shelves.pick(ask, rooms, 16, picked);
  EXPECT_EQ(picked, (std::vector<std::uint32_t>{11, 0}));
  shelves.pick(ask, rooms, 1, picked);
  EXPECT_EQ(picked, std::vector<std::uint32_t>{11});
}

// With more shelves than may be looked at, each has its turn.
TEST(Shelves, PickOthersEachTime) {
  const NodeKind kind{.chip = 0, .cards = 8, .cpu_milli = 64'000, .memory_bytes = 100};
  std::vector<NodeRoom> rooms;
  for (std::uint32_t i = 0; i < 8; ++i) {
    rooms.push_back(all_free(0, kind));
    take(rooms.back(), {.cards = i, .share_milli = 0, .cpu_milli = 0, .memory_bytes = 0}, 0);
  }
  Shelves shelves;
  shelves.begin({&kind, 1}, rooms);
  std::vector<std::uint32_t> picked;
  std::set<std::uint32_t> all;
  for (int i = 0; i < 4; ++i) {
    shelves.pick({.cards = 1, .share_milli = 0, .cpu_milli = 1, .memory_bytes = 1}, rooms, 2,
                 picked);
    EXPECT_EQ(picked.size(), 2U);
    all.insert(picked.begin(), picked.end());
  }
  EXPECT_EQ(all.size(), 8U);
}

}  // namespace
}  // namespace suan::packing
