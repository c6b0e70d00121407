#pragma once

#include <cstdint>
#include <vector>

#include "base/time.h"
#include "model/attempt.h"
#include "model/ids.h"
#include "model/supply.h"

/// Rights to capacity, as their grantor keeps them: the member's end of the contract.
namespace suan::market {

enum class LeaseState : std::uint8_t { tentative, confirmed };

/// A right to part of one node. `epoch` grows with every grant of the grantor, so that an old right
/// never passes for a new one.
struct Lease {
  LeaseId id;
  std::uint64_t epoch = 0;
  PoolId pool;
  AttemptKey holder;
  Grant grant;
  LeaseState state = LeaseState::tentative;
  Moment expires;  // Of a tentative one; a confirmed one lasts until it is released.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "epoch", self.epoch);
    visit(3, "pool", self.pool);
    visit(4, "holder", self.holder);
    visit(5, "grant", self.grant);
    visit(6, "state", self.state);
    visit(7, "expires", self.expires);
  }
};

// Events.

struct LeaseGranted {
  static constexpr std::uint32_t code = 30;
  static constexpr const char* name = "lease_granted";
  Lease lease;
  static void fields(auto&& visit, auto& self) { visit(1, "lease", self.lease); }
};

struct LeaseConfirmed {
  static constexpr std::uint32_t code = 31;
  static constexpr const char* name = "lease_confirmed";
  LeaseId lease;
  static void fields(auto&& visit, auto& self) { visit(1, "lease", self.lease); }
};

/// The right has ended: given back, or a tentative one not confirmed in time.
struct LeaseReleased {
  static constexpr std::uint32_t code = 33;
  static constexpr const char* name = "lease_released";
  LeaseId lease;
  bool expired = false;
  static void fields(auto&& visit, auto& self) {
    visit(1, "lease", self.lease);
    visit(2, "expired", self.expired);
  }
};

}  // namespace suan::market
