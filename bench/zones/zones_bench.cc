// How much of what hindsight would have saved a domain saves without it: in cost, and in carbon.
// JSON lines on stdout, one a metric, medians of five weeks.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "hindsight.h"
#include "policy.h"

namespace suan::bench {

namespace {

constexpr std::int64_t week = 7 * 24;
constexpr std::int64_t learnt_from = 28 * 24;  // Hours before the first job.
constexpr std::int64_t run_on = 3 * 24;        // After the last one, until all have ended.

struct Week {
  const char* name;
  std::int64_t first_hour;  // UTC, since 1970.
};

// One of each season, and one of another year.
constexpr std::array<Week, 5> weeks{{{"2023-01-09", 464'784},
                                     {"2023-04-10", 466'968},
                                     {"2023-07-10", 469'152},
                                     {"2023-10-09", 471'336},
                                     {"2024-02-12", 474'360}}};

/// What one week came to, by one aim.
struct Outcome {
  double share = 0;               // Of the saving of hindsight.
  double saving = 0;              // Of the bill of the baseline, in percent,
  double saving_best = 0;         // and what hindsight would have saved.
  double misses_percent = 0;      // Of jobs that start late.
  double completion_percent = 0;  // Mean completion over the baseline's.
};

struct Failed {
  std::string text;
};

template <class T>
T need(Result<T> result) {
  if (!result) throw Failed{result.error().text};
  return *std::move(result);
}

Outcome measure(const std::string& traces, std::span<const Request> requests, const Week& of,
                std::uint64_t seed, Aim aim) {
  const Zones zones = need(read_zones(traces, of.first_hour, week + run_on));
  const Zones past = need(read_zones(traces, of.first_hour - learnt_from, learnt_from));
  const auto jobs = make_jobs(requests, week, {}, seed);
  const Plant plant{.zones = zones, .nodes = nodes_for(jobs, week, zone_count)};
  const Bill base = bill_of(plant, jobs, start_at_origin(plant, jobs));
  const Decided course = run_domain(plant, past, jobs, aim);
  const Bill own = bill_of(plant, jobs, course.starts);
  const Hindsight best = solve_hindsight(plant, jobs, aim);
  if (!best.is_optimal)
    throw Failed{"the linear program of " + std::string(of.name) + " has no optimum"};
  if (own.out_of_reach > 0 || own.node_hours_over > 0 || course.refused > 0)
    throw Failed{"the domain put jobs where they may not run in " + std::string(of.name)};
  const bool is_cost = aim == Aim::usd;
  const double before = is_cost ? base.usd() : base.carbon_g;
  const double after = is_cost ? own.usd() : own.carbon_g;
  Outcome outcome;
  outcome.share = (before - after) / (before - best.value);
  outcome.saving = 100 * (before - after) / before;
  outcome.saving_best = 100 * (before - best.value) / before;
  outcome.misses_percent = 100 * static_cast<double>(own.late) / static_cast<double>(jobs.size());
  outcome.completion_percent = 100 * (own.completion_hours / base.completion_hours - 1);
  std::fprintf(stderr,
               "%s %s: %zu jobs, %d nodes a zone: at home %.0f, domain %.0f, hindsight %.0f "
               "(share %.3f; egress %.0f); %lld late (%lld at home), %lld put off; completion %.3f "
               "h (%.3f h)\n",
               of.name, is_cost ? "USD" : "g", jobs.size(), plant.nodes, before, after, best.value,
               outcome.share, own.egress_usd, static_cast<long long>(own.late),
               static_cast<long long>(base.late), static_cast<long long>(course.put_off),
               own.completion_hours, base.completion_hours);
  return outcome;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void report(const std::string& metric, double value, const char* unit, double baseline) {
  std::printf(
      "{\"bench\":\"network\",\"metric\":\"%s\",\"value\":%.4g,\"unit\":\"%s\",\"baseline\":%.4g}"
      "\n",
      metric.c_str(), value, unit, baseline);
  std::fflush(stdout);
}

double run_all(const std::string& traces, Aim aim) {
  const std::string name = aim == Aim::usd ? "cost" : "carbon";
  const auto requests = need(read_requests(traces));
  std::vector<Outcome> outcomes;
  for (std::size_t i = 0; i < weeks.size(); ++i)
    outcomes.push_back(measure(traces, requests, weeks[i], 42 + i, aim));
  const auto of = [&](double Outcome::* field) {
    std::vector<double> values;
    for (const Outcome& each : outcomes) values.push_back(each.*field);
    return median(values);
  };
  const double share = of(&Outcome::share);
  report("saving_share_of_hindsight_" + name, share, "1", 1);
  report("saving_percent_" + name, of(&Outcome::saving), "%", of(&Outcome::saving_best));
  report("deadline_misses_percent_" + name, of(&Outcome::misses_percent), "%", 1);
  report("mean_completion_over_home_percent_" + name, of(&Outcome::completion_percent), "%", 5);
  return share;
}

}  // namespace

}  // namespace suan::bench

int main(int argc, char** argv) {
  using namespace suan::bench;
  const char* set = std::getenv("SUAN_TRACES");
  const std::string traces = argc > 1 ? argv[1] : set != nullptr ? set : "";
  if (traces.empty()) {
    std::fputs(
        "bench_zones DIRECTORY, or SUAN_TRACES: where the traces are; docs/benchmarks.md says "
        "which\n",
        stderr);
    return 2;
  }
  try {
    const double cost = run_all(traces, Aim::usd);
    const double carbon = run_all(traces, Aim::carbon_g);
    report("saving_share_of_hindsight", std::min(cost, carbon), "1", 1);
  } catch (const Failed& failed) {
    std::fprintf(stderr, "%s\n", failed.text.c_str());
    return 1;
  }
  return 0;
}
