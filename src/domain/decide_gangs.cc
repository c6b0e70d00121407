// Decides about gangs whose nodes may lie in several pools, and with several members: all of it
// starts or none, and it lives and dies together. Each unit has a place, a price and a member of
// its own.
#include <algorithm>
#include <functional>
#include <map>

#include "base/planted.h"
#include "domain/deciding.h"
#include "domain/gangs.h"
#include "domain/terms.h"
#include "energy/course.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

constexpr std::size_t pools_considered_max = 256;

/// A pool that could take some of a gang now.
struct Stand {
  placement::Candidate candidate;
  SiteId site;
  std::uint32_t room = 0;  // Nodes for tasks of it.
};

std::uint32_t room_of(const std::vector<Stand>& stands) {
  std::uint32_t sum = 0;
  for (const Stand& each : stands) sum += each.room;
  return sum;
}

// The pools of one chip that could take a task, if nothing else ran.
std::vector<Stand> stands_in_all(const State& state, const placement::Demand& demand) {
  const auto ranking = placement::rank(state.supply(), demand, nullptr, state.supply().size());
  std::vector<Stand> stands;
  for (const placement::Candidate& each : ranking.best) {
    const Pool& pool = state.catalogue().pools().at(each.pool);
    stands.push_back({each, pool.site, pool.nodes});
  }
  return stands;
}

// The same that start one now, the best first.
std::vector<Stand> stands_for(const State& state, const JobSpec& spec,
                              const placement::Demand& demand) {
  const ExactNodes nodes(state);
  const auto ranking = placement::rank(state.supply(), demand, &nodes, pools_considered_max);
  std::vector<Stand> stands;
  for (const placement::Candidate& each : ranking.best) {
    if (!each.starts_now()) continue;
    const Pool& pool = state.catalogue().pools().at(each.pool);
    const auto all = static_cast<std::uint32_t>(
        state.market().nodes().fitting(pool, each.need, spec.elements).size());
    const std::uint32_t expected = state.expected_in(each.pool);
    if (all > expected) stands.push_back({each, pool.site, all - expected});
  }
  return stands;
}

// As few sites as possible; empty if they have no room for all. One site: the one that ranks best.
std::vector<Stand> gather(const std::vector<Stand>& stands, std::uint32_t tasks, Spread spread) {
  std::vector<std::vector<Stand>> sites;  // In the order of their best pools.
  std::map<SiteId, std::size_t> place;
  for (const Stand& each : stands) {
    const auto [at, is_new] = place.emplace(each.site, sites.size());
    if (is_new) sites.emplace_back();
    sites[at->second].push_back(each);
  }
  const auto holds_all = [&](const std::vector<Stand>& site) { return room_of(site) >= tasks; };
  if (const auto one = std::ranges::find_if(sites, holds_all); one != sites.end()) return *one;
  if (spread != Spread::network) return {};
  std::multimap<std::uint32_t, const std::vector<Stand>*, std::greater<>> largest_first;
  for (const auto& site : sites) largest_first.emplace(room_of(site), &site);
  std::vector<Stand> gathered;
  for (const auto& [room, site] : largest_first) {
    if (room_of(gathered) >= tasks) break;
    gathered.insert(gathered.end(), site->begin(), site->end());
  }
  return room_of(gathered) >= tasks ? gathered : std::vector<Stand>{};
}

// What a part of a gang costs in this hour.
Money cost_now(const State& state, const JobSpec& spec, const Choice& choice) {
  const Pool& pool = state.catalogue().pools().at(choice.record.pool);
  return hourly_price(price_in(energy::at_hour(pool, state.essence().hour), spec.is_spot),
                      choice.record.need);
}

std::vector<Choice> spread_over(const State& state, const JobSpec& spec,
                                const std::vector<Stand>& stands, std::size_t pools_seen) {
  std::vector<Choice> choices;
  for (const Stand& stand : stands) {
    Choice choice;
    choice.best = stand.candidate;
    choice.record.pool = stand.candidate.pool;
    choice.record.alternative = stand.candidate.alternative;
    choice.record.need = stand.candidate.need;
    choice.record.pools = static_cast<std::uint32_t>(pools_seen);
    const Pool& pool = state.catalogue().pools().at(stand.candidate.pool);
    choice.record.hourly = hourly_price(price_in(pool, spec.is_spot), stand.candidate.need);
    for (std::uint32_t i = 0; i < stand.room && choices.size() < spec.elements; ++i)
      choices.push_back(choice);
  }
  return choices;
}

// What the hold will be like once these events have been applied.
void follow(ledger::Hold& hold, const Events& events, std::size_t from, Money& extended) {
  for (std::size_t i = from; i < events.size(); ++i) {
    if (const auto* more = std::get_if<ledger::HoldExtended>(&events[i])) {
      hold.amount = hold.amount + more->amount;
      extended = extended + more->amount;
    } else if (const auto* allotted = std::get_if<ledger::Allotted>(&events[i])) {
      hold.allotted = hold.allotted + allotted->amount;
    }
  }
}

}  // namespace

