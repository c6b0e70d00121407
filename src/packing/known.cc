#include "packing/known.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "base/random.h"

namespace suan::packing {

namespace {

constexpr double score_max = 100;
constexpr double node_cpu_milli = 128'000;  // Of the largest node, as theirs are.
constexpr double node_card_milli = 8'000;

double whole_number(double score) {
  return std::trunc(score);
}

// Of the cards that a share fits the one with the least left.
std::uint32_t tightest_card(const NodeRoom& room, const Ask& ask) {
  std::uint32_t best = 0;
  std::uint32_t best_free = UINT32_MAX;
  for (std::uint32_t i = 0; ask.is_share() && i < room.cards.size(); ++i) {
    if (room.cards[i] < ask.share_milli || room.cards[i] >= best_free) continue;
    best = i;
    best_free = room.cards[i];
  }
  return best;
}

class Chance final : public Policy {
 public:
  explicit Chance(std::uint64_t seed) : seed_(seed) {}

  void arrived(const Ask&) override { ++arrived_; }
  std::uint64_t edition() const override { return arrived_; }

  Fit judge(std::uint32_t node, const NodeRoom& room, const Ask& ask) const override {
    Random random(seed_ ^ (arrived_ << 32U) ^ node);
    Fit fit{.score = static_cast<double>(random.next() >> 11U), .card = 0};
    if (!ask.is_share()) return fit;
    std::uint32_t seen = 0;
    for (std::uint32_t i = 0; i < room.cards.size(); ++i) {
      if (room.cards[i] >= ask.share_milli && random.below(++seen) == 0) fit.card = i;
    }
    return fit;
  }

 private:
  std::uint64_t seed_ = 0;
  std::uint64_t arrived_ = 0;
};

class BestFit final : public Policy {
 public:
  Fit judge(std::uint32_t, const NodeRoom& room, const Ask& ask) const override {
    const double cpu = static_cast<double>(room.cpu_milli - ask.cpu_milli) / node_cpu_milli;
    const double cards =
        static_cast<double>(free_milli(room) - ask.cards_milli()) / node_card_milli;
    return {whole_number((1 - (cpu * 0.5 + cards * 0.5)) * score_max), tightest_card(room, ask)};
  }
};

class DotProduct final : public Policy {
 public:
  Fit judge(std::uint32_t, const NodeRoom& room, const Ask& ask) const override {
    const auto part = [](std::int64_t amount, double of) {
      return static_cast<double>(amount) / of;
    };
    const double cpu = part(room.cpu_milli, node_cpu_milli) * part(ask.cpu_milli, node_cpu_milli);
    const double cards =
        part(free_milli(room), node_card_milli) * part(ask.cards_milli(), node_card_milli);
    return {whole_number((1 - (cpu + cards) / 2) * score_max), tightest_card(room, ask)};
  }
};

class CardPacking final : public Policy {
 public:
  Fit judge(std::uint32_t, const NodeRoom& room, const Ask& ask) const override {
    return {static_cast<double>(score_of(room, ask)), tightest_card(room, ask)};
  }

 private:
  static std::int64_t score_of(const NodeRoom& room, const Ask& ask) {
    constexpr std::int64_t most = 100;
    if (!ask.has_cards()) return 0;
    const auto cards = static_cast<std::int64_t>(room.cards.size());
    if (room.whole == cards) return std::max(most / 3 - cards, cards);
    if (!ask.is_share()) return std::max(most / 2 - std::int64_t{ask.cards}, most / 3);
    const std::uint32_t free = room.cards[tightest_card(room, ask)];
    if (free == card_milli) return std::max(most / 2 - 1, most / 3);
    return std::max<std::int64_t>(most - free / 100, most / 2);
  }
};

class FragmentationGradient final : public Policy {
 public:
  explicit FragmentationGradient(const Mix& mix) {
    // Memory is not looked at: tasks that differ in nothing else are one.
    std::map<Ask, std::uint64_t> counts;
    for (const Mix::Row& row : mix.rows()) {
      Ask ask = row.ask;
      ask.memory_bytes = 0;
      counts[ask] += row.count;
    }
    std::vector<std::pair<Ask, std::uint64_t>> asks(counts.begin(), counts.end());
    std::ranges::sort(asks, [](const auto& a, const auto& b) {
      return a.second != b.second ? a.second > b.second : a.first < b.first;
    });
    constexpr double typical = 0.95;
    double covered = 0;
    for (const auto& [ask, count] : asks) {
      if (covered >= typical * static_cast<double>(mix.total())) break;
      covered += static_cast<double>(count);
      typical_.push_back({ask, static_cast<double>(count)});
    }
    for (Typical& each : typical_) each.part /= covered;
  }

  void begin(std::span<const NodeKind> kinds, std::span<const NodeRoom>) override {
    kinds_.assign(kinds.begin(), kinds.end());
  }

  Fit judge(std::uint32_t, const NodeRoom& room, const Ask& ask) const override {
    const double before = fragments(room);
    const auto score_with = [&](std::uint32_t card) {
      NodeRoom after = room;
      take(after, ask, card);
      const double less = (before - fragments(after)) / card_milli;
      return whole_number(score_max / (1 + std::exp(-less)));
    };
    if (!ask.is_share()) return {score_with(0), 0};
    Fit best{.score = -1, .card = 0};
    for (std::uint32_t i = 0; i < room.cards.size(); ++i) {
      if (room.cards[i] < ask.share_milli) continue;
      const double score = score_with(i);
      if (score > best.score) best = {score, i};
    }
    return best;
  }

 private:
  struct Typical {
    Ask ask;
    double part = 0;  // Of all tasks.
  };

  // What is free but of no use to a typical task, averaged over them.
  double fragments(const NodeRoom& room) const {
    const auto all = static_cast<double>(free_milli(room));
    double sum = 0;
    for (const Typical& each : typical_) {
      const bool has_use = each.ask.has_cards() && fits(room, kinds_[room.kind], each.ask);
      if (!has_use) {
        sum += each.part * all;
        continue;
      }
      const std::uint32_t least = each.ask.is_share() ? each.ask.share_milli : card_milli;
      std::int64_t useless = 0;
      for (const std::uint16_t free : room.cards) useless += free < least ? free : 0;
      sum += each.part * static_cast<double>(useless);
    }
    return sum;
  }

  std::vector<NodeKind> kinds_;
  std::vector<Typical> typical_;
};

}  // namespace

std::unique_ptr<Policy> make_random(std::uint64_t seed) {
  return std::make_unique<Chance>(seed);
}
std::unique_ptr<Policy> make_best_fit() {
  return std::make_unique<BestFit>();
}
std::unique_ptr<Policy> make_dot_product() {
  return std::make_unique<DotProduct>();
}
std::unique_ptr<Policy> make_card_packing() {
  return std::make_unique<CardPacking>();
}
std::unique_ptr<Policy> make_fragmentation_gradient(const Mix& mix) {
  return std::make_unique<FragmentationGradient>(mix);
}

}  // namespace suan::packing
