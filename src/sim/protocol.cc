#include "sim/protocol.h"

#include <cmath>
#include <utility>

#include "base/random.h"
#include "packing/cluster.h"

namespace suan::sim {

namespace {

using packing::Ask;

constexpr double arrived_max = 1.3;
constexpr std::uint64_t witness_every = 256;

template <class T>
void shuffle(std::vector<T>& values, Random& random) {
  for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.below(i)]);
}

std::vector<Ask> draw_arrivals(const NodeList& nodes, std::span<const Ask> tasks, Random random) {
  const auto most = static_cast<std::int64_t>(arrived_max * static_cast<double>(nodes.card_milli));
  std::vector<Ask> order(tasks.begin(), tasks.end());
  shuffle(order, random);
  std::vector<Ask> arrivals;
  std::int64_t milli = 0;
  for (std::size_t i = 0;; ++i) {
    const Ask& ask = i < order.size() ? order[i] : tasks[random.below(tasks.size())];
    milli += ask.cards_milli();
    if (milli > most) return arrivals;
    arrivals.push_back(ask);
  }
}

std::string cards_name(const Ask& ask) {
  return ask.is_share() ? "share" : std::to_string(ask.cards);
}

}  // namespace

FgdRun run_fgd(const NodeList& nodes, std::span<const Ask> tasks,
               std::unique_ptr<packing::Policy> policy, std::uint64_t seed, Witness* witness) {
  Random random(seed);
  const std::vector<Ask> arrivals = draw_arrivals(nodes, tasks, random.split());
  std::vector<packing::NodeRoom> rooms = nodes.rooms;
  Random order = random.split();
  shuffle(rooms, order);
  packing::Cluster cluster(nodes.kinds, std::move(rooms), std::move(policy));

  struct Tally {
    std::uint64_t came = 0;
    std::uint64_t placed = 0;
  };
  std::map<std::string, Tally> tallies;
  std::array<double, arrived_percents.size()> sums{};
  std::array<std::uint64_t, arrived_percents.size()> moments{};
  const double all = static_cast<double>(nodes.card_milli) / 100;
  std::int64_t arrived = 0;
  std::int64_t allocated = 0;
  FgdRun run;
  for (const Ask& ask : arrivals) {
    arrived += ask.cards_milli();
    const double percent = static_cast<double>(arrived) / all;
    Tally& tally = tallies[cards_name(ask)];
    ++tally.came;
    if (cluster.place(ask)) {
      ++tally.placed;
      allocated += ask.cards_milli();
    } else if (!run.first_rejection) {
      run.first_rejection = percent;
    }
    for (std::size_t i = 0; i < arrived_percents.size(); ++i) {
      if (std::lround(percent) != arrived_percents[i]) continue;
      sums[i] += static_cast<double>(allocated) / all;
      ++moments[i];
    }
    if (++run.decisions % witness_every == 0 && witness != nullptr) witness->decided(run.decisions);
  }
  for (std::size_t i = 0; i < arrived_percents.size(); ++i) {
    if (moments[i] > 0) run.allocation[i] = sums[i] / static_cast<double>(moments[i]);
  }
  for (const auto& [name, tally] : tallies)
    run.admitted_by_cards[name] =
        100 * static_cast<double>(tally.placed) / static_cast<double>(tally.came);
  return run;
}

}  // namespace suan::sim
