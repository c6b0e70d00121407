// Decides about units and their attempts: placing, reserving, confirming, reporting, timers.
#include <algorithm>
#include <limits>
#include <utility>

#include "base/ensure.h"
#include "base/planted.h"
#include "base/text.h"
#include "domain/deciding.h"
#include "domain/gangs.h"
#include "domain/queue.h"
#include "domain/terms.h"
#include "placement/rank.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

constexpr std::size_t few_pools = 64;  // A look at all of them is the quickest way to choose.
constexpr std::size_t runners_recorded = 3;
constexpr std::size_t equals_max = 16;  // Pools that are as good, of which one is chosen by shape.
constexpr std::size_t evicted_at_once_max = 64;
constexpr std::size_t promises_sought_max = 16;  // At once, for the first that find no place.

}  // namespace

Choice record_choice(const State& state, const placement::Demand& demand,
                     const placement::Ranking& ranking, const placement::Candidate& best) {
  Choice choice;
  choice.best = best;
  choice.record.pools = static_cast<std::uint32_t>(ranking.pools);
  choice.record.runners.reserve(ranking.best.size());
  for (const placement::Candidate& each : ranking.best) {
    if (each.pool != choice.best.pool && choice.record.runners.size() < runners_recorded)
      choice.record.runners.push_back({each.pool, each.hourly_cost, each.starts_now()});
  }
  choice.record.rejected.reserve(static_cast<std::size_t>(
      std::ranges::count_if(ranking.counts, [](std::uint64_t count) { return count > 0; })));
  for (std::uint32_t i = 0; i < ranking.counts.size(); ++i) {
    if (ranking.counts[i] > 0)
      choice.record.rejected.push_back({placement::number(static_cast<placement::Reason>(i)),
                                        static_cast<std::uint32_t>(ranking.counts[i])});
  }
  choice.record.pool = choice.best.pool;
  choice.record.alternative = choice.best.alternative;
  choice.record.need = choice.best.need;
  const Pool& pool = state.catalogue().pools().at(choice.best.pool);
  const bool is_spot = demand.is_spot && !planted(Bug::spot_pays_in_full);
  choice.record.hourly = hourly_price(price_in(pool, is_spot), choice.best.need);
  return choice;
}

namespace {

// Thousandths of a core for each card; without cards more than anything.
std::int64_t cores_per_card(std::int64_t cpu_milli, std::int64_t card_milli) {
  if (card_milli <= 0) return std::numeric_limits<std::int64_t>::max();
  return scale(Money{cpu_milli}, 1000, card_milli).micro;
}

// How well a pool suits a need, among those that are as good by the objective; the least is best.
//
// A share goes where the rest beside it is smallest. Other work goes where the free cores for each
// free card are nearest to those asked for and suffice, or else are most: so work that needs few
// leaves pools alone that have many, and cards are not left without cores.
std::pair<int, std::int64_t> misfit(const State& state, const Pool& pool, const Need& need) {
  if (need.card_milli > 0 && need.card_milli < 1000) {
    const auto rest = state.market().nodes().rest_of_shared(pool, need);
    return rest ? std::pair(0, std::int64_t{*rest}) : std::pair(1, std::int64_t{0});
  }
  const market::PoolFree free = state.market().nodes().free_in(pool);
  const std::int64_t has = cores_per_card(free.cpu_milli, free.card_milli);
  const std::int64_t asks = cores_per_card(need.cpu_milli, need.card_milli);
  return has >= asks ? std::pair(0, has) : std::pair(1, -has);
}

// Of the pools that start it now and are as good as the first: the one that suits it best. Of one
// that a sub-domain grants only that domain knows what is free there.
const placement::Candidate* best_in_shape(const State& state,
                                          const std::vector<placement::Candidate>& best) {
  const placement::Candidate* chosen = nullptr;
  placement::Score least;
  std::pair<int, std::int64_t> fit;
  for (const placement::Candidate& each : best) {
    if (!each.starts_now()) continue;
    placement::Score score = each.score;
    score.spare_milli = 0;
    score.pool = score.alternative = 0;
    if (chosen != nullptr && least < score) break;
    const Pool& pool = state.catalogue().pools().at(each.pool);
    if (pool.remote) return chosen == nullptr ? &each : chosen;
    const auto own = misfit(state, pool, each.need);
    if (chosen != nullptr && own >= fit) continue;
    chosen = &each;
    least = score;
    fit = own;
  }
  return chosen;
}

}  // namespace

