#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "market/nodes.h"
#include "market/shelf.h"

// The part of Nodes that packs: where a task goes so that least is lost.
namespace suan::market {

namespace {

constexpr std::size_t nodes_judged_max = 48;
constexpr std::size_t shared_judged_max = 32;  // Of these for a share, by a card that is shared.
constexpr int memory_tries = 4;  // Nodes of a shelf looked at for one that has the memory.
constexpr int steps_max = 4;     // To the next shelf, before it is searched for.

packing::Ask ask_of(const Need& need) {
  packing::Ask ask{.cpu_milli = need.cpu_milli, .memory_bytes = need.memory_bytes};
  if (need.card_milli < packing::card_milli)
    ask.share_milli = static_cast<std::uint32_t>(need.card_milli);
  else
    ask.cards = static_cast<std::uint32_t>(need.card_milli / packing::card_milli);
  return ask;
}

struct Choice {
  std::uint32_t node = 0;
  packing::Fit fit;
};

}  // namespace

// Of each shelf that may do, the node with the fewest cores that suffice and the one with the most.
void Nodes::pick(const Pool& pool, const Need& need, std::uint64_t from, std::uint64_t to,
                 std::size_t most, std::vector<std::uint32_t>& nodes) const {
  const std::int64_t cpu_least = need.cpu_milli - (planted(Bug::cores_overcommitted) ? 500 : 0);
  const auto is_on = [&](const auto& at, std::uint64_t shelf) {
    return at != shelves_.end() && at->first.pool == pool.id && at->first.shelf == shelf;
  };
  const auto take = [&](std::uint32_t node) {
    const std::int64_t memory_bytes = memory_on(pool, node, nodes_.at({pool.id, node}));
    if (memory_bytes < need.memory_bytes && !planted(Bug::memory_ignored)) return false;
    if (std::ranges::find(nodes, node) == nodes.end()) nodes.push_back(node);
    return true;
  };
  auto at = shelves_.from({pool.id, from, INT64_MIN, 0});
  while (at != shelves_.end() && at->first.pool == pool.id && at->first.shelf < to &&
         nodes.size() < most) {
    const std::uint64_t shelf = at->first.shelf;
    if (at->first.cpu_milli < cpu_least) at = shelves_.from({pool.id, shelf, cpu_least, 0});
    for (int tries = 0; tries < memory_tries && is_on(at, shelf); ++tries) {
      const std::uint32_t node = at->first.node;
      ++at;
      if (take(node)) break;
    }
    if (!is_on(at, shelf)) continue;
    take(shelves_.before({pool.id, shelf, INT64_MAX, UINT32_MAX})->first.node);
    for (int steps = 0; steps < steps_max && is_on(at, shelf); ++steps) ++at;
    if (is_on(at, shelf)) at = shelves_.from({pool.id, shelf + 1, INT64_MIN, 0});
  }
}

std::vector<Grant> Nodes::pack(const Pool& pool, const Need& need, std::uint32_t count,
                               const packing::Outlook& outlook) const {
  if (planted(Bug::share_overfilled)) return fit(pool, need, count);
  const packing::Ask ask = ask_of(need);
  std::vector<std::uint32_t> nodes;
  if (ask.is_share())
    pick(pool, need, shelf_of(ask.share_milli, 0), shelf_of(packing::card_milli, 0),
         shared_judged_max, nodes);
  const std::uint32_t whole = ask.is_share() ? 1 : ask.cards;
  pick(pool, need, shelf_of(0, whole), shelf_of(1, 0), nodes_judged_max, nodes);
  if (nodes.size() < count) return fit(pool, need, count);
  std::vector<Choice> choices;
  choices.reserve(nodes.size());
  packing::NodeRoom seen;
  for (const std::uint32_t node : nodes) {
    const NodeFree& free = nodes_.at({pool.id, node});
    const Room room = room_on(pool, node, free);
    seen.whole = room.cards;
    seen.cards.clear();
    for (const SharedCard& shared : free.shared)
      seen.cards.push_back(static_cast<std::uint16_t>(shared.free_milli));
    seen.cards.resize(free.shared.size() + room.cards, packing::card_milli);
    seen.cpu_milli = room.cpu_milli;
    seen.memory_bytes = room.memory_bytes;
    choices.push_back({node, packing::judge(outlook, seen, ask)});
  }
  const auto is_better = [](const Choice& a, const Choice& b) {
    return std::pair(-a.fit.score, a.node) < std::pair(-b.fit.score, b.node);
  };
  std::ranges::partial_sort(choices, choices.begin() + count, is_better);
  std::vector<Grant> grants;
  grants.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::uint32_t node = choices[i].node;
    grants.push_back(grant_on(node, nodes_.at({pool.id, node}), need, choices[i].fit.card));
  }
  return grants;
}

Nodes::Sample Nodes::sample(const Pool& pool, std::uint32_t most) const {
  const std::uint32_t step = std::max((pool.nodes + most - 1) / most, 1U);
  Sample sample{.each = step, .bulks = {}};
  sample.bulks.reserve(most);
  const auto add = [&](std::uint32_t node, const NodeFree& free) {
    const Room room = room_on(pool, node, free);
    if (!room.takes_work) return;
    sample.bulks.push_back({.kind = 0,
                            .whole = room.cards,
                            .cpu_milli = room.cpu_milli,
                            .memory_bytes = room.memory_bytes});
  };
  if (step == 1) {
    for (auto at = nodes_.from({pool.id, 0}); at != nodes_.end() && at->first.pool == pool.id; ++at)
      add(at->first.node, at->second);
  } else {
    for (std::uint32_t node = 0; node < pool.nodes; node += step)
      add(node, nodes_.at({pool.id, node}));
  }
  return sample;
}

std::int64_t Nodes::open_milli(PoolId id) const {
  const Total* total = totals_.find(id);
  return total == nullptr ? 0 : total->open_milli;
}

std::int64_t Nodes::free_milli(PoolId id) const {
  const Total* total = totals_.find(id);
  return total == nullptr ? 0 : total->card_milli;
}

}  // namespace suan::market
