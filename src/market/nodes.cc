#include "market/nodes.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/ensure.h"
#include "base/planted.h"
#include "market/shelf.h"

namespace suan::market {

namespace {

std::uint64_t all_cards(std::uint32_t cards) {
  return cards >= 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << cards) - 1;
}

std::uint32_t whole_cards_of(std::int64_t card_milli) {
  return static_cast<std::uint32_t>(card_milli / 1000);
}

bool is_share(const Need& need) {
  return need.card_milli > 0 && need.card_milli < 1000;
}

std::int64_t card_milli_of(const NodeFree& node) {
  std::int64_t milli = std::int64_t{1000} * std::popcount(node.free_cards);
  for (const SharedCard& shared : node.shared) milli += shared.free_milli;
  return milli;
}

std::int64_t open_milli_of(const NodeFree& node) {
  std::int64_t milli = 0;
  for (const SharedCard& shared : node.shared)
    milli += packing::is_open(shared.free_milli) ? shared.free_milli : 0;
  return milli;
}

bool is_idle(const Pool& pool, const NodeFree& node) {
  return node.shared.empty() && node.cpu_milli == pool.cpu_milli_per_node &&
         node.memory_bytes == pool.memory_bytes_per_node &&
         node.free_cards == all_cards(pool.cards_per_node);
}

}  // namespace

// The fullest shared card that still suffices, before a fresh one is broken into.
std::size_t Nodes::tightest_card(const NodeFree& node, const Need& need) {
  std::size_t best = node.shared.size();
  for (std::size_t i = 0; i < node.shared.size(); ++i) {
    if (node.shared[i].free_milli < need.card_milli) continue;
    if (best == node.shared.size() || node.shared[i].free_milli < node.shared[best].free_milli)
      best = i;
  }
  return best;
}

Grant Nodes::grant_on(std::uint32_t index, const NodeFree& node, const Need& need,
                      std::size_t card) {
  Grant grant{.node = index,
              .cards = {},
              .card_milli = 0,
              .cpu_milli = need.cpu_milli,
              .memory_bytes = need.memory_bytes};
  if (need.card_milli == 0) return grant;
  if (is_share(need)) {
    grant.card_milli = static_cast<std::uint32_t>(need.card_milli);
    grant.cards.push_back(card < node.shared.size()
                              ? node.shared[card].card
                              : static_cast<std::uint32_t>(std::countr_zero(node.free_cards)));
    return grant;
  }
  grant.card_milli = 1000;
  grant.cards.reserve(whole_cards_of(need.card_milli));
  std::uint64_t rest = node.free_cards;
  for (std::uint32_t left = whole_cards_of(need.card_milli); left > 0; --left) {
    grant.cards.push_back(static_cast<std::uint32_t>(std::countr_zero(rest)));
    rest &= rest - 1;
  }
  return grant;
}

std::uint32_t NodeFree::whole_cards() const {
  return static_cast<std::uint32_t>(std::popcount(free_cards));
}

Nodes::Room Nodes::room_on(const Pool& pool, std::uint32_t node, const NodeFree& free) const {
  Room room = room_beside_others(pool, node, free);
  if (kept_.size() > 0 && kept_.contains({pool.id, node})) room.takes_work = false;
  return room;
}

Nodes::Room Nodes::room_beside_others(const Pool& pool, std::uint32_t node,
                                      const NodeFree& free) const {
  Room room{.cards = free.whole_cards(),
            .card_milli = card_milli_of(free),
            .cpu_milli = free.cpu_milli,
            .memory_bytes = free.memory_bytes,
            .is_idle = is_idle(pool, free),
            .takes_work = true};
  if (others_.size() == 0) return room;
  const NodeReading* others = others_.find({pool.id, node});
  if (others == nullptr) return room;
  const std::uint32_t cards = std::min(room.cards, others->cards);
  room.cards -= cards;
  room.card_milli -= std::int64_t{1000} * cards;
  room.cpu_milli -= others->cpu_milli;
  room.memory_bytes -= others->memory_bytes;
  room.is_idle = false;
  room.takes_work = others->takes_work || planted(Bug::downed_node_granted);
  return room;
}

bool Nodes::takes_work(PoolId pool, std::uint32_t node) const {
  if (kept_.size() > 0 && kept_.contains({pool, node})) return false;
  const NodeReading* others = others_.size() == 0 ? nullptr : others_.find({pool, node});
  return others == nullptr || others->takes_work || planted(Bug::downed_node_granted);
}

