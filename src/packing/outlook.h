#pragma once

#include <cstdint>

#include "packing/forecast.h"
#include "packing/mix.h"
#include "packing/policy.h"
#include "packing/room.h"
#include "packing/scarcity.h"

namespace suan::packing {

/// What is forecast for nodes with one chip.
struct Forecast {
  /// No node has more cards, cores or memory than the largest.
  Forecast(const Mix&, std::uint32_t chip, const NodeKind& largest);

  CardLoss cards;
  Starvation cores;
  Starvation memory;
};

/// What a judgement rests on, beside the node and the ask. What it points at must stay.
struct Outlook {
  const Forecast* forecast = nullptr;
  const LargePlaces* large = nullptr;
  double wear = 0;        // What keeping a whole card costs, so that enough parts are open.
  double card_price = 0;  // Of a thousandth of a card of this chip, 0 to 1.
  double largest_cpu_milli = 1;
  double largest_milli = 1;
};

/// How little of the cluster is lost by the task on a node that it fits (docs/packing.md).
Fit judge(const Outlook&, const NodeRoom&, const Ask&);

/// Free thousandths of cards that are shared already and of use.
std::int64_t open_milli(const NodeRoom&);
bool is_open(std::uint32_t free_milli);

/// What keeping a whole card should cost now, in a cluster of so many thousandths.
double wear(const Mix&, double all_milli, double open_milli);

}  // namespace suan::packing
