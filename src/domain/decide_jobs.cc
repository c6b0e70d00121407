// Decides about jobs as a whole: submitting, stopping, ending.
#include <algorithm>

#include "base/planted.h"
#include "base/text.h"
#include "domain/deciding.h"
#include "domain/terms.h"
#include "placement/rank.h"
#include "placement/why.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

constexpr std::uint32_t nodes_max = 1024;
constexpr std::uint32_t elements_max = 10'000;
constexpr std::uint32_t alternatives_max = 16;
constexpr std::size_t place_bytes_max = 256;
constexpr Span duration_max = hours(100LL * 366 * 24);

Ruling check_spec(const JobSpec& spec) {
  if (spec.alternatives.empty() || spec.alternatives.size() > alternatives_max)
    return refuse(Code::spec_invalid, "a job has 1 to 16 ways to run it", "/variants");
  if (spec.nodes == 0 || spec.nodes > nodes_max)
    return refuse(Code::spec_invalid, "num_nodes is 1 to 1024", "/num_nodes");
  if (spec.elements == 0 || spec.elements > elements_max || (spec.elements > 1 && spec.nodes > 1))
    return refuse(Code::spec_invalid,
                  "array and replicas are 1 to 10000, and above 1 only with num_nodes 1", "/array");
  if (spec.is_spread() && (spec.elements > nodes_max || spec.kind != JobKind::batch))
    return refuse(Code::spec_invalid, "a gang that is spread has at most 1024 nodes",
                  "/resources/topology");
  for (const Alternative& each : spec.alternatives) {
    const bool is_share = each.card_milli > 0 && each.card_milli < 1000;
    const bool is_whole = each.card_milli >= 0 && each.card_milli % 1000 == 0;
    if ((!is_share && !is_whole) || each.card_milli > 64'000 ||
        (each.card_milli > 0) == each.chip.empty())
      return refuse(Code::spec_invalid,
                    "accelerators are whole cards, at most 64, or a share of one",
                    "/resources/accelerators");
  }
  const bool is_bound = spec.where.max_rtt > Span{} || spec.where.circle != Circle::none;
  if (is_bound != spec.where.near.is_given() || spec.where.near.name.size() > place_bytes_max)
    return refuse(Code::spec_invalid,
                  "where.near goes with where.circle or where.max_rtt, and either of them with it",
                  "/where/near");
  const Objective fitting = spec.window == Window::greenest ? Objective::carbon : Objective::cost;
  if (spec.window != Window::none && (spec.deadline == Moment{} || spec.objective != fitting))
    return refuse(Code::spec_invalid,
                  "start.window goes with start.deadline, and with the objective of its kind",
                  "/start/window");
  if (spec.grace > grace_max)
    return refuse(Code::spec_invalid, "the grace to stop in is at most 30m", "/grace");
  const Span lost_after = spec.partition.lost_after;
  if (lost_after != Span{} && lost_after < lost_after_min)
    return refuse(Code::spec_invalid, "lost_after is at least 10s", "/partition/lost_after");
  if (spec.max_duration > duration_max || lost_after > duration_max ||
      spec.retry.duration > duration_max)
    return refuse(Code::spec_invalid, "no length of time is over 100 years", "/max_duration");
  const bool is_negative = spec.budget < Money{} || spec.hourly_max < Money{} ||
                           spec.max_duration < Span{} || spec.grace < Span{} ||
                           spec.cpu_milli.least < 0 || spec.cpu_milli.most < 0 ||
                           spec.memory_bytes.least < 0 || spec.memory_bytes.most < 0 ||
                           spec.retry.duration < Span{} || spec.where.max_rtt < Span{};
  if (is_negative) return refuse(Code::spec_invalid, "no amount of a job is negative");
  return {};
}

std::string list_rejections(const placement::Counts& counts, const placement::Demand& demand) {
  std::string text;
  for (const placement::Rejection& each : placement::print_counts(counts, demand))
    text += (text.empty() ? "" : "; ") + each.text;
  return text;
}

Ruling check_plan(const PlanBinding& plan, const placement::Candidate* now_at) {
  if (!plan.is_bound || planted(Bug::plan_not_checked)) return {};
  const bool starts = plan.pool != PoolId{};
  if (starts != (now_at != nullptr))
    return refuse(Code::plan_stale, starts ? "the place in this plan is taken: plan again"
                                           : "there is a place for this job now: plan again");
  if (!starts) return {};
  if (now_at->pool != plan.pool || now_at->alternative != plan.alternative)
    return refuse(Code::plan_stale, "another place is the best one now: plan again");
  if (now_at->hourly_cost != plan.hourly)
    return refuse(Code::plan_stale,
                  "the price is now " + print_money(now_at->hourly_cost) + " CNY/h: plan again");
  return {};
}

