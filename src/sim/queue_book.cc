// The queue: who comes before whom, and which nodes are kept for whom.
#include <algorithm>
#include <utility>

#include "sim/books.h"

namespace suan::sim {

using jobs::Phase;
using jobs::UnitKey;

namespace {

int rank_of(Priority priority) {
  return priority == Priority::high ? 0 : priority == Priority::normal ? 1 : 2;
}

constexpr Span stop_takes = seconds(1);

}  // namespace

void LifeBook::check_queue_order(const UnitKey& key, const Job& placed) {
  const auto order = std::pair(rank_of(placed.spec->priority), key);
  for (const auto& [id, other] : jobs_) {
    if (other.demand != placed.demand || other.is_ended) continue;
    for (std::uint32_t i = 0; i < other.units.size(); ++i) {
      if (!other.units[i].is_queued || UnitKey{id, i} == key) continue;
      check(order < std::pair(rank_of(other.spec->priority), UnitKey{id, i}), "queue order",
            print_key(key) + " overtakes " + print_key(UnitKey{id, i}));
    }
  }
}

void LifeBook::seen(const jobs::UnitPromised& event) {
  const Unit* own = unit(event.unit);
  if (own == nullptr) return;
  const std::string who = print_key(event.unit);
  const jobs::Promise& promise = event.promise;
  if (!promise.pool) {
    const auto kept = std::ranges::find(promises_, event.unit, [](const auto& each) {
      return each.second.unit;
    });
    if (!check(kept != promises_.end(), "promise", "nothing was kept for " + who)) return;
    const bool is_there = own->phase == Phase::reserving && own->placement.pool == kept->first;
    if (is_there) coverage_.hit(Branch::promise_kept);
    promises_.erase(kept);
    return;
  }
  const Job& its = jobs_.at(event.unit.job);
  check(own->phase == Phase::waiting && own->is_queued && !its.spec->is_spread() && !its.is_guest,
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
      return std::pair(rank_of(jobs_.at(key.job).spec->priority), key);
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
  const bool comes_first =
      rank_of(spec.priority) < rank_of(jobs_.at(kept->second.unit.job).spec->priority);
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
