// Gangs that may be in several pools, and with several members.
#include <set>

#include "sim/books.h"

namespace suan::sim {

using jobs::Phase;

// All of it waits, is being gathered, has been launched or is over.
void LifeBook::check_gang(const Job& own) {
  const auto stage = [](const Unit& each) {
    switch (each.phase) {
      case Phase::waiting:
        return 0;
      case Phase::reserving:
      case Phase::confirming:
        return 1;
      case Phase::ended:
        return 3;
      default:
        return 2;
    }
  };
  const int first = stage(own.units.front());
  std::set<PoolId> pools;
  std::set<MemberId> members;
  bool has_died = false;
  for (const Unit& each : own.units) {
    check(stage(each) == first, "gang", "a part of a gang goes on without another");
    has_died = has_died || each.has_died;
    const Pool* pool = leases_.pool(each.placement.pool);
    if (first != 2 || pool == nullptr) continue;
    pools.insert(pool->id);
    members.insert(pool->member);
  }
  if (pools.size() > 1) coverage_.hit(Branch::gang_spread);
  if (members.size() > 1) coverage_.hit(Branch::gang_spread_members);
  if (first != 2 || !has_died) return;
  coverage_.hit(Branch::parts_died_together);
  for (const Unit& each : own.units) {
    for (const Phase phase : each.tasks)
      check(phase == Phase::stopping || phase == Phase::ended, "gang",
            "a gang goes on without one of its parts");
  }
}

void LifeBook::seen(const market::LeaseConfirmed& event) {
  leases_.see(event, at_);
  const LeaseBook::Kept* kept = leases_.find(event.lease);
  if (kept == nullptr) return;
  const auto at = jobs_.find(kept->lease.holder.job);
  if (at == jobs_.end() || !at->second.spec->is_spread()) return;
  for (const Unit& each : at->second.units)
    check(each.phase == Phase::confirming, "gang", "a part is kept before all are granted");
}

void LifeBook::seen(const jobs::GuestKept& event) {
  Job* own = job(event.job);
  if (own == nullptr) return;
  const Unit& only = own->units.front();
  check(own->is_guest && only.phase == Phase::confirming, "guest", "kept out of turn");
  coverage_.hit(event.is_done ? Between::part_kept : Between::part_kept_below);
  if (!event.is_done) return;
  for (const LeaseId lease : only.leases) {
    const LeaseBook::Kept* kept = leases_.find(lease);
    check(kept != nullptr && kept->is_confirmed, "gang", "said to be kept, and could expire");
  }
}

}  // namespace suan::sim
