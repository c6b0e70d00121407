// Makes room for work that waits by stopping spot work: of all ways the cheapest place, and there
// the one by which the least is lost.
#include <algorithm>
#include <set>
#include <span>
#include <tuple>

#include "domain/deciding.h"
#include "domain/terms.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

constexpr std::size_t pools_tried_max = 64;
constexpr Span news_takes = seconds(30);  // Until a sub-domain has said that it has room.

/// A place that spot work can leave to others.
struct Clearing {
  std::vector<std::uint32_t> nodes;  // Ascending; none where a sub-domain grants them.
  std::vector<UnitKey> victims;
  std::int64_t lost = 0;  // As lost_by() says, of all of them.
};

/// Who would have to leave one node.
struct Way {
  std::int64_t lost = 0;
  std::uint32_t node = 0;
  std::vector<UnitKey> victims;
};

/// What a unit of spot work holds on a node.
struct Held {
  std::uint32_t node = 0;
  std::int64_t lost = 0;
  UnitKey unit;
  const Grant* grant = nullptr;
};

// What is lost if a unit stops now: how long its tasks have run, each in seconds times the part of
// a node that it holds, in thousandths.
std::int64_t lost_by(const Pool& pool, const jobs::Unit& unit, Moment now) {
  const Need& need = unit.placement.need;
  const auto part = [](std::int64_t held, std::int64_t there) {
    return there > 0 ? held * 1000 / there : 0;
  };
  const std::int64_t most =
      std::max({part(need.card_milli, std::int64_t{1000} * pool.cards_per_node),
                part(need.cpu_milli, pool.cpu_milli_per_node),
                part(need.memory_bytes, pool.memory_bytes_per_node)});
  std::int64_t lost = 0;
  for (const jobs::Task& task : unit.tasks) {
    if (task.started != Moment{} && task.started < now)
      lost += (now - task.started).us / seconds(1).us * most;
  }
  return lost;
}

// Calls visit(key, job, unit) for the units that may have to leave a pool. What one that stops
// already leaves is for whoever asked for that.
template <class Visit>
void each_spot_in(const State& state, PoolId pool, Visit visit) {
  const auto& spots = state.jobs().spots();
  for (auto at = spots.from({pool, {}}); at != spots.end() && at->first.pool == pool; ++at) {
    const UnitKey& key = at->first.unit;
    const jobs::Job& job = *state.jobs().find(key.job);
    if (job.units[key.unit].phase != Phase::stopping) visit(key, job, job.units[key.unit]);
  }
}

std::vector<Held> held_in(const State& state, const Pool& pool, Moment now) {
  std::vector<Held> held;
  each_spot_in(state, pool.id, [&](const UnitKey& key, const jobs::Job&, const jobs::Unit& unit) {
    const std::int64_t lost = lost_by(pool, unit, now);
    for (const jobs::Task& task : unit.tasks) {
      const market::Lease* lease = state.market().find_lease(task.lease);
      if (lease != nullptr) held.push_back({lease->grant.node, lost, key, &lease->grant});
    }
  });
  std::ranges::sort(held, {},
                    [](const Held& each) { return std::tuple(each.node, each.lost, each.unit); });
  return held;
}

// The least that must leave a node so that a task fits there; nothing if not even all suffices.
std::optional<Way> way_on(const State& state, const Pool& pool, std::uint32_t node,
                          const Need& need, std::span<const Held> here) {
  std::vector<const Grant*> grants;
  grants.reserve(here.size());
  for (const Held& each : here) grants.push_back(each.grant);
  const market::Nodes& nodes = state.market().nodes();
  const auto needed = nodes.ends_needed(pool, node, need, grants);
  if (!needed) return std::nullopt;
  std::vector<const Held*> leaving;
  for (const Held& each : here.first(*needed)) leaving.push_back(&each);
  // Without the last of them it did not suffice. Of the others the dearest may stay first.
  for (std::size_t i = leaving.size(); i-- > 0;) {
    grants.clear();
    for (std::size_t k = 0; k < leaving.size(); ++k)
      if (k != i) grants.push_back(leaving[k]->grant);
    if (nodes.ends_needed(pool, node, need, grants))
      leaving.erase(leaving.begin() + static_cast<std::ptrdiff_t>(i));
  }
  Way way{.lost = 0, .node = node, .victims = {}};
  for (const Held* each : leaving) {
    way.lost += each->lost;
    way.victims.push_back(each->unit);
  }
  return way;
}

