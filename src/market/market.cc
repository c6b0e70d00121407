#include "market/market.h"

#include "base/ensure.h"

namespace suan::market {

const Lease* Market::lease_of(const AttemptKey& holder) const {
  const LeaseId* id = holders_.find(holder);
  return id == nullptr ? nullptr : leases_.find(*id);
}

void Market::apply(const LeaseGranted& event, const Pool& pool) {
  leases_.insert(event.lease.id, event.lease);
  holders_.insert(event.lease.holder, event.lease.id);
  nodes_.take(pool, event.lease.grant);
}

void Market::apply(const LeaseConfirmed& event) {
  Lease* lease = leases_.edit(event.lease);
  ensure(lease != nullptr && lease->state == LeaseState::tentative);
  lease->state = LeaseState::confirmed;
  lease->expires = {};
}

void Market::apply(const LeaseReleased& event, const Pool& pool) {
  const Lease& lease = leases_.at(event.lease);
  nodes_.give_back(pool, lease.grant);
  holders_.erase(lease.holder);
  leases_.erase(event.lease);
}

std::vector<Grant> Market::fit(const Pool& pool, const Need& need, std::uint32_t count) const {
  const auto outlook = foresight_.outlook(pool.id);
  return outlook ? nodes_.pack(pool, need, count, *outlook) : nodes_.fit(pool, need, count);
}

void Market::resize(const Pool& before, const Pool& after) {
  foresight_.forget(after.id);
  nodes_.remove(before);
  nodes_.add(after);
  for (const auto& [id, lease] : leases_) {
    if (lease.pool == after.id) nodes_.take(after, lease.grant);
  }
}

void Market::reindex(const Table<PoolId, Pool>& pools) {
  holders_ = {};
  nodes_.reset();
  for (const auto& [id, pool] : pools) nodes_.add(pool);
  for (const auto& [id, lease] : leases_) {
    holders_.insert(lease.holder, id);
    nodes_.take(pools.at(lease.pool), lease.grant);
  }
}

}  // namespace suan::market
