#include "placement/rank.h"

#include <gtest/gtest.h>

#include "placement/row_wise.h"
#include "placement/why.h"
#include "testing/property.h"

namespace suan::placement {
namespace {

std::vector<std::pair<PoolId, std::uint32_t>> places(const std::vector<Candidate>& candidates) {
  std::vector<std::pair<PoolId, std::uint32_t>> places;
  for (const Candidate& each : candidates) places.emplace_back(each.pool, each.alternative);
  return places;
}

void expect_as_row_wise(const World& world, const Supply& supply, const JobSpec& spec) {
  const Demand demand = make_demand(spec);
  const row_wise::Answer truth = row_wise::answer(world, spec);
  const Ranking ranking = rank(supply, demand, &world, world.pools.size());
  std::vector<std::pair<PoolId, std::uint32_t>> expected;
  const row_wise::Ranked* first = nullptr;
  for (const row_wise::Ranked& each : truth.candidates) {
    expected.emplace_back(each.pool, each.alternative);
    if (first == nullptr && each.starts_now) first = &each;
  }
  ASSERT_EQ(ranking.pools, world.pools.size());
  ASSERT_EQ(ranking.total, truth.candidates.size());
  ASSERT_EQ(ranking.starts_now, truth.starts_now);
  ASSERT_EQ(ranking.counts, truth.counts);
  ASSERT_EQ(places(ranking.best), expected);
  for (const Candidate& each : ranking.best) {
    const Site& site = world.site_of(world.at(each.pool).pool);
    const bool is_asked = spec.where.near.is_given();
    ASSERT_EQ(each.round_trip, is_asked ? row_wise::round_trip_to(world, spec.where.near, site)
                                        : network::RoundTrip{});
  }
  const auto chosen = choose(supply, demand, &world);
  ASSERT_EQ(chosen.has_value(), first != nullptr);
  if (first != nullptr) {
    ASSERT_EQ(chosen->pool, first->pool);
    ASSERT_EQ(chosen->alternative, first->alternative);
  }
}

TEST(Rank, AgreesWithALookAtEveryNode) {
  for_each_seed(
      [](Random& random) {
        const World world(random, random.below(40U));
        const Supply supply = world.supply();
        for (int i = 0; i < 8; ++i) expect_as_row_wise(world, supply, random_spec(random));
      },
      1500);
}

TEST(Rank, AgreesOverManyBlocks) {
  for_each_seed(
      [](Random& random) {
        const World world(random, 2500);
        const Supply supply = world.supply();
        EXPECT_GT(supply.extents().size(), 8U);
        for (int i = 0; i < 6; ++i) expect_as_row_wise(world, supply, random_spec(random));
      },
      12);
}

// Blocks lie in order of the card-hour, which says nothing about what work without cards costs.
TEST(Rank, WorkWithoutCardsFindsTheBestCardPool) {
  for_each_seed(
      [](Random& random) {
        World world(random, 2500);
        std::erase_if(world.pools, [](const TestPool& each) { return each.pool.chip != "A"; });
        const Supply supply = world.supply();
        JobSpec spec;
        spec.alternatives = {{"", 0, {}}};
        expect_as_row_wise(world, supply, spec);
        spec.cpu_milli.least = 1000 * random.between(1, 16);
        spec.hourly_max = {1'000'000};
        expect_as_row_wise(world, supply, spec);
      },
      40);
}

TEST(Rank, CountsAddUp) {
  for_each_seed([](Random& random) {
    const World world(random, 60);
    const Supply supply = world.supply();
    const JobSpec spec = random_spec(random);
    const Ranking ranking = rank(supply, make_demand(spec), &world, 5);
    std::uint64_t hard = 0;
    std::uint64_t busy = 0;
    for (std::size_t i = 0; i < reason_count; ++i) {
      (is_busy(static_cast<Reason>(i)) ? busy : hard) += ranking.counts[i];
    }
    ASSERT_EQ(hard, ranking.pools - ranking.total);
    ASSERT_EQ(busy, ranking.total - ranking.starts_now);
    ASSERT_EQ(ranking.counts[0], 0U);
  });
}

TEST(Rank, ALimitKeepsTheBest) {
  for_each_seed([](Random& random) {
    const World world(random, 80);
    const Supply supply = world.supply();
    for (int i = 0; i < 4; ++i) {
      JobSpec spec = random_spec(random);
      if (i > 0) {
        // Hardly a condition, so that more want to be kept than may.
        spec.where = {};
        spec.hourly_max = {};
        spec.cpu_milli = {};
        spec.alternatives = {{"A", 1000, {}}, {"B", 250, {}}};
        if (i == 1) spec.alternatives.push_back({"", 0, {}});
        if (i == 2) std::swap(spec.alternatives[0], spec.alternatives[1]);
      }
      const Demand demand = make_demand(spec);
      auto all = places(rank(supply, demand, &world, 80).best);
      const std::size_t limit = random.below(20U);
      const auto some = places(rank(supply, demand, &world, limit).best);
      all.resize(std::min(all.size(), limit));
      ASSERT_EQ(some, all);
    }
  });
}

// Maxima that are too high and a widest node that is not known cost questions, never truth.
TEST(Rank, LooseSummariesStayTrue) {
  for_each_seed([](Random& random) {
    const World world(random, 40);
    Supply supply = world.supply();
    for (const TestPool& each : world.pools) {
      Free free = each.free();
      if (free.nodes_free > 0 && random.chance(1, 2)) --free.nodes_free;
      if (random.chance(1, 2)) free.cpu_max_milli += 1000;
      if (random.chance(1, 2)) free.memory_max_bytes += 1'000'000'000;
      if (random.chance(1, 2)) {
        free.widest_cards = 0;
        free.widest_share_milli = free.widest_cpu_milli = free.widest_memory_bytes = 0;
      }
      supply.set_free(each.pool.id, free);
    }
    for (int i = 0; i < 4; ++i) {
      const JobSpec spec = random_spec(random);
      const row_wise::Answer truth = row_wise::answer(world, spec);
      const Ranking ranking = rank(supply, make_demand(spec), &world, 40);
      ASSERT_EQ(ranking.starts_now, truth.starts_now);
      for (const Candidate& each : ranking.best) {
        const auto same = std::ranges::find(truth.candidates, each.pool, &row_wise::Ranked::pool);
        ASSERT_EQ(each.starts_now(), same->starts_now);
      }
    }
  });
}

bool is_proven_by_summary(const Free& free, const JobSpec& spec, const Need& need) {
  if (free.nodes_free >= spec.nodes) return true;
  if (spec.nodes > 1) return false;
  const bool has_cards = need.card_milli <= free.widest_cards * 1000 ||
                         (need.card_milli < 1000 && need.card_milli <= free.widest_share_milli);
  const Room asked = Room::up(need.cpu_milli, need.memory_bytes);
  const Room there = need.card_milli > 0
                         ? Room::down(free.widest_cpu_milli, free.widest_memory_bytes)
                         : Room::down(free.roomiest_cpu_milli, free.roomiest_memory_bytes);
  return has_cards && asked.cpu_milli <= there.cpu_milli &&
         asked.memory_units <= there.memory_units;
}

TEST(Rank, WithoutNodesOnlyProvenPlacesStart) {
  for_each_seed([](Random& random) {
    const World world(random, 40);
    const Supply supply = world.supply();
    for (int i = 0; i < 8; ++i) {
      const JobSpec spec = random_spec(random);
      const Demand demand = make_demand(spec);
      const Ranking ranking = rank(supply, demand, nullptr, 40);
      for (const Candidate& each : ranking.best) {
        const bool is_proven = world.at(each.pool).is_reachable &&
                               is_proven_by_summary(world.at(each.pool).free(), spec, each.need);
        ASSERT_EQ(each.starts_now(), is_proven);
        if (!is_proven) continue;
        const TestPool& pool = world.at(each.pool);
        ASSERT_EQ(row_wise::busy_reason(pool, spec, each.need), Reason::none);
      }
      const auto chosen = choose(supply, demand, nullptr);
      const auto first = std::ranges::find_if(ranking.best, &Candidate::starts_now);
      ASSERT_EQ(chosen.has_value(), first != ranking.best.end());
      if (chosen.has_value()) {
        ASSERT_EQ(chosen->pool, first->pool);
      }
    }
  });
}

TEST(Rank, RefusedPagesHoldEveryRejectedPoolOnce) {
  for_each_seed([](Random& random) {
    const World world(random, 50);
    const Supply supply = world.supply();
    const JobSpec spec = random_spec(random);
    const Demand demand = make_demand(spec);
    const row_wise::Answer truth = row_wise::answer(world, spec);
    std::vector<std::pair<PoolId, Reason>> listed;
    Page page;
    page.limit = 1 + random.below(9U);
    for (;;) {
      const auto refused = list_refused(supply, demand, &world, page);
      for (const Refused& each : refused) listed.emplace_back(each.pool, each.reason);
      if (refused.size() < page.limit) break;
      page.after = refused.back().pool;
    }
    ASSERT_EQ(listed, truth.refused);
    page = {.after = {}, .limit = 50, .only = Reason::chip_differs};
    const auto index = static_cast<std::size_t>(Reason::chip_differs);
    ASSERT_EQ(list_refused(supply, demand, &world, page).size(), truth.counts[index]);
  });
}

TEST(Rank, AnEmptySupplyHasNoPlace) {
  JobSpec spec;
  spec.alternatives = {{"A", 1000, {}}};
  const Supply supply;
  EXPECT_FALSE(choose(supply, make_demand(spec), nullptr));
  const Ranking ranking = rank(supply, make_demand(spec), nullptr, 10);
  EXPECT_EQ(ranking.pools, 0U);
  EXPECT_TRUE(ranking.best.empty());
}

TEST(Rank, ScoresReadWell) {
  Candidate candidate;
  candidate.hourly_cost = {18'400'000};
  candidate.is_firm = true;
  JobSpec spec;
  EXPECT_EQ(print_score(candidate, make_demand(spec)),
            (std::vector<std::string>{"cost 18.4 CNY/h", "starts now", "firm"}));
}

}  // namespace
}  // namespace suan::placement
