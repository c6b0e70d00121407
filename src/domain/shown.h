#pragma once

#include <map>
#include <set>
#include <string>

#include "domain/state.h"
#include "model/contract.h"

/// What a domain shows of itself to others.
namespace suan::domain {

/// All sites and open pools, those of sub-domains too.
SupplyOffer offer_to_parents(const State&);

/// Of each open pool: what others than this parent hold of it. O(leases).
std::map<PoolId, PoolReading> readings_for(const State&, ParentId);

/// How old what is known of pools by readings is; pools whose every grant is made here are not in
/// it.
std::map<PoolId, Span> reading_ages(const State&, Moment now);

/// The names of the uploads that jobs in hot state may still need.
std::set<std::string> uploads_wanted(const State&);

}  // namespace suan::domain
