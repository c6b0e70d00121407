// The queue: who comes before whom, and which nodes are kept for whom.
#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "domain/terms.h"
#include "sim/books.h"

namespace suan::sim {

using jobs::Phase;
using jobs::UnitKey;

namespace {

// Spot work comes after all other.
int rank_of(const JobSpec& spec) {
  const Priority priority = spec.priority;
  const int rank = priority == Priority::high ? 0 : priority == Priority::normal ? 1 : 2;
  return spec.is_spot ? 10 + rank : rank;
}

constexpr Span stop_takes = seconds(1);

}  // namespace

void LifeBook::check_queue_order(const UnitKey& key, const Job& placed) {
  const auto order = std::pair(rank_of(*placed.spec), key);
  for (const auto& [id, other] : jobs_) {
    if (other.demand != placed.demand || other.is_ended) continue;
    for (std::uint32_t i = 0; i < other.units.size(); ++i) {
      if (!other.units[i].is_queued || UnitKey{id, i} == key) continue;
      check(order < std::pair(rank_of(*other.spec), UnitKey{id, i}), "queue order",
            print_key(key) + " overtakes " + print_key(UnitKey{id, i}));
    }
  }
}

// What the organisation of a project and it itself hold: the largest part of all cards, cores or
// memory, in millionths, rounded down.
std::pair<std::int64_t, std::int64_t> LifeBook::shares_of(ProjectId project) const {
  __extension__ using Wide = __int128;
  using Amounts = std::array<std::int64_t, 3>;  // Thousandths of cards and cores, and bytes.
  const auto add = [](Amounts& to, std::int64_t times, std::int64_t card_milli, std::int64_t cpu,
                      std::int64_t memory) {
    to = {to[0] + times * card_milli, to[1] + times * cpu, to[2] + times * memory};
  };
  Amounts all{};
  for (const auto& [id, pool] : leases_.pools()) {
    if (pool.state != ServingState::closed)
      add(all, pool.nodes, std::int64_t{1000} * pool.cards_per_node, pool.cpu_milli_per_node,
          pool.memory_bytes_per_node);
  }
  const auto organisation_of = [&](ProjectId id) {
    const auto found = organisations_.find(id);
    return found == organisations_.end() ? OrganisationId{} : found->second;
  };
  Amounts of_organisation{};
  Amounts of_project{};
  for (const auto& [id, kept] : leases_.all()) {
    const auto holder = jobs_.find(kept.lease.holder.job);
    if (holder == jobs_.end()) continue;
    const ProjectId theirs = holder->second.spec->project;
    const Grant& grant = kept.lease.grant;
    const std::int64_t cards = std::int64_t{grant.card_milli} * std::ssize(grant.cards);
    if (organisation_of(theirs) == organisation_of(project))
      add(of_organisation, 1, cards, grant.cpu_milli, grant.memory_bytes);
    if (theirs == project) add(of_project, 1, cards, grant.cpu_milli, grant.memory_bytes);
  }
  const auto largest = [&](const Amounts& held) {
    std::int64_t part = 0;
    for (std::size_t i = 0; i < held.size(); ++i) {
      if (held[i] == 0) continue;
      const Wide millionths = all[i] > 0 ? Wide{held[i]} * 1'000'000 / all[i] : 1'000'000;
      part = std::max(part, static_cast<std::int64_t>(millionths));
    }
    return part;
  };
  return {largest(of_organisation), largest(of_project)};
}

// Of two projects that wait for the same, and could both pay for it, the one that holds less comes
// first. What may use nodes that are kept is another matter.
void LifeBook::check_turn(const jobs::UnitPlaced& event, const Job& placed) {
  constexpr std::size_t jobs_looked_at_max = 200;  // More may be more lines than are tried at once.
  const JobSpec& spec = *placed.spec;
  if (accepted_now_ != nullptr || placed.is_guest || jobs_.size() > jobs_looked_at_max ||
      spec.budget != Money{} || !promises_.empty())
    return;
  const auto own = shares_of(spec.project);
  const Money price = scale(event.placement.hourly, spec.nodes, 1);
  for (const auto& [id, other] : jobs_) {
    if (other.is_ended || other.spec->project == spec.project || other.is_stopping) continue;
    if (std::ranges::none_of(other.units, &Unit::is_queued)) continue;
    JobSpec same = *other.spec;
    same.project = spec.project;
    if (same.priority != spec.priority || jobs::demand_fingerprint(same) != placed.demand) continue;
    const std::int64_t has = money_.balance(ledger::project_account(other.spec->project));
    if (has < domain::unit_allowance(*other.spec, price).micro) continue;
    coverage_.hit(Branch::turn_of_another_project);
    check(shares_of(other.spec->project) >= own, "fair share",
          print_key(event.unit) + " comes before job-" + std::to_string(id.value) +
              ", whose project holds less");
  }
}

void LifeBook::seen(const jobs::UnitPromised& event) {
  const Unit* own = unit(event.unit);
  if (own == nullptr) return;
  const std::string who = print_key(event.unit);
  const jobs::Promise& promise = event.promise;
  if (!promise.pool) {
    const auto kept =
        std::ranges::find(promises_, event.unit, [](const auto& each) { return each.second.unit; });
    if (!check(kept != promises_.end(), "promise", "nothing was kept for " + who)) return;
    const bool is_there = own->phase == Phase::reserving && own->placement.pool == kept->first;
    if (is_there) coverage_.hit(Branch::promise_kept);
    promises_.erase(kept);
    return;
  }
  const Job& its = jobs_.at(event.unit.job);
  check(own->phase == Phase::waiting && own->is_queued && !its.spec->is_spread() && !its.is_guest &&
            !its.spec->is_spot,
        "promise", "nodes are kept for " + who + ", which does not wait for nodes");
  const Pool* pool = leases_.pool(promise.pool);
  if (!check(pool != nullptr && !pool->remote && pool->state == ServingState::production, "promise",
             "nodes are kept where none are granted"))
    return;
  const bool are_distinct =
      std::ranges::adjacent_find(promise.nodes, std::greater_equal{}) == promise.nodes.end();
  check(promise.nodes.size() == its.spec->nodes && are_distinct &&
            promise.nodes.back() < pool->nodes && promise.by > at_,
        "promise", "what is kept for " + who + " is not what it needs");
  drop_promise(event.unit);
  const auto other = promises_.find(promise.pool);
  if (other != promises_.end()) {
    const auto place = [&](const UnitKey& key) {
      return std::pair(rank_of(*jobs_.at(key.job).spec), key);
    };
    check(place(event.unit) < place(other->second.unit), "promise",
          who + " takes what is kept for one that comes before it");
    promises_.erase(other);
  }
  promises_[promise.pool] = {event.unit, promise.nodes, promise.by};
}

void LifeBook::drop_promise(const UnitKey& key) {
  std::erase_if(promises_, [&](const auto& each) { return each.second.unit == key; });
}

// Nothing is granted on a node that is kept but to what comes before its owner or ends before it is
// to be free.
void LifeBook::check_promised(const UnitKey& key, PoolId pool, std::uint32_t node) {
  const auto kept = promises_.find(pool);
  if (kept == promises_.end() || kept->second.unit == key) return;
  const bool is_kept = std::ranges::binary_search(kept->second.nodes, node);
  if (!is_kept) return;
  const Job& its = jobs_.at(key.job);
  const JobSpec& spec = *its.spec;
  const bool is_short = spec.max_duration > Span{} && !spec.moves_data &&
                        at_ + spec.max_duration + spec.grace + stop_takes <= kept->second.by;
  const bool comes_first = rank_of(spec) < rank_of(*jobs_.at(kept->second.unit.job).spec);
  check(!its.is_guest && (is_short || comes_first), "promise",
        print_key(key) + " is granted a node that is kept for " + print_key(kept->second.unit));
  coverage_.hit(Branch::granted_on_kept_node);
}

void LifeBook::compare_promises(const domain::State& state) const {
  objections_.check(state.jobs().promises().size() == promises_.size(), "promise",
                    "other pools keep nodes");
  for (const auto& [pool, kept] : promises_) {
    const UnitKey* unit = state.jobs().promises().find(pool);
    objections_.check(unit != nullptr && *unit == kept.unit, "promise",
                      "nodes are kept for another than " + print_key(kept.unit));
  }
}

}  // namespace suan::sim
