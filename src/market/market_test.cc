#include "market/market.h"

#include <vector>

#include <gtest/gtest.h>

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

LeaseGranted granted(std::uint64_t id, PoolId pool, Grant grant) {
  return {{.id = LeaseId{id},
           .epoch = id,
           .pool = pool,
           .holder = {JobId{id}, 0, 1},
           .grant = std::move(grant),
           .state = LeaseState::tentative,
           .expires = Moment{} + seconds(30)}};
}

TEST(Market, ALeaseIsTentativeThenConfirmedThenGone) {
  Market market;
  const Pool pool = pool_of(1, 1, 2);
  market.resize({}, pool);
  const Grant grant = market.nodes().fit(pool, {1000, 1000, gib}, 1).at(0);
  market.apply(granted(1, pool.id, grant), pool);
  EXPECT_EQ(market.lease_of({JobId{1}, 0, 1})->id, LeaseId{1});
  EXPECT_EQ(market.lease_of({JobId{1}, 0, 2}), nullptr);
  EXPECT_EQ(market.nodes().free_in(pool).card_milli, 1000);
  EXPECT_NE(market.find_lease(LeaseId{1})->expires, Moment{});

  market.apply(LeaseConfirmed{LeaseId{1}});
  EXPECT_EQ(market.find_lease(LeaseId{1})->state, LeaseState::confirmed);
  EXPECT_EQ(market.find_lease(LeaseId{1})->expires, Moment{});
  EXPECT_EQ(market.nodes().free_in(pool).card_milli, 1000);

  market.apply(LeaseReleased{LeaseId{1}, false}, pool);
  EXPECT_EQ(market.find_lease(LeaseId{1}), nullptr);
  EXPECT_EQ(market.lease_of({JobId{1}, 0, 1}), nullptr);
  EXPECT_EQ(market.nodes().free_in(pool).card_milli, 2000);

  LeaseGranted again = granted(2, pool.id, grant);
  again.lease.holder = {JobId{1}, 0, 1};
  market.apply(again, pool);
  EXPECT_EQ(market.lease_of({JobId{1}, 0, 1})->id, LeaseId{2});
}

TEST(Market, APoolThatChangesKeepsItsLeases) {
  Market market;
  const Pool small = pool_of(1, 1, 2);
  market.resize({}, small);
  market.apply(granted(1, small.id, {0, {1}, 1000, 1000, gib}), small);
  const Pool none = pool_of(1, 0, 2);
  market.resize(small, none);
  EXPECT_EQ(market.nodes().free_in(none).card_milli, 0);
  const Pool big = pool_of(1, 2, 4);
  market.resize(none, big);
  EXPECT_EQ(market.nodes().free_in(big).card_milli, 7000);
  market.apply(LeaseReleased{LeaseId{1}, false}, big);
  EXPECT_EQ(market.nodes().free_in(big).card_milli, 8000);
}

/// Leases on two pools that come, are confirmed, go, while the pools change.
class Walk {
 public:
  explicit Walk(Random& random) : random_(random) {
    for (std::uint64_t id = 1; id <= 2; ++id) {
      pools.insert(PoolId{id}, pool_of(id, 2, 4));
      market.resize({}, pools.at(PoolId{id}));
    }
  }

  void step() {
    const PoolId at{1 + random_.below(std::uint64_t{2})};
    const auto choice = random_.below(8U);
    if (choice == 0) {
      const Pool after = pool_of(at.value, random_.below(4U), random_.below(6U));
      market.resize(pools.at(at), after);
      pools.put(at, after);
    } else if (choice < 3 && !market.leases().empty()) {
      release(any_lease());
    } else if (choice == 3 && !market.leases().empty()) {
      const Lease lease = any_lease();
      if (lease.state == LeaseState::tentative) market.apply(LeaseConfirmed{lease.id});
    } else {
      const Need need{random_.between(1, 4) * (random_.chance(1, 2) ? 1000 : 200), 500, gib};
      for (const Grant& grant : market.nodes().fit(pools.at(at), need, 1))
        market.apply(granted(++last_, at, grant), pools.at(at));
    }
  }

  void release(const Lease& lease) {
    market.apply(LeaseReleased{lease.id, false}, pools.at(lease.pool));
  }

  Market market;
  Table<PoolId, Pool> pools;

 private:
  Lease any_lease() {
    auto at = market.leases().begin();
    for (auto n = random_.below(market.leases().size()); n > 0; --n) ++at;
    return at->second;
  }

  Random& random_;
  std::uint64_t last_ = 0;
};

