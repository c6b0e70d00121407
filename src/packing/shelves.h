#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "packing/forecast.h"
#include "packing/room.h"

namespace suan::packing {

/// The nodes of a cluster by what they offer, so that a few that differ can be judged instead of
/// all.
///
/// A shelf has nodes of one kind whose cards have the same outline, and, for shares, a card with
/// the same free thousandths; on it they lie by their free cores. Of each shelf that will do, the
/// node with the fewest cores that suffice is picked, and where there is time the one with the
/// most. O(shelves + picked × log nodes); that of shelves grows slowly with that of nodes.
class Shelves {
 public:
  /// The kinds stay as they are while this is used.
  void begin(std::span<const NodeKind>, std::span<const NodeRoom>);

  void changed(std::uint32_t node, const NodeRoom& before, const NodeRoom& after);

  /// About `most` nodes that the task fits, each once; none only if it fits none. Where there are
  /// more shelves than that, other ones each time.
  void pick(const Ask&, std::span<const NodeRoom>, std::size_t most,
            std::vector<std::uint32_t>& picked);

 private:
  struct Place {
    std::int64_t cpu_milli = 0;
    std::uint32_t node = 0;
    friend auto operator<=>(const Place&, const Place&) = default;
  };
  using Shelf = std::set<Place>;

  void put(std::uint32_t node, const NodeRoom&);
  void remove(std::uint32_t node, const NodeRoom&);
  Shelf& shelf(std::uint64_t key);
  void drop_empty();
  void gather(const Ask&);
  void gather(const Ask&, std::uint64_t from, std::uint64_t to);
  void pick_from(const Shelf&, const Ask&, std::span<const NodeRoom>, bool picks_two,
                 std::vector<std::uint32_t>& picked);
  void pick(std::uint32_t node, std::vector<std::uint32_t>& picked);

  std::span<const NodeKind> kinds_;
  std::vector<std::uint64_t> keys_;  // Sorted; of `shelves_`.
  std::vector<std::unique_ptr<Shelf>> shelves_;
  std::size_t empty_ = 0;            // Shelves with nothing on them.
  std::vector<std::size_t> chosen_;  // Shelves that may do.
  std::vector<std::uint64_t> seen_;  // By node: the pick in which it was seen last.
  std::uint64_t picks_ = 0;
};

}  // namespace suan::packing
