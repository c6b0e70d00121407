#include "sim/outcome.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace suan::sim {

namespace {

constexpr double minute_us = 60e6;

double minutes_of(Span span) {
  return static_cast<double>(span.us) / minute_us;
}

// The value that a part of them does not pass.
Span quantile(const std::vector<Span>& sorted, double part) {
  const auto rank = static_cast<std::size_t>(std::ceil(part * static_cast<double>(sorted.size())));
  return sorted[std::max<std::size_t>(rank, 1) - 1];
}

Waits waits_of(const std::string& name, const std::vector<Replay>& runs) {
  Waits waits;
  std::vector<double> means;
  std::vector<double> medians;
  std::vector<double> p99s;
  for (const Replay& run : runs) {
    const auto at = run.sizes.find(name);
    if (at == run.sizes.end() || at->second.waits.empty()) continue;
    const SizeClass& size = at->second;
    waits.came += size.came;
    waits.started += size.started;
    const double sum =
        std::accumulate(size.waits.begin(), size.waits.end(), 0.0,
                        [](double before, const Span& wait) { return before + minutes_of(wait); });
    means.push_back(sum / static_cast<double>(size.waits.size()));
    medians.push_back(minutes_of(quantile(size.waits, 0.5)));
    p99s.push_back(minutes_of(quantile(size.waits, 0.99)));
    const double started = static_cast<double>(size.started) / static_cast<double>(size.came);
    waits.median_is_open = waits.median_is_open || started < 0.5;
    waits.p99_is_open = waits.p99_is_open || started < 0.99;
  }
  waits.mean = Figure::over(means);
  waits.median = Figure::over(medians);
  waits.p99 = Figure::over(p99s);
  return waits;
}

std::vector<double> mean_course(const std::vector<Replay>& runs,
                                std::vector<double> Replay::* which) {
  std::vector<double> mean((runs.front().*which).size());
  for (const Replay& run : runs) {
    for (std::size_t i = 0; i < mean.size(); ++i)
      mean[i] += (run.*which)[i] / static_cast<double>(runs.size());
  }
  return mean;
}

}  // namespace

Outcome outcome_of(const std::string& policy, const std::vector<Replay>& runs) {
  Outcome outcome;
  outcome.policy = policy;
  std::vector<double> allocation;
  std::vector<double> waiting;
  std::vector<double> card_hours;
  std::vector<double> costs;
  std::vector<double> energies;
  double jobs = 0;
  double seconds = 0;
  for (const Replay& run : runs) {
    allocation.push_back(run.allocation);
    waiting.push_back(run.waiting_course.back());
    card_hours.push_back(run.card_hours);
    costs.push_back(run.cost_cny);
    energies.push_back(run.energy_kwh);
    outcome.refused += run.refused;
    jobs += static_cast<double>(run.jobs);
    seconds += run.seconds;
    for (const auto& [name, size] : run.sizes) outcome.sizes[name];
  }
  for (auto& [name, waits] : outcome.sizes) waits = waits_of(name, runs);
  outcome.allocation = Figure::over(allocation);
  outcome.waiting = Figure::over(waiting);
  outcome.card_hours = Figure::over(card_hours);
  outcome.cost_cny = Figure::over(costs);
  outcome.energy_kwh = Figure::over(energies);
  outcome.jobs_per_second = jobs / std::max(seconds, 1e-9);
  outcome.allocation_course = mean_course(runs, &Replay::allocation_course);
  outcome.waiting_course = mean_course(runs, &Replay::waiting_course);
  return outcome;
}

bool any_has(const std::vector<Outcome>& outcomes, Figure Outcome::* which) {
  return std::ranges::any_of(outcomes, [&](const Outcome& each) { return (each.*which).mean > 0; });
}

}  // namespace suan::sim
