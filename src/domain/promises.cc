// Keeps nodes for work that smaller work would pass by for ever: backfilling with reservations, as
// in D. Lifka, "The ANL/IBM SP Scheduling System" (1995), one reservation in each pool.
#include <algorithm>
#include <span>
#include <tuple>

#include "domain/deciding.h"
#include "domain/terms.h"

namespace suan::domain {

using jobs::UnitKey;

namespace {

constexpr std::size_t pools_weighed_max = 4;
constexpr Span promise_lasts_min = seconds(10);  // Before it is made anew.

JobSpec with_length(JobSpec spec, Span length) {
  spec.max_duration = length;
  return spec;
}

// The nodes of a pool that can take a task of a unit first, and when the last of them can; an empty
// promise if there are not as many as it needs.
jobs::Promise earliest_in(const State& state, const Pool& pool, const Need& need,
                          std::uint32_t tasks, Moment now) {
  struct Ending {
    std::uint32_t node = 0;
    LeaseEnd end;
    LeaseId lease;
    const Grant* grant = nullptr;
  };
  std::vector<Ending> endings;
  endings.reserve(state.market().leases().size());
  for (const auto& [id, lease] : state.market().leases()) {
    if (lease.pool != pool.id) continue;
    const jobs::Job* job = state.jobs().find(lease.holder.job);
    if (job != nullptr)
      endings.push_back({lease.grant.node, lease_end(*job, lease, now), id, &lease.grant});
  }
  std::ranges::sort(endings, {}, [](const Ending& each) {
    return std::tuple(each.node, each.end.at, !each.end.is_bound, each.lease);
  });
  struct Opening {
    Moment at;
    bool is_bound = true;
    std::uint32_t node = 0;
  };
  std::vector<Opening> openings;
  std::vector<const Grant*> grants;
  auto here = endings.begin();
  for (std::uint32_t node = 0; node < pool.nodes; ++node) {
    grants.clear();
    auto next = here;
    for (; next != endings.end() && next->node == node; ++next) grants.push_back(next->grant);
    const auto needed = state.market().nodes().ends_needed(pool, node, need, grants);
    if (needed) {
      Opening opening{now, true, node};
      for (const Ending& each : std::span(here, here + static_cast<std::ptrdiff_t>(*needed))) {
        opening.at = std::max(opening.at, each.end.at);
        opening.is_bound = opening.is_bound && each.end.is_bound;
      }
      openings.push_back(opening);
    }
    here = next;
  }
  if (openings.size() < tasks) return {};
  std::ranges::partial_sort(openings, openings.begin() + tasks, {}, [](const Opening& each) {
    return std::tuple(each.at, !each.is_bound, each.node);
  });
  jobs::Promise promise{
      .pool = pool.id, .nodes = {}, .by = now + promise_lasts_min, .is_bound = pool.is_firm};
  for (const Opening& each : std::span(openings).first(tasks)) {
    promise.nodes.push_back(each.node);
    promise.by = std::max(promise.by, each.at);
    promise.is_bound = promise.is_bound && each.is_bound;
  }
  std::ranges::sort(promise.nodes);
  const std::int64_t second = seconds(1).us;  // Nobody reads the rest.
  promise.by.us = (promise.by.us + second - 1) / second * second;
  return promise;
}

}  // namespace

market::Claim claim_of(const JobSpec& spec, const UnitKey& key, Moment now) {
  market::Claim claim{.job = key.job, .unit = key.unit, .rank = jobs::queue_key(spec, key).rank};
  if (const auto ends = surely_ends(spec, now)) claim.ends = *ends;
  return claim;
}

std::optional<Gap> widest_gap(const State& state, const JobSpec& spec, Moment now) {
  if (spec.is_spread() || spec.moves_data) return std::nullopt;
  const placement::Demand demand = placement::make_demand(spec);
  market::Claim claim = claim_of(spec, {}, now);
  claim.ends = now;
  std::optional<Gap> widest;
  for (const auto& [id, owner] : state.jobs().promises()) {
    const Pool& pool = state.catalogue().pools().at(id);
    const Moment by = state.jobs().find(owner.job)->units[owner.unit].promise.by;
    if (by <= now || (widest && by <= widest->by)) continue;
    const auto candidates = placement::candidates_in(state.supply(), demand, id);
    const bool fits = std::ranges::any_of(candidates, [&](const placement::Candidate& each) {
      return !state.market().fit(pool, each.need, demand.nodes, claim).empty();
    });
    if (!fits) continue;
    const Span longest = by - *surely_ends(with_length(spec, Span{1}), now) + Span{1};
    widest = {id, owner.job, by, std::max(longest, Span{})};
  }
  return widest;
}

bool has_promise(const State& state, const jobs::Unit& unit, Moment now) {
  const Pool* pool = state.catalogue().pools().find(unit.promise.pool);
  return pool != nullptr && pool->state == ServingState::production && unit.promise.by > now &&
         unit.promise.nodes.back() < pool->nodes;
}

void forget_promise(Deciding& deciding, const UnitKey& key) {
  if (deciding.state.jobs().find(key.job)->units[key.unit].promise.pool)
    deciding.emit(jobs::UnitPromised{key, {}});
}

void renew_promise(Deciding& deciding, const UnitKey& key) {
  const jobs::Job& job = *deciding.state.jobs().find(key.job);
  const jobs::Phase phase = job.units[key.unit].phase;
  if (phase != jobs::Phase::waiting || !promise_nodes(deciding, job, key))
    forget_promise(deciding, key);
}

bool may_have_promise(const jobs::Job& job) {
  return !job.spec->is_spread() && !job.guest && !job.spec->is_spot;
}

bool may_keep_in(const State& state, const jobs::Job& job, const UnitKey& key, PoolId pool) {
  const UnitKey* owner = state.jobs().promises().find(pool);
  if (owner == nullptr || *owner == key) return true;
  const jobs::Job& other = *state.jobs().find(owner->job);
  return jobs::queue_key(*job.spec, key) < jobs::queue_key(*other.spec, *owner);
}

bool promise_nodes(Deciding& deciding, const jobs::Job& job, const UnitKey& key) {
  const State& state = deciding.state;
  const placement::Demand demand = placement::make_demand(*job.spec);
  const ledger::Hold& hold = state.ledger().holds().at(job.hold);
  const Seeker seeker{key, *job.spec, 1, hold, job.owed};
  const auto ranking = placement::rank(state.supply(), demand, nullptr, pools_weighed_max);
  jobs::Promise best;
  for (const placement::Candidate& each : ranking.best) {
    const Pool& pool = state.catalogue().pools().at(each.pool);
    if (pool.remote) continue;  // Its member decides which nodes it grants.
    if (state.market().newest_in(pool.id) <= key.job) continue;
    if (!may_keep_in(state, job, key, pool.id)) continue;
    if (!can_pay(deciding, seeker, scale(each.hourly_cost, 1, job.spec->elements))) continue;
    jobs::Promise promise = earliest_in(state, pool, each.need, demand.nodes, deciding.now);
    const auto order = [](const jobs::Promise& of) { return std::tuple(of.by, !of.is_bound); };
    if (promise.pool && (!best.pool || order(promise) < order(best))) best = std::move(promise);
  }
  if (!best.pool) return false;
  deciding.emit(jobs::UnitPromised{key, std::move(best)});
  return true;
}

}  // namespace suan::domain
