#include "packing/forecast.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace suan::packing {

namespace {

// The chance that nothing more comes, beside that of each task: small, for most cards are filled
// one day, but what only few tasks fit is hardly worth waiting for. Found by trial on seeds
// that no figure is measured on.
constexpr double card_is_left = 0.021;
constexpr double node_is_left = 0.003;
constexpr double coreless_weight = 0.27;  // Tasks without cards mostly go where cores are plenty.

constexpr std::array<std::uint32_t, Outline::sizes> part_sizes{333, 500, 667};
constexpr std::uint32_t part_slack = 70;  // A part this much below its size still counts as that.

// 1 to 3: the size of a part with so much free; 0: too little to matter.
std::uint32_t size_of(std::uint32_t free_milli) {
  for (std::uint32_t i = Outline::sizes; i > 0; --i) {
    if (free_milli + part_slack >= part_sizes[i - 1]) return i;
  }
  return 0;
}

// The smallest size that a share fits; beyond all of them it needs a whole card.
std::uint32_t size_for(std::uint32_t share_milli) {
  for (std::uint32_t i = 0; i < Outline::sizes; ++i) {
    if (share_milli <= part_sizes[i]) return i + 1;
  }
  return Outline::sizes + 1;
}

bool runs_on(const Ask& ask, std::uint32_t chip) {
  return (ask.chips >> chip & 1U) != 0;
}

}  // namespace

CardLoss::CardLoss(const Mix& mix, std::uint32_t chip) {
  std::map<std::uint32_t, double> shares;
  double whole = 0;
  for (const Mix::Row& row : mix.rows()) {
    if (!row.ask.has_cards() || !runs_on(row.ask, chip)) continue;
    const auto count = static_cast<double>(row.count);
    if (row.ask.is_share())
      shares[row.ask.share_milli] += count;
    else
      whole += count * row.ask.cards;
  }
  const double left = card_is_left * static_cast<double>(mix.total());
  for (std::uint32_t free = 1; free <= card_milli; ++free) {
    double loss = left * free;
    double weight = left;
    for (const auto& [share, count] : shares) {
      if (share > free) break;
      loss += count * losses_[free - share];
      weight += count;
    }
    if (free == card_milli) weight += whole;  // Which lose nothing.
    losses_[free] = weight > 0 ? loss / weight : free;
  }
}

void Outline::add(std::uint32_t free_milli, int count) {
  if (free_milli == card_milli) {
    whole = static_cast<std::uint32_t>(static_cast<int>(whole) + count);
    return;
  }
  const std::uint32_t size = size_of(free_milli);
  if (size > 0) parts[size - 1] = static_cast<std::uint8_t>(parts[size - 1] + count);
}

// Tasks that take the same of a node.
struct Starvation::Step {
  std::uint32_t cards = 0;
  std::uint32_t share_milli = 0;
  std::size_t levels = 0;
  double weight = 0;
};

// In such an order that a share that uses a part up leads to an earlier one.
void Starvation::number_parts() {
  for (std::uint32_t sum = 0; sum <= parts_max; ++sum) {
    for (std::uint32_t large = 0; large <= sum; ++large) {
      for (std::uint32_t half = 0; half + large <= sum; ++half) {
        const std::uint32_t small = sum - half - large;
        numbers_[(small * 5 + half) * 5 + large] = parts_.size();
        parts_.push_back({static_cast<std::uint8_t>(small), static_cast<std::uint8_t>(half),
                          static_cast<std::uint8_t>(large)});
      }
    }
  }
}

std::size_t Starvation::number_of(Parts parts) const {
  while (parts[0] + parts[1] + parts[2] > static_cast<int>(parts_max))
    --*std::ranges::find_if(parts, [](std::uint8_t count) { return count > 0; });
  return numbers_[(parts[0] * std::size_t{5} + parts[1]) * 5 + parts[2]];
}

std::vector<Starvation::Step> Starvation::steps(const Mix& mix, std::uint32_t chip, Of of) const {
  constexpr std::uint32_t share_step = 70;  // Shares are told apart no finer than this.
  std::map<std::tuple<std::uint32_t, std::uint32_t, std::size_t>, double> weights;
  for (const Mix::Row& row : mix.rows()) {
    const Ask& ask = row.ask;
    if (ask.has_cards() && !runs_on(ask, chip)) continue;
    const auto amount = static_cast<double>(of == Of::cores ? ask.cpu_milli : ask.memory_bytes);
    const auto levels_taken = static_cast<std::size_t>(std::lround(amount / level_));
    if (!ask.has_cards() && levels_taken == 0) continue;
    const std::uint32_t share = (ask.share_milli + share_step / 2) / share_step * share_step;
    const double weight = ask.has_cards() ? 1 : coreless_weight;
    weights[{ask.cards, ask.is_share() ? std::max(share, share_step) : 0, levels_taken}] +=
        weight * static_cast<double>(row.count);
  }
  std::vector<Step> steps;
  steps.reserve(weights.size());
  for (const auto& [key, weight] : weights)
    steps.push_back({std::get<0>(key), std::get<1>(key), std::get<2>(key), weight});
  return steps;
}

