#include "packing/scarcity.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace suan::packing {

namespace {

// Found by trial on seeds that no figure is measured on, but for the spare places.
constexpr double spare_places = 3;     // Beyond what will be asked for.
constexpr double node_expected = 20;   // Tasks as large as a node, for all nodes, before any came.
constexpr double tasks_before = 1000;  // Until then what is expected counts for much.
constexpr double node_part = 0.97;     // As large as so much of a node.
constexpr double node_chance = 0.00023;  // That a node is missed, at the least.
constexpr double node_chance_max = 0.05;
constexpr double stands_for = 0.96;
constexpr double chance_steps = 50;

constexpr double softness = 0.1;
constexpr int price_rounds = 20;
constexpr double price_steps = 25;

// The chance that a normal value is below x.
double normal(double x) {
  return 0.5 * std::erfc(-x / std::sqrt(2.0));
}

double mean_milli(const Mix& mix) {
  double sum = 0;
  for (const Mix::Row& row : mix.rows())
    sum += static_cast<double>(row.count) * static_cast<double>(row.ask.cards_milli());
  return sum / static_cast<double>(std::max<std::uint64_t>(mix.total(), 1));
}

}  // namespace

void LargePlaces::begin(std::span<const NodeKind> kinds,
                        std::span<const std::uint32_t> nodes_of_kind) {
  kinds_.assign(kinds.begin(), kinds.end());
  large_.clear();
  double cards = 0;
  double nodes = 0;
  std::map<NodeKind, std::uint32_t> counts;
  for (std::size_t i = 0; i < kinds.size(); ++i) {
    if (nodes_of_kind[i] == 0) continue;
    counts[kinds[i]] += nodes_of_kind[i];
    cards += static_cast<double>(kinds[i].cards) * nodes_of_kind[i];
    nodes += nodes_of_kind[i];
  }
  for (const auto& [kind, count] : counts) {
    if (kind.cards < 2) continue;
    const auto part = [](std::int64_t amount) {
      return static_cast<std::int64_t>(static_cast<double>(amount) * node_part);
    };
    Large large;
    large.ask = {.cards = kind.cards,
                 .share_milli = 0,
                 .cpu_milli = part(kind.cpu_milli),
                 .memory_bytes = part(kind.memory_bytes),
                 .chips = std::uint64_t{1} << kind.chip};
    large.expected = node_expected * kind.cards * count / cards;
    large.least_chance = std::min(node_chance * nodes / count, node_chance_max);
    large_.push_back(large);
  }
}

std::uint32_t LargePlaces::places_on(const Bulk& room, const Ask& ask) const {
  if (room.whole < ask.cards || (ask.chips >> kinds_[room.kind].chip & 1U) == 0) return 0;
  const auto times = [](std::int64_t there, std::int64_t asked) {
    return asked > 0 ? static_cast<std::uint32_t>(std::min<std::int64_t>(there / asked, 64)) : 64U;
  };
  return std::min({room.whole / ask.cards, times(room.cpu_milli, ask.cpu_milli),
                   times(room.memory_bytes, ask.memory_bytes)});
}

void LargePlaces::learn(const Mix& mix) {
  std::erase_if(large_, [](const Large& large) { return large.count > 0; });
  learnt_ = static_cast<double>(mix.total());
  for (const Mix::Row& row : mix.rows()) {
    if (row.ask.cards < 2) continue;
    Large large;
    large.ask = row.ask;
    large.count = row.count;
    large_.push_back(large);
  }
}

void LargePlaces::changed(const NodeRoom& before, const NodeRoom& after) {
  if (std::max(before.whole, after.whole) < 2) return;
  for (Large& large : large_) {
    large.places += places_on(bulk_of(after), large.ask);
    large.places -= places_on(bulk_of(before), large.ask);
  }
}

