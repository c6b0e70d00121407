#pragma once

#include <string_view>
#include <vector>

#include "base/callback.h"
#include "model/reading.h"
#include "slurm/offer.h"

/// What others hold of the nodes of a cluster. Without I/O.
namespace suan::slurm {

/// A reading of every pool, in the order of the pools. `is_ours(name)` says whose a job is. What a
/// job holds beyond its node counts as all of it. A node that Slurm does not know any more takes no
/// work. Costs O(jobs × their nodes + nodes).
std::vector<PoolReading> read_pools(const std::vector<SlurmPool>&, const std::vector<Node>&,
                                    const std::vector<Job>&, Callback<bool(const Job&)> is_ours);

}  // namespace suan::slurm