std::optional<Choice> choose_place(const State& state, const placement::Demand& demand) {
  const ExactNodes nodes(state);
  std::optional<placement::Candidate> best;
  if (state.supply().size() > few_pools) {
    // Most lines that wait find nothing: that is known without a look at every pool.
    best = placement::choose(state.supply(), demand, &nodes);
    if (!best) return std::nullopt;
  }
  const auto ranking = placement::rank(state.supply(), demand, &nodes, equals_max);
  if (ranking.starts_now == 0) return std::nullopt;
  if (const placement::Candidate* first = best_in_shape(state, ranking.best)) best = *first;
  if (!best) best = placement::choose(state.supply(), demand, &nodes);
  if (!best) return std::nullopt;
  return record_choice(state, demand, ranking, *best);
}

std::optional<Choice> choose_kept(const State& state, const placement::Demand& demand,
                                  const market::Claim& claim) {
  std::optional<placement::Candidate> best;
  for (const auto& [id, owner] : state.jobs().promises()) {
    const jobs::Job& job = *state.jobs().find(owner.job);
    const std::uint8_t rank = jobs::queue_key(*job.spec, owner).rank;
    if (!claim.may_use({owner.job, owner.unit, rank, job.units[owner.unit].promise.by})) continue;
    const Pool& pool = state.catalogue().pools().at(id);
    for (const placement::Candidate& each : placement::candidates_in(state.supply(), demand, id)) {
      if (best && !(each.score < best->score)) break;
      if (state.market().fit(pool, each.need, demand.nodes, claim).empty()) continue;
      best = each;
      break;
    }
  }
  if (!best) return std::nullopt;
  const ExactNodes nodes(state);
  return record_choice(
      state, demand, placement::rank(state.supply(), demand, &nodes, runners_recorded + 1), *best);
}

namespace {

// What a unit gets to spend at this price, and how much the hold must first grow for it; nothing if
// it cannot be paid.
struct Payment {
  Money allowance;
  Money extension;
};

std::optional<Payment> pay_for(const Deciding& deciding, const JobSpec& spec, const Fare& fare,
                               const ledger::Hold& hold, Money owed) {
  const Money free = hold.amount - hold.allotted;
  Money allowance = unit_allowance(spec, fare);
  if (spec.budget != Money{}) {
    const Money spent = planted(Bug::budget_forgets_what_was_spent) ? Money{} : hold.charged + owed;
    const Money may_grow = std::max(spec.budget - spent - hold.amount, Money{});
    allowance = std::min(allowance, free + may_grow);
    const Span limit = running_limit(spec, fare, allowance);
    const bool is_short = spec.max_duration == Span{} || limit < spec.max_duration;
    if (fare.hourly != Money{} && is_short && limit < budget_time_min) return std::nullopt;
  }
  const Money extension = std::max(allowance - free, Money{});
  // A hold made by this very decision has not been taken off the balance yet; it never needs more.
  if (extension > Money{} && !deciding.state.ledger().can_hold(spec.project, extension))
    return std::nullopt;
  return Payment{allowance, extension};
}

// The unit that a message is about, if it is in that phase of that attempt.
const jobs::Job* job_in_phase(const Deciding& deciding, const UnitKey& key, std::uint32_t attempt,
                              Phase phase) {
  const jobs::Job* job = deciding.state.jobs().find(key.job);
  if (job == nullptr || key.unit >= job->units.size()) return nullptr;
  const jobs::Unit& unit = job->units[key.unit];
  const bool is_present = unit.attempt == attempt || planted(Bug::stale_confirm_accepted);
  return unit.phase == phase && is_present ? job : nullptr;
}

}  // namespace

std::unexpected<Refusal> stale() {
  return refuse(Code::stale, "this is about an attempt that is over");
}

void stop_unit(Deciding& deciding, const jobs::Job& job, const UnitKey& key, AttemptEnd why) {
  const jobs::Unit& unit = job.units[key.unit];
  for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
    const Phase phase = unit.tasks[t].phase;
    if (phase == Phase::staging || phase == Phase::running) {
      deciding.emit(jobs::TaskStopping{
          {job.id, jobs::task_number(*job.spec, key.unit, t), unit.attempt}, why});
    }
  }
}

bool pays_for_a_minute(const JobSpec& spec, const Fare& fare, Money left) {
  if (spec.budget == Money{} || fare.hourly == Money{}) return true;
  const Span limit = running_limit(spec, fare, std::min(unit_allowance(spec, fare), left));
  const bool is_short = spec.max_duration == Span{} || limit < spec.max_duration;
  return !is_short || limit >= budget_time_min;
}

