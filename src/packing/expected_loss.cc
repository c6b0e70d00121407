#include "packing/expected_loss.h"

#include <algorithm>

namespace suan::packing {

namespace {

// Found by trial on seeds that no figure is measured on.
constexpr double learn_again = 1.6;  // When so many times as many have come.
constexpr std::uint64_t learn_after = 20;
constexpr std::uint64_t prices_every = 10;

}  // namespace

void ExpectedLoss::begin(std::span<const NodeKind> kinds, std::span<const NodeRoom> rooms) {
  kinds_ = kinds;
  rooms_ = rooms;
  std::vector<std::uint32_t> nodes_of_kind(kinds.size(), 0);
  for (const NodeRoom& room : rooms) ++nodes_of_kind[room.kind];
  large_.begin(kinds, nodes_of_kind);
  std::uint32_t chips = 0;
  for (const NodeKind& kind : kinds) {
    chips = std::max(chips, kind.chip + 1);
    largest_cpu_milli_ = std::max(largest_cpu_milli_, static_cast<double>(kind.cpu_milli));
    largest_milli_ = std::max(largest_milli_, double{card_milli} * kind.cards);
  }
  free_milli_.assign(chips, 0);
  for (const NodeRoom& room : rooms) {
    free_milli_[kinds[room.kind].chip] += static_cast<double>(free_milli(room));
    all_milli_ += static_cast<double>(room.cards.size()) * card_milli;
    open_milli_ += static_cast<double>(open_milli(room));
  }
  learn();
}

void ExpectedLoss::arrived(const Ask& ask) {
  mix_.add(ask);
  const std::uint64_t come = mix_.total();
  if (come >= learn_at_) {
    learn();
    large_.learn(mix_);
    count_places();
    learn_at_ = std::max(come + learn_after,
                         static_cast<std::uint64_t>(static_cast<double>(come) * learn_again));
  }
  if (come % prices_every != 0) return;
  double free = 0;
  for (const double each : free_milli_) free += each;
  const bool large_changed = large_.set_prices(mix_, free);
  const bool chips_changed = prices_.set_prices(mix_, free_milli_);
  const double wear = packing::wear(mix_, all_milli_, open_milli_);
  if (large_changed || chips_changed || wear != wear_) ++edition_;
  wear_ = wear;
}

void ExpectedLoss::changed(const NodeRoom& before, const NodeRoom& after) {
  free_milli_[kinds_[before.kind].chip] +=
      static_cast<double>(free_milli(after) - free_milli(before));
  open_milli_ += static_cast<double>(open_milli(after) - open_milli(before));
  large_.changed(before, after);
}

void ExpectedLoss::learn() {
  ++edition_;
  const bool is_alike = std::ranges::all_of(
      mix_.rows(), [](const Mix::Row& row) { return row.ask.chips == any_chip; });
  forecasts_.assign(free_milli_.size(), nullptr);
  for (std::uint32_t chip = 0; chip < forecasts_.size(); ++chip) {
    if (is_alike && chip > 0) {
      forecasts_[chip] = forecasts_[0];
      continue;
    }
    NodeKind largest;
    for (const NodeKind& kind : kinds_) {
      largest.cards = std::max(largest.cards, kind.cards);
      largest.cpu_milli = std::max(largest.cpu_milli, kind.cpu_milli);
      largest.memory_bytes = std::max(largest.memory_bytes, kind.memory_bytes);
    }
    forecasts_[chip] = std::make_shared<Forecast>(mix_, chip, largest);
  }
}

void ExpectedLoss::count_places() {
  large_.count_places([&](const Ask& ask) {
    double places = 0;
    for (const NodeRoom& room : rooms_) places += large_.places_on(LargePlaces::bulk_of(room), ask);
    return places;
  });
}

Fit ExpectedLoss::judge(std::uint32_t, const NodeRoom& room, const Ask& ask) const {
  const std::uint32_t chip = kinds_[room.kind].chip;
  return packing::judge({.forecast = forecasts_[chip].get(),
                         .large = &large_,
                         .wear = wear_,
                         .card_price = prices_.of(chip),
                         .largest_cpu_milli = largest_cpu_milli_,
                         .largest_milli = largest_milli_},
                        room, ask);
}

}  // namespace suan::packing
