#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "placement/random_world.h"
#include "placement/rank.h"

/// What rank() promises, written a second time: pool by pool, node by node, without blocks, bounds,
/// memory or order. Test code only.
namespace suan::placement::row_wise {

__extension__ using Wide = __int128;

inline Need need_of(const Pool& pool, const JobSpec& spec, const Alternative& wish) {
  const auto bounded = [](const Bounds& bounds, Wide usual) {
    if (bounds.least > 0) return bounds.least;
    return static_cast<std::int64_t>(bounds.most > 0 ? std::min<Wide>(usual, bounds.most) : usual);
  };
  Need need;
  need.card_milli = wish.chip.empty() ? 0 : wish.card_milli;
  Wide cores = 1000;
  if (!wish.chip.empty()) {
    cores = pool.cards_per_node == 0
                ? 0
                : Wide{pool.cpu_milli_per_node} * need.card_milli / (pool.cards_per_node * 1000);
  }
  need.cpu_milli = bounded(spec.cpu_milli, cores);
  need.memory_bytes = bounded(spec.memory_bytes, Wide{pool.memory_bytes_per_node} * need.cpu_milli /
                                                     pool.cpu_milli_per_node);
  return need;
}

inline Money cost_of(const Pool& pool, const JobSpec& spec, const Need& need) {
  return {hourly_price(price_in(pool, spec.is_spot), need).micro * spec.tasks()};
}

/// The round trip from the place that is asked for; 0 = nobody knows.
inline network::RoundTrip round_trip_to(const World& world, const Near& near, const Site& site) {
  const auto metres_to = [&](const Site& other) {
    return network::distance_metres(
        network::position_at(near.latitude_micro, near.longitude_micro),
        network::position_at(other.latitude_micro, other.longitude_micro));
  };
  const auto is_located = [](const Site& other) {
    return other.latitude_micro != 0 || other.longitude_micro != 0;
  };
  const auto is_used = [&](const Site& other) {
    return std::ranges::any_of(world.pools,
                               [&](const TestPool& each) { return each.pool.site == other.id; });
  };
  std::optional<std::tuple<bool, std::int64_t, std::uint64_t>> best;
  Span measured;
  for (const TestLink& link : world.links) {
    for (const auto& [from, to] : {std::pair{link.from, link.to}, std::pair{link.to, link.from}}) {
      const Site& start = world.sites[from.value - 1];
      if (to != site.id || !is_located(start) || !is_used(start)) continue;
      const std::int64_t metres = metres_to(start);
      const std::tuple rank{start.name != near.name, metres, from.value};
      if (metres > 30'000 || (best && *best < rank)) continue;
      best = rank;
      measured = link.rtt.p99;
    }
  }
  if (best) return {.time = measured};
  if (!is_located(site)) return {};
  return {.time = network::estimated_round_trip(metres_to(site)), .is_estimated = true};
}

inline bool is_too_far(const World& world, const Where& where, const Site& site) {
  if (where.near.name.empty()) return false;
  constexpr std::array<std::int64_t, 4> circle_ms{0, 2, 10, 40};
  const Span time = round_trip_to(world, where.near, site).time;
  const Span circle = milliseconds(circle_ms[static_cast<std::size_t>(where.circle)]);
  return time == Span{} || (circle > Span{} && time > circle) ||
         (where.max_rtt > Span{} && time > where.max_rtt);
}

inline Reason hard_reason(const World& world, const TestPool& each, const JobSpec& spec,
                          const Alternative& wish) {
  const Pool& pool = each.pool;
  const Site& site = world.site_of(pool);
  const Where& where = spec.where;
  const Need need = need_of(pool, spec, wish);
  const auto lists = [](const std::vector<std::string>& names, const std::string& name) {
    return std::ranges::find(names, name) != names.end();
  };
  const std::array<std::pair<bool, Reason>, 19> rules{{
      {pool.state != ServingState::production, Reason::pool_closed},
      {!wish.chip.empty() && wish.chip != pool.chip, Reason::chip_differs},
      {need.card_milli > pool.cards_per_node * 1000, Reason::cards_per_node_too_few},
      {need.cpu_milli > pool.cpu_milli_per_node, Reason::cores_too_few},
      {need.memory_bytes > pool.memory_bytes_per_node, Reason::memory_too_little},
      {spec.disk_bytes > pool.disk_bytes_per_node, Reason::disk_too_little},
      {spec.network_tier > pool.network_tier, Reason::network_tier_too_low},
      {wish.runs_image && !pool.runs_images, Reason::images_not_run},
      {spec.moves_data && !pool.moves_data, Reason::data_not_moved},
      {!std::ranges::all_of(spec.stores,
                            [&](const auto& name) { return lists(pool.stores, name); }),
       Reason::store_missing},
      {spec.is_spot && pool.spot_milli == 0, Reason::no_spot},
      {!where.regions.empty() && !lists(where.regions, site.region), Reason::region_not_allowed},
      {lists(where.exclude_regions, site.region), Reason::region_excluded},
      {!where.sites.empty() && !lists(where.sites, site.name), Reason::site_not_allowed},
      {!lies_in(site.region, where.data_residency), Reason::data_residency},
      {is_too_far(world, where, site), Reason::too_far},
      {spec.carbon_max > 0 && (site.carbon_g_per_kwh == 0 || site.pue_milli == 0 ||
                               site.carbon_g_per_kwh * site.pue_milli > spec.carbon_max * 1000),
       Reason::carbon_too_high},
      {spec.hourly_max > Money{} && cost_of(pool, spec, need) > spec.hourly_max,
       Reason::price_above_hourly_max},
      {pool.nodes < spec.nodes, Reason::nodes_too_few},
  }};
  const auto broken = std::ranges::find_if(rules, [](const auto& rule) { return rule.first; });
  return broken == rules.end() ? Reason::none : broken->second;
}

inline Reason busy_reason(const TestPool& each, const JobSpec& spec, const Need& need) {
  const auto nodes_with = [&](const Need& part) {
    return std::ranges::count_if(each.nodes, [&](const TestNode& node) { return node.fits(part); });
  };
  if (!each.is_reachable) return Reason::member_unreachable;
  if (nodes_with(need) >= spec.nodes) return Reason::none;
  if (nodes_with({need.card_milli, 0, 0}) == 0) return Reason::cards_busy;
  if (nodes_with({0, need.cpu_milli, 0}) == 0) return Reason::cores_busy;
  if (nodes_with({0, 0, need.memory_bytes}) == 0) return Reason::memory_busy;
  return Reason::nodes_busy;
}

/// A candidate and its place in the order, term by term as rank.h lists them.
struct Ranked {
  std::vector<std::int64_t> terms;
  PoolId pool;
  std::uint32_t alternative = 0;
  bool starts_now = false;
};

inline std::int64_t spare_of(const TestPool& each, const Need& need) {
  if (need.card_milli == 0) return std::int64_t{each.pool.cards_per_node} * 1000;
  const Free free = each.free();
  const std::int64_t width = free.cards_max > 0 ? free.cards_max * 1000 : free.share_max_milli;
  return width - need.card_milli;
}

inline Ranked ranked(const World& world, const TestPool& each, const JobSpec& spec,
                     std::uint32_t alternative) {
  const Alternative& wish = spec.alternatives[alternative];
  const Need need = need_of(each.pool, spec, wish);
  const Site& site = world.site_of(each.pool);
  const std::int64_t cost = cost_of(each.pool, spec, need).micro;
  const bool starts_now = busy_reason(each, spec, need) == Reason::none;
  const std::int64_t later = starts_now ? 0 : 1;
  const std::int64_t queued = each.pool.is_firm ? 0 : 1;
  const std::int64_t spare = spare_of(each, need);
  const std::int64_t speed = wish.chip == "A" ? 300 : wish.chip == "B" ? 900 : 0;
  const std::int64_t carbon = std::int64_t{site.carbon_g_per_kwh} * site.pue_milli;
  std::vector<std::int64_t> terms;
  if (spec.is_ordered) terms.push_back(alternative);
  const auto add = [&](std::initializer_list<std::int64_t> more) {
    terms.insert(terms.end(), more);
  };
  switch (spec.objective) {
    case Objective::cost:
      add({cost, later, queued, spare});
      break;
    case Objective::finish:
      add({later, -speed * need.card_milli, cost, queued, spare});
      break;
    case Objective::carbon:
      add({carbon == 0 ? INT64_MAX : carbon, cost, later, queued, spare});
      break;
    case Objective::balanced: {
      const Wide raised = cost + Wide{cost} * (carbon == 0 ? 600'000 : carbon) / 2'000'000;
      add({later, static_cast<std::int64_t>(raised), cost, queued, spare});
      break;
    }
  }
  add({static_cast<std::int64_t>(each.pool.id.value), alternative});
  return {terms, each.pool.id, alternative, starts_now};
}

struct Answer {
  std::vector<Ranked> candidates;  // Best first.
  Counts counts{};
  std::uint64_t starts_now = 0;
  std::vector<std::pair<PoolId, Reason>> refused;  // In order of id.
};

inline Answer answer(const World& world, const JobSpec& spec) {
  Answer answer;
  for (const TestPool& each : world.pools) {
    Reason furthest = Reason::none;
    std::optional<Ranked> best;
    for (std::uint32_t i = 0; i < spec.alternatives.size(); ++i) {
      const Alternative& wish = spec.alternatives[i];
      Reason reason = hard_reason(world, each, spec, wish);
      if (reason == Reason::none) {
        reason = busy_reason(each, spec, need_of(each.pool, spec, wish));
        Ranked next = ranked(world, each, spec, i);
        const bool is_better = !best || (next.starts_now && !best->starts_now) ||
                               (next.starts_now == best->starts_now && next.terms < best->terms);
        if (is_better) best = next;
      }
      furthest = std::max(furthest, reason);
    }
    if (best && best->starts_now) {
      ++answer.starts_now;
    } else {
      ++answer.counts[static_cast<std::size_t>(furthest)];
      answer.refused.emplace_back(each.pool.id, furthest);
    }
    if (best) answer.candidates.push_back(*best);
  }
  std::ranges::sort(answer.candidates, {}, &Ranked::terms);
  return answer;
}

}  // namespace suan::placement::row_wise
