#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "market/nodes.h"
#include "packing/forecast.h"

/// How Nodes names shelves; not for other rooms.
namespace suan::market {

/// Those with a card of which so much is free (0: any node), with so many whole cards, and other
/// parts of cards as packing::Outline has them. In this order.
constexpr std::uint64_t shelf_of(std::uint32_t free_milli, std::uint32_t whole,
                                 std::uint64_t parts = 0) {
  constexpr int parts_bits = 21;
  constexpr int whole_bits = 7;
  return std::uint64_t{free_milli} << (parts_bits + whole_bits) |
         std::uint64_t{whole} << parts_bits | parts;
}

/// The shelves that a node with cards is on.
class NodeShelves {
 public:
  NodeShelves(std::uint32_t whole, const NodeFree& node) {
    constexpr int part_bits = 7;
    packing::Outline outline;
    for (const SharedCard& shared : node.shared) outline.add(shared.free_milli, 1);
    std::uint64_t parts = 0;
    for (const std::uint8_t part : outline.parts) parts = parts << part_bits | part;
    all_[count_++] = shelf_of(0, whole, parts);
    for (const SharedCard& shared : node.shared) {
      const std::uint64_t shelf = shelf_of(shared.free_milli, whole, parts);
      if (shared.free_milli > 0 && std::find(begin(), end(), shelf) == end())
        all_[count_++] = shelf;
    }
  }

  const std::uint64_t* begin() const { return all_.data(); }
  const std::uint64_t* end() const { return all_.data() + count_; }

 private:
  std::array<std::uint64_t, 65> all_;
  std::size_t count_ = 0;
};

}  // namespace suan::market