// The best place, now or later, for the price of the hold; or the refusal that there is none.
std::expected<placement::Candidate, Refusal> best_place(const State& state,
                                                        const placement::Demand& demand) {
  const ExactNodes nodes(state);
  auto ranking = placement::rank(state.supply(), demand, &nodes, 1);
  if (!ranking.best.empty()) return std::move(ranking.best.front());
  if (ranking.pools == 0) return refuse(Code::no_pool_fits, "this domain offers no capacity yet");
  return refuse(Code::no_pool_fits, "no pool could run this job, even an idle one: " +
                                        list_rejections(ranking.counts, demand) +
                                        ". `suan find` shows what there is");
}

// What a unit that waits will be charged, as far as is known: in the best place there is now, or
// where and when it is put off to.
jobs::Placement expected_at(const State& state, const JobSpec& spec,
                            const placement::Candidate& best,
                            const std::optional<jobs::PutOff>& later, Moment now) {
  const Pool& pool = state.catalogue().pools().at(later ? later->pool : best.pool);
  Need need = best.need;
  if (later) {
    const placement::Demand demand = placement::make_demand(spec);
    const auto candidates = placement::candidates_in(state.supply(), demand, pool.id);
    if (!candidates.empty()) need = candidates.front().need;
  }
  jobs::Placement expected;
  expected.hourly = hourly_price(price_in(pool, spec.is_spot), need);
  note_rates(pool, spec, later ? later->until : now, expected);
  return expected;
}

// Saturates: what Money cannot hold, no account has.
Money times(Money amount, std::uint32_t n) {
  Money product;
  if (__builtin_mul_overflow(amount.micro, std::int64_t{n}, &product.micro)) return {INT64_MAX};
  return product;
}

Ruling check_money(const Deciding& deciding, const JobSpec& spec, const Fare& fare, Money hold) {
  if (spec.budget != Money{} && fare.hourly != Money{}) {
    const Span limit = running_limit(spec, fare, scale(hold, 1, spec.elements));
    if (limit < budget_time_min && (spec.max_duration == Span{} || limit < spec.max_duration)) {
      return refuse(
          Code::budget_too_small,
          "a budget of " + print_money(spec.budget) + " CNY does not pay for a minute at " +
              print_money(scale(fare.hourly, spec.elements, 1)) + " CNY/h and the grace to stop in",
          "/price/budget");
    }
  }
  if (deciding.state.ledger().can_hold(spec.project, hold)) return {};
  const Money available = deciding.state.ledger().balance(ledger::project_account(spec.project));
  return refuse(Code::credit_insufficient,
                "this job needs " + print_money(hold) + " CNY set aside and the project has " +
                    print_money(available) +
                    " CNY: lower max_duration or the budget, or ask for credit",
                "/project");
}

}  // namespace

Ruling decide_one(Deciding& deciding, const SubmitJob& command) {
  const State& state = deciding.state;
  const JobSpec& asked = command.spec;
  if (!planted(Bug::seat_not_asked_to_submit))
    SUAN_CHECK(authorise(state, deciding.caller, identity::Action::run_in_project, asked.project));
  if (!state.identity().projects().contains(asked.project))
    return refuse(Code::project_unknown, "there is no such project", "/project");
  SUAN_CHECK(check_spec(asked));
  if (asked.deadline != Moment{} && asked.deadline <= deciding.now)
    return refuse(Code::spec_invalid, "the deadline has passed", "/start/deadline");

  const bool is_early = asked.not_before > deciding.now && !planted(Bug::not_before_ignored);
  const auto later = is_early ? std::nullopt : better_hour(state, asked, deciding.now);
  const bool must_wait =
      is_early || later || state.jobs().lines().contains(jobs::demand_fingerprint(asked));
  std::vector<Choice> places;
  if (!must_wait) {
    const UnitKey first{{state.essence().last.job + 1}, 0};
    places = choose_places(state, asked, claim_of(asked, first, deciding.now), deciding.now);
  }
  SUAN_CHECK(check_plan(command.plan, places.empty() ? nullptr : &places.front().best));
  jobs::Placement expected;
  Fare fare = Money{};
  if (places.empty()) {
    SUAN_TRY(const placement::Candidate best, best_place(state, placement::make_demand(asked)));
    SUAN_CHECK(check_room(state, asked));
    expected = expected_at(state, asked, best, later, deciding.now);
    fare = {expected, asked.nodes};
  } else {
    for (const Choice& each : places) {  // The dearest, if they differ.
      const Fare own{each.record, asked.nodes};
      if (unit_allowance(asked, fare) <= unit_allowance(asked, own)) fare = own;
    }
  }
  const Money hold_amount = times(unit_allowance(asked, fare), asked.elements);
  SUAN_CHECK(check_money(deciding, asked, fare, hold_amount));

  const Counters& last = state.essence().last;
  const JobId id{last.job + 1};
  auto spec = std::make_shared<JobSpec>(asked);
  const auto number = [&](PayloadId& payload) {
    if (payload) payload.value += last.payload;
  };
  number(spec->payload);
  for (Alternative& each : spec->alternatives) number(each.payload);

  deciding.accept("job-" + std::to_string(id.value));
  const HoldId hold_id{last.hold + 1};
  deciding.emit(jobs::JobSubmitted{.job = id,
                                   .user = deciding.caller.principal.user,
                                   .hold = hold_id,
                                   .spec = spec,
                                   .held = hold_amount,
                                   .is_rolling = is_rolling(asked),
                                   .payloads = command.payloads});
  deciding.emit(ledger::Held{hold_id, id, asked.project, hold_amount});
  for (std::uint32_t unit = 0; later && unit < asked.elements; ++unit) {
    if (jobs::waits_itself(asked, unit)) deciding.emit(jobs::UnitPutOff{{id, unit}, *later});
  }
  if (!places.empty()) {
    const ledger::Hold hold{.id = hold_id,
                            .job = id,
                            .project = asked.project,
                            .amount = hold_amount,
                            .allotted = {},
                            .charged = {}};
    place_all(deciding, {{id, 0}, *spec, 1, hold}, std::move(places));
  }
  return {};
}

