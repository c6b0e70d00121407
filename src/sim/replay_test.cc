#include "sim/replay.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "sim/outcome.h"
#include "sim/tally.h"
#include "testing/property.h"

namespace suan::sim {
namespace {

constexpr std::string_view two_cards_csv =
    "cpu_milli,memory_mib,gpu,model\n"
    "16000,65536,2,A\n";

NodeList two_cards() {
  return *parse_nodes(two_cards_csv);
}

packing::Ask cards(std::uint32_t number) {
  return {.cards = number, .share_milli = 0, .cpu_milli = 1000, .memory_bytes = 1 << 20};
}

TimedTask task(packing::Ask ask, Span comes, Span lasts) {
  return {.number = 0, .ask = ask, .comes = comes, .lasts = lasts};
}

TEST(Workload, ComesAsItWasRecordedOnlyFaster) {
  const std::vector<TimedTask> tasks{task(cards(1), seconds(100), seconds(50)),
                                     task(cards(2), seconds(120), Span{}),
                                     task(cards(2), seconds(140), seconds(7))};
  const auto workload = as_recorded(tasks, 4);
  ASSERT_TRUE(workload);
  ASSERT_EQ(workload->arrivals.size(), 2U);
  EXPECT_EQ(workload->arrivals[0].at, Span{});
  EXPECT_EQ(workload->arrivals[0].lasts, seconds(50));
  EXPECT_EQ(workload->arrivals[1].at, seconds(10));
  EXPECT_EQ(workload->arrivals[1].ask.cards, 2U);
  EXPECT_GT(workload->lasts, seconds(10));
  EXPECT_FALSE(as_recorded(std::span(tasks).subspan(1, 1), 1));
}

// On a cluster without an end all that comes runs at once: what is asked for is what was wished,
// from the first moment to the last.
TEST(Workload, AsksForWhatWasWishedFromTheFirstMomentOn) {
  const std::vector<TimedTask> tasks{
      task(cards(1), Span{}, seconds(60)), task(cards(8), Span{}, hours(3)),
      task({.cards = 0, .share_milli = 250, .cpu_milli = 1, .memory_bytes = 1}, Span{},
           minutes(20)),
      task({.cards = 0, .share_milli = 0, .cpu_milli = 1, .memory_bytes = 1}, Span{}, hours(9))};
  constexpr std::int64_t all = 400'000;
  constexpr int seeds = 30;
  std::vector<double> sums(4);
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    const auto workload = drawn(tasks, all, 1300, hours(4), seed);
    ASSERT_TRUE(workload);
    EXPECT_TRUE(std::ranges::is_sorted(workload->arrivals, {}, &Arrival::at));
    for (std::size_t i = 0; i < sums.size(); ++i) {
      const Span at = minutes(70) * static_cast<std::int64_t>(i);
      for (const Arrival& each : workload->arrivals) {
        if (each.at <= at && at < each.at + each.lasts)
          sums[i] += static_cast<double>(each.ask.cards_milli());
      }
    }
  }
  for (const double sum : sums) EXPECT_NEAR(sum / seeds / all, 1.3, 0.05);
  EXPECT_FALSE(drawn(std::span(tasks).last(1), all, 1300, hours(4), 1));
  EXPECT_FALSE(drawn(tasks, std::int64_t{1} << 50U, 1300, hours(4), 1));  // Too many.
}

TEST(Course, IsTheMeanOfEachPart) {
  Course course(seconds(40), 4);
  course.add(seconds(5), 2);
  course.add(seconds(10), 2);
  course.add(seconds(35), -4);
  course.add(seconds(60), 9);
  const std::vector<double> means = course.means();
  ASSERT_EQ(means.size(), 4U);
  EXPECT_NEAR(means[0], 1, 1e-6);
  EXPECT_NEAR(means[1], 4, 1e-6);
  EXPECT_NEAR(means[2], 4, 1e-6);
  EXPECT_NEAR(means[3], 2, 1e-6);
}

// Two cards: one job holds one of them, one that needs both waits, a short one comes behind it.
Workload small_behind_large() {
  Workload workload;
  workload.lasts = hours(5);
  workload.arrivals = {{Span{}, hours(2), cards(1)},
                       {minutes(10), hours(1), cards(2)},
                       {minutes(20), minutes(30), cards(1)},
                       {minutes(30), minutes(30), cards(3)}};
  return workload;
}

TEST(Replay, InALineNobodyIsPassedBy) {
  const NodeList nodes = two_cards();
  const Replay replay =
      replay_in_line(nodes, small_behind_large(), packing::make_policy("bestfit", {}), nullptr);
  EXPECT_EQ(replay.refused, 1U);
  EXPECT_EQ(replay.sizes.at("2").waits, std::vector{minutes(110)});
  EXPECT_EQ(replay.sizes.at("1").waits, (std::vector{Span{}, minutes(160)}));
  EXPECT_NEAR(replay.allocation, 100 * (2 * 0.5 + 1 + 0.5 * 0.5) / 5, 0.01);
}

TEST(Replay, InADomainWhatFitsGoesAhead) {
  const NodeList nodes = two_cards();
  const auto replay = replay_in_domain(nodes, small_behind_large(), nullptr);
  ASSERT_TRUE(replay) << replay.error().text;
  EXPECT_EQ(replay->refused, 1U);
  EXPECT_EQ(replay->sizes.at("1").waits, (std::vector{Span{}, Span{}}));
  EXPECT_EQ(replay->sizes.at("2").waits, std::vector{minutes(110)});
  EXPECT_EQ(replay->sizes.at("2").started, 1U);
}

TEST(Replay, WhatStillWaitsCountsAsLongAsItHas) {
  const NodeList nodes = two_cards();
  Workload workload = small_behind_large();
  workload.lasts = hours(1);
  const Replay replay =
      replay_in_line(nodes, workload, packing::make_policy("bestfit", {}), nullptr);
  EXPECT_EQ(replay.sizes.at("2").waits, std::vector{minutes(50)});
  EXPECT_EQ(replay.sizes.at("2").started, 0U);
  const Outcome outcome = outcome_of("bestfit", {replay});
  EXPECT_TRUE(outcome.sizes.at("2").median_is_open);
  EXPECT_FALSE(outcome.sizes.at("1").median_is_open);
  EXPECT_TRUE(outcome.sizes.at("1").p99_is_open);
}

// Whatever comes: as many start as have come and do not wait, none before it came, and where
// nothing is short both ways tell the same.
TEST(Replay, KeepsItsBooks) {
  for_each_seed(
      [](Random& random) {
        std::string csv = "cpu_milli,memory_mib,gpu,model\n";
        for (int i = 0; i < 6; ++i) csv += i % 2 == 0 ? "32000,65536,4,A\n" : "8000,65536,2,B\n";
        const NodeList nodes = *parse_nodes(csv);
        std::vector<TimedTask> tasks;
        for (int i = 0; i < 20; ++i) {
          packing::Ask ask{.cards = static_cast<std::uint32_t>(random.below(5U)),
                           .share_milli = 0,
                           .cpu_milli = random.between(0, 16'000),
                           .memory_bytes = random.between(0, 8) << 30U};
          if (ask.cards == 0 && random.chance(2, 3)) ask.share_milli = 300;
          tasks.push_back(task(ask, Span{}, minutes(random.between(1, 300))));
        }
        tasks.push_back(task(cards(1), Span{}, minutes(10)));
        const std::int64_t load = random.chance(1, 3) ? 50 : random.between(100, 2000);
        const auto workload = drawn(tasks, nodes.card_milli, load, hours(6), random.next());
        ASSERT_TRUE(workload);
        const auto domain = replay_in_domain(nodes, *workload, nullptr);
        ASSERT_TRUE(domain) << domain.error().text;
        const Replay line =
            replay_in_line(nodes, *workload, packing::make_policy("fgd", {}), nullptr);
        for (const Replay* each : {&*domain, &line}) {
          EXPECT_GE(each->allocation, 0);
          EXPECT_LE(each->allocation, 100.0001);
          for (const auto& [name, size] : each->sizes) {
            EXPECT_EQ(size.waits.size(), size.came);
            EXPECT_LE(size.started, size.came);
            EXPECT_TRUE(size.waits.empty() || size.waits.front() >= Span{});
          }
        }
        EXPECT_EQ(domain->refused, line.refused);
        if (std::ranges::max(line.waiting_course) == 0 &&
            std::ranges::max(domain->waiting_course) == 0) {
          EXPECT_NEAR(domain->allocation, line.allocation, 1e-6);
        }
      },
      40);
}

TEST(Replay, CountsWhatTheCardsCostAndDraw) {
  const NodeList nodes = *parse_nodes(
      "cpu_milli,memory_mib,gpu,model,price,watts\n"
      "16000,65536,2,A,20,\n"
      "16000,65536,2,A,1.5,300\n");
  ASSERT_EQ(nodes.kinds.size(), 2U);
  Workload workload;
  workload.lasts = hours(4);
  workload.arrivals = {
      {Span{}, hours(3), cards(2)},
      {hours(1), hours(9), cards(1)},
      {hours(2), hours(1), {.cards = 0, .share_milli = 0, .cpu_milli = 1000, .memory_bytes = 1}}};
  const auto replay = replay_in_domain(nodes, workload, nullptr);
  ASSERT_TRUE(replay) << replay.error().text;
  EXPECT_NEAR(replay->card_hours, 6 + 3, 1e-6);
  EXPECT_NEAR(replay->cost_cny, 6 * 1.5 + 3 * 20, 1e-6);  // The cheaper ones first.
  EXPECT_NEAR(replay->energy_kwh, 6 * 0.3, 1e-6);
  const std::vector<Outcome> outcomes{outcome_of("suan", {*replay})};
  EXPECT_TRUE(any_has(outcomes, &Outcome::cost_cny));
  Setting setting;
  setting.lasts = hours(4);
  EXPECT_NE(html_report(setting, outcomes).find("<th>kWh</th>"), std::string::npos);
}

TEST(Report, IsAPageByItself) {
  const NodeList nodes = two_cards();
  const Replay replay =
      replay_in_line(nodes, small_behind_large(), packing::make_policy("bestfit", {}), nullptr);
  Setting setting;
  setting.jobs = "<jobs>.csv";
  setting.nodes = "nodes.csv";
  setting.lasts = hours(5);
  const std::string page = html_report(setting, {outcome_of("bestfit", {replay})});
  EXPECT_NE(page.find("&lt;jobs>.csv"), std::string::npos);
  EXPECT_NE(page.find("<polyline"), std::string::npos);
  EXPECT_NE(page.find("<td>110.0</td>"), std::string::npos);
  EXPECT_EQ(page.find("CNY"), std::string::npos);   // Nobody said what cards cost.
  EXPECT_EQ(page.find("http"), std::string::npos);  // It needs nothing from elsewhere.
}

}  // namespace
}  // namespace suan::sim
