#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/table.h"
#include "market/nodes.h"
#include "model/attempt.h"
#include "model/supply.h"
#include "packing/mix.h"
#include "packing/outlook.h"

namespace suan::market {

/// What is learnt of each pool from what is granted on it, so that its nodes are packed for what
/// will probably come. It informs where grants go, and is no part of what is recorded. Of the first
/// 256 pools only.
class Foresight {
 public:
  /// A task has got its grant; the nodes are as they are after it. Takes a few milliseconds when
  /// forecasts are made anew, each time half as many grants again have come as are remembered.
  void learn(const Pool&, const Grant&, const Nodes&);

  /// Valid until the next learn() or forget(); absent where nothing is known, or nothing to choose.
  std::optional<packing::Outlook> outlook(PoolId) const;

  void forget(PoolId);

 private:
  struct Known {
    packing::Mix mix;
    std::uint64_t come = 0;      // Grants since the last forecast.
    std::uint64_t learn_at = 0;  // Of these.
    std::shared_ptr<const packing::Forecast> forecast;
    packing::LargePlaces large;
    double wear = 0;
    double node_cpu_milli = 1;
    double node_milli = 1;
  };

  Table<PoolId, std::shared_ptr<Known>> known_;  // A fork shares what neither side learns.
};

}  // namespace suan::market