namespace {

std::vector<Choice> choose_some(const State& state, const JobSpec& spec, const market::Claim& claim,
                                Moment now) {
  placement::Demand demand = placement::make_demand(spec);
  if (!spec.is_spread()) {
    auto choice =
        spec.window == Window::none ? choose_place(state, demand) : choose_hour(state, spec, now);
    if (!choice) choice = choose_kept(state, demand, claim);
    if (!choice) return {};
    return {std::move(*choice)};
  }
  placement::Demand whole = demand;
  whole.nodes = spec.elements;
  if (const auto choice = choose_place(state, whole))
    return std::vector<Choice>(spec.elements, *choice);
  const auto alternatives = demand.alternatives;
  for (std::uint32_t i = 0; i < alternatives.size(); ++i) {
    demand.alternatives = alternatives.subspan(i, 1);  // All of it on the same chip.
    auto stands = gather(stands_for(state, spec, demand), spec.elements, spec.spread);
    if (stands.empty()) continue;
    for (Stand& each : stands) each.candidate.alternative = i;
    auto choices = spread_over(state, spec, stands, state.supply().size());
    Money sum;
    for (const Choice& each : choices) sum = sum + cost_now(state, spec, each);
    for (Choice& each : choices) each.best.hourly_cost = sum;
    return choices;
  }
  return {};
}

}  // namespace

std::vector<Choice> choose_places(const State& state, const JobSpec& spec,
                                  const market::Claim& claim, Moment now) {
  std::vector<Choice> choices = choose_some(state, spec, claim, now);
  for (Choice& each : choices)
    note_rates(state.catalogue().pools().at(each.record.pool), spec, now, each.record);
  return choices;
}

Ruling check_room(const State& state, const JobSpec& spec) {
  if (!spec.is_spread()) return {};
  placement::Demand demand = placement::make_demand(spec);
  const auto alternatives = demand.alternatives;
  std::uint32_t most = 0;
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    demand.alternatives = alternatives.subspan(i, 1);
    const auto stands = stands_in_all(state, demand);
    if (!gather(stands, spec.elements, spec.spread).empty()) return {};
    most = std::max(most, room_of(stands));
  }
  return refuse(Code::no_pool_fits,
                "no pools could run this gang, even idle ones: it has " +
                    std::to_string(spec.elements) + " nodes, and " +
                    (spec.spread == Spread::site && most >= spec.elements
                         ? "no one site has so many"
                         : "there are " + std::to_string(most)) +
                    " for it. `suan find` shows what there is",
                "/num_nodes");
}

std::vector<placement::Candidate> places_now(const State& state, const JobSpec& spec, Moment now) {
  std::vector<placement::Candidate> places;
  const market::Claim claim = claim_of(spec, {}, now);
  for (const Choice& each : choose_places(state, spec, claim, now)) places.push_back(each.best);
  return places;
}

bool place_all(Deciding& deciding, const Seeker& first, std::vector<Choice> choices) {
  const std::size_t before = deciding.events.size();
  ledger::Hold hold = first.hold;
  Money extended;
  for (std::uint32_t i = 0; i < choices.size(); ++i) {
    const std::size_t from = deciding.events.size();
    const Seeker seeker{
        {first.key.job, first.key.unit + i}, first.spec, first.attempt, hold, first.owed};
    const bool is_placed = place_unit(deciding, seeker, std::move(choices[i]));
    follow(hold, deciding.events, from, extended);
    if (is_placed &&
        (extended == Money{} || deciding.state.ledger().can_hold(first.spec.project, extended)))
      continue;
    deciding.events.erase(deciding.events.begin() + static_cast<std::ptrdiff_t>(before),
                          deciding.events.end());
    return false;
  }
  return true;
}

void return_unit(Deciding& deciding, const jobs::Job& job, const UnitKey& key,
                 jobs::Setback setback, Moment queue_at) {
  for (const std::uint32_t i : jobs::bound_with(job, key.unit)) {
    const bool is_it = i == key.unit;
    const UnitKey each{job.id, i};
    const bool keeps = is_it && planted(Bug::taken_back_with_allowance) &&
                       (setback == jobs::Setback::refused || setback == jobs::Setback::unanswered);
    if (!keeps) give_up_placement(deciding, job, each);
    deciding.emit(jobs::UnitReturned{each, is_it ? setback : jobs::Setback::none, queue_at});
  }
}

bool is_kept(const State& state, const jobs::Unit& unit) {
  return unit.phase == Phase::confirming &&
         std::ranges::all_of(unit.tasks, [&](const jobs::Task& task) {
           const market::Lease* lease = state.market().find_lease(task.lease);
           return lease != nullptr && lease->state == market::LeaseState::confirmed;
         });
}

bool are_all_granted(const jobs::Job& job) {
  return std::ranges::all_of(
      job.units, [](const jobs::Unit& unit) { return unit.phase == Phase::confirming; });
}

bool is_live(const jobs::Unit& unit) {
  return std::ranges::any_of(unit.tasks, [](const jobs::Task& task) {
    return task.phase == Phase::staging || task.phase == Phase::running ||
           task.phase == Phase::stopping;
  });
}

void keep_leases(Deciding& deciding, const jobs::Unit& unit) {
  for (const jobs::Task& task : unit.tasks) {
    const market::Lease* lease = deciding.state.market().find_lease(task.lease);
    if (lease->state == market::LeaseState::confirmed) continue;
    deciding.emit(market::LeaseConfirmed{task.lease});
    if (planted(Bug::only_first_lease_confirmed)) break;
  }
}

void keep_part(Deciding& deciding, const jobs::Job& job, const UnitKey& key) {
  keep_leases(deciding, job.units[key.unit]);
  for (std::uint32_t i = 0; i < job.units.size(); ++i) {
    if (i != key.unit && !is_kept(deciding.state, job.units[i]) &&
        !planted(Bug::part_launched_before_others))
      return;
  }
  for (std::uint32_t i = 0; i < job.units.size(); ++i) {
    if (job.units[i].phase == Phase::confirming)
      deciding.emit(launch_terms(deciding, job, {job.id, i}));
  }
}

}  // namespace suan::domain