std::int64_t Nodes::memory_on(const Pool& pool, std::uint32_t node, const NodeFree& free) const {
  if (others_.size() == 0) return free.memory_bytes;
  const NodeReading* others = others_.find({pool.id, node});
  return others == nullptr ? free.memory_bytes : free.memory_bytes - others->memory_bytes;
}

void Nodes::index(const Pool& pool, std::uint32_t node, const NodeFree& free) {
  const Room room = room_on(pool, node, free);
  if (!room.takes_work) return;
  fits_.insert({pool.id, room.cards, room.cpu_milli, node}, true);
  if (pool.cards_per_node > 0) {
    for (const std::uint64_t shelf : NodeShelves(room.cards, free))
      shelves_.insert({pool.id, shelf, room.cpu_milli, node}, true);
  }
  Total* total = totals_.edit(pool.id);
  if (total == nullptr) total = &totals_.insert(pool.id, {});
  total->card_milli += room.card_milli;
  total->cpu_milli += room.cpu_milli;
  total->memory_bytes += room.memory_bytes;
  total->open_milli += open_milli_of(free);
  total->nodes_idle += room.is_idle ? 1U : 0U;
  if (total->by_cards.size() <= room.cards) total->by_cards.resize(room.cards + 1);
  Group& group = total->by_cards[room.cards];
  group.cpu_milli_max =
      group.nodes++ == 0 ? room.cpu_milli : std::max(group.cpu_milli_max, room.cpu_milli);
}

void Nodes::unindex(const Pool& pool, std::uint32_t node, const NodeFree& free) {
  const Room room = room_on(pool, node, free);
  if (!room.takes_work) return;
  fits_.erase({pool.id, room.cards, room.cpu_milli, node});
  if (pool.cards_per_node > 0) {
    for (const std::uint64_t shelf : NodeShelves(room.cards, free))
      shelves_.erase({pool.id, shelf, room.cpu_milli, node});
  }
  Total* total = totals_.edit(pool.id);
  total->card_milli -= room.card_milli;
  total->cpu_milli -= room.cpu_milli;
  total->memory_bytes -= room.memory_bytes;
  total->open_milli -= open_milli_of(free);
  total->nodes_idle -= room.is_idle ? 1U : 0U;
  Group& group = total->by_cards[room.cards];
  if (--group.nodes > 0 && room.cpu_milli == group.cpu_milli_max) {
    // The last entry with this count of cards has the most cores of them.
    group.cpu_milli_max =
        fits_.before({pool.id, room.cards, INT64_MAX, UINT32_MAX})->first.cpu_milli;
  }
}

void Nodes::reset() {
  Nodes fresh;
  fresh.others_ = std::move(others_);
  *this = std::move(fresh);
}

void Nodes::add(const Pool& pool) {
  for (std::uint32_t node = 0; node < pool.nodes; ++node) {
    const NodeFree free{.free_cards = all_cards(pool.cards_per_node),
                        .shared = {},
                        .cpu_milli = pool.cpu_milli_per_node,
                        .memory_bytes = pool.memory_bytes_per_node};
    index(pool, node, free);
    nodes_.insert({pool.id, node}, free);
  }
}

void Nodes::remove(const Pool& pool) {
  for (std::uint32_t node = 0; node < pool.nodes; ++node) {
    const NodeFree& free = nodes_.at({pool.id, node});
    unindex(pool, node, free);
    for (const SharedCard& shared : free.shared)
      shares_.erase({pool.id, shared.free_milli, node, shared.card});
    nodes_.erase({pool.id, node});
    if (kept_.contains({pool.id, node})) kept_.erase({pool.id, node});
  }
}

void Nodes::change(const Pool& pool, const Grant& grant, int sign) {
  NodeFree* node = nodes_.edit({pool.id, grant.node});
  if (node == nullptr) return;  // The pool has shrunk below this node.
  unindex(pool, grant.node, *node);
  node->cpu_milli += sign * grant.cpu_milli;
  node->memory_bytes += sign * grant.memory_bytes;
  for (const std::uint32_t card : grant.cards) {
    const std::uint64_t bit = std::uint64_t{1} << card;
    if ((all_cards(pool.cards_per_node) & bit) == 0) continue;  // Shrunk below this card.
    if (grant.card_milli == 1000) {
      ensure(((node->free_cards & bit) != 0) == (sign < 0) ||
             planted(Bug::second_card_granted_again));  // No card is granted twice.
      if (!planted(Bug::second_card_granted_again) || card != 1) node->free_cards ^= bit;
      continue;
    }
    auto shared = std::find_if(node->shared.begin(), node->shared.end(),
                               [&](const SharedCard& each) { return each.card == card; });
    if (shared == node->shared.end()) {
      ensure(sign < 0 && (node->free_cards & bit) != 0);
      node->free_cards ^= bit;
      node->shared.push_back({card, 1000});
      shared = node->shared.end() - 1;
    } else {
      shares_.erase({pool.id, shared->free_milli, grant.node, card});
    }
    if (sign < 0) ensure(shared->free_milli >= grant.card_milli);
    shared->free_milli += sign < 0 ? 0 - grant.card_milli : grant.card_milli;
    if (shared->free_milli < 1000) {
      shares_.insert({pool.id, shared->free_milli, grant.node, card}, true);
      continue;
    }
    ensure(shared->free_milli == 1000);
    node->shared.erase(shared);
    node->free_cards |= bit;
  }
  index(pool, grant.node, *node);
}

