#pragma once

#include <compare>
#include <cstdint>
#include <vector>

/// What packing sees of a cluster: nodes of a few kinds, and the tasks that ask for parts of one.
namespace suan::packing {

inline constexpr std::uint32_t card_milli = 1000;  // A whole card, in thousandths.
inline constexpr std::uint32_t chips_max = 64;     // Models of cards in one cluster.
inline constexpr std::uint64_t any_chip = ~std::uint64_t{0};

/// Nodes that are built alike.
struct NodeKind {
  std::uint32_t chip = 0;   // Number of the card's model, below chips_max.
  std::uint32_t cards = 0;  // At most 64.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;

  friend auto operator<=>(const NodeKind&, const NodeKind&) = default;
};

/// What is free on one node.
struct NodeRoom {
  std::uint32_t kind = 0;            // Index of its NodeKind.
  std::uint32_t whole = 0;           // Cards of which nothing is taken.
  std::vector<std::uint16_t> cards;  // Free thousandths of each card.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
};

/// What one task takes of one node: whole cards, or a share of one, or none.
struct Ask {
  std::uint32_t cards = 0;
  std::uint32_t share_milli = 0;  // Below 1000; then `cards` is 0.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
  std::uint64_t chips = any_chip;  // One bit for each model that will do; without cards all.

  bool is_share() const { return share_milli > 0; }
  bool has_cards() const { return cards > 0 || share_milli > 0; }
  std::int64_t cards_milli() const {
    return std::int64_t{cards} * card_milli + std::int64_t{share_milli};
  }
  friend auto operator<=>(const Ask&, const Ask&) = default;
};

/// A node of which nothing is taken.
NodeRoom all_free(std::uint32_t kind, const NodeKind&);

/// Free thousandths of all cards of a node.
std::int64_t free_milli(const NodeRoom&);

/// Whether the task can run there now.
bool fits(const NodeRoom&, const NodeKind&, const Ask&);

/// Takes it, on a node that it fits: a share from `card`, whole cards from the first free ones. One
/// bit for each card taken.
std::uint64_t take(NodeRoom&, const Ask&, std::uint32_t card);

/// Gives back what take() took.
void give_back(NodeRoom&, const Ask&, std::uint64_t cards);

}  // namespace suan::packing