bool can_pay(const Deciding& deciding, const Seeker& seeker, const Fare& fare) {
  return pay_for(deciding, seeker.spec, fare, seeker.hold, seeker.owed).has_value();
}

bool place_unit(Deciding& deciding, const Seeker& seeker, Choice choice) {
  const JobSpec& spec = seeker.spec;
  const ledger::Hold& hold = seeker.hold;
  const auto payment = pay_for(deciding, spec, {choice.record, spec.nodes}, hold, seeker.owed);
  if (!payment) return false;
  const jobs::Job* known = deciding.state.jobs().find(seeker.key.job);
  if (known != nullptr && known->units[seeker.key.unit].promise.pool != choice.record.pool)
    forget_promise(deciding, seeker.key);
  if (payment->extension > Money{})
    deciding.emit(ledger::HoldExtended{hold.id, payment->extension});
  if (payment->allowance > Money{}) deciding.emit(ledger::Allotted{hold.id, payment->allowance});
  const Money spare = hold.amount - hold.allotted - payment->allowance;
  if (spec.elements == 1 && spare > Money{})  // Cheaper than was set aside for.
    deciding.emit(ledger::HoldReturned{hold.id, spare, false});
  choice.record.allowance = payment->allowance;
  deciding.emit(jobs::UnitPlaced{seeker.key, seeker.attempt, std::move(choice.record)});
  return true;
}

namespace {

// Whether the budget of a waiting unit is used up for good: what was spent does not come back, no
// unit of its job holds anything that could, and the cheapest pool, free or not, costs too much.
bool is_spent(const State& state, const jobs::Job& job, const ledger::Hold& hold) {
  if (job.spec->budget == Money{} || hold.charged + job.owed == Money{}) return false;
  if (job.lost_open > 0) return false;
  const bool others_hold = std::ranges::any_of(job.units, [](const jobs::Unit& unit) {
    return unit.phase != Phase::waiting && unit.phase != Phase::ended;
  });
  if (others_hold) return false;
  placement::Demand demand = placement::make_demand(*job.spec);
  demand.objective = Objective::cost;
  demand.is_ordered = false;
  const auto cheapest = placement::rank(state.supply(), demand, nullptr, 1);
  if (cheapest.best.empty()) return false;
  const Money hourly = scale(cheapest.best.front().hourly_cost, 1, job.spec->elements);
  // What no budget of this size would pay for waits for another price instead.
  const bool is_dear = !pays_for_a_minute(*job.spec, hourly, job.spec->budget);
  return (!is_dear || planted(Bug::dear_taken_for_spent)) &&
         !pays_for_a_minute(*job.spec, hourly, job.spec->budget - hold.charged - job.owed);
}

// Ends a unit that waits, with all that are bound with it, and its job with the last of them.
void end_waiting(Deciding& deciding, const jobs::Job& job, const jobs::UnitEnded& end) {
  const std::vector<std::uint32_t> bound = jobs::bound_with(job, end.unit.unit);
  for (const std::uint32_t unit : bound) {
    jobs::UnitEnded each = end;
    each.unit.unit = unit;
    deciding.emit(std::move(each));
  }
  if (job.units_ended + bound.size() == job.units.size())
    end_job(deciding, job, jobs::Outcome::failed, end,
            deciding.state.ledger().holds().at(job.hold).amount);
}

}  // namespace

namespace {

// Places the head of a line, ends it, or keeps nodes for it; false, and no event, if there is
// nothing to do about it now.
bool serve_head(Deciding& deciding, const UnitKey& key, std::size_t& promises_left) {
  const jobs::Job& job = *deciding.state.jobs().find(key.job);
  const ledger::Hold& hold = deciding.state.ledger().holds().at(job.hold);
  const jobs::Unit& unit = job.units[key.unit];
  auto choices = choose_places(deciding.state, *job.spec, claim_of(*job.spec, key, deciding.now),
                               deciding.now);
  if (choices.empty()) {
    if (promises_left == 0 || !may_have_promise(job)) return false;
    if (may_clear(deciding.state, job, key, deciding.now)) {
      --promises_left;
      if (clear_place(deciding, job, key)) return true;
    }
    if (promises_left == 0) return false;
    if (has_promise(deciding.state, unit, deciding.now)) return false;
    --promises_left;
    if (promise_nodes(deciding, job, key)) return true;
    if (!unit.promise.pool) return false;
    forget_promise(deciding, key);  // Those nodes will never do.
    return true;
  }
  if (place_all(deciding, {key, *job.spec, unit.attempt + 1, hold, job.owed}, std::move(choices)))
    return true;
  if (unit.promise.pool) {  // Nodes are kept for those who can pay.
    forget_promise(deciding, key);
    return true;
  }
  if (!is_spent(deciding.state, job, hold)) return false;
  end_waiting(deciding, job,
              {.unit = key,
               .end = AttemptEnd::over_budget,
               .exit_code = 0,
               .reason = "what is left of its budget does not pay for a minute anywhere"});
  return true;
}

}  // namespace