Starvation::Starvation(const Mix& mix, std::uint32_t chip, Of of, const NodeKind& largest) {
  const std::int64_t most = of == Of::cores ? largest.cpu_milli : largest.memory_bytes;
  level_ = std::max(1.0, static_cast<double>(most) / levels);
  whole_max_ = std::min(largest.cards, whole_max);
  number_parts();
  losses_.resize((whole_max_ + 1) * parts_.size() * (levels + 1));
  const std::vector<Step> all = steps(mix, chip, of);
  const double end_weight = node_is_left * static_cast<double>(mix.total());
  for (std::uint32_t whole = 0; whole <= whole_max_; ++whole) {
    for (std::size_t parts = 0; parts < parts_.size(); ++parts) fill(all, whole, parts, end_weight);
  }
}

void Starvation::fill(const std::vector<Step>& steps, std::uint32_t whole, std::size_t parts,
                      double end_weight) {
  const Parts& holds = parts_[parts];
  double free = whole * double{card_milli};
  for (std::size_t i = 0; i < Outline::sizes; ++i) free += holds[i] * double(part_sizes[i]);
  // Where each kind of task leads: the node as it is then, by every way to place it there.
  struct Way {
    const Step* step = nullptr;
    std::array<const float*, 4> to{};
    std::size_t count = 0;
  };
  static constexpr std::array<float, levels + 1> no_loss{};
  std::vector<Way> ways;
  for (const Step& step : steps) {
    Way way{&step, {}, 0};
    const auto add = [&](std::uint32_t wholes, const Parts& left) {
      way.to[way.count++] = row(wholes, number_of(left));
    };
    const auto with = [](Parts left, std::uint32_t size) {
      if (size > 0) ++left[size - 1];
      return left;
    };
    if (step.share_milli == 0) {
      if (step.cards <= whole) add(whole - step.cards, holds);
    } else {
      const std::uint32_t needs = size_for(step.share_milli);
      for (std::uint32_t size = needs; size <= Outline::sizes; ++size) {
        if (holds[size - 1] == 0) continue;
        Parts left = holds;
        --left[size - 1];
        const std::uint32_t of = part_sizes[size - 1];
        // Where a useful rest stays, nothing more is counted as lost. That is too hopeful, and
        // packs better than following the rest: parts are worth keeping for what may still go
        // there.
        if (size_of(of - std::min(of, step.share_milli)) > 0)
          way.to[way.count++] = no_loss.data();
        else
          add(whole, left);
      }
      if (whole > 0) add(whole - 1, with(holds, size_of(card_milli - step.share_milli)));
    }
    if (way.count > 0) ways.push_back(way);
  }
  const auto has_use = [](const Way& way) {
    return way.step->cards > 0 || way.step->share_milli > 0;
  };
  if (std::ranges::none_of(ways, has_use)) return;
  std::size_t use_from = levels + 1;  // Below it there is too little for a task that uses cards.
  std::array<double, levels + 1> loss;
  std::array<double, levels + 1> weight;
  loss.fill(end_weight * free);
  weight.fill(end_weight);
  float* const losses = row(whole, parts);
  for (const Way& way : ways) {
    const Step& step = *way.step;
    if (has_use(way)) use_from = std::min(use_from, step.levels);
    if (way.to[0] == losses) continue;  // It takes no card; below.
    const std::size_t count = step.levels > levels ? 0 : levels + 1 - step.levels;
    const auto add = [&](const auto& least) {
      for (std::size_t left = 0; left < count; ++left) {
        loss[step.levels + left] += step.weight * double{least(left)};
        weight[step.levels + left] += step.weight;
      }
    };
    const auto& to = way.to;
    if (way.count == 1)
      add([a = to[0]](std::size_t left) { return a[left]; });
    else if (way.count == 2)
      add([a = to[0], b = to[1]](std::size_t left) { return std::min(a[left], b[left]); });
    else
      add([&](std::size_t left) {
        float least = to[0][left];
        for (std::size_t i = 1; i < way.count; ++i) least = std::min(least, to[i][left]);
        return least;
      });
  }
  std::erase_if(ways, [&](const Way& way) { return way.to[0] != losses; });
  for (std::size_t level = 0; level <= levels; ++level) {
    for (const Way& way : ways) {
      if (way.step->levels > level) continue;
      loss[level] += way.step->weight * double{losses[level - way.step->levels]};
      weight[level] += way.step->weight;
    }
    losses[level] = static_cast<float>(level < use_from ? free : loss[level] / weight[level]);
  }
}

double Starvation::of(const Outline& outline, std::int64_t amount) const {
  const double at = std::clamp(static_cast<double>(amount) / level_, 0.0, double{levels});
  const auto below = std::min(static_cast<std::size_t>(at), levels - 1);
  const std::uint32_t whole = std::min(outline.whole, whole_max_);
  const float* losses =
      losses_.data() + (whole * parts_.size() + number_of(outline.parts)) * (levels + 1) + below;
  const double between = at - static_cast<double>(below);
  return double{losses[0]} * (1 - between) + double{losses[1]} * between;
}

}  // namespace suan::packing
