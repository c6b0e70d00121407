#include "slurm/readings.h"

#include <algorithm>
#include <string>
#include <unordered_map>

namespace suan::slurm {
namespace {

struct Place {
  std::size_t pool = 0;
  std::size_t node = 0;
};

// A job that waits may wait for one of several partitions: "main,extra".
bool is_among(std::string_view partition, std::string_view list) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    if (list.substr(0, comma) == partition) return true;
    list.remove_prefix(std::min(list.size(), comma + 1));
  }
  return false;
}

}  // namespace

std::vector<PoolReading> read_pools(const std::vector<SlurmPool>& pools,
                                    const std::vector<Node>& nodes, const std::vector<Job>& jobs,
                                    Callback<bool(const Job&)> is_ours) {
  std::unordered_map<std::string_view, Place> places;
  std::vector<std::vector<NodeReading>> all(pools.size());
  for (std::size_t pool = 0; pool < pools.size(); ++pool) {
    for (std::size_t node = 0; node < pools[pool].nodes.size(); ++node) {
      places.emplace(pools[pool].nodes[node], Place{pool, node});
      all[pool].push_back({.node = static_cast<std::uint32_t>(node), .takes_work = false});
    }
  }
  for (const Node& node : nodes)
    if (const auto at = places.find(node.name); at != places.end())
      all[at->second.pool][at->second.node].takes_work = node.takes_work;

  std::vector<PoolReading> readings(pools.size());
  for (const Job& job : jobs) {
    if (is_ours(job)) continue;
    if (job.state == JobState::pending) {
      for (std::size_t pool = 0; pool < pools.size(); ++pool)
        if (is_among(pools[pool].partition, job.partition)) ++readings[pool].queued;
      continue;
    }
    for (const Holding& holding : job.holdings) {
      const auto at = places.find(holding.node);
      if (at == places.end()) continue;
      const SlurmPool& pool = pools[at->second.pool];
      NodeReading& reading = all[at->second.pool][at->second.node];
      reading.cards =
          std::min(reading.cards + (pool.gres.empty() ? 0 : count_of(holding.gres, pool.gres)),
                   pool.offered.cards_per_node);
      reading.cpu_milli =
          std::min(reading.cpu_milli + holding.cpus * 1000, pool.offered.cpu_milli_per_node);
      reading.memory_bytes = std::min(reading.memory_bytes + (holding.memory_mebibytes << 20U),
                                      pool.offered.memory_bytes_per_node);
    }
  }
  for (std::size_t pool = 0; pool < pools.size(); ++pool) {
    readings[pool].pool = pools[pool].offered.name;
    for (const NodeReading& node : all[pool])
      if (node != NodeReading{.node = node.node}) readings[pool].nodes.push_back(node);
  }
  return readings;
}

}  // namespace suan::slurm
