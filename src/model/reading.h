#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

/// What is seen of capacity, as against what was granted on it. A reading informs where work goes;
/// it is never part of a record.
namespace suan {

/// What others hold of one node (the cluster's own users), or that it takes nothing new.
struct NodeReading {
  std::uint32_t node = 0;  // Index in its pool.
  bool takes_work = true;  // false: down, drained, or not answering.
  std::uint32_t cards = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;

  friend bool operator==(const NodeReading&, const NodeReading&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "node", self.node);
    visit(2, "takes_work", self.takes_work);
    visit(3, "cards", self.cards);
    visit(4, "cpu_milli", self.cpu_milli);
    visit(5, "memory_bytes", self.memory_bytes);
  }
};

/// One pool at one moment. The newest wins, whole.
struct PoolReading {
  std::string pool;                // Its name within the member.
  std::vector<NodeReading> nodes;  // Ascending; those of which others hold something, or that take
                                   // nothing. Of all others everything is ours to grant.
  std::uint32_t queued = 0;        // Work of others that waits for this pool.
  bool is_away = false;            // Nobody can ask for it now: its member cannot be reached.

  friend bool operator==(const PoolReading&, const PoolReading&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "pool", self.pool);
    visit(2, "nodes", self.nodes);
    visit(3, "queued", self.queued);
    visit(4, "is_away", self.is_away);
  }
};

/// Of a pool whose member cannot be reached: nothing of it takes work.
inline PoolReading reading_of_nothing(std::uint32_t nodes) {
  PoolReading reading;
  reading.is_away = true;
  reading.nodes.resize(nodes);
  for (std::uint32_t i = 0; i < nodes; ++i) {
    reading.nodes[i].node = i;
    reading.nodes[i].takes_work = false;
  }
  return reading;
}

/// A round trip between two sites as measured at one moment. The newest wins, whole.
struct Rtt {
  Span p50;
  Span p99;  // What a bound is held to: 99 of 100 round trips took no longer.
  Moment at;

  friend bool operator==(const Rtt&, const Rtt&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "p50", self.p50);
    visit(2, "p99", self.p99);
    visit(3, "at", self.at);
  }
};

}  // namespace suan