// On as many nodes as are needed, those by which the least is lost.
std::optional<Clearing> clear_nodes(const State& state, const Pool& pool, const Need& need,
                                    std::uint32_t tasks, const UnitKey& asker, Moment now) {
  const std::vector<Held> held = held_in(state, pool, now);
  const UnitKey* owner = state.jobs().promises().find(pool.id);
  std::vector<std::uint32_t> kept;
  if (owner != nullptr && *owner != asker) kept = state.market().nodes().kept_in(pool.id);
  std::vector<Way> ways;
  auto next = held.begin();
  for (std::uint32_t node = 0; node < pool.nodes; ++node) {
    const auto here = next;
    while (next != held.end() && next->node == node) ++next;
    // What is free already does for a part of a gang; for one task there is none, or it would run.
    if ((here == next && tasks == 1) || std::ranges::binary_search(kept, node)) continue;
    if (auto way = way_on(state, pool, node, need, std::span(here, next)))
      ways.push_back(std::move(*way));
  }
  if (ways.size() < tasks) return std::nullopt;
  std::ranges::partial_sort(ways, ways.begin() + tasks, {},
                            [](const Way& each) { return std::tuple(each.lost, each.node); });
  Clearing clearing;
  std::set<UnitKey> victims;
  for (const Way& each : std::span(ways).first(tasks)) {
    clearing.nodes.push_back(each.node);
    clearing.lost += each.lost;
    victims.insert(each.victims.begin(), each.victims.end());
  }
  if (victims.empty()) return std::nullopt;
  std::ranges::sort(clearing.nodes);
  clearing.victims.assign(victims.begin(), victims.end());
  return clearing;
}

// Nobody here knows the nodes of a sub-domain: one unit leaves that holds as much as is needed.
std::optional<Clearing> clear_hosted(const State& state, const Pool& pool, const Need& need,
                                     std::uint32_t tasks, Moment now) {
  std::optional<Clearing> least;
  each_spot_in(
      state, pool.id, [&](const UnitKey& key, const jobs::Job& job, const jobs::Unit& unit) {
        const Need& held = unit.placement.need;
        const bool suffices = held.card_milli >= need.card_milli &&
                              held.cpu_milli >= need.cpu_milli &&
                              held.memory_bytes >= need.memory_bytes && job.spec->nodes >= tasks;
        if (!suffices) return;
        const std::int64_t lost = lost_by(pool, unit, now);
        if (!least || lost < least->lost) least = {{}, {key}, lost};
      });
  return least;
}

Moment cleared_at(const State& state, const Pool& pool, const Clearing& clearing, Moment now) {
  Span takes;
  for (const UnitKey& key : clearing.victims)
    takes = std::max(takes, stops_within(*state.jobs().find(key.job)->spec));
  return now + takes + (pool.remote ? news_takes : Span{});
}

}  // namespace

bool may_clear(const State& state, const jobs::Job& job, const UnitKey& key, Moment now) {
  return !state.jobs().spots().empty() && may_have_promise(job) &&
         job.units[key.unit].cleared_by <= now;
}

bool clear_place(Deciding& deciding, const jobs::Job& job, const UnitKey& key) {
  const State& state = deciding.state;
  const placement::Demand demand = placement::make_demand(*job.spec);
  const ledger::Hold& hold = state.ledger().holds().at(job.hold);
  const Seeker seeker{key, *job.spec, 1, hold, job.owed};
  std::optional<Clearing> best;
  placement::Candidate chosen;
  const auto& spots = state.jobs().spots();
  std::size_t pools_left = pools_tried_max;
  for (auto at = spots.begin(); at != spots.end() && pools_left > 0; --pools_left) {
    const PoolId id = at->first.pool;
    at = spots.from({PoolId{id.value + 1}, {}});
    const Pool& pool = state.catalogue().pools().at(id);
    for (const placement::Candidate& each : placement::candidates_in(state.supply(), demand, id)) {
      if (!can_pay(deciding, seeker, scale(each.hourly_cost, 1, job.spec->elements))) continue;
      auto clearing = pool.remote
                          ? clear_hosted(state, pool, each.need, demand.nodes, deciding.now)
                          : clear_nodes(state, pool, each.need, demand.nodes, key, deciding.now);
      if (!clearing) continue;
      if (best && std::tuple(chosen.score, best->lost) <= std::tuple(each.score, clearing->lost))
        break;
      best = std::move(clearing);
      chosen = each;
      break;
    }
  }
  if (!best) return false;
  const Pool& pool = state.catalogue().pools().at(chosen.pool);
  const Moment by = cleared_at(state, pool, *best, deciding.now);
  deciding.emit(jobs::PlaceCleared{key, pool.id, by});
  if (!pool.remote && may_keep_in(state, job, key, pool.id))
    deciding.emit(jobs::UnitPromised{
        key, {.pool = pool.id, .nodes = best->nodes, .by = by, .is_bound = pool.is_firm}});
  for (const UnitKey& victim : best->victims)
    stop_unit(deciding, *state.jobs().find(victim.job), victim, AttemptEnd::preempted);
  return true;
}

}  // namespace suan::domain
