#include "placement/why.h"

#include <gtest/gtest.h>

#include "network/circle.h"
#include "placement/row_wise.h"
#include "testing/property.h"

namespace suan::placement {
namespace {

bool starts(const World& world, const JobSpec& spec) {
  return row_wise::answer(world, spec).starts_now > 0;
}

bool is_least(const World& world, const JobSpec& spec, Edit edit) {
  switch (edit.field) {
    case Field::hourly_max:
      --edit.amount;
      return edit.amount == 0 || !starts(world, apply(spec, edit));
    case Field::cards:
      edit.amount += edit.amount < 1000 ? 1 : 1000;
      break;
    case Field::memory:
    case Field::disk:
      edit.amount += 1'000'000;
      break;
    case Field::max_rtt:
      edit.amount -= 1'000;
      return milliseconds(edit.amount / 1'000) <= network::round_trip_max(spec.where) ||
             !starts(world, apply(spec, edit));
    case Field::carbon:
      if (edit.amount == 0) return true;
      --edit.amount;
      return !starts(world, apply(spec, edit));
    case Field::circle:
      --edit.amount;
      return !starts(world, apply(spec, edit));
    case Field::cpus:
    case Field::nodes:
    case Field::network_tier:
      ++edit.amount;
      break;
    default:
      return true;
  }
  return !starts(world, apply(spec, edit));
}

// Every field's greatest change, one by one: if none of these helps, no smaller one does.
std::vector<Edit> greatest_edits(const World& world, const JobSpec& spec) {
  std::vector<Edit> edits{{.field = Field::cpus, .amount = 1},
                          {.field = Field::memory, .amount = 1'000'000},
                          {.field = Field::nodes, .amount = 1},
                          {.field = Field::network_tier, .amount = 0},
                          {.field = Field::data_residency}};
  if (spec.hourly_max > Money{})
    edits.push_back({.field = Field::hourly_max, .amount = yuan(1'000'000).micro});
  if (spec.where.near.is_given()) edits.push_back({.field = Field::near});
  if (spec.carbon_max > 0) edits.push_back({.field = Field::carbon});
  if (spec.disk_bytes > 0) edits.push_back({.field = Field::disk});
  if (spec.moves_data) edits.push_back({.field = Field::data});
  if (spec.is_spot) edits.push_back({.field = Field::spot});
  for (std::uint32_t i = 0; i < spec.alternatives.size(); ++i) {
    const Alternative& wish = spec.alternatives[i];
    if (wish.runs_image) edits.push_back({.field = Field::image, .alternative = i});
    if (wish.chip.empty()) continue;
    for (const char* chip : {"A", "B", "C"}) {
      edits.push_back({.field = Field::chip, .alternative = i, .word = chip});
    }
    edits.push_back(
        {.field = Field::cards, .alternative = i, .amount = wish.card_milli < 1000 ? 1 : 1000});
  }
  for (const Site& site : world.sites) {
    if (!spec.where.regions.empty())
      edits.push_back({.field = Field::regions, .word = site.region});
    if (!spec.where.sites.empty()) edits.push_back({.field = Field::sites, .word = site.name});
    edits.push_back({.field = Field::exclude_regions, .word = site.region});
  }
  return edits;
}

// Of chips, regions and sites, the one that was named leads to the best place.
void expect_not_better(const Supply& supply, const World& world, const JobSpec& spec,
                       const Why& why, const Edit& edit) {
  if (edit.word.empty()) return;
  const JobSpec other = apply(spec, edit);
  const auto instead = choose(supply, make_demand(other), &world);
  if (!instead) return;
  for (const Change& change : why.changes) {
    if (change.edit.field != edit.field || change.edit.alternative != edit.alternative) continue;
    const JobSpec named = apply(spec, change.edit);
    ASSERT_FALSE(instead->score < choose(supply, make_demand(named), &world)->score);
  }
}

TEST(Why, ChangesAreTrueAndLeastAndNothingIsMissed) {
  std::uint64_t helped = 0;
  std::uint64_t hopeless = 0;
  for_each_seed(
      [&](Random& random) {
        const World world(random, random.below(20U));
        const Supply supply = world.supply();
        const JobSpec spec = random_spec(random);
        const row_wise::Answer truth = row_wise::answer(world, spec);
        const Why why = explain(supply, spec, &world);
        ASSERT_EQ(why.pools, world.pools.size());
        ASSERT_EQ(why.starts_now, truth.starts_now);
        std::uint64_t rejected = 0;
        for (const Rejection& each : why.rejected) rejected += each.count;
        ASSERT_EQ(rejected + why.starts_now, why.pools);
        if (why.starts_now > 0) {
          ASSERT_TRUE(why.changes.empty());
          ASSERT_FALSE(why.nothing_helps);
          return;
        }
        for (const Change& change : why.changes) {
          const JobSpec changed = apply(spec, change.edit);
          ASSERT_NE(changed, spec) << change.text;
          ASSERT_TRUE(starts(world, changed)) << change.text;
          const auto chosen = choose(supply, make_demand(changed), &world);
          ASSERT_TRUE(chosen) << change.text;
          ASSERT_EQ(chosen->pool, change.pool);
          ASSERT_TRUE(is_least(world, spec, change.edit)) << change.text;
        }
        for (const Edit& edit : greatest_edits(world, spec)) {
          expect_not_better(supply, world, spec, why, edit);
          const bool helps = starts(world, apply(spec, edit));
          const bool is_found = std::ranges::any_of(why.changes, [&](const Change& change) {
            const bool goes_farther =
                change.edit.field == Field::max_rtt || change.edit.field == Field::circle;
            return (change.edit.field == edit.field &&
                    change.edit.alternative == edit.alternative) ||
                   (edit.field == Field::near && goes_farther);
          });
          ASSERT_EQ(helps && !is_found, false) << path(edit.field);
        }
        ASSERT_EQ(why.nothing_helps, why.changes.empty());
        ++(why.nothing_helps ? hopeless : helped);
      },
      4000);
  // Both kinds of world were met, so the property had something to say.
  EXPECT_TRUE(std::getenv("SUAN_SEED") != nullptr || (helped > 300 && hopeless > 300));
}

class OnePool : public testing::Test {
 protected:
  OnePool() {
    pool_.id = {7};
    pool_.site = {1};
    pool_.chip = "H800-SXM";
    pool_.nodes = 2;
    pool_.cards_per_node = 8;
    pool_.cpu_milli_per_node = 128'000;
    pool_.memory_bytes_per_node = 1'024'000'000'000;
    pool_.price = {yuan(20), {}};
    site_.id = {1};
    site_.name = "lingang";
    site_.region = "cn-sh";
    supply_.put(pool_, site_);
    spec_.alternatives = {{"H800-SXM", 8000, {}}};
  }

  std::vector<std::string> texts() const {
    std::vector<std::string> texts;
    for (const Change& each : explain(supply_, spec_, nullptr).changes) texts.push_back(each.text);
    return texts;
  }

  Pool pool_;
  Site site_;
  Supply supply_;
  JobSpec spec_;
};

TEST_F(OnePool, ADearJobIsToldTheLeastPrice) {
  spec_.hourly_max = yuan(150);
  EXPECT_EQ(texts(), (std::vector<std::string>{
                         "with price.max_hourly_cost 160 instead of 150",
                         "with resources.accelerators H800-SXM:7 instead of H800-SXM:8"}));
  EXPECT_EQ(explain(supply_, spec_, nullptr).rejected[0].text,
            "1 pool: dearer than the hourly limit of 150 CNY/h");
}

TEST_F(OnePool, TheLeastPriceIsThatOfAnyWish) {
  spec_.alternatives = {{"H800-SXM", 8000, {}}, {"H800-SXM", 4000, {}}};
  spec_.is_ordered = true;
  spec_.hourly_max = yuan(10);
  EXPECT_EQ(texts(), std::vector<std::string>{"with price.max_hourly_cost 80 instead of 10"});
}

TEST_F(OnePool, TheLeastPriceIsThatOfAnyPool) {
  site_.carbon_g_per_kwh = 900;
  site_.pue_milli = 1000;
  supply_.describe(site_);
  Site clean = site_;
  clean.id = {2};
  clean.carbon_g_per_kwh = 10;
  pool_.id = {8};
  pool_.site = clean.id;
  pool_.price.card_hour = yuan(30);
  supply_.put(pool_, clean);
  spec_.hourly_max = yuan(10);
  spec_.objective = Objective::carbon;
  EXPECT_EQ(texts().front(), "with price.max_hourly_cost 160 instead of 10");
}

TEST_F(OnePool, AWideGangIsToldHowManyNodesThereAre) {
  spec_.nodes = 5;
  EXPECT_EQ(texts(), std::vector<std::string>{"with num_nodes 2 instead of 5"});
}

TEST_F(OnePool, AnotherChipIsNamed) {
  spec_.alternatives = {{"Ascend910B3", 4000, {}}};
  EXPECT_EQ(texts(), std::vector<std::string>{
                         "with resources.accelerators H800-SXM:4 instead of Ascend910B3:4"});
}

TEST_F(OnePool, SizesAreLoweredNoFurtherThanNeeded) {
  spec_.cpu_milli = {130'500, 130'500};
  EXPECT_EQ(texts(), std::vector<std::string>{"with resources.cpus 128 instead of 130.5"});
  spec_.cpu_milli = {};
  spec_.memory_bytes.least = 2'000'000'000'000;
  EXPECT_EQ(texts(), std::vector<std::string>{"with resources.memory 1024GB+ instead of 2TB+"});
}

TEST_F(OnePool, PlacesAreNamed) {
  spec_.where.regions = {"cn-js", "cn-zj"};
  EXPECT_EQ(texts(), std::vector<std::string>{
                         "with where.regions cn-js, cn-zj, cn-sh instead of cn-js, cn-zj"});
  spec_.where = {.regions = {}, .exclude_regions = {"cn-sh"}, .sites = {}, .data_residency = ""};
  EXPECT_EQ(texts(), std::vector<std::string>{"without where.exclude_regions cn-sh"});
  spec_.where = {.regions = {}, .exclude_regions = {}, .sites = {"wuhu"}, .data_residency = ""};
  EXPECT_EQ(texts(), std::vector<std::string>{"with where.sites wuhu, lingang instead of wuhu"});
  spec_.where = {
      .regions = {}, .exclude_regions = {}, .sites = {}, .data_residency = "cn-js-suzhou"};
  EXPECT_EQ(texts(),
            std::vector<std::string>{"with where.data_residency cn instead of cn-js-suzhou"});
}

TEST_F(OnePool, AShortRoundTripIsToldHowLongItTakes) {
  site_.latitude_micro = 30'890'000;
  site_.longitude_micro = 121'930'000;
  supply_.describe(site_);
  spec_.where.near = {"nanjing", 32'040'000, 118'780'000};
  spec_.where.max_rtt = milliseconds(4);
  const Why why = explain(supply_, spec_, nullptr);
  ASSERT_EQ(why.rejected.size(), 1U);
  EXPECT_EQ(why.rejected[0].text,
            "1 pool: too far away, or nobody knows how far: a round trip to nanjing may take 4ms");
  EXPECT_EQ(texts(), std::vector<std::string>{"with where.max_rtt 5ms instead of 4ms"});
  spec_.where.circle = Circle::city;
  EXPECT_EQ(texts(), std::vector<std::string>{
                         "with where.max_rtt 5ms instead of 4ms and where.circle city"});
  spec_.where.max_rtt = {};
  EXPECT_EQ(texts(), std::vector<std::string>{"with where.circle region instead of city"});
  spec_.where.near = {"urumqi", 43'770'000, 87'680'000};
  EXPECT_EQ(texts(),
            std::vector<std::string>{"with where.max_rtt 41ms instead of where.circle city"});
  // Where a site nobody has placed is all there is, no round trip is long enough.
  site_.latitude_micro = site_.longitude_micro = 0;
  supply_.describe(site_);
  EXPECT_EQ(texts(), std::vector<std::string>{"without where.near urumqi"});
}

TEST_F(OnePool, WhatWasMeasuredCountsMoreThanTheDistance) {
  site_.latitude_micro = 30'890'000;
  site_.longitude_micro = 121'930'000;
  supply_.describe(site_);
  Site other = site_;
  other.id = {2};
  other.name = "nanjing-1";
  other.latitude_micro = 32'040'000;
  other.longitude_micro = 118'780'000;
  pool_.id = {8};
  pool_.site = other.id;
  pool_.nodes = 0;
  supply_.put(pool_, other);
  spec_.where.near = {"nanjing-1", other.latitude_micro, other.longitude_micro};
  spec_.where.max_rtt = milliseconds(5);
  EXPECT_TRUE(choose(supply_, make_demand(spec_), nullptr)->round_trip.is_estimated);
  supply_.set_link({1}, {2}, {.p50 = milliseconds(5), .p99 = microseconds(7'300), .at = {}});
  EXPECT_EQ(texts(), std::vector<std::string>{"with where.max_rtt 8ms instead of 5ms"});
  spec_.where.max_rtt = milliseconds(8);
  const auto found = choose(supply_, make_demand(spec_), nullptr);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->round_trip, (network::RoundTrip{microseconds(7'300), false}));
}

TEST_F(OnePool, TwoFaultsHaveNoSingleRemedy) {
  spec_.where.regions = {"cn-js"};
  spec_.network_tier = NetworkTier::rdma;
  const Why why = explain(supply_, spec_, nullptr);
  EXPECT_TRUE(why.nothing_helps);
  EXPECT_EQ(why.rejected.size(), 1U);
  EXPECT_EQ(why.rejected[0].reason, Reason::network_tier_too_low);
}

TEST(Change, CallersWordTheirOwn) {
  const Change change = make_change("price.budget", "100", "172", {});
  EXPECT_EQ(change.text, "with price.budget 172 instead of 100");
  JobSpec spec;
  EXPECT_EQ(apply(spec, change.edit), spec);
}

}  // namespace
}  // namespace suan::placement
