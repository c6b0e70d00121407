#include <deque>
#include <queue>
#include <utility>
#include <vector>

#include "packing/cluster.h"
#include "sim/measuring.h"
#include "sim/replay.h"
#include "sim/tally.h"

namespace suan::sim {

namespace {

constexpr std::size_t watched_every = 256;

struct Running {
  Span ends;
  std::size_t job = 0;
  packing::Placed placed;
};

bool ends_later(const Running& a, const Running& b) {
  return std::pair(a.ends, a.job) > std::pair(b.ends, b.job);
}

}  // namespace

Replay replay_in_line(const NodeList& nodes, const Workload& workload,
                      std::unique_ptr<packing::Policy> policy, ProgressBar* progress) {
  packing::Cluster cluster(nodes.kinds, nodes.rooms, std::move(policy));
  Tally tally(nodes, workload);
  std::deque<std::size_t> line;
  std::priority_queue<Running, std::vector<Running>, decltype(&ends_later)> running(&ends_later);
  const auto serve = [&](Span now) {
    while (!line.empty()) {
      const Arrival& first = workload.arrivals[line.front()];
      const auto placed = cluster.place(first.ask);
      if (!placed) return;
      tally.starts(line.front(), now, cluster.rooms()[placed->node].kind);
      running.push({now + first.lasts, line.front(), *placed});
      line.pop_front();
    }
  };
  std::size_t next = 0;
  for (std::size_t turn = 0;; ++turn) {
    const bool has_next = next < workload.arrivals.size();
    const bool ends_first =
        !running.empty() && (!has_next || running.top().ends <= workload.arrivals[next].at);
    if (!ends_first && !has_next) break;
    const Span now = ends_first ? running.top().ends : workload.arrivals[next].at;
    if (now >= workload.lasts) break;
    if (ends_first) {
      tally.ends(running.top().job, now);
      cluster.end(workload.arrivals[running.top().job].ask, running.top().placed);
      running.pop();
    } else {
      if (tally.comes(next)) line.push_back(next);
      ++next;
    }
    serve(now);
    if (turn % watched_every == 0 && progress != nullptr)
      progress->show(static_cast<double>(now.us) / static_cast<double>(workload.lasts.us));
  }
  return tally.finish();
}

}  // namespace suan::sim
