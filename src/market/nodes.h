#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "base/table.h"
#include "base/time.h"
#include "model/attempt.h"
#include "model/reading.h"
#include "model/supply.h"
#include "packing/outlook.h"

namespace suan::market {

/// One card that is shared, and what is left of it.
struct SharedCard {
  std::uint32_t card = 0;
  std::uint32_t free_milli = 0;
};

/// What is free on one node.
struct NodeFree {
  std::uint64_t free_cards = 0;  // One bit for each wholly free card.
  std::vector<SharedCard> shared;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;

  std::uint32_t whole_cards() const;
};

/// What is free in one pool, all nodes together, and the most that any one node has.
struct PoolFree {
  std::int64_t card_milli = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
  std::uint32_t nodes_idle = 0;       // Nothing on them.
  std::uint32_t cards_on_a_node = 0;  // Whole cards free on the best node.
  std::int64_t cpu_milli_on_a_node = 0;
  std::int64_t widest_cpu_milli = 0;  // On one node with cards_on_a_node: the most of those.
  std::int64_t widest_memory_bytes = 0;
  std::uint32_t share_milli_of_a_card = 0;  // 1000 when a whole card is free.
};

/// For whom a node is kept, and until when others may use it.
struct Kept {
  JobId job;
  std::uint32_t unit = 0;
  std::uint8_t rank = 0;  // In the queue; 0 is first.
  Moment by;
};

/// Who asks for capacity, as far as that opens nodes that are kept.
struct Claim {
  JobId job;
  std::uint32_t unit = 0;
  std::uint8_t rank = UINT8_MAX;
  Moment ends = {INT64_MAX};  // When it has ended for certain; the default: nobody knows.

  bool may_use(const Kept&) const;
  bool is_owner(const Kept& kept) const { return kept.job == job && kept.unit == unit; }
};

/// Free on one node.
struct NodeRoom {
  std::uint32_t cards = 0;  // Whole ones.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
};

/// The free capacity of every node of every pool, kept so that the tightest fit is found in
/// O(cards per node × log nodes), and a few nodes that differ in O(what is looked at × log nodes).
/// Derived from pools, leases and readings; holds no truth of its own.
class Nodes {
 public:
  /// Nothing is known any more but what others hold.
  void reset();

  /// All nodes of a pool, free but for what others hold.
  void add(const Pool&);
  void remove(const Pool&);

  /// A grant on a node or card that the pool no longer has changes nothing; one on less than it was
  /// leaves negative free capacity until it ends.
  void take(const Pool&, const Grant&);
  void give_back(const Pool&, const Grant&);

  /// What others hold of a pool, as last observed.
  std::vector<NodeReading> others_in(PoolId) const;

  /// Whether what a grant made elsewhere names is there and free by what was granted here.
  bool can_take(const Pool&, const Grant&) const;

  /// What others hold of a pool now, in place of what they held before. It takes nothing from
  /// grants that are there: a node on which both together hold more than it has takes no more.
  void observe(const Pool&, const std::vector<NodeReading>&);

  /// Keeps nodes for somebody: whoever asks without a claim does not see them any more.
  void keep(const Pool&, const std::vector<std::uint32_t>& nodes, const Kept&);
  void open(const Pool&, const std::vector<std::uint32_t>& nodes);

  /// Grants for at most `count` tasks on nodes that are kept and that the claim opens.
  std::vector<Grant> fit_kept(const Pool&, const Need&, std::uint32_t count, const Claim&) const;

  /// Whether nodes of a pool are kept for the one who claims.
  bool keeps_for(PoolId, const Claim&) const;

  /// The nodes of a pool that are kept.
  std::vector<std::uint32_t> kept_in(PoolId) const;

  /// How many of these grants on a node must end, one after another, until a task fits there;
  /// absent if it does not even then.
  std::optional<std::size_t> ends_needed(const Pool&, std::uint32_t node, const Need&,
                                         std::span<const Grant* const>) const;

  /// Grants for `count` tasks on distinct nodes, the tightest fits first; empty if they do not fit.
  std::vector<Grant> fit(const Pool&, const Need&, std::uint32_t count) const;

  /// The same where least is lost by the outlook, among some nodes that differ.
  std::vector<Grant> pack(const Pool&, const Need&, std::uint32_t count,
                          const packing::Outlook&) const;

  /// What at most `most` nodes of a pool have free, each of which stands for `each`; those that
  /// take no work have nothing.
  struct Sample {
    std::uint32_t each = 1;
    std::vector<packing::LargePlaces::Bulk> bulks;
  };
  Sample sample(const Pool&, std::uint32_t most) const;

  /// Free thousandths of all cards of a pool, and of those that are shared already and of use.
  std::int64_t free_milli(PoolId) const;
  std::int64_t open_milli(PoolId) const;

