#include <algorithm>
#include <bit>

#include "base/ensure.h"
#include "base/planted.h"
#include "market/nodes.h"

// The part of Nodes that keeps some for whoever would wait for ever otherwise.
namespace suan::market {

bool Claim::may_use(const Kept& kept) const {
  return is_owner(kept) || rank < kept.rank || ends <= kept.by ||
         planted(Bug::backfill_outlasts_promise);
}

void Nodes::keep(const Pool& pool, const std::vector<std::uint32_t>& nodes, const Kept& kept) {
  if (planted(Bug::promised_nodes_open)) return;
  for (const std::uint32_t node : nodes) {
    const NodeFree* free = nodes_.find({pool.id, node});
    if (free == nullptr) continue;  // The pool has shrunk since.
    unindex(pool, node, *free);
    kept_.insert({pool.id, node}, kept);
  }
}

void Nodes::open(const Pool& pool, const std::vector<std::uint32_t>& nodes) {
  for (const std::uint32_t node : nodes) {
    if (!kept_.contains({pool.id, node})) continue;
    kept_.erase({pool.id, node});
    index(pool, node, nodes_.at({pool.id, node}));
  }
}

bool Nodes::keeps_for(PoolId pool, const Claim& claim) const {
  if (kept_.size() == 0) return false;
  const auto at = kept_.from({pool, 0});
  return at != kept_.end() && at->first.pool == pool && claim.is_owner(at->second);
}

std::vector<std::uint32_t> Nodes::kept_in(PoolId pool) const {
  std::vector<std::uint32_t> nodes;
  for (auto at = kept_.from({pool, 0}); at != kept_.end() && at->first.pool == pool; ++at)
    nodes.push_back(at->first.node);
  return nodes;
}

bool Nodes::holds(const Room& room, const NodeFree& free, const Need& need) {
  if (!room.takes_work || room.cpu_milli < need.cpu_milli || room.memory_bytes < need.memory_bytes)
    return false;
  if (need.card_milli == 0) return true;
  if (need.card_milli >= 1000) return room.cards >= need.card_milli / 1000;
  return room.cards > 0 || std::ranges::any_of(free.shared, [&](const SharedCard& each) {
           return each.free_milli >= need.card_milli;
         });
}

std::vector<Grant> Nodes::fit_kept(const Pool& pool, const Need& need, std::uint32_t count,
                                   const Claim& claim) const {
  std::vector<Grant> grants;
  if (kept_.size() == 0) return grants;
  for (auto at = kept_.from({pool.id, 0}); at != kept_.end() && at->first.pool == pool.id; ++at) {
    if (grants.size() == count) break;
    if (!claim.may_use(at->second)) continue;
    const NodeFree& free = nodes_.at(at->first);
    if (fits_beside_others(pool, at->first.node, free, need))
      grants.push_back(grant_on(at->first.node, free, need, tightest_card(free, need)));
  }
  return grants;
}

// As change() gives back.
void Nodes::put_back(NodeFree& free, const Grant& grant) {
  free.cpu_milli += grant.cpu_milli;
  free.memory_bytes += grant.memory_bytes;
  for (const std::uint32_t card : grant.cards) {
    const std::uint64_t bit = std::uint64_t{1} << card;
    const auto shared = std::ranges::find(free.shared, card, &SharedCard::card);
    if (shared == free.shared.end()) {
      if (grant.card_milli == 1000) free.free_cards |= bit;
      continue;
    }
    shared->free_milli += grant.card_milli;
    if (shared->free_milli < 1000) continue;
    free.shared.erase(shared);
    free.free_cards |= bit;
  }
}

std::optional<std::size_t> Nodes::ends_needed(const Pool& pool, std::uint32_t node,
                                              const Need& need,
                                              std::span<const Grant* const> grants) const {
  NodeFree free = nodes_.at({pool.id, node});
  if (fits_beside_others(pool, node, free, need)) return 0;
  for (std::size_t i = 0; i < grants.size(); ++i) {
    put_back(free, *grants[i]);
    if (fits_beside_others(pool, node, free, need)) return i + 1;
  }
  return std::nullopt;
}

}  // namespace suan::market
