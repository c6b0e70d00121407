#include "placement/demand.h"

#include <algorithm>
namespace suan::placement {

namespace {

// More than any node has, and far from overflow.
constexpr std::int64_t cards_milli_limit = 1'000'000'000;

__extension__ using Wide = __int128;

// amount × part / whole, rounded down; at most INT64_MAX. Nothing of nothing is nothing.
std::int64_t proportion(std::int64_t amount, std::int64_t part, std::int64_t whole) {
  if (whole <= 0 || amount <= 0 || part <= 0) return 0;
  std::int64_t product = 0;
  if (!__builtin_mul_overflow(amount, part, &product)) return product / whole;
  const Wide exact = Wide{amount} * part / whole;
  return exact > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(exact);
}

std::int64_t bounded(const Bounds& bounds, std::int64_t usual) {
  if (bounds.least > 0) return bounds.least;
  return bounds.most > 0 ? std::min(usual, bounds.most) : usual;
}

}  // namespace

Demand make_demand(const JobSpec& spec) {
  Demand demand;
  demand.alternatives = spec.alternatives;
  demand.is_ordered = spec.is_ordered;
  demand.nodes = std::max(spec.nodes, 1U);
  demand.tasks = std::max(spec.tasks(), 1U);
  demand.cpu_milli = spec.cpu_milli;
  demand.memory_bytes = spec.memory_bytes;
  demand.disk_bytes = spec.disk_bytes;
  demand.network_tier = spec.network_tier;
  demand.where = &spec.where;
  demand.moves_data = spec.moves_data;
  demand.is_spot = spec.is_spot;
  demand.carbon_max = std::int64_t{spec.carbon_max} * 1000;
  demand.stores = spec.stores;
  demand.hourly_max = spec.hourly_max;
  demand.objective = spec.objective;
  return demand;
}

Need need_in(const NodeSize& node, const Demand& demand, const Alternative& alternative) {
  const bool has_cards = !alternative.chip.empty();
  Need need;
  if (has_cards) {
    need.card_milli = std::clamp<std::int64_t>(alternative.card_milli, 1, cards_milli_limit);
    if (need.card_milli > 1000) need.card_milli = (need.card_milli - 1) / 1000 * 1000 + 1000;
  }
  const std::int64_t cores =
      has_cards ? proportion(node.cpu_milli, need.card_milli, std::int64_t{node.cards} * 1000)
                : 1000;
  need.cpu_milli = bounded(demand.cpu_milli, cores);
  need.memory_bytes =
      bounded(demand.memory_bytes, proportion(node.memory_bytes, need.cpu_milli, node.cpu_milli));
  return need;
}

Need need_in(const Pool& pool, const Demand& demand, std::size_t alternative) {
  return need_in({pool.cards_per_node, pool.cpu_milli_per_node, pool.memory_bytes_per_node}, demand,
                 demand.alternatives[alternative]);
}

Money wide_hourly_cost(const Price& price, const Need& need, std::uint32_t tasks) {
  const auto product = [](Money of_price, std::int64_t milli) {
    return (Wide{of_price.micro} * milli + 500) / 1000;
  };
  const Wide task =
      product(price.card_hour, need.card_milli) + product(price.core_hour, need.cpu_milli);
  // Beyond the greatest Money the number of tasks no longer matters, and the product might not fit.
  if (task > INT64_MAX || task * tasks > INT64_MAX) return {INT64_MAX};
  return {static_cast<std::int64_t>(task * tasks)};
}

bool lies_in(std::string_view region, std::string_view prefix) {
  if (prefix.empty()) return true;
  return region.starts_with(prefix) &&
         (region.size() == prefix.size() || prefix.ends_with('-') || region[prefix.size()] == '-');
}

}  // namespace suan::placement
