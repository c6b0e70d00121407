#pragma once

#include <compare>
#include <cstdint>

#include "model/ids.h"

namespace suan::market {

/// When a lease ends by the terms of its holder, in words that stay true as time passes.
struct Ending {
  enum class Kind : std::uint8_t {
    fixed,      // At the latest at `us`, a moment.
    not_begun,  // At the latest `us` after its work begins.
    unlimited   // Nobody knows; its work began at -us, a moment, or will (INT64_MAX).
  };
  Kind kind = Kind::fixed;
  std::int64_t us = 0;  // Of two of a kind, the one with less ends first.

  friend constexpr auto operator<=>(const Ending&, const Ending&) = default;
};

/// The leases of a pool by when they end, each kind by itself.
struct EndingKey {
  PoolId pool;
  Ending ending;
  LeaseId lease;

  friend constexpr auto operator<=>(const EndingKey&, const EndingKey&) = default;
};

}  // namespace suan::market
