#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "packing/room.h"
#include "sim/lists.h"

/// What comes to a cluster, and when.
namespace suan::sim {

struct Arrival {
  Span at;     // Since the beginning.
  Span lasts;  // Once it has started.
  packing::Ask ask;
  bool was_there = false;  // It came before the beginning, and this is what is left of it.
};

/// In the order in which they come.
struct Workload {
  std::vector<Arrival> arrivals;
  Span lasts;  // What happens later is not looked at.
};

/// The jobs of a list as they came, the gaps between them divided by `speed`; it lasts until the
/// last has come. `invalid` if none takes any time.
Result<Workload> as_recorded(std::span<const TimedTask>, double speed);

/// Jobs drawn from a list by chance, as a Poisson process, so that on average `load` thousandths of
/// the cards are asked for, from the first moment on: what was there before is drawn by how long it
/// lasts, each with what is left of it at a moment of its life, all equally likely. A cluster
/// filled only by what comes would take as long to fill as its longest jobs run. `invalid` if no
/// job of the list takes a card for any time, or if more than 10,000,000 would come.
Result<Workload> drawn(std::span<const TimedTask>, std::int64_t card_milli, std::int64_t load_milli,
                       Span lasts, std::uint64_t seed);

}  // namespace suan::sim
