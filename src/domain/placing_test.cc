#include <array>
#include <deque>
#include <memory>
#include <variant>

#include <gtest/gtest.h>

#include "domain/deciding.h"
#include "testing/property.h"

namespace suan::domain {
namespace {

std::optional<Choice> first_place(const State& state, const JobSpec& spec) {
  return choose_place(state, placement::make_demand(spec));
}

constexpr std::int64_t gib = 1LL << 30U;

Pool pool_of(std::uint64_t id, std::uint32_t nodes) {
  Pool pool;
  pool.id = PoolId{id};
  pool.site = SiteId{1};
  pool.member = MemberId{1};
  pool.name = "pool-" + std::to_string(id);
  pool.chip = id % 3 == 0 ? "H20" : "L40S";
  pool.nodes = nodes;
  pool.cards_per_node = 8;
  pool.cpu_milli_per_node = 64'000;
  pool.memory_bytes_per_node = 256 * gib;
  pool.price = {Money{static_cast<std::int64_t>(1'000'000 + id)}, {}};
  return pool;
}

void offer(State& state, std::uint64_t pools, std::uint32_t nodes) {
  Site site;
  site.id = SiteId{1};
  site.name = "site";
  catalogue::Member member;
  member.id = MemberId{1};
  Events events{catalogue::MemberStarted{member}, catalogue::SiteDescribed{site}};
  for (std::uint64_t id = 1; id <= pools; ++id)
    events.emplace_back(catalogue::PoolOffered{pool_of(id, nodes)});
  state.apply(events, Moment{1});
}

JobSpec wish(std::int64_t card_milli) {
  JobSpec spec;
  spec.alternatives.push_back({"L40S", card_milli, {}});
  return spec;
}

// Three pools alike but for their cores: 8, 16 and 32 for each card.
State three_shapes() {
  State state;
  offer(state, 0, 0);
  Events events;
  for (std::uint64_t id = 1; id <= 3; ++id) {
    Pool pool = pool_of(id, 2);
    pool.chip = "L40S";
    pool.cpu_milli_per_node = std::int64_t{32'000} << id;
    pool.price = {yuan(1), {}};
    events.emplace_back(catalogue::PoolOffered{pool});
  }
  state.apply(events, Moment{2});
  return state;
}

TEST(Placing, OfPoolsAsGoodWorkGoesWhereItsCoresSuffice) {
  const State state = three_shapes();
  const auto pool_for = [&](std::int64_t card_milli, std::int64_t cores) {
    JobSpec spec = wish(card_milli);
    if (card_milli == 0) spec.alternatives.front().chip = "";
    spec.cpu_milli.least = cores * 1000;
    spec.memory_bytes.least = gib;
    return first_place(state, spec)->record.pool.value;
  };
  EXPECT_EQ(pool_for(1000, 4), 1U);
  EXPECT_EQ(pool_for(1000, 8), 1U);
  EXPECT_EQ(pool_for(1000, 9), 2U);
  EXPECT_EQ(pool_for(4000, 32), 1U);
  EXPECT_EQ(pool_for(4000, 80), 3U);
  EXPECT_EQ(pool_for(1000, 40), 3U);  // Nowhere are so many left for each card.
  EXPECT_EQ(pool_for(0, 4), 3U);
}

// A share completes a card where it can, whatever the cores of the pool.
TEST(Placing, OfPoolsAsGoodAShareGoesWhereTheLeastIsLeftBesideIt) {
  State state = three_shapes();
  const auto grant = [&](std::uint64_t id, std::uint64_t pool, std::uint32_t milli) {
    market::Lease lease;
    lease.id = LeaseId{id};
    lease.epoch = id;
    lease.pool = PoolId{pool};
    lease.holder = {JobId{id}, 0, 1};
    lease.grant = {0, {0}, milli, 1000, gib};
    state.apply({market::LeaseGranted{lease}}, Moment{3});
  };
  grant(1, 2, 300);  // Leaves 700,
  grant(2, 3, 400);  // and 600.
  const auto pool_for = [&](std::int64_t milli) {
    JobSpec spec = wish(milli);
    spec.cpu_milli.least = 1000;
    spec.memory_bytes.least = gib;
    return first_place(state, spec)->record.pool.value;
  };
  EXPECT_EQ(pool_for(700), 2U);
  EXPECT_EQ(pool_for(650), 2U);
  EXPECT_EQ(pool_for(600), 3U);
  EXPECT_EQ(pool_for(200), 3U);
}

TEST(Placing, AShapeIsNoReasonToPayMore) {
  State state = three_shapes();
  Pool dear = *state.catalogue().pools().find(PoolId{2});
  dear.price.card_hour = yuan(2);
  state.apply({catalogue::PoolOffered{dear}}, Moment{3});
  JobSpec spec = wish(1000);
  spec.cpu_milli.least = 12'000;
  spec.memory_bytes.least = gib;
  EXPECT_EQ(first_place(state, spec)->record.pool, PoolId{3});
}

TEST(Placing, TheRecordOfAChoiceCountsEveryPool) {
  for (const std::uint64_t pools : {10U, 64U, 65U, 700U}) {
    State state;
    offer(state, pools, 1);
    JobSpec spec = wish(1000);
    spec.hourly_max = Money{static_cast<std::int64_t>(1'000'000 + pools / 2)};
    const auto choice = first_place(state, spec);
    ASSERT_TRUE(choice.has_value());
    EXPECT_EQ(choice->record.pool, PoolId{1});
    EXPECT_EQ(choice->record.pools, pools);
    ASSERT_EQ(choice->record.runners.size(), 3U);
    EXPECT_EQ(choice->record.runners[0].pool, PoolId{2});
    EXPECT_EQ(choice->record.runners[2].pool, PoolId{5});
    const ExactNodes nodes(state);
    const auto ranking = placement::rank(state.supply(), placement::make_demand(spec), &nodes, 0);
    std::uint64_t rejected = 0;
    for (const jobs::Tally& each : choice->record.rejected) {
      rejected += each.count;
      const auto reason = placement::find_reason(each.reason);
      ASSERT_TRUE(reason.has_value());
      EXPECT_EQ(each.count, ranking.counts[static_cast<std::size_t>(*reason)]);
    }
    EXPECT_EQ(rejected, pools - ranking.starts_now);
    EXPECT_EQ(choice->record.rejected.size(), 2U);  // Another chip, too dear.
  }
}

/// A domain of one pool; places jobs only where the summary alone proves that they start.
struct Proven {
  State state;
  std::deque<jobs::UnitKey> reserving;
  Moment now{1};

  bool place(const JobSpec& asked) {
    const auto best = placement::choose(state.supply(), placement::make_demand(asked), nullptr);
    if (!best) return false;
    const JobId id{state.essence().last.job + 1};
    jobs::Placement placement;
    placement.pool = best->pool;
    placement.need = best->need;
    const jobs::UnitKey key{id, 0};
    state.apply({jobs::JobSubmitted{.job = id,
                                    .user = UserId{1},
                                    .hold = HoldId{id.value},
                                    .spec = std::make_shared<JobSpec>(asked),
                                    .held = {},
                                    .is_rolling = false,
                                    .payloads = 0},
                 jobs::UnitPlaced{key, 1, placement}},
                now);
    reserving.push_back(key);
    return true;
  }

  // Whether the next one in line gets what it was promised.
  bool reserve() {
    const auto decision = decide(state, Reserve{reserving.front(), 1}, {}, now);
    reserving.pop_front();
    if (!decision) return false;
    state.apply(*decision, now);
    return std::holds_alternative<market::LeaseGranted>(decision->front());
  }
};

TEST(Placing, WhatASummaryPromisesIsGrantedAfterAllThatIsExpected) {
  for_each_seed([](Random& random) {
    Proven domain;
    offer(domain.state, 1, 1 + random.below(6U));
    for (int i = 0; i < 60; ++i) {
      constexpr std::array<std::int64_t, 6> cards{250, 500, 1000, 2000, 4000, 8000};
      JobSpec spec = wish(cards[random.below(cards.size())]);
      if (random.chance(1, 8)) spec.alternatives = {{"", 0, {}}};
      spec.cpu_milli.least = 1000 * random.between(1, 40);
      if (random.chance(1, 5)) spec.nodes = 2;
      domain.place(spec);
      const bool asks = random.chance(1, 3) && !domain.reserving.empty();
      ASSERT_TRUE(!asks || domain.reserve());
    }
    while (!domain.reserving.empty()) ASSERT_TRUE(domain.reserve());
  });
}

JobSpec any_wish(Random& random) {
  constexpr std::array<std::int64_t, 7> cards{0, 250, 500, 1000, 2000, 4000, 8000};
  JobSpec spec = wish(cards[random.below(cards.size())]);
  if (spec.alternatives.front().card_milli == 0) spec.alternatives.front().chip.clear();
  spec.cpu_milli.least = 1000 * random.between(1, 60);
  if (random.chance(1, 4)) spec.nodes = 1 + random.below(4U);
  return spec;
}

// Whatever is full, reserved or granted: who finds a place finds one also when there is more.
TEST(Placing, MoreCapacityNeverHidesAPlace) {
  std::size_t found = 0;
  for_each_seed([&](Random& random) {
    Proven domain;
    const auto pools =
        1 + random.below(70U);  // Below and above the number that is looked at whole.
    offer(domain.state, pools, 1 + random.below(5U));
    for (int i = 0; i < 80; ++i) {
      domain.place(any_wish(random));
      if (random.chance(2, 3) && !domain.reserving.empty()) domain.reserve();
    }
    for (int i = 0; i < 30; ++i) {
      const JobSpec spec = any_wish(random);
      if (!first_place(domain.state, spec)) continue;
      ++found;
      State more = domain.state;
      Pool larger = *more.catalogue().pools().find(PoolId{1 + random.below(pools)});
      larger.nodes += 1 + random.below(4U);
      if (random.chance(1, 3)) larger.id = PoolId{pools + 1};
      larger.name += "+";
      more.apply({catalogue::PoolOffered{larger}}, domain.now);
      EXPECT_TRUE(first_place(more, spec).has_value());
    }
  });
  EXPECT_GT(found, 100U);
}

TEST(Placing, WholeNodesArePromisedWithoutAskingWhileOthersAreExpected) {
  Proven domain;
  offer(domain.state, 1, 4);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(domain.place(wish(8000)));
  EXPECT_FALSE(domain.place(wish(1000)));
  EXPECT_FALSE(first_place(domain.state, wish(1000)).has_value());
  while (!domain.reserving.empty()) EXPECT_TRUE(domain.reserve());
}

}  // namespace
}  // namespace suan::domain