Ruling decide_one(Deciding& deciding, const PlaceWaiting& command) {
  std::size_t lines_left = lines_tried_max;
  std::size_t promises_left = command.may_promise ? promises_sought_max : 0;
  bool is_served = false;
  each_head_in_turn(deciding.state, command.skip, [&](const jobs::HeadKey& head) {
    if (lines_left-- == 0) return false;
    is_served = serve_head(deciding, head.unit, promises_left);
    return !is_served;
  });
  if (is_served) return {};
  return refuse(Code::nothing_placeable, "no waiting unit can start now");
}

Ruling decide_one(Deciding& deciding, const Reserve& command) {
  const jobs::Job* job = job_in_phase(deciding, command.unit, command.attempt, Phase::reserving);
  if (job == nullptr) return stale();
  const State& state = deciding.state;
  const jobs::Unit& unit = job->units[command.unit.unit];
  const Pool& pool = state.catalogue().pools().at(unit.placement.pool);
  std::vector<Grant> grants;
  if (pool.state == ServingState::production || planted(Bug::closed_pool_grants))
    grants = state.market().fit(
        pool, unit.placement.need, job->spec->nodes,
        job->guest ? market::Claim{} : claim_of(*job->spec, command.unit, deciding.now));
  if (grants.empty() && job->guest) {
    refuse_guest(deciding, *job, "its capacity was taken meanwhile");
    return {};
  }
  if (grants.empty()) {
    const bool is_open = pool.state == ServingState::production;
    return_unit(deciding, *job, command.unit,
                is_open ? jobs::Setback::capacity_taken : jobs::Setback::pool_closed);
    return {};
  }
  forget_promise(deciding, command.unit);
  jobs::UnitGranted granted{command.unit, {}};
  granted.leases.reserve(grants.size());
  const Counters& last = state.essence().last;
  for (std::uint32_t t = 0; t < grants.size(); ++t) {
    const LeaseId id{last.lease + 1 + t};
    const AttemptKey holder{job->id, jobs::task_number(*job->spec, command.unit.unit, t),
                            unit.attempt};
    deciding.emit(market::LeaseGranted{{.id = id,
                                        .epoch = last.lease_epoch + 1 + t,
                                        .pool = pool.id,
                                        .holder = holder,
                                        .grant = std::move(grants[t]),
                                        .state = market::LeaseState::tentative,
                                        .expires = deciding.now + tentative_lease_lasts}});
    granted.leases.push_back(id);
  }
  deciding.emit(std::move(granted));
  return {};
}

Ruling decide_one(Deciding& deciding, const Confirm& command) {
  const jobs::Job* job = job_in_phase(deciding, command.unit, command.attempt, Phase::confirming);
  if (job == nullptr) return stale();
  const jobs::Unit& unit = job->units[command.unit.unit];
  if (is_kept(deciding.state, unit)) return stale();
  for (const jobs::Task& task : unit.tasks) {
    const market::Lease* lease = deciding.state.market().find_lease(task.lease);
    ensure(lease != nullptr && lease->state == market::LeaseState::tentative);
    if (lease->expires > deciding.now || planted(Bug::expired_lease_confirmed)) continue;
    return_unit(deciding, *job, command.unit, jobs::Setback::lease_expired);
    return {};
  }
  if (job->spec->is_spread())
    keep_part(deciding, *job, command.unit);
  else
    launch_unit(deciding, *job, launch_terms(deciding, *job, command.unit));
  return {};
}

jobs::UnitLaunched launch_terms(const Deciding& deciding, const jobs::Job& job,
                                const UnitKey& key) {
  const jobs::Unit& unit = job.units[key.unit];
  jobs::UnitLaunched launched{
      .unit = key,
      .run_for = {},
      .max_duration = running_limit(*job.spec, fare_of(job, unit), unit.placement.allowance),
      .paid_until = {}};
  if (job.is_rolling) {
    launched.paid_until = deciding.now + rolling_hold;
    launched.run_for = rolling_hold - job.spec->grace;
  }
  launched.run_for = bounded_by_cut(job, launched.run_for);
  return launched;
}

void launch_unit(Deciding& deciding, const jobs::Job& job, const jobs::UnitLaunched& launched) {
  keep_leases(deciding, job.units[launched.unit.unit]);
  deciding.emit(launched);
}

