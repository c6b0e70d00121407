#include "market/market.h"

#include "base/ensure.h"
#include "base/planted.h"

namespace suan::market {

const Lease* Market::lease_of(const AttemptKey& holder) const {
  const Holding* holding = holders_.find(holder);
  return holding == nullptr ? nullptr : leases_.find(holding->lease);
}

void Market::apply(const LeaseGranted& event, const Pool& pool) {
  leases_.insert(event.lease.id, event.lease);
  holders_.insert(event.lease.holder, {event.lease.id, {}});
  nodes_.take(pool, event.lease.grant);
  note_newest(event.lease);
}

void Market::note_newest(const Lease& lease) {
  if (newest_in(lease.pool) < lease.holder.job) newest_.put(lease.pool, lease.holder.job);
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
  const std::optional<Ending>& ending = holders_.at(lease.holder).ending;
  if (ending) endings_.erase({lease.pool, *ending, lease.id});
  holders_.erase(lease.holder);
  leases_.erase(event.lease);
}

void Market::expect_end(const Lease& lease, const Ending& ending) {
  std::optional<Ending>& known = holders_.edit(lease.holder)->ending;
  if (known == ending) return;
  if (known) endings_.erase({lease.pool, *known, lease.id});
  known = ending;
  endings_.insert({lease.pool, ending, lease.id}, true);
}

std::vector<Grant> Market::fit(const Pool& pool, const Need& need, std::uint32_t count) const {
  const auto outlook = foresight_.outlook(pool.id);
  return outlook ? nodes_.pack(pool, need, count, *outlook) : nodes_.fit(pool, need, count);
}

std::vector<Grant> Market::fit(const Pool& pool, const Need& need, std::uint32_t count,
                               const Claim& claim) const {
  const bool is_owner = nodes_.keeps_for(pool.id, claim);
  if (!is_owner) {
    auto open = fit(pool, need, count);
    if (!open.empty()) return open;
  }
  auto grants = nodes_.fit_kept(pool, need, count, claim);
  const bool sees_open = is_owner && !planted(Bug::promised_one_sees_only_its_own);
  if (grants.size() == count || (grants.empty() && !sees_open)) return grants;
  const auto open = fit(pool, need, count - static_cast<std::uint32_t>(grants.size()));
  if (open.empty()) return {};
  grants.insert(grants.end(), open.begin(), open.end());
  return grants;
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
  endings_ = {};
  newest_ = {};
  nodes_.reset();
  for (const auto& [id, pool] : pools) nodes_.add(pool);
  for (const auto& [id, lease] : leases_) {
    holders_.insert(lease.holder, {id, {}});
    note_newest(lease);
    nodes_.take(pools.at(lease.pool), lease.grant);
  }
}

}  // namespace suan::market
