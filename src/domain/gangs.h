#pragma once

#include "domain/state.h"

/// How far a gang is whose units may be with several members.
namespace suan::domain {

/// Every unit has been granted what it needs, and none is launched.
bool are_all_granted(const jobs::Job&);

/// The leases of a unit that is not launched are confirmed: nobody gives them up but its home.
bool is_kept(const State&, const jobs::Unit&);

/// Something of it has been launched and has not ended.
bool is_live(const jobs::Unit&);

}  // namespace suan::domain