void Nodes::observe(const Pool& pool, const std::vector<NodeReading>& readings) {
  const std::vector<NodeReading> before = others_in(pool.id);
  const auto change_to = [&](const NodeKey& key, const NodeReading* now) {
    const NodeFree* node = nodes_.find(key);
    if (node != nullptr) unindex(pool, key.node, *node);
    now == nullptr ? others_.erase(key) : static_cast<void>(others_.put(key, *now));
    if (node != nullptr) index(pool, key.node, *node);
  };
  for (const NodeReading& each : before) {
    const bool is_named = std::ranges::binary_search(readings, each.node, {}, &NodeReading::node);
    if (!is_named) change_to({pool.id, each.node}, nullptr);
  }
  for (const NodeReading& each : readings) {
    const NodeReading* known = others_.find({pool.id, each.node});
    if (known == nullptr || *known != each) change_to({pool.id, each.node}, &each);
  }
}

void Nodes::take(const Pool& pool, const Grant& grant) {
  change(pool, grant, -1);
}
void Nodes::give_back(const Pool& pool, const Grant& grant) {
  change(pool, grant, 1);
}

// Calls visit(node, free) for each node that fits, the tightest first, until it returns false.
template <class Visit>
void Nodes::each_fitting(const Pool& pool, const Need& need, Visit visit) const {
  if (is_share(need)) {
    auto milli = static_cast<std::uint32_t>(need.card_milli);
    if (planted(Bug::share_overfilled)) milli -= std::min(milli, 100U);
    std::uint32_t seen = UINT32_MAX;  // A node with two shared cards is one node.
    for (auto at = shares_.from({pool.id, milli, 0, 0}); at != shares_.end(); ++at) {
      if (at->first.pool != pool.id) break;
      const NodeFree& node = nodes_.at({pool.id, at->first.node});
      const Room room = room_on(pool, at->first.node, node);
      if (at->first.node == seen || room.cpu_milli < need.cpu_milli ||
          room.memory_bytes < need.memory_bytes || !room.takes_work)
        continue;
      seen = at->first.node;
      if (!visit(at->first.node, node)) return;
    }
  }
  const std::uint32_t cards = is_share(need) ? 1 : whole_cards_of(need.card_milli);
  for (std::uint32_t whole = cards; whole <= pool.cards_per_node; ++whole) {
    const std::int64_t cpu_least = need.cpu_milli - (planted(Bug::cores_overcommitted) ? 500 : 0);
    for (auto at = fits_.from({pool.id, whole, cpu_least, 0}); at != fits_.end(); ++at) {
      if (at->first.pool != pool.id || at->first.cards != whole) break;
      const NodeFree& node = nodes_.at({pool.id, at->first.node});
      const std::int64_t memory_bytes = memory_on(pool, at->first.node, node);
      if (memory_bytes < need.memory_bytes && !planted(Bug::memory_ignored)) continue;
      if (!visit(at->first.node, node)) return;
    }
  }
}

std::vector<NodeReading> Nodes::others_in(PoolId pool) const {
  std::vector<NodeReading> others;
  for (auto at = others_.from({pool, 0}); at != others_.end() && at->first.pool == pool; ++at)
    others.push_back(at->second);
  return others;
}

bool Nodes::can_take(const Pool& pool, const Grant& grant) const {
  const NodeFree* node = nodes_.find({pool.id, grant.node});
  if (node == nullptr || node->cpu_milli < grant.cpu_milli ||
      node->memory_bytes < grant.memory_bytes)
    return false;
  const bool is_share = grant.card_milli < 1000;
  if (grant.card_milli > 1000 || (is_share && grant.cards.size() > 1)) return false;
  std::uint64_t seen = 0;
  return std::ranges::all_of(grant.cards, [&](std::uint32_t card) {
    if (card >= pool.cards_per_node) return false;
    const std::uint64_t bit = std::uint64_t{1} << card;
    const bool is_new = (seen & bit) == 0;
    seen |= bit;
    if ((node->free_cards & bit) != 0) return is_new;
    if (!is_share) return false;
    return std::ranges::any_of(node->shared, [&](const SharedCard& each) {
      return each.card == card && each.free_milli >= grant.card_milli;
    });
  });
}

