#include "packing/forecast.h"

#include <gtest/gtest.h>

#include "packing/expected_loss.h"
#include "packing/scarcity.h"

namespace suan::packing {
namespace {

constexpr std::int64_t gigabyte = 1'000'000'000;

Ask share(std::uint32_t milli, std::int64_t cpu_milli = 0) {
  return {.cards = 0, .share_milli = milli, .cpu_milli = cpu_milli, .memory_bytes = 0};
}
Ask whole(std::uint32_t cards, std::int64_t cpu_milli = 0, std::uint64_t chips = any_chip) {
  return {
      .cards = cards, .share_milli = 0, .cpu_milli = cpu_milli, .memory_bytes = 0, .chips = chips};
}

Mix mix_of(std::initializer_list<std::pair<Ask, int>> asks) {
  Mix mix;
  for (const auto& [ask, count] : asks) {
    for (int i = 0; i < count; ++i) mix.add(ask);
  }
  return mix;
}

TEST(CardLoss, IsAllOfAPartThatNothingFits) {
  const CardLoss loss(mix_of({{share(600), 10}}), 0);
  EXPECT_DOUBLE_EQ(loss.of(0), 0);
  EXPECT_DOUBLE_EQ(loss.of(400), 400);
  EXPECT_DOUBLE_EQ(loss.of(599), 599);
}

// Either one more share comes, or with a small weight nothing.
TEST(CardLoss, WeighsWhatMayComeNext) {
  const CardLoss halves(mix_of({{share(500), 10}}), 0);
  const double left = halves.of(500) / (500 - halves.of(500));
  EXPECT_GT(left, 0.001);
  EXPECT_LT(left, 0.1);
  EXPECT_LT(halves.of(500), halves.of(490));
  const CardLoss loss(mix_of({{share(600), 10}}), 0);
  EXPECT_NEAR(loss.of(1000), (left * 1000 + 400) / (1 + left), 1e-9);
}

TEST(CardLoss, CountsOnlyWhatRunsOnTheChip) {
  const Mix mix = mix_of({{whole(1, 0, 1), 10}, {share(300), 10}});
  const CardLoss first(mix, 0);
  const CardLoss second(mix, 1);
  EXPECT_LT(first.of(1000), second.of(1000));
  EXPECT_DOUBLE_EQ(first.of(500), second.of(500));
}

TEST(Starvation, LosesTheCardsForWhichNoCoresAreLeft) {
  const NodeKind node{.chip = 0, .cards = 2, .cpu_milli = 128'000, .memory_bytes = gigabyte};
  const Starvation cores(mix_of({{whole(1, 8000), 100}}), 0, Starvation::Of::cores, node);
  const Outline two{.whole = 2, .parts = {}};
  EXPECT_NEAR(cores.of(two, 0), 2000, 0.01);
  EXPECT_NEAR(cores.of(two, 7000), 2000, 0.01);
  EXPECT_LT(cores.of(two, 16'000), 20);
  EXPECT_NEAR(cores.of(two, 8000), (0.003 * 2000 + 1000) / 1.003, 0.01);  // One of the two.
  EXPECT_DOUBLE_EQ(cores.of({}, 0), 0);
  // More cards than any forecast covers are taken for the most that one does.
  EXPECT_GT(cores.of({.whole = 60, .parts = {}}, 0), 0);
}

TEST(Starvation, SeesThePartsOfSharedCards) {
  const NodeKind node{.chip = 0, .cards = 2, .cpu_milli = 128'000, .memory_bytes = gigabyte};
  const Starvation cores(mix_of({{share(470, 10'000), 100}}), 0, Starvation::Of::cores, node);
  Outline half;
  half.add(530, 1);
  EXPECT_NEAR(cores.of(half, 5000), 500, 0.01);
  EXPECT_LT(cores.of(half, 10'000), 5);
  half.add(530, -1);
  EXPECT_DOUBLE_EQ(cores.of(half, 5000), 0);
  half.add(190, 1);  // Too little to matter.
  EXPECT_DOUBLE_EQ(cores.of(half, 5000), 0);
}

// With cores for one more share it goes where less is lost: 200 of the half, not 167 more of a
// whole card whose rest is taken for two thirds.
TEST(Starvation, LetsSharesGoWhereLessIsLost) {
  const NodeKind node{.chip = 0, .cards = 2, .cpu_milli = 128'000, .memory_bytes = gigabyte};
  const Starvation cores(mix_of({{share(300, 10'000), 100}}), 0, Starvation::Of::cores, node);
  Outline outline;
  outline.add(1000, 1);
  outline.add(500, 1);
  EXPECT_NEAR(cores.of(outline, 5000), 1500, 1);
  EXPECT_NEAR(cores.of(outline, 10'000), 1000, 5);
}

void learn(LargePlaces& places, const std::vector<NodeKind>& kinds,
           const std::vector<NodeRoom>& rooms, const Mix& mix) {
  places.begin(kinds, std::vector{static_cast<std::uint32_t>(rooms.size())});
  places.learn(mix);
  places.count_places([&](const Ask& ask) {
    double count = 0;
    for (const NodeRoom& room : rooms) count += places.places_on(LargePlaces::bulk_of(room), ask);
    return count;
  });
}

// Told of each change, it knows what it would count.
TEST(LargePlaces, FollowWhatChanges) {
  const NodeKind kind{.chip = 0, .cards = 8, .cpu_milli = 96'000, .memory_bytes = gigabyte};
  const std::vector<NodeKind> kinds{kind};
  const Mix mix = mix_of({{whole(1, 8000), 100}, {whole(2, 16'000), 15}, {whole(8, 90'000), 6}});
  std::vector<NodeRoom> rooms(6, all_free(0, kind));
  LargePlaces told;
  learn(told, kinds, rooms, mix);
  for (std::uint32_t node = 0; node < 5; ++node) {
    const NodeRoom before = rooms[node];
    take(rooms[node], whole(1, 8000), 0);
    told.changed(before, rooms[node]);
  }
  LargePlaces counted;
  learn(counted, kinds, rooms, mix);
  told.set_prices(mix, 20'000);
  counted.set_prices(mix, 20'000);
  const auto cost = [&](const LargePlaces& places, std::uint32_t node) {
    const auto before = LargePlaces::bulk_of(rooms[node]);
    auto after = before;
    after.whole -= 1;
    after.cpu_milli -= 8000;
    return places.cost(before, after, whole(1, 8000));
  };
  EXPECT_GT(cost(counted, 5), 1000);  // The last node for eight.
  EXPECT_DOUBLE_EQ(cost(told, 5), cost(counted, 5));
  EXPECT_DOUBLE_EQ(cost(told, 0), cost(counted, 0));
}

// Seven cards hold three pairs, and one card more or less makes none.
TEST(LargePlaces, CountSeveralOnANode) {
  const NodeKind kind{.chip = 0, .cards = 8, .cpu_milli = 96'000, .memory_bytes = gigabyte};
  const std::vector<NodeKind> kinds{kind};
  const std::vector<NodeRoom> rooms{all_free(0, kind)};
  const Mix mix = mix_of({{whole(2), 100}});
  LargePlaces places;
  learn(places, kinds, rooms, mix);
  places.set_prices(mix, 8000);
  LargePlaces::Bulk seven = LargePlaces::bulk_of(rooms[0]);
  seven.whole = 7;
  LargePlaces::Bulk six = seven;
  six.whole = 6;
  LargePlaces::Bulk five = seven;
  five.whole = 5;
  EXPECT_DOUBLE_EQ(places.cost(seven, six, whole(1)), 0);
  EXPECT_GT(places.cost(six, five, whole(1)), 0);
}

TEST(LargePlaces, CostWhatWillBeMissed) {
  const NodeKind kind{.chip = 0, .cards = 8, .cpu_milli = 96'000, .memory_bytes = gigabyte};
  const std::vector<NodeKind> kinds{kind};
  std::vector<NodeRoom> rooms(4, all_free(0, kind));
  const auto cost_with = [&](int eights) {
    LargePlaces places;
    const Mix mix = mix_of({{whole(1, 8000), 100}, {whole(8, 90'000), eights}});
    learn(places, kinds, rooms, mix);
    places.set_prices(mix, 32'000);
    auto after = LargePlaces::bulk_of(rooms[0]);
    after.whole = 7;
    after.cpu_milli -= 8000;
    return places.cost(LargePlaces::bulk_of(rooms[0]), after, whole(1, 8000));
  };
  EXPECT_GT(cost_with(50), 1000);
  EXPECT_LT(cost_with(1), cost_with(50));
  // A node that is broken into has no place to lose.
  LargePlaces places;
  const Mix mix = mix_of({{whole(8, 90'000), 50}});
  learn(places, kinds, rooms, mix);
  places.set_prices(mix, 32'000);
  auto before = LargePlaces::bulk_of(rooms[0]);
  before.whole = 5;
  auto after = before;
  after.whole = 4;
  EXPECT_DOUBLE_EQ(places.cost(before, after, whole(1)), 0);
}

TEST(ChipPrices, MakeTheScarceChipDear) {
  const Mix mix = mix_of({{whole(1, 0, 1), 60}, {whole(1), 40}});
  ChipPrices prices;
  const std::vector<double> free{50'000, 50'000};
  EXPECT_TRUE(prices.set_prices(mix, free));
  EXPECT_GT(prices.of(0), 0);
  EXPECT_DOUBLE_EQ(prices.of(1), 0);
  EXPECT_LE(prices.of(0), 1);
}

TEST(ChipPrices, AreNothingWhereAnyChipWillDo) {
  ChipPrices prices;
  const std::vector<double> free{50'000, 50'000};
  EXPECT_FALSE(prices.set_prices(mix_of({{whole(1), 40}}), free));
  EXPECT_DOUBLE_EQ(prices.of(0), 0);
}

// Tasks that any chip will do for go where nobody else must.
TEST(ExpectedLoss, LeavesTheScarceChipToThoseThatNeedIt) {
  const std::vector<NodeKind> kinds{
      {.chip = 0, .cards = 4, .cpu_milli = 64'000, .memory_bytes = gigabyte},
      {.chip = 1, .cards = 4, .cpu_milli = 64'000, .memory_bytes = gigabyte}};
  std::vector<NodeRoom> rooms{all_free(0, kinds[0]), all_free(1, kinds[1])};
  ExpectedLoss policy(0);
  policy.begin(kinds, rooms);
  for (int i = 0; i < 50; ++i) {
    policy.arrived(whole(1, 8000, 1));
    policy.arrived(whole(1, 8000));
  }
  EXPECT_LT(policy.judge(0, rooms[0], whole(1, 8000)).score,
            policy.judge(1, rooms[1], whole(1, 8000)).score);
}

}  // namespace
}  // namespace suan::packing
