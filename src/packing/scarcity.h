#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "packing/mix.h"
#include "packing/room.h"

/// What will probably be scarce, and what using it up costs. Thousandths of a card throughout.
namespace suan::packing {

/// Places for tasks of several cards on one node.
///
/// For each kind of such a task that has come, and for one as large as each kind of node in case it
/// comes, it keeps how many the cluster could still take, and how many will come while the rest is
/// filled. A place costs its cards times the chance that it will be missed.
class LargePlaces {
 public:
  /// So many nodes of each kind, all free.
  void begin(std::span<const NodeKind>, std::span<const std::uint32_t> nodes_of_kind);

  /// What has come may be new: the places are to be counted anew.
  void learn(const Mix&);

  /// Sets how many such tasks the cluster could take now.
  template <class Count>
  void count_places(Count count) {
    for (Large& large : large_) large.places = count(std::as_const(large.ask));
  }

  void changed(const NodeRoom& before, const NodeRoom& after);

  /// With so much of the cluster free. True if a price has changed.
  bool set_prices(const Mix&, double free_milli);

  /// What a node offers to a task of several cards.
  struct Bulk {
    std::uint32_t kind = 0;
    std::uint32_t whole = 0;
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
  };
  static Bulk bulk_of(const NodeRoom& room) {
    return {room.kind, room.whole, room.cpu_milli, room.memory_bytes};
  }

  /// How many such tasks it could take.
  std::uint32_t places_on(const Bulk&, const Ask&) const;

  /// What the places cost that a task would take away on a node.
  double cost(const Bulk& before, const Bulk& after, const Ask&) const;

 private:
  struct Large {
    Ask ask;
    std::uint64_t count = 0;  // How often it came.
    double expected = 0;      // As if it had come so often, before anything was known.
    double least_chance = 0;
    double places = 0;
    double chance = 0;  // That a place will be missed.
  };

  static bool can_stand_for(const Ask& larger, const Ask& smaller);

  std::vector<NodeKind> kinds_;
  std::vector<Large> large_;
  double learnt_ = 1;  // Tasks of which the counts are.
};

/// What a card of each chip costs beyond one of the least wanted: tasks that will do with any chip
/// leave to the others those that only they can use. The prices are such that what is asked, spread
/// over the chips that will do by price, fills all alike.
class ChipPrices {
 public:
  /// With so much free of each chip. True if a price has changed.
  bool set_prices(const Mix&, std::span<const double> free_milli);

  /// For a thousandth of a card, 0 to 1.
  double of(std::uint32_t chip) const { return shown_[chip]; }

 private:
  std::array<double, chips_max> prices_{};
  std::array<double, chips_max> shown_{};  // Rounded, so that they change seldom.
};

}  // namespace suan::packing