void give_up_placement(Deciding& deciding, const jobs::Job& job, const UnitKey& key) {
  const jobs::Unit& unit = job.units[key.unit];
  for (const jobs::Task& task : unit.tasks) {
    if (task.lease && deciding.state.market().find_lease(task.lease))
      deciding.emit(market::LeaseReleased{task.lease, false});
  }
  if (unit.allowance_left != Money{})
    deciding.emit(ledger::Allotted{job.hold, -unit.allowance_left});
}

void end_job(Deciding& deciding, const jobs::Job& job, jobs::Outcome outcome,
             const jobs::UnitEnded& last, Money held) {
  if (!planted(Bug::hold_not_returned)) deciding.emit(ledger::HoldReturned{job.hold, held, true});
  if (job.guest && held > Money{} && !planted(Bug::rest_of_guest_kept))
    deciding.emit(ledger::Withdrawn{job.spec->project, held, "not used"});
  const bool is_first = job.units_failed == 0;
  deciding.emit(jobs::JobEnded{.job = job.id,
                               .outcome = outcome,
                               .exit_code = is_first ? last.exit_code : job.exit_code,
                               .reason = is_first ? last.reason : job.reason});
}

Ruling decide_one(Deciding& deciding, const StopJob& command) {
  const State& state = deciding.state;
  const jobs::Job* job = state.jobs().find(command.job);
  const std::string name = "job-" + std::to_string(command.job.value);
  if (job == nullptr) return refuse(Code::job_unknown, "there is no live job " + name);
  if (!authorise(state, deciding.caller, identity::Action::run_in_project, job->spec->project) &&
      !planted(Bug::seat_not_asked_to_stop))
    return refuse(Code::job_unknown, "there is no live job " + name);
  if (job->outcome != jobs::Outcome::none)
    return refuse(Code::job_ended, name + " has ended already");

  deciding.accept(name);
  if (job->is_stopping) return {};
  const Phase first = job->units.front().phase;
  if (job->guest && (first == Phase::reserving || first == Phase::confirming)) {
    refuse_guest(deciding, *job, "its host stopped it");
    return {};
  }
  deciding.emit(jobs::JobStopping{job->id, deciding.caller.principal.user});
  std::uint32_t ended = job->units_ended;
  jobs::UnitEnded last{
      .unit = {}, .end = AttemptEnd::cancelled, .exit_code = 0, .reason = "stopped on request"};
  for (std::uint32_t i = 0; i < job->units.size(); ++i) {
    const jobs::Unit& unit = job->units[i];
    last.unit = {job->id, i};
    if (unit.phase == Phase::waiting && planted(Bug::waiting_unit_not_stopped)) continue;
    if (unit.phase == Phase::waiting || unit.phase == Phase::reserving ||
        unit.phase == Phase::confirming) {
      give_up_placement(deciding, *job, last.unit);
      deciding.emit(last);
      ++ended;
      continue;
    }
    for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
      if (unit.tasks[t].phase != Phase::staging && unit.tasks[t].phase != Phase::running) continue;
      deciding.emit(jobs::TaskStopping{{job->id, jobs::task_number(*job->spec, i, t), unit.attempt},
                                       AttemptEnd::cancelled});
      if (planted(Bug::lease_released_at_stop))
        deciding.emit(market::LeaseReleased{unit.tasks[t].lease, false});
    }
  }
  if (ended == job->units.size())
    end_job(deciding, *job, jobs::Outcome::cancelled, last,
            state.ledger().holds().at(job->hold).amount);
  return {};
}

}  // namespace suan::domain
