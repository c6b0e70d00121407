#pragma once

#include <map>

#include "domain/state.h"
#include "model/contract.h"

/// What a domain shows a parent of its supply.
namespace suan::domain {

/// All sites and open pools, those of sub-domains too.
SupplyOffer offer_to_parents(const State&);

/// Of each open pool: what others than this parent hold of it. O(leases).
std::map<PoolId, PoolReading> readings_for(const State&, ParentId);

}  // namespace suan::domain