Ruling decide_one(Deciding& deciding, const NotePayloadsDestroyed& command) {
  if (!deciding.state.doomed_payloads().contains(command.first)) return stale();
  deciding.emit(PayloadsDestroyed{command.first});
  return {};
}

namespace {

Ruling expire_lease(Deciding& deciding, LeaseId id) {
  const market::Lease& lease = *deciding.state.market().find_lease(id);
  const jobs::Job* job = deciding.state.jobs().find(lease.holder.job);
  ensure(job != nullptr);
  const UnitKey key{job->id, jobs::place_of(*job->spec, lease.holder.task).unit};
  if (job->guest) {
    refuse_guest(deciding, *job, "it was not committed in time");
    return {};
  }
  return_unit(deciding, *job, key, jobs::Setback::lease_expired);
  return {};
}

// The unit could not start in time, or not again.
Ruling miss_deadline(Deciding& deciding, const jobs::Job& job, const UnitKey& key) {
  const jobs::Unit& unit = job.units[key.unit];
  const jobs::Setback last =
      unit.mishaps.empty() ? jobs::Setback::none : unit.mishaps.back().setback;
  jobs::UnitEnded end{.unit = key,
                      .end = AttemptEnd::launch_failed,
                      .exit_code = 0,
                      .reason = "its start.deadline passed before it could start"};
  if (last == jobs::Setback::site_lost || last == jobs::Setback::cut_off) {
    end.end = AttemptEnd::lost;
    end.reason = "its site lost it, and its start.deadline passed before it could start again";
  } else if (last == jobs::Setback::preempted) {
    end.end = AttemptEnd::preempted;
    end.reason =
        "other work needed its place, and its start.deadline passed before it could start again";
  }
  end_waiting(deciding, job, end);
  return {};
}

void evict_job(Deciding& deciding, JobId id) {
  const JobSpec& spec = *deciding.state.jobs().find(id)->spec;
  const std::uint64_t first = spec.payload.value;
  std::uint64_t last = first;
  for (const Alternative& each : spec.alternatives) last = std::max(last, each.payload.value);
  deciding.emit(jobs::JobEvicted{id, PayloadId{first},
                                 first == 0 ? 0 : static_cast<std::uint32_t>(last - first + 1)});
}

// All whose time has come and who come first now, up to a limit: each by itself would be a record.
void evict_jobs(Deciding& deciding) {
  std::size_t evicted = 0;
  for (const auto& [timer, is_set] : deciding.state.timers()) {
    if (timer.due != Due::job_eviction || timer.at > deciding.now) return;
    if (++evicted > evicted_at_once_max) return;
    evict_job(deciding, JobId{timer.id});
  }
}

}  // namespace

Ruling decide_one(Deciding& deciding, const Tick&) {
  const auto timer = deciding.state.first_timer();
  if (!timer || timer->at > deciding.now) return refuse(Code::nothing_due, "nothing is due");
  switch (timer->due) {
    case Due::lease_expiry:
      return expire_lease(deciding, LeaseId{timer->id});
    case Due::job_eviction:
      evict_jobs(deciding);
      return {};
    case Due::requests:
      deciding.emit(RequestsForgotten{deciding.now - requests_remembered});
      return {};
    case Due::lost_attempt:
      return wait_no_longer(deciding, {JobId{timer->id}, timer->unit}, timer->at);
    case Due::promise:
      renew_promise(deciding, {JobId{timer->id}, timer->unit});
      return {};
    case Due::hour:
      begin_hour(deciding);
      return {};
    case Due::unit:
      break;
  }
  const UnitKey key{JobId{timer->id}, timer->unit};
  const jobs::Job& job = *deciding.state.jobs().find(key.job);
  const jobs::Unit& unit = job.units[key.unit];
  if (unit.phase == Phase::reserving || unit.phase == Phase::confirming) {
    return_unit(deciding, job, key, jobs::Setback::unanswered,
                deciding.now + gang_returns_for);  // Some part of it does not come.
    return {};
  }
  if (unit.phase != Phase::waiting) {
    renew_units(deciding, job, key);
    return {};
  }
  if (unit.is_queued) return miss_deadline(deciding, job, key);
  if (unit.attempt == 0) {
    if (const auto later = better_hour(deciding.state, *job.spec, deciding.now)) {
      deciding.emit(jobs::UnitPutOff{key, *later});
      return {};
    }
  }
  deciding.emit(jobs::UnitQueued{key});
  return {};
}

}  // namespace suan::domain
