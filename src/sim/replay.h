#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "packing/policy.h"
#include "sim/lists.h"
#include "sim/workload.h"

/// A workload on a cluster under virtual time: jobs come, wait, run and end.
namespace suan::sim {

/// Jobs that ask for equally many cards.
struct SizeClass {
  std::uint64_t came = 0;  // While it was looked at,
  std::uint64_t started = 0;
  std::vector<Span> waits;  // and how long each of these waited; of one that waits still, so far.
};

/// What became of a workload.
struct Replay {
  double allocation = 0;  // Percent of all cards that jobs held, the mean over time.
  std::map<std::string, SizeClass> sizes;  // "0", "share", "1", "2" …
  std::uint64_t refused = 0;               // That fit on no node, however empty.
  double card_hours = 0;
  double cost_cny = 0;  // Of the cards that were held, by the list of nodes.
  double energy_kwh = 0;
  std::uint64_t jobs = 0;
  double seconds = 0;  // That it took.
  /// Means over equal parts of the time: cards that are held, in percent, and jobs that wait.
  std::vector<double> allocation_course;
  std::vector<double> waiting_course;
};

class ProgressBar;  // Shown how far a replay is; may be null.

/// First come, first served: the first that waits gets its place when it fits, where the policy
/// says, and nobody passes it by.
Replay replay_in_line(const NodeList&, const Workload&, std::unique_ptr<packing::Policy>,
                      ProgressBar*);

/// By a domain: the real queue, placement and packing, with each kind of node as a pool and one
/// project that all jobs are of. Each job may take as long as the next of some usual limits allows,
/// from an hour to a year. `invalid` if the domain takes no such nodes or jobs.
Result<Replay> replay_in_domain(const NodeList&, const Workload&, ProgressBar*);

}  // namespace suan::sim
