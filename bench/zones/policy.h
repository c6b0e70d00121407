#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "hindsight.h"
#include "work.h"
#include "zones.h"

namespace suan::bench {

/// What a domain did with the jobs.
struct Decided {
  std::vector<Start> starts;  // One for each job.
  std::int64_t put_off = 0;   // Jobs that waited for a better hour.
  std::int64_t refused = 0;   // Jobs of which the domain would have nothing: run at home at once.
};

/// The jobs in one domain whose sites are the zones: each submitted at its arrival with a
/// start.window and its latest start as the deadline, decided by the domain's own code, hour by
/// hour. Each hour every site offers the tariff, or the carbon, of that hour and its forecast for
/// the next two days; `past` are the hours before the first of `plant`, from which it has learnt. A
/// job that is not started by its deadline is submitted again without one. Placement does not weigh
/// what it costs to move data.
Decided run_domain(const Plant& plant, const Zones& past, std::span<const Job> jobs, Aim);

}  // namespace suan::bench