// Whether the larger task needs a place of the smaller one's kind.
bool LargePlaces::can_stand_for(const Ask& larger, const Ask& smaller) {
  if (larger.cards < smaller.cards) return false;
  const double times = static_cast<double>(larger.cards) / smaller.cards * stands_for;
  const bool is_as_large =
      static_cast<double>(larger.cpu_milli) >= static_cast<double>(smaller.cpu_milli) * times &&
      static_cast<double>(larger.memory_bytes) >= static_cast<double>(smaller.memory_bytes) * times;
  return is_as_large && (smaller.chips == any_chip || (larger.chips & ~smaller.chips) == 0);
}

bool LargePlaces::set_prices(const Mix& mix, double free_milli) {
  const double mean = mean_milli(mix);
  if (mean <= 0) return false;
  const double tasks = free_milli / mean;  // Until the rest is filled.
  bool has_changed = false;
  for (Large& large : large_) {
    double part = large.expected / (static_cast<double>(mix.total()) + tasks_before);
    for (const Large& each : large_) {
      if (each.count > 0 && can_stand_for(each.ask, large.ask))
        part += static_cast<double>(each.count) * each.ask.cards / large.ask.cards / learnt_;
    }
    const double wanted = tasks * part;
    const double missed = normal((wanted - large.places + spare_places) / std::sqrt(wanted + 1));
    const double chance =
        std::max(std::round(missed * chance_steps) / chance_steps, large.least_chance);
    has_changed = has_changed || chance != large.chance;
    large.chance = chance;
  }
  return has_changed;
}

double LargePlaces::cost(const Bulk& before, const Bulk& after, const Ask& ask) const {
  if (before.whole < 2) return 0;
  double most = 0;
  for (const Large& large : large_) {
    if (large.chance <= 0 || large.ask.cards < ask.cards || large.ask == ask) continue;
    const std::uint32_t there = places_on(before, large.ask);
    if (there == 0) continue;
    const std::uint32_t left = places_on(after, large.ask);
    most = std::max(most, large.chance * large.ask.cards * card_milli * (there - left));
  }
  return most;
}

bool ChipPrices::set_prices(const Mix& mix, std::span<const double> free_milli) {
  std::map<std::uint64_t, double> asked;
  double sum = 0;
  for (const Mix::Row& row : mix.rows()) {
    if (!row.ask.has_cards()) continue;
    const double milli =
        static_cast<double>(row.count) * static_cast<double>(row.ask.cards_milli());
    asked[row.ask.chips] += milli;
    sum += milli;
  }
  if (asked.size() < 2) return false;
  double free = 0;
  for (const double each : free_milli) free += each;
  for (int round = 0; round < price_rounds; ++round) {
    std::array<double, chips_max> load{};
    for (const auto& [chips, milli] : asked) {
      std::array<double, chips_max> pull{};
      double pulls = 0;
      for (std::size_t i = 0; i < free_milli.size(); ++i) {
        if ((chips >> i & 1U) == 0) continue;
        pull[i] = free_milli[i] * std::exp(-prices_[i] / softness);
        pulls += pull[i];
      }
      for (std::size_t i = 0; pulls > 0 && i < free_milli.size(); ++i)
        load[i] += milli / sum * free * pull[i] / pulls;
    }
    double least = INFINITY;
    for (std::size_t i = 0; i < free_milli.size(); ++i) {
      if (free_milli[i] <= 0) continue;
      constexpr double load_min = 1e-3;
      const double ratio = std::max(load[i] / free_milli[i], load_min);
      prices_[i] += softness * 0.5 * std::log(ratio);
      least = std::min(least, prices_[i]);
    }
    for (std::size_t i = 0; i < free_milli.size(); ++i)
      prices_[i] = std::clamp(prices_[i] - least, 0.0, 1.0);
  }
  bool has_changed = false;
  for (std::size_t i = 0; i < free_milli.size(); ++i) {
    const double shown = std::round(prices_[i] * price_steps) / price_steps;
    has_changed = has_changed || shown != shown_[i];
    shown_[i] = shown;
  }
  return has_changed;
}

}  // namespace suan::packing
