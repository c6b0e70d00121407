#pragma once

#include <algorithm>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "model/supply.h"
#include "network/position.h"
#include "placement/shared.h"

/// How a Supply lies in memory.
namespace suan::placement {

/// What is free in a pool, summed up so that most questions need no look at its nodes.
///
/// The maxima are upper bounds over the nodes, `widest_*` and `roomiest_*` are what is free on
/// one real node each, and nodes_free is at most the number of wholly free nodes: a question then
/// says no, or yes, only if that is so, and asks the NodeView otherwise. Tight values save asking;
/// with loose ones the answers stay true.
struct Free {
  std::uint32_t nodes_free = 0;         // Wholly free nodes.
  std::uint32_t cards_max = 0;          // Whole free cards on one node.
  std::int64_t share_max_milli = 0;     // The largest free part of one card: 1000 if cards_max > 0.
  std::int64_t cpu_max_milli = 0;       // Free on one node.
  std::int64_t memory_max_bytes = 0;    // Free on one node.
  std::uint32_t widest_cards = 0;       // A real node: with the most whole cards, then the largest
  std::int64_t widest_share_milli = 0;  // share, then the most cores, then the most memory.
  std::int64_t widest_cpu_milli = 0;
  std::int64_t widest_memory_bytes = 0;
  std::int64_t roomiest_cpu_milli = 0;  // A real node: with the most cores, then memory.
  std::int64_t roomiest_memory_bytes = 0;
  std::int64_t cards_milli = 0;  // In all; also at least what is free.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;

  friend bool operator==(const Free&, const Free&) = default;
};

/// Two numbers below 2^31 lie side by side in what a row is judged by, so that one subtraction
/// compares both. What is asked goes up to number_max, what is there to one less: what does not fit
/// its number never suffices.
inline constexpr std::int64_t number_max = INT32_MAX;
inline constexpr std::uint64_t both_suffice = 0x8000'0000'8000'0000;
static_assert(std::endian::native == std::endian::little);  // The first number is the low half.

/// Bit 31 if the first number there is at least the one asked, bit 63 if the second one is.
template <class Two>
std::uint64_t sufficing(const Two& there, const Two& asked) {
  const auto high = std::bit_cast<std::uint64_t>(there) | both_suffice;
  return (high - std::bit_cast<std::uint64_t>(asked)) & both_suffice;
}

/// Cores and memory of a node, rounded so that nothing false follows: what is asked and what is at
/// most there up, what is surely there down. Where rounding hides the answer, the nodes are asked.
struct Room {
  static constexpr std::int64_t memory_unit = 65'536;

  std::uint32_t cpu_milli = 0;
  std::uint32_t memory_units = 0;

  static Room up(std::int64_t cpu_milli, std::int64_t memory_bytes) {
    return {
        clamp(cpu_milli, number_max),
        clamp(memory_bytes / memory_unit + (memory_bytes % memory_unit > 0 ? 1 : 0), number_max)};
  }
  /// One less than the greatest number at most, so that what is asked beyond it does not fit.
  static Room down(std::int64_t cpu_milli, std::int64_t memory_bytes) {
    return {clamp(cpu_milli, number_max - 1), clamp(memory_bytes / memory_unit, number_max - 1)};
  }

 private:
  static std::uint32_t clamp(std::int64_t n, std::int64_t most) {
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(n, 0, most));
  }
};

/// What one node gives to one task, in thousandths of a card: its whole free cards or, where there
/// is none, the largest free part of one.
struct Widths {
  std::uint32_t most = 0;    // On any node.
  std::uint32_t widest = 0;  // On the widest one.
};

struct NodeCounts {
  std::uint32_t all = 0;
  std::uint32_t free = 0;  // Wholly.
};

/// What pools built of the same nodes have in common.
struct Shape {
  std::uint32_t chip = 0;  // Number of the chip in the Supply.
  std::uint32_t cards = 0;
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
  std::int64_t disk_bytes = 0;
  NetworkTier network_tier = NetworkTier::standard;
  bool runs_images = false;
  bool moves_data = false;
  std::vector<std::string> stores;
  std::uint32_t spot_milli = 0;  // As in Pool.

  friend auto operator<=>(const Shape&, const Shape&) = default;
};

struct SiteFacts {
  std::string name;
  std::string region;
  std::int64_t carbon = 0;  // g/kWh of the grid × PUE × 1000; 0 = unknown.
  network::Position position;
  bool is_located = false;

