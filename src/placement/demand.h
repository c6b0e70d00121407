#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/money.h"
#include "model/spec.h"
#include "model/supply.h"

namespace suan::placement {

/// What placement reads of a JobSpec. Borrows the spec's lists: the spec must outlive it unchanged.
/// Cheap to copy and to change, for what-if questions.
struct Demand {
  std::span<const Alternative> alternatives;
  bool is_ordered = false;
  std::uint32_t nodes = 1;  // Of the gang, all in one pool and on different nodes.
  std::uint32_t tasks = 1;  // That the hourly limit must pay for.
  Bounds cpu_milli;
  Bounds memory_bytes;
  std::int64_t disk_bytes = 0;
  NetworkTier network_tier = NetworkTier::standard;
  const Where* where = nullptr;  // Never null in what make_demand returns.
  Money hourly_max;              // 0 = no limit.
  Objective objective = Objective::cost;
};

Demand make_demand(const JobSpec&);
Demand make_demand(JobSpec&&) = delete;

/// The node of a pool, as far as a need depends on it.
struct NodeSize {
  std::uint32_t cards = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
};

/// What one task takes from one node. Cards above one are rounded up to whole ones. Without a
/// stated least: cores are the node's in proportion to the cards, or one core without cards; memory
/// is the node's in proportion to the cores; both rounded down and at most the stated most. The
/// need may exceed the node, which then cannot run it.
Need need_in(const NodeSize&, const Demand&, const Alternative&);
Need need_in(const Pool&, const Demand&, std::size_t alternative);

/// The hourly cost of `tasks` tasks, each as hourly_price() rounds it. Saturates: what Money cannot
/// hold costs its greatest value, and nobody can pay it.
Money hourly_cost(const Price&, const Need&, std::uint32_t tasks);

/// True if `region` is `prefix` or lies below it: "cn" holds "cn-sh" but not "cnx". "" holds all.
bool lies_in(std::string_view region, std::string_view prefix);

}  // namespace suan::placement
