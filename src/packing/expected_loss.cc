#include "packing/expected_loss.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace suan::packing {

namespace {

// Found by trial on seeds that no figure is measured on.
constexpr double learn_again = 1.6;  // When so many times as many have come.
constexpr std::uint64_t learn_after = 20;
constexpr std::uint64_t prices_every = 10;
constexpr double memory_weight = 0.75;
constexpr double tidy_milli = 11;  // What an idle largest node is worth, beside one that is full.
constexpr double wear_max = 143;
constexpr double wear_steps = 20;
constexpr double open_part = 0.163;  // Of what small shares ask, open at any time.
constexpr std::uint32_t small_share = 700;
constexpr std::uint32_t open_least = 300;

double open_on(const NodeRoom& room) {
  double sum = 0;
  for (const std::uint16_t free : room.cards)
    sum += free >= open_least && free < card_milli ? free : 0;
  return sum;
}

}  // namespace

void ExpectedLoss::begin(std::span<const NodeKind> kinds, std::span<const NodeRoom> rooms) {
  kinds_ = kinds;
  large_.begin(kinds, rooms);
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
    open_milli_ += open_on(room);
  }
  learn();
}

void ExpectedLoss::arrived(const Ask& ask) {
  mix_.add(ask);
  const std::uint64_t come = mix_.total();
  if (come >= learn_at_) {
    learn();
    large_.learn(mix_);
    learn_at_ = std::max(come + learn_after,
                         static_cast<std::uint64_t>(static_cast<double>(come) * learn_again));
  }
  if (come % prices_every != 0) return;
  double free = 0;
  for (const double each : free_milli_) free += each;
  const bool large_changed = large_.set_prices(mix_, free);
  const bool chips_changed = prices_.set_prices(mix_, free_milli_);
  const bool wear_changed = set_wear();
  if (large_changed || chips_changed || wear_changed) ++edition_;
}

void ExpectedLoss::changed(const NodeRoom& before, const NodeRoom& after) {
  free_milli_[kinds_[before.kind].chip] +=
      static_cast<double>(free_milli(after) - free_milli(before));
  open_milli_ += open_on(after) - open_on(before);
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
    forecasts_[chip] = std::make_shared<Forecast>(
        CardLoss(mix_, chip), Starvation(mix_, chip, Starvation::Of::cores, largest),
        Starvation(mix_, chip, Starvation::Of::memory, largest));
  }
}

// Where large shares leave rests that nothing fills, whole cards are better used up by small ones
// whose rests others fill: as long as less is open than small shares will fill.
bool ExpectedLoss::set_wear() {
  double small = 0;
  double all = 0;
  for (const Mix::Row& row : mix_.rows()) {
    const double milli =
        static_cast<double>(row.count) * static_cast<double>(row.ask.cards_milli());
    all += milli;
    if (row.ask.is_share() && row.ask.share_milli <= small_share) small += milli;
  }
  double wear = 0;
  const double wanted = small > 0 ? open_part * all_milli_ * small / all : 0;
  if (wanted > 0) {
    wear = std::clamp((1 - open_milli_ / wanted) * 2, 0.0, 1.0);
    wear = std::round(wear * wear_steps) / wear_steps * wear_max;
  }
  const bool has_changed = wear != wear_;
  wear_ = wear;
  return has_changed;
}

double ExpectedLoss::loss(const Forecast& forecast, const View& view) const {
  return view.cards_lost + wear_ * view.outline.whole +
         forecast.cores.of(view.outline, view.bulk.cpu_milli) +
         memory_weight * forecast.memory.of(view.outline, view.bulk.memory_bytes);
}

// Of equals the fuller node, so that idle ones stay idle.
double ExpectedLoss::tidiness(const View& after) const {
  return -tidy_milli * (static_cast<double>(after.bulk.cpu_milli) / largest_cpu_milli_ +
                        static_cast<double>(after.free_milli) / largest_milli_);
}

ExpectedLoss::View ExpectedLoss::view(const Forecast& forecast, const NodeRoom& room) {
  View view{.bulk = LargePlaces::bulk_of(room), .outline = {}, .cards_lost = 0, .free_milli = 0};
  for (const std::uint16_t free : room.cards) view.put(forecast.cards, free, 1);
  return view;
}

void ExpectedLoss::View::put(const CardLoss& cards, std::uint32_t free, int count) {
  outline.add(free, count);
  cards_lost += cards.of(free) * count;
  free_milli += static_cast<std::int64_t>(free) * count;
}

Fit ExpectedLoss::judge(std::uint32_t, const NodeRoom& room, const Ask& ask) const {
  const std::uint32_t chip = kinds_[room.kind].chip;
  const Forecast& forecast = *forecasts_[chip];
  const View before = view(forecast, room);
  const double loss_before = loss(forecast, before);
  const double price =
      ask.has_cards() ? prices_.of(chip) * static_cast<double>(ask.cards_milli()) : 0;
  View rest = before;
  rest.bulk.cpu_milli -= ask.cpu_milli;
  rest.bulk.memory_bytes -= ask.memory_bytes;
  const auto score = [&](const View& after) {
    return loss_before - loss(forecast, after) + tidiness(after) -
           large_.cost(before.bulk, after.bulk, ask) - price;
  };
  if (!ask.is_share()) {
    rest.bulk.whole -= ask.cards;
    rest.put(forecast.cards, card_milli, -static_cast<int>(ask.cards));
    return {score(rest), 0};
  }
  Fit best{.score = -INFINITY, .card = 0};
  for (std::uint32_t i = 0; i < room.cards.size(); ++i) {
    const std::uint16_t free = room.cards[i];
    if (free < ask.share_milli) continue;
    // Cards with equally much free are equally good.
    const auto here = room.cards.begin() + i;
    if (std::find(room.cards.begin(), here, free) != here) continue;
    View after = rest;
    if (free == card_milli) --after.bulk.whole;
    after.put(forecast.cards, free, -1);
    after.put(forecast.cards, free - ask.share_milli, 1);
    const double here_score = score(after);
    if (here_score > best.score) best = {here_score, i};
  }
  return best;
}

}  // namespace suan::packing