  friend bool operator==(const SiteFacts&, const SiteFacts&) = default;
};

/// Where a row lies: blocks and rows are in this order. `price` is what the pool is mostly paid
/// for: the card-hour, or the core-hour where there are no cards.
struct RowKey {
  std::uint32_t chip = 0;
  std::int64_t price = 0;
  PoolId pool;

  friend constexpr auto operator<=>(const RowKey&, const RowKey&) = default;
};

inline constexpr std::size_t block_rows = 256;

/// A value of each row. Access is not checked: a question touches millions.
template <class T>
struct Column {
  T values[block_rows];

  T& operator[](std::size_t row) { return values[row]; }
  const T& operator[](std::size_t row) const { return values[row]; }
  T* data() { return values; }
  const T* data() const { return values; }
};

enum RowFlag : std::uint8_t { row_open = 1, row_reachable = 2, row_firm = 4 };

/// What a question must know of a block to skip it: bounds over its open rows.
struct Zone {
  std::uint32_t rows = 0;  // All of them.
  std::uint32_t open = 0;
  std::uint32_t nodes_max = 0;
  std::uint64_t widths = 0;          // Bit n - 1: on a node of some row n cards are free, 1 to 64.
  std::int64_t share_max_milli = 0;  // Of rows without a whole free card.
  std::int64_t core_hour_min = 0;
  std::int64_t carbon_min = 0;  // INT64_MAX if all are unknown.
  Room max;                     // Of rooms rounded up.
};

/// Up to block_rows pools with the same chip. Rows from `rows` on are undefined.
struct Block {
  std::uint32_t rows = 0;
  // What every question reads: small, because the time of a broad question is that of reading it.
  Column<std::uint8_t> flags;
  Column<std::uint32_t> shape;
  Column<NodeCounts> nodes;
  Column<Widths> widths;
  Column<Room> max;     // Rounded up.
  Column<Room> widest;  // Rounded down, as is the next.
  Column<Room> roomiest;
  Column<std::int64_t> card_hour;
  Column<std::int64_t> core_hour;
  // What some do.
  Column<std::uint32_t> site;
  Column<std::uint64_t> pool;
  Column<std::int64_t> price;   // As in RowKey.
  Column<std::int64_t> carbon;  // Of the site, as in SiteFacts.
  Column<Free> free;            // Exactly as it was set.

  Block() {}  // The columns stay unset: `rows` says how much of them is there.
  Block(const Block& other) { copy_rows(other, 0); }
  Block& operator=(const Block&) = delete;

  /// Adds the rows of `other` from `begin` on, in its order; there is room for them.
  void copy_rows(const Block& other, std::size_t begin);

  /// Calls visit(column, column of `other`) for every column.
  static void each_column(auto& self, auto& other, auto&& visit) {
    visit(self.flags, other.flags);
    visit(self.shape, other.shape);
    visit(self.nodes, other.nodes);
    visit(self.widths, other.widths);
    visit(self.max, other.max);
    visit(self.widest, other.widest);
    visit(self.roomiest, other.roomiest);
    visit(self.card_hour, other.card_hour);
    visit(self.core_hour, other.core_hour);
    visit(self.site, other.site);
    visit(self.pool, other.pool);
    visit(self.price, other.price);
    visit(self.carbon, other.carbon);
    visit(self.free, other.free);
  }

  RowKey key(std::uint32_t chip, std::size_t row) const {
    return {chip, price[row], PoolId{pool[row]}};
  }
  bool is_open(std::size_t row) const { return (flags[row] & row_open) != 0; }
  bool is_reachable(std::size_t row) const { return (flags[row] & row_reachable) != 0; }

  void set_nodes(std::size_t row, std::uint32_t count);
  void set_free(std::size_t row, const Free&);

  /// The first row whose (price, pool) is not less than the key's.
  std::size_t lower_bound(const RowKey&) const;

  /// Makes room for one row before `row`; its columns are then to be set.
  void open_gap(std::size_t row);
  void remove(std::size_t row);

  /// The bounds over the rows as they are now.
  Zone measure() const;
};

/// A block, its bounds, and where it lies in the order.
struct Extent {
  RowKey first;
  RowKey last;
  Zone zone;
  Shared<Block> block;
};

/// A row of a block; valid until the Supply is written.
struct RowAt {
  const Block* block = nullptr;
  std::size_t row = 0;
};

}  // namespace suan::placement
