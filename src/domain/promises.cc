// Keeps nodes for work that smaller work would pass by for ever: backfilling with reservations, as
// in D. Lifka, "The ANL/IBM SP Scheduling System" (1995), one reservation in each pool.
#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "domain/deciding.h"
#include "domain/terms.h"
#include "market/lookahead.h"

namespace suan::domain {

using jobs::UnitKey;

namespace {

constexpr std::size_t pools_weighed_max = 4;
constexpr Span promise_lasts_min = seconds(10);  // Before it is made anew.

JobSpec with_length(JobSpec spec, Span length) {
  spec.max_duration = length;
  return spec;
}

// The leases of a pool in the order in which they end, as far as anybody can say now.
class EndsInTurn {
 public:
  EndsInTurn(const market::Market& market, PoolId pool, Moment now)
      : market_(market), pool_(pool), now_(now) {
    for (const Kind kind : {Kind::fixed, Kind::not_begun, Kind::unlimited}) {
      auto from = market.endings().from({pool, {kind, INT64_MIN}, {}});
      if (is_of(from, kind)) heads_.push_back({kind, std::move(from)});
    }
  }

  struct End {
    const market::Lease* lease = nullptr;  // Absent: that was the last.
    Moment at;
    bool is_bound = true;
  };
  End next() {
    Head* first = nullptr;
    End end;
    for (Head& head : heads_) {
      const Moment at = ends_at(head.next->first.ending, now_);
      if (first != nullptr && at >= end.at) continue;
      first = &head;
      end.at = at;
    }
    if (first == nullptr) return end;
    end.lease = market_.find_lease(first->next->first.lease);
    end.is_bound = first->kind != Kind::unlimited;
    ++first->next;
    if (!is_of(first->next, first->kind)) heads_.erase(heads_.begin() + (first - heads_.data()));
    return end;
  }

 private:
  using Kind = market::Ending::Kind;
  using Iterator = decltype(std::declval<const Table<market::EndingKey, bool>&>().begin());
  struct Head {
    Kind kind;
    Iterator next;
  };

  bool is_of(const Iterator& at, Kind kind) const {
    return at != market_.endings().end() && at->first.pool == pool_ &&
           at->first.ending.kind == kind;
  }

  const market::Market& market_;
  PoolId pool_;
  Moment now_;
  std::vector<Head> heads_;  // The next of each kind.
};

// The nodes of a pool that can take a task of a unit first, and when the last of them can; an empty
// promise if there are not as many as it needs.
jobs::Promise earliest_in(const State& state, const Pool& pool, const Need& need,
                          std::uint32_t tasks, Moment now) {
  market::Lookahead ahead(state.market().nodes(), pool, need);
  jobs::Promise promise{.pool = pool.id,
                        .nodes = ahead.open_now(tasks),
                        .by = now + promise_lasts_min,
                        .is_bound = pool.is_firm};
  EndsInTurn ends(state.market(), pool.id, now);
  std::vector<std::uint32_t> unbound;  // Nodes on which something without a limit has ended.
  while (promise.nodes.size() < tasks) {
    const EndsInTurn::End end = ends.next();
    if (end.lease == nullptr) return {};
    const Grant& grant = end.lease->grant;
    if (!end.is_bound) unbound.push_back(grant.node);
    if (!ahead.end(grant)) continue;
    promise.nodes.push_back(grant.node);
    promise.by = std::max(promise.by, end.at);
    if (std::ranges::find(unbound, grant.node) != unbound.end()) promise.is_bound = false;
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
