#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "packing/mix.h"
#include "packing/room.h"

/// What will probably be lost of a node, if what comes is like what has come.
///
/// Both forecasts are small dynamic programmes over the next tasks: tasks that fit come in the
/// proportions of the mix, and before each of them the node is left alone for good with some
/// chance. Thousandths of a card throughout.
namespace suan::packing {

/// What is lost of one card for want of tasks that fill it, cores and memory aside.
class CardLoss {
 public:
  /// For cards of this chip.
  CardLoss(const Mix&, std::uint32_t chip);

  /// Of a card with so many thousandths free.
  double of(std::uint32_t free_milli) const { return losses_[free_milli]; }

 private:
  std::array<double, card_milli + 1> losses_{};
};

/// The cards of a node that are still of use, as far as cores and memory for them matter: whole
/// ones, and parts rounded to a third, a half or two thirds of a card.
struct Outline {
  static constexpr std::size_t sizes = 3;

  std::uint32_t whole = 0;
  std::array<std::uint8_t, sizes> parts{};

  /// Adds or removes a card with so many thousandths free.
  void add(std::uint32_t free_milli, int count);
};

/// What is lost of the cards of a node because its cores (or its memory) are used up first.
class Starvation {
 public:
  enum class Of : std::uint8_t { cores, memory };

  /// For nodes with cards of this chip, none of which has more cards and cores (or memory) than
  /// the largest.
  Starvation(const Mix&, std::uint32_t chip, Of, const NodeKind& largest);

  /// With so much left of the cores, in thousandths, or of the memory, in bytes.
  double of(const Outline&, std::int64_t amount) const;

 private:
  struct Step;

  static constexpr std::size_t levels = 128;      // Of the amount.
  static constexpr std::uint32_t whole_max = 16;  // More are taken for so many.
  static constexpr std::uint32_t parts_max = 4;   // Likewise, the smallest forgotten first.

  using Parts = std::array<std::uint8_t, Outline::sizes>;

  void number_parts();
  std::size_t number_of(Parts) const;
  float* row(std::uint32_t whole, std::size_t parts) {
    return losses_.data() + (whole * parts_.size() + parts) * (levels + 1);
  }
  std::vector<Step> steps(const Mix&, std::uint32_t chip, Of) const;
  void fill(const std::vector<Step>&, std::uint32_t whole, std::size_t parts, double end_weight);

  double level_ = 1;  // Amount between two levels.
  std::uint32_t whole_max_ = 0;
  std::vector<Parts> parts_;  // Every way to have at most parts_max.
  std::array<std::size_t, 125> numbers_{};
  std::vector<float> losses_;
};

}  // namespace suan::packing