void expect_same(const Market& one, const Market& two, const Table<PoolId, Pool>& pools) {
  for (const auto& [id, lease] : one.leases()) {
    ASSERT_NE(one.lease_of(lease.holder), nullptr);
    ASSERT_NE(two.lease_of(lease.holder), nullptr);
    EXPECT_EQ(one.lease_of(lease.holder)->id, id);
    EXPECT_EQ(two.lease_of(lease.holder)->id, id);
  }
  for (const auto& [id, pool] : pools) {
    const PoolFree a = one.nodes().free_in(pool);
    const PoolFree b = two.nodes().free_in(pool);
    EXPECT_EQ(a.card_milli, b.card_milli);
    EXPECT_EQ(a.cpu_milli, b.cpu_milli);
    EXPECT_EQ(a.memory_bytes, b.memory_bytes);
    EXPECT_EQ(a.nodes_idle, b.nodes_idle);
    EXPECT_EQ(a.widest_cpu_milli, b.widest_cpu_milli);
    EXPECT_EQ(a.share_milli_of_a_card, b.share_milli_of_a_card);
    for (const std::int64_t milli : {0, 200, 1000, 2000})
      EXPECT_EQ(one.nodes().fit(pool, {milli, 500, gib}, 1),
                two.nodes().fit(pool, {milli, 500, gib}, 1));
  }
}

TEST(Market, IndexesAreTheSameWhenTheyAreMadeAnewAndAForkKeepsItsOwn) {
  for_each_seed(
      [](Random& random) {
        Walk walk(random);
        for (int i = 0; i < 80; ++i) {
          walk.step();
          if (i % 8 != 0) continue;
          Market again = walk.market;
          again.reindex(walk.pools);
          expect_same(walk.market, again, walk.pools);
          if (testing::Test::HasFailure()) return;
        }
        const Market fork = walk.market;
        const std::size_t leases = fork.leases().size();
        while (!walk.market.leases().empty()) walk.release(walk.market.leases().back().second);
        EXPECT_EQ(fork.leases().size(), leases);
        for (const auto& [id, pool] : walk.pools)
          EXPECT_EQ(walk.market.nodes().free_in(pool).nodes_idle, pool.nodes);
      },
      150);
}

TEST(Market, WhoeverHasNodesKeptGetsOthersThatAreFreeSooner) {
  Market market;
  const Pool pool = pool_of(1, 3, 2);
  const Need all{2000, 1000, gib};
  market.resize({}, pool);
  for (std::uint32_t node = 0; node < 3; ++node)
    market.apply(granted(1 + node, pool.id, {node, {0, 1}, 1000, 1000, gib}), pool);
  market.keep(pool, {0}, {.job = JobId{9}, .unit = 0, .rank = 1, .by = Moment{} + hours(1)});
  const Claim owner{.job = JobId{9}, .unit = 0, .rank = 1, .ends = Moment{INT64_MAX}};
  EXPECT_TRUE(market.fit(pool, all, 1, owner).empty());
  market.apply(LeaseReleased{LeaseId{3}, false}, pool);
  ASSERT_EQ(market.fit(pool, all, 1, owner).size(), 1U);
  EXPECT_EQ(market.fit(pool, all, 1, owner).front().node, 2U);
  EXPECT_TRUE(market.fit(pool, all, 2, owner).empty());
  market.apply(LeaseReleased{LeaseId{1}, false}, pool);
  EXPECT_EQ(market.fit(pool, all, 1, owner).front().node, 0U);
  EXPECT_EQ(market.fit(pool, all, 2, owner).size(), 2U);
}

TEST(Market, LeasesOfAPoolStandInTheOrderInWhichTheyEnd) {
  Market market;
  const Pool pool = pool_of(1, 3, 2);
  market.resize({}, pool);
  for (std::uint32_t node = 0; node < 3; ++node)
    market.apply(granted(1 + node, pool.id, {node, {0}, 1000, 1000, gib}), pool);
  const auto lease = [&](std::uint64_t id) { return *market.find_lease(LeaseId{id}); };
  market.expect_end(lease(1), {Ending::Kind::fixed, 300});
  market.expect_end(lease(2), {Ending::Kind::not_begun, 100});
  market.expect_end(lease(3), {Ending::Kind::fixed, 200});
  market.expect_end(lease(2), {Ending::Kind::fixed, 250});
  std::vector<std::uint64_t> ids;
  for (const auto& [key, is_there] : market.endings()) ids.push_back(key.lease.value);
  EXPECT_EQ(ids, (std::vector<std::uint64_t>{3, 2, 1}));
  market.apply(LeaseReleased{LeaseId{2}, false}, pool);
  EXPECT_EQ(market.endings().size(), 2U);
}

TEST(MarketDeathTest, ConfirmingTwiceOrReleasingWhatIsNotThereIsABug) {
  Market market;
  const Pool pool = pool_of(1, 1, 2);
  market.resize({}, pool);
  market.apply(granted(1, pool.id, {0, {0}, 1000, 1000, gib}), pool);
  market.apply(LeaseConfirmed{LeaseId{1}});
  EXPECT_DEATH(market.apply(LeaseConfirmed{LeaseId{1}}), "market.cc");
  EXPECT_DEATH(market.apply(LeaseConfirmed{LeaseId{2}}), "market.cc");
  EXPECT_DEATH(market.apply(LeaseReleased{LeaseId{2}, false}, pool), "table.h");
  EXPECT_DEATH(market.apply(granted(2, pool.id, {0, {0}, 1000, 1000, gib}), pool), "nodes.cc");
}

}  // namespace
}  // namespace suan::market