  /// Nodes that can take one task now, the tightest fits first: at most `limit`.
  std::vector<std::uint32_t> fitting(const Pool&, const Need&, std::uint32_t limit) const;

  /// What a share would leave of the shared card that it fits most tightly; absent if it fits none.
  std::optional<std::uint32_t> rest_of_shared(const Pool&, const Need&) const;

  /// What is free on a node by what was granted here; absent if the pool has no such node.
  const NodeFree* find(PoolId pool, std::uint32_t node) const { return nodes_.find({pool, node}); }

  /// Whether a task fits on a node with so much free beside what others hold, kept or not.
  bool fits_beside_others(const Pool& pool, std::uint32_t node, const NodeFree& free,
                          const Need& need) const {
    return holds(room_beside_others(pool, node, free), free, need);
  }

  /// A grant has ended, on a node that is only thought of.
  static void put_back(NodeFree&, const Grant&);

  PoolFree free_in(const Pool&) const;

  /// What one node at least has free once `tasks` more have been granted here, wherever they go:
  /// they cannot touch all of the widest tasks + 1. All zero if there are no more nodes than that.
  NodeRoom left_after(const Pool&, std::uint32_t tasks) const;

 private:
  struct NodeKey {
    PoolId pool;
    std::uint32_t node = 0;
    friend constexpr auto operator<=>(const NodeKey&, const NodeKey&) = default;
  };
  // Nodes of a pool by what they have: the tightest fit is the first entry that suffices.
  struct FitKey {
    PoolId pool;
    std::uint32_t cards = 0;
    std::int64_t cpu_milli = 0;
    std::uint32_t node = 0;
    friend constexpr auto operator<=>(const FitKey&, const FitKey&) = default;
  };
  struct ShareKey {
    PoolId pool;
    std::uint32_t free_milli = 0;
    std::uint32_t node = 0;
    std::uint32_t card = 0;
    friend constexpr auto operator<=>(const ShareKey&, const ShareKey&) = default;
  };
  /// Nodes with cards, once for themselves and once for each shared card, those side by side that
  /// are alike but for cores and memory.
  struct ShelfKey {
    PoolId pool;
    std::uint64_t shelf = 0;  // Free thousandths of the card (0: the node), whole cards, outline.
    std::int64_t cpu_milli = 0;
    std::uint32_t node = 0;
    friend constexpr auto operator<=>(const ShelfKey&, const ShelfKey&) = default;
  };
  /// The nodes of a pool with equally many free cards.
  struct Group {
    std::uint32_t nodes = 0;
    std::int64_t cpu_milli_max = 0;  // Of one of them, if there are any.
  };
  struct Total {
    std::int64_t card_milli = 0;
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
    std::int64_t open_milli = 0;
    std::uint32_t nodes_idle = 0;
    std::vector<Group> by_cards;  // Index: wholly free cards.
  };

  /// What can be granted of a node.
  struct Room {
    std::uint32_t cards = 0;
    std::int64_t card_milli = 0;
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
    bool is_idle = false;
    bool takes_work = true;
  };

  /// The fullest shared card of a node that suffices; else a number beyond them.
  static std::size_t tightest_card(const NodeFree&, const Need&);
  /// Of the lowest whole cards; a share from the card of that number, shared ones first.
  static Grant grant_on(std::uint32_t index, const NodeFree&, const Need&, std::size_t card);
  /// Does a node with that room take one more task?
  static bool holds(const Room&, const NodeFree&, const Need&);
  Room room_beside_others(const Pool&, std::uint32_t node, const NodeFree&) const;
  Room room_on(const Pool&, std::uint32_t node, const NodeFree&) const;
  bool takes_work(PoolId, std::uint32_t node) const;
  std::int64_t memory_on(const Pool&, std::uint32_t node, const NodeFree&) const;
  template <class Visit>
  void each_fitting(const Pool&, const Need&, Visit visit) const;
  void pick(const Pool&, const Need&, std::uint64_t from, std::uint64_t to, std::size_t most,
            std::vector<std::uint32_t>& nodes) const;
  void index(const Pool&, std::uint32_t node, const NodeFree&);
  void unindex(const Pool&, std::uint32_t node, const NodeFree&);
  void change(const Pool&, const Grant&, int sign);

  Table<NodeKey, NodeFree> nodes_;
  Table<NodeKey, NodeReading> others_;  // As last observed; those with something to say.
  Table<NodeKey, Kept> kept_;
  Table<FitKey, bool> fits_;
  Table<ShareKey, bool> shares_;
  Table<ShelfKey, bool> shelves_;
  Table<PoolId, Total> totals_;
};

}  // namespace suan::market
