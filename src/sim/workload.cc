#include "sim/workload.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace suan::sim {

namespace {

constexpr double jobs_max = 10'000'000;

// In (0, 1].
double part(Random& random) {
  return (static_cast<double>(random.next() >> 11U) + 1) / 9007199254740992.0;  // 2^53.
}

double seconds_of(Span span) {
  return static_cast<double>(span.us) / 1e6;
}

Span span_of(double seconds) {
  return Span{std::max<std::int64_t>(std::llround(seconds * 1e6), 1)};
}

// A task, the longer the likelier.
class ByLength {
 public:
  explicit ByLength(std::span<const TimedTask> tasks) {
    double sum = 0;
    for (const TimedTask& each : tasks) sums_.push_back(sum += seconds_of(each.lasts));
  }
  double sum() const { return sums_.back(); }
  std::size_t draw(Random& random) const {
    const auto at = std::ranges::lower_bound(sums_, part(random) * sum());
    return std::min(static_cast<std::size_t>(at - sums_.begin()), sums_.size() - 1);
  }

 private:
  std::vector<double> sums_;
};

}  // namespace

Result<Workload> as_recorded(std::span<const TimedTask> tasks, double speed) {
  Workload workload;
  for (const TimedTask& each : tasks) {
    const double since = seconds_of(each.comes - tasks.front().comes) / speed;
    if (each.lasts > Span{})
      workload.arrivals.push_back({Span{std::llround(since * 1e6)}, each.lasts, each.ask});
  }
  if (workload.arrivals.empty()) return failure(Failure::Kind::invalid, "no job takes any time");
  workload.lasts = workload.arrivals.back().at + Span{1};
  return workload;
}

Result<Workload> drawn(std::span<const TimedTask> tasks, std::int64_t card_milli,
                       std::int64_t load_milli, Span lasts, std::uint64_t seed) {
  double asked = 0;  // By all tasks, in thousandths of a card and seconds.
  for (const TimedTask& each : tasks)
    asked += static_cast<double>(each.ask.cards_milli()) * seconds_of(each.lasts);
  if (asked == 0) return failure(Failure::Kind::invalid, "no job takes a card for any time");
  const double wanted = static_cast<double>(card_milli) * static_cast<double>(load_milli) / 1000;
  const double rate = wanted * static_cast<double>(tasks.size()) / asked;  // Tasks in a second.
  const ByLength by_length(tasks);
  const double expected =
      rate * (by_length.sum() / static_cast<double>(tasks.size()) + seconds_of(lasts));
  if (expected > jobs_max)
    return failure(Failure::Kind::invalid,
                   "that load takes more than 10000000 jobs of this list: wish for less, or for "
                   "fewer hours");

  Random random(seed);
  Workload workload;
  workload.lasts = lasts;
  const auto there = static_cast<std::size_t>(
      std::llround(rate * by_length.sum() / static_cast<double>(tasks.size())));
  for (std::size_t i = 0; i < there; ++i) {
    const TimedTask& each = tasks[by_length.draw(random)];
    workload.arrivals.push_back(
        {Span{}, span_of(seconds_of(each.lasts) * part(random)), each.ask, true});
  }
  double at = 0;
  for (;;) {
    at -= std::log(part(random)) / rate;
    if (at >= seconds_of(lasts)) return workload;
    const TimedTask& each = tasks[random.below(tasks.size())];
    if (each.lasts > Span{}) workload.arrivals.push_back({span_of(at), each.lasts, each.ask});
  }
}

}  // namespace suan::sim
