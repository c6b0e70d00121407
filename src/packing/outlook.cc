#include "packing/outlook.h"

#include <algorithm>
#include <cmath>

namespace suan::packing {

namespace {

// Found by trial on seeds that no figure is measured on.
constexpr double memory_weight = 0.75;
constexpr double tidy_milli = 11;  // What an idle largest node is worth, beside one that is full.
constexpr double wear_max = 143;
constexpr double wear_steps = 20;
constexpr double open_part = 0.163;  // Of what small shares ask, open at any time.
constexpr std::uint32_t small_share = 700;
constexpr std::uint32_t open_least = 300;

/// A node, as far as its loss depends on it.
struct View {
  LargePlaces::Bulk bulk;
  Outline outline{};
  double cards_lost = 0;
  std::int64_t free_milli = 0;

  View(const Forecast& forecast, const NodeRoom& room) : bulk(LargePlaces::bulk_of(room)) {
    for (const std::uint16_t free : room.cards) put(forecast.cards, free, 1);
  }

  /// Adds cards with so much free, or removes them.
  void put(const CardLoss& cards, std::uint32_t free, int count) {
    outline.add(free, count);
    cards_lost += cards.of(free) * count;
    free_milli += static_cast<std::int64_t>(free) * count;
  }
};

double loss(const Outlook& outlook, const View& view) {
  const Forecast& forecast = *outlook.forecast;
  return view.cards_lost + outlook.wear * view.outline.whole +
         forecast.cores.of(view.outline, view.bulk.cpu_milli) +
         memory_weight * forecast.memory.of(view.outline, view.bulk.memory_bytes);
}

// Of equals the fuller node, so that idle ones stay idle.
double tidiness(const Outlook& outlook, const View& after) {
  return -tidy_milli * (static_cast<double>(after.bulk.cpu_milli) / outlook.largest_cpu_milli +
                        static_cast<double>(after.free_milli) / outlook.largest_milli);
}

}  // namespace

Forecast::Forecast(const Mix& mix, std::uint32_t chip, const NodeKind& largest)
    : cards(mix, chip),
      cores(mix, chip, Starvation::Of::cores, largest),
      memory(mix, chip, Starvation::Of::memory, largest) {}

Fit judge(const Outlook& outlook, const NodeRoom& room, const Ask& ask) {
  const CardLoss& cards = outlook.forecast->cards;
  const View before(*outlook.forecast, room);
  const double loss_before = loss(outlook, before);
  const double price =
      ask.has_cards() ? outlook.card_price * static_cast<double>(ask.cards_milli()) : 0;
  View rest = before;
  rest.bulk.cpu_milli -= ask.cpu_milli;
  rest.bulk.memory_bytes -= ask.memory_bytes;
  const auto score = [&](const View& after) {
    return loss_before - loss(outlook, after) + tidiness(outlook, after) -
           outlook.large->cost(before.bulk, after.bulk, ask) - price;
  };
  if (!ask.is_share()) {
    rest.bulk.whole -= ask.cards;
    rest.put(cards, card_milli, -static_cast<int>(ask.cards));
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
    after.put(cards, free, -1);
    after.put(cards, free - ask.share_milli, 1);
    const double here_score = score(after);
    if (here_score > best.score) best = {here_score, i};
  }
  return best;
}

bool is_open(std::uint32_t free_milli) {
  return free_milli >= open_least && free_milli < card_milli;
}

std::int64_t open_milli(const NodeRoom& room) {
  std::int64_t sum = 0;
  for (const std::uint16_t free : room.cards) sum += is_open(free) ? free : 0;
  return sum;
}

// Where large shares leave rests that nothing fills, whole cards are better used up by small ones
// whose rests others fill: as long as less is open than small shares will fill.
double wear(const Mix& mix, double all_milli, double open_milli) {
  double small = 0;
  double all = 0;
  for (const Mix::Row& row : mix.rows()) {
    const double milli =
        static_cast<double>(row.count) * static_cast<double>(row.ask.cards_milli());
    all += milli;
    if (row.ask.is_share() && row.ask.share_milli <= small_share) small += milli;
  }
  const double wanted = small > 0 ? open_part * all_milli * small / all : 0;
  if (wanted <= 0) return 0;
  const double part = std::clamp((1 - open_milli / wanted) * 2, 0.0, 1.0);
  return std::round(part * wear_steps) / wear_steps * wear_max;
}

}  // namespace suan::packing
