#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
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
  std::int64_t carbon_max = 0;  // As Candidate::carbon; 0 = any.
  bool moves_data = false;
  bool is_spot = false;
  std::span<const std::string> stores{};  // Ascending.
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

/// hourly_cost() where 64 bits may not hold its steps.
Money wide_hourly_cost(const Price&, const Need&, std::uint32_t tasks);

/// The hourly cost of `tasks` tasks, each as hourly_price() rounds it. Saturates: what Money cannot
/// hold costs its greatest value, and nobody can pay it.
inline Money hourly_cost(const Price& price, const Need& need, std::uint32_t tasks) {
  // A million CNY for an hour, four thousand cores and a thousand tasks fit 63 bits at every step.
  constexpr std::int64_t price_limit = 1LL << 40U;
  constexpr std::int64_t milli_limit = 1LL << 22U;
  const std::int64_t price_bits = price.card_hour.micro | price.core_hour.micro;
  const std::int64_t milli_bits = need.card_milli | need.cpu_milli;
  if (price_bits >= price_limit || milli_bits >= milli_limit || tasks > 1024) [[unlikely]] {
    return wide_hourly_cost(price, need, tasks);
  }
  // Unsigned, for a quotient by a constant is cheaper so; nothing here is negative.
  const auto thousandth = [](std::int64_t product) {
    return static_cast<std::int64_t>((static_cast<std::uint64_t>(product) + 500) / 1000);
  };
  return {(thousandth(price.card_hour.micro * need.card_milli) +
           thousandth(price.core_hour.micro * need.cpu_milli)) *
          tasks};
}

/// True if `region` is `prefix` or lies below it: "cn" holds "cn-sh" but not "cnx". "" holds all.
bool lies_in(std::string_view region, std::string_view prefix);

}  // namespace suan::placement
