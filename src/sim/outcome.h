#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "sim/measuring.h"
#include "sim/replay.h"

namespace suan::sim {

/// How long jobs of one size waited, in minutes, over all seeds. Of jobs that wait still it is
/// known how long they have.
struct Waits {
  std::uint64_t came = 0;
  std::uint64_t started = 0;
  Figure mean;
  Figure median;
  Figure p99;
  bool median_is_open = false;  // In some seed that job waits still.
  bool p99_is_open = false;
};

/// What became of a workload under one policy, over all seeds.
struct Outcome {
  std::string policy;
  Figure allocation;
  Figure waiting;  // Jobs, in the last of the parts of the time.
  std::map<std::string, Waits> sizes;
  std::uint64_t refused = 0;
  Figure card_hours;
  Figure cost_cny;    // 0 where the list of nodes names no prices,
  Figure energy_kwh;  // and this where it says nothing of watts.
  double jobs_per_second = 0;
  std::vector<double> allocation_course;
  std::vector<double> waiting_course;
};

Outcome outcome_of(const std::string& policy, const std::vector<Replay>& runs);

/// Whether any policy has some of it.
bool any_has(const std::vector<Outcome>&, Figure Outcome::* which);

/// What was asked for, for people.
struct Setting {
  std::string nodes;  // Names of the lists.
  std::string jobs;
  std::size_t node_count = 0;
  std::int64_t cards = 0;
  std::uint64_t load_percent = 0;  // 0: the jobs came as they were recorded,
  std::uint64_t speed = 1;         // so many times as fast.
  Span lasts;
  std::uint64_t seed = 0;
  std::uint64_t seeds = 1;
};

/// A page of HTML that needs nothing else: charts over time and tables.
std::string html_report(const Setting&, const std::vector<Outcome>&);

}  // namespace suan::sim
