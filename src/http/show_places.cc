// Candidates, reasons and changes: the answers of find, plan and why.
#include <algorithm>

#include "base/text.h"
#include "domain/queue.h"
#include "energy/course.h"
#include "http/show.h"
#include "runtime/core_thread.h"
#include "wire/names.h"

namespace suan::http {

using jobs::Phase;

namespace {

std::string wish_text(const Alternative& wish) {
  if (wish.card_milli == 0) return "";
  std::string count = std::to_string(wish.card_milli / 1000);
  if (wish.card_milli % 1000 != 0) {
    std::string share = std::to_string(1000 + wish.card_milli % 1000).substr(1);
    while (share.back() == '0') share.pop_back();
    count += "." + share;
  }
  return wish.chip + ":" + count;
}

std::string setback_text(const domain::State& state, const jobs::Mishap& mishap) {
  const std::string where = " at " + pool_text(state, mishap.pool);
  const std::string when = print_moment(mishap.at) + " ";
  switch (mishap.setback) {
    case jobs::Setback::none:
      break;
    case jobs::Setback::capacity_taken:
      return when + "somebody else got the capacity first" + where;
    case jobs::Setback::pool_closed:
      return when + "the pool took nothing new" + where;
    case jobs::Setback::lease_expired:
      return when + "the lease was not confirmed in time" + where;
    case jobs::Setback::interrupted:
      return when + "the attempt was interrupted" + where;
    case jobs::Setback::refused:
      return when + "the member could not take it" + where;
    case jobs::Setback::unanswered:
      return when + "the member could not be reached" + where;
    case jobs::Setback::site_lost:
      return when + "the site lost the attempt" + where;
    case jobs::Setback::cut_off:
      return when + "the site was cut off for too long" + where;
    case jobs::Setback::preempted:
      return when + "other work needed its place" + where;
  }
  return when;
}

// How old what is known of a pool is; 0 where every grant on it is made here and seen at once.
Span reading_age(const domain::State& state, PoolId pool) {
  const domain::Sight* sight = state.sight_of(pool);
  if (sight == nullptr) return {};
  return std::max(runtime::SystemClock{}.now() - sight->at, Span{1});
}

// A candidate out of what was recorded when it was chosen.
api::Candidate recorded(const domain::State& state, PoolId id, Money hourly, bool starts_now) {
  api::Candidate view;
  view.pool = pool_text(state, id);
  view.pool_id = id;
  view.hourly_cost = hourly;
  view.starts_now = starts_now;
  if (const Pool* pool = state.catalogue().pools().find(id)) {
    view.region = state.catalogue().sites().at(pool->site).region;
    view.chip = pool->chip;
    view.price = energy::at_hour(*pool, state.essence().hour).price;
    view.is_firm = pool->is_firm;
  }
  return view;
}

void show_placement(const domain::State& state, const jobs::Placement& placement, Money hourly,
                    api::WhyView& view) {
  view.pools = placement.pools;
  view.chosen = recorded(state, placement.pool, hourly, true);
  view.chosen.score = {"cost " + print_money(hourly) + " CNY/h", "starts now"};
  for (const jobs::Runner& runner : placement.runners)
    view.alternatives.push_back(recorded(state, runner.pool, runner.hourly, runner.starts_now));
  for (const jobs::Tally& tally : placement.rejected) {
    const auto reason = placement::find_reason(tally.reason).value_or(placement::Reason::none);
    view.rejected.push_back({.reason = std::string(placement::name(reason)),
                             .text = std::to_string(tally.count) +
                                     (tally.count == 1 ? " pool: " : " pools: ") +
                                     std::string(placement::sentence(reason)),
                             .count = tally.count});
  }
}

// What is kept for it, or for others so that it waits.
void add_promises(const domain::State& state, const jobs::Job& job, const jobs::Unit& unit,
                  api::WhyView& view) {
  if (unit.promise.pool) {
    view.text += "; " + promise_text(state, unit.promise);
    return;
  }
  if (const std::string text = cleared_text(unit); !text.empty()) view.text += "; " + text;
  constexpr Span shortest = minutes(1);
  const auto gap = domain::widest_gap(state, *job.spec, runtime::SystemClock{}.now());
  if (!gap) return;
  const std::string owner = "job-" + std::to_string(gap->owner.value);
  view.text += "; nodes of " + pool_text(state, gap->pool) + " are kept for " + owner + " until " +
               print_moment(gap->by);
  const Span longest{gap->longest.us / shortest.us * shortest.us};
  if (longest < shortest) return;
  const Span from = job.spec->max_duration;
  view.changes.push_back({.field = "max_duration",
                          .from = from == Span{} ? "" : print_span(from),
                          .to = print_span(longest),
                          .text = "with max_duration " + print_span(longest) +
                                  ", on the nodes that are kept for " + owner,
                          .pool = pool_text(state, gap->pool)});
  view.nothing_helps = false;
}

// Money can be what a job waits for, and more of it the change that helps.
void add_money_reasons(const domain::State& state, const jobs::Job& job, api::WhyView& view) {
  const ledger::Hold* hold = state.ledger().holds().find(job.hold);
  const Money available = state.ledger().balance(ledger::project_account(job.spec->project));
  if (hold == nullptr) return;
  view.text = "it could start now, but what is set aside for it (" +
              print_money(hold->amount - hold->allotted) + " CNY) and what the project has (" +
              print_money(available) + " CNY) do not pay for the price there is now";
  view.changes.push_back({.field = "project credit",
                          .from = print_money(available),
                          .to = {},
                          .text = "with more credit on the project's account",
                          .pool = {}});
}

}  // namespace

std::string cleared_text(const jobs::Unit& unit) {
  if (unit.cleared_by <= runtime::SystemClock{}.now()) return "";
  return "spot work was told to make room for it by " + print_moment(unit.cleared_by);
}

std::string promise_text(const domain::State& state, const jobs::Promise& promise) {
  const std::size_t nodes = promise.nodes.size();
  const std::string pool = pool_text(state, promise.pool);
  const std::string kept = nodes == 1
                               ? "a node of " + pool + " is kept for it"
                               : std::to_string(nodes) + " nodes of " + pool + " are kept for it";
  const std::string by = print_moment(promise.by);
  return kept + (promise.is_bound ? "; free by " + by + " at the latest"
                                  : "; expected to be free by " + by);
}

std::string put_off_text(const domain::State& state, const JobSpec& spec,
                         const jobs::PutOff& put_off) {
  const bool is_green = spec.window == Window::greenest;
  const auto amount = [&](std::int64_t value) {
    return is_green ? std::to_string((value + 500) / 1000) + " g/kWh"
                    : print_money({scale(Money{value}, 1, 10'000).micro * 10'000}) + " CNY/h";
  };
  const std::int64_t less = 100 - scale(Money{put_off.then}, 100, put_off.now).micro;
  return "until " + print_moment(put_off.until) +
         (is_green ? " for a greener hour" : " for a cheaper hour") + "; then " +
         amount(put_off.then) + " at " + pool_text(state, put_off.pool) + "; now " +
         amount(put_off.now) +
         (put_off.pool_now ? " at " + pool_text(state, put_off.pool_now) : " at the least") + "; " +
         std::to_string(less) + " % less";
}

std::vector<api::Rejection> show_rejections(const std::vector<placement::Rejection>& rejections) {
  std::vector<api::Rejection> views;
  for (const placement::Rejection& each : rejections)
    views.push_back({std::string(placement::name(each.reason)), each.text, each.count});
  return views;
}

std::vector<api::Change> show_changes(const domain::State& state,
                                      const std::vector<placement::Change>& changes) {
  std::vector<api::Change> views;
  for (const placement::Change& each : changes)
    views.push_back({each.field, each.from, each.to, each.text, pool_text(state, each.pool)});
  return views;
}

api::Candidate show_candidate(const domain::State& state, const JobSpec& spec,
                              const placement::Candidate& candidate) {
  constexpr std::uint32_t nodes_counted_max = 1000;
  api::Candidate view =
      recorded(state, candidate.pool, candidate.hourly_cost, candidate.starts_now());
  view.alternative = wish_text(spec.alternatives[candidate.alternative]);
  view.nodes =
      domain::ExactNodes(state).nodes_fitting(candidate.pool, candidate.need, nodes_counted_max);
  view.reading_age = reading_age(state, candidate.pool);
  view.score = placement::print_score(candidate, placement::make_demand(spec));
  view.rtt = candidate.round_trip.time;
  view.rtt_is_estimated = candidate.round_trip.is_estimated;
  return view;
}

api::Found show_found(const domain::State& state, const JobSpec& spec, std::size_t limit) {
  const placement::Demand demand = placement::make_demand(spec);
  const domain::ExactNodes nodes(state);
  const placement::Ranking ranking = placement::rank(state.supply(), demand, &nodes, limit);
  api::Found found;
  found.sequence = state.essence().sequence;
  found.total = ranking.total;
  found.pools = ranking.pools;
  for (const placement::Candidate& each : ranking.best)
    found.candidates.push_back(show_candidate(state, spec, each));
  found.rejected = show_rejections(placement::print_counts(ranking.counts, demand));
  if (ranking.starts_now == 0)
    found.changes = show_changes(state, placement::explain(state.supply(), spec, &nodes).changes);
  return found;
}

api::WhyView show_why(const domain::State& state, const jobs::Job& job) {
  const Moment now = runtime::SystemClock{}.now();
  api::WhyView view;
  view.id = job.id;
  view.state = job_state(job);
  const auto waiting = std::ranges::find(job.units, Phase::waiting, &jobs::Unit::phase);
  const jobs::Unit& unit = waiting == job.units.end() ? job.units.front() : *waiting;
  for (const jobs::Unit& each : job.units) {
    if (&each != &unit && !job.spec->is_spread()) continue;
    for (const jobs::Mishap& mishap : each.mishaps)
      view.history.push_back(setback_text(state, mishap));
  }
  if (job.outcome != jobs::Outcome::none || waiting == job.units.end()) {
    view.text = job.outcome != jobs::Outcome::none && !job.reason.empty()
                    ? job.reason
                    : "it was placed in the best pool that could start it";
    if (unit.placement.pool) show_placement(state, unit.placement, hourly_of(job, now), view);
    return view;
  }
  const auto index = static_cast<std::uint32_t>(waiting - job.units.begin());
  if (unit.put_off.until != Moment{}) {
    view.text = "it waits " + put_off_text(state, *job.spec, unit.put_off);
    if (unit.put_off.pool_now)
      view.changes.push_back({.field = "start.window",
                              .from = std::string(wire::enum_name(job.spec->window)),
                              .to = {},
                              .text = "without start.window",
                              .pool = pool_text(state, unit.put_off.pool_now)});
    return view;
  }
  if (!unit.is_queued) {
    view.text = "it waits for start.not_before, " + print_moment(job.spec->not_before);
    view.changes.push_back({.field = "start.not_before",
                            .from = print_moment(job.spec->not_before),
                            .to = {},
                            .text = "without start.not_before",
                            .pool = {}});
    return view;
  }
  const domain::ExactNodes nodes(state);
  const placement::Why why = placement::explain(state.supply(), *job.spec, &nodes);
  view.pools = why.pools;
  view.rejected = show_rejections(why.rejected);
  view.changes = show_changes(state, why.changes);
  view.nothing_helps = why.nothing_helps;
  view.ahead = state.jobs().ahead_of({job.id, index});
  const bool does_fit = why.starts_now > 0 && (!job.spec->is_spread() ||
                                               !domain::places_now(state, *job.spec, now).empty());
  if (does_fit && view.ahead == 0) {
    add_money_reasons(state, job, view);
  } else if (view.ahead > 0) {
    view.text = view.ahead == 1
                    ? "another job that asks for the same waits before it"
                    : std::to_string(view.ahead) + " jobs that ask for the same wait before it";
  } else if (why.starts_now > 0) {
    view.text = "its " + std::to_string(job.spec->elements) +
                " nodes do not all fit at once where they may be";
  } else {
    view.text = "none of " + std::to_string(why.pools) + " pools can start it now";
  }
  if (!does_fit && view.ahead == 0) add_promises(state, job, unit, view);
  if (const std::size_t before = domain::projects_before(state, *job.spec); before > 0)
    view.text += before == 1 ? "; a project that holds a smaller share of all comes first"
                             : "; " + std::to_string(before) +
                                   " projects that hold a smaller share of all come first";
  return view;
}

api::WhyView show_why(const domain::State& state, const history::JobRow& row) {
  api::WhyView view;
  view.id = row.id;
  view.state = show_job(state, row).state;
  view.text =
      row.reason.empty() ? "it was placed in the best pool that could start it" : row.reason;
  if (row.placement.pool)
    show_placement(state, row.placement, show_job(state, row).hourly_cost, view);
  return view;
}

}  // namespace suan::http