std::vector<Grant> Nodes::fit(const Pool& pool, const Need& need, std::uint32_t count) const {
  std::vector<Grant> grants;
  grants.reserve(count);
  each_fitting(pool, need, [&](std::uint32_t index, const NodeFree& node) {
    const bool is_taken = std::any_of(grants.begin(), grants.end(),
                                      [&](const Grant& grant) { return grant.node == index; });
    if (!is_taken) grants.push_back(grant_on(index, node, need, tightest_card(node, need)));
    return grants.size() < count;
  });
  if (grants.size() < count) grants.clear();
  return grants;
}

std::optional<std::uint32_t> Nodes::rest_of_shared(const Pool& pool, const Need& need) const {
  const auto milli = static_cast<std::uint32_t>(need.card_milli);
  for (auto at = shares_.from({pool.id, milli, 0, 0}); at != shares_.end(); ++at) {
    if (at->first.pool != pool.id) break;
    const Room room = room_on(pool, at->first.node, nodes_.at({pool.id, at->first.node}));
    if (room.takes_work && room.cpu_milli >= need.cpu_milli &&
        room.memory_bytes >= need.memory_bytes)
      return at->first.free_milli - milli;
  }
  return std::nullopt;
}

std::vector<std::uint32_t> Nodes::fitting(const Pool& pool, const Need& need,
                                          std::uint32_t limit) const {
  std::vector<std::uint32_t> nodes;
  each_fitting(pool, need, [&](std::uint32_t index, const NodeFree&) {
    if (!is_share(need) || std::find(nodes.begin(), nodes.end(), index) == nodes.end())
      nodes.push_back(index);
    return nodes.size() < limit;
  });
  return nodes;
}

NodeRoom Nodes::left_after(const Pool& pool, std::uint32_t tasks) const {
  if (tasks >= pool.nodes) return {};
  NodeRoom least{UINT32_MAX, INT64_MAX, INT64_MAX};
  FitKey above{pool.id, UINT32_MAX, INT64_MAX, UINT32_MAX};
  for (std::uint32_t i = 0; i <= tasks; ++i) {
    const auto at = fits_.before(above);
    if (at == fits_.end() || at->first.pool != pool.id) return {};  // The others take nothing.
    above = at->first;
    least.cards = above.cards;
    least.cpu_milli = std::min(least.cpu_milli, above.cpu_milli);
    least.memory_bytes =
        std::min(least.memory_bytes, memory_on(pool, above.node, nodes_.at({pool.id, above.node})));
  }
  return least;
}

PoolFree Nodes::free_in(const Pool& pool) const {
  PoolFree free;
  const Total* total = totals_.find(pool.id);
  if (total == nullptr) return free;
  free.card_milli = total->card_milli;
  free.cpu_milli = total->cpu_milli;
  free.memory_bytes = total->memory_bytes;
  free.nodes_idle = total->nodes_idle;
  for (std::uint32_t cards = 0; cards < total->by_cards.size(); ++cards) {
    const Group& group = total->by_cards[cards];
    if (group.nodes == 0) continue;
    free.cards_on_a_node = cards;
    free.cpu_milli_on_a_node = std::max(free.cpu_milli_on_a_node, group.cpu_milli_max);
    free.widest_cpu_milli = group.cpu_milli_max;
  }
  const auto widest = fits_.before({pool.id, free.cards_on_a_node, INT64_MAX, UINT32_MAX});
  if (widest != fits_.end() && widest->first.pool == pool.id) {
    const std::uint32_t node = widest->first.node;
    free.widest_memory_bytes = memory_on(pool, node, nodes_.at({pool.id, node}));
  }
  if (free.cards_on_a_node > 0) {
    free.share_milli_of_a_card = 1000;
  } else if (shares_.size() > 0) {
    auto last = shares_.before({pool.id, UINT32_MAX, 0, 0});
    while (last != shares_.end() && last->first.pool == pool.id &&
           !takes_work(pool.id, last->first.node))
      last = shares_.before(last->first);
    if (last != shares_.end() && last->first.pool == pool.id)
      free.share_milli_of_a_card = last->first.free_milli;
  }
  return free;
}

}  // namespace suan::market
