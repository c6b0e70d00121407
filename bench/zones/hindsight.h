#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "work.h"
#include "zones.h"

namespace suan::bench {

/// Where and when a job starts.
struct Start {
  int zone = 0;
  std::int64_t hour = 0;  // Since the start of the range.
};

/// What stands in the zones. `zones` outlives it. After the last hour of a series its last value
/// holds, so read some days more than jobs arrive in.
struct Plant {
  const Zones& zones;
  int nodes = 1;        // In each zone.
  double node_kw = 10;  // Of a node that runs a job; one that runs none takes nothing.
  double pue = 1.2;     // Drawn from the grid for each kW of a node.
};

/// What a schedule comes to.
struct Bill {
  double energy_usd = 0;
  double egress_usd = 0;
  double carbon_g = 0;
  double completion_hours = 0;       // From arrival to end, mean of the jobs.
  std::int64_t late = 0;             // Jobs that start after their slack.
  std::int64_t out_of_reach = 0;     // Jobs in a zone that they may not run in.
  std::int64_t node_hours_over = 0;  // Run beyond the nodes that there are.

  double usd() const { return energy_usd + egress_usd; }
};

/// True at the job's origin; elsewhere if its bound allows it. Where the round trip is unknown a
/// job with a bound may not run.
bool may_run(const Zones&, const Job&, std::size_t zone);

/// The bill of `starts`, one for each of `jobs` and none before its arrival.
Bill bill_of(const Plant&, std::span<const Job> jobs, std::span<const Start> starts);

/// Each job at its origin, as soon as a node is free there, in order of arrival. `jobs` are in that
/// order.
std::vector<Start> start_at_origin(const Plant&, std::span<const Job> jobs);

/// What is to be as little as it can.
enum class Aim : std::uint8_t { usd, carbon_g };

/// The best that anyone could have done who knew all jobs and all prices beforehand.
struct Hindsight {
  double value = 0;         // USD or g. No schedule without late jobs is below it.
  bool is_optimal = false;  // False: the solver gave up, and the value says nothing.
  double late = 0;          // Jobs, in part or whole, for which there is no node in time.
  std::size_t columns = 0;  // Of the linear program.
  std::size_t rows = 0;
};

/// The optimum of the linear program in which a job may be split over starts between its arrival
/// and its latest start and over zones that it may run in, with at most `nodes` nodes busy in every
/// zone and hour. What no node can start in time is kept as little as possible before anything
/// else: it takes no nodes and is charged the cheapest start up to a day later. With such jobs the
/// value says what the rest costs at least, but no schedule need come near it. A week of 1,500 jobs
/// takes 1 to 5 s at 40 % of load and 10 to 20 s at 90 %.
Hindsight solve_hindsight(const Plant&, std::span<const Job> jobs, Aim);

}  // namespace suan::bench
