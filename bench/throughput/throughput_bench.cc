// How many jobs a second one thread of the core places on clusters of different sizes, while a
// tenth of their nodes come and go, in memory and with a journal that is synced to disk; and how
// long each waits for its answer. JSON lines on stdout, one a metric, the median of five runs each.

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <unistd.h>

#include "journal/sqlite_journal.h"
#include "naive.h"
#include "runtime/memory.h"
#include "seams.h"
#include "traffic.h"

namespace suan::bench {

namespace {

constexpr int runs = 5;
constexpr std::array<std::uint32_t, 5> sizes{1'213, 5'000, 19'408, 30'000, 100'000};
constexpr std::size_t jobs_per_node = 2;  // Four fifths of all cards.
constexpr std::size_t commands_of_run = 40'960;
constexpr std::size_t commands_at_once = 128;  // Between two readings of a pool.
constexpr std::uint32_t churn_percent = 10;
constexpr int naive_jobs = 2'000;  // Of a run.

double wall_seconds() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

double quantile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

double median(std::vector<double> values) {
  return quantile(std::move(values), 0.5);
}

void print(const std::string& metric, double value, const char* unit, double baseline = 0) {
  std::printf("{\"bench\":\"throughput\",\"metric\":\"%s\",\"value\":%.6g,\"unit\":\"%s\"",
              metric.c_str(), value, unit);
  if (baseline > 0) std::printf(",\"baseline\":%.6g", baseline);
  std::printf("}\n");
  std::fflush(stdout);
}

struct Speed {
  double per_second = 0;  // Jobs placed and started, with all that ends meanwhile.
  double p50_ms = 0;      // Of a step, for which all its commands wait.
  double p99_ms = 0;
};

Speed measure(std::uint32_t nodes, journal::Journal& journal) {
  Traffic traffic({.nodes = nodes}, journal, 1);
  const std::size_t live = jobs_per_node * nodes;
  traffic.fill(live);
  std::vector<double> rates;
  std::vector<double> p50;
  std::vector<double> p99;
  for (int run = 0; run < runs; ++run) {
    const std::uint64_t launched = traffic.centre().launched;
    double seconds = 0;
    std::vector<double> steps;
    const auto add = [&](const Tally& tally) {
      seconds += tally.wall_seconds;
      steps.insert(steps.end(), tally.steps.begin(), tally.steps.end());
    };
    for (std::size_t done = 0; done < commands_of_run; done += commands_at_once) {
      const double start = wall_seconds();
      traffic.churn(churn_percent);
      seconds += wall_seconds() - start;
      add(traffic.mix(commands_at_once));
      add(traffic.drain(live));
    }
    rates.push_back(static_cast<double>(traffic.centre().launched - launched) / seconds);
    p50.push_back(quantile(steps, 0.5) * 1000);
    p99.push_back(quantile(steps, 0.99) * 1000);
  }
  return {median(rates), median(p50), median(p99)};
}

// The naive domain looks at all nodes for each job. It is the faster the emptier they are.
double measure_naive(std::uint32_t nodes) {
  FreeJournal journal;
  Traffic traffic({.nodes = nodes}, journal, 1);
  std::vector<Pool> pools;
  for (const auto& [id, pool] : traffic.core().state().catalogue().pools()) pools.push_back(pool);
  NaiveDomain domain(pools);
  const std::vector<JobSpec>& specs = traffic.specs();
  std::uint64_t request = 0;
  std::vector<double> rates;
  for (int run = 0; run < runs; ++run) {
    std::vector<std::uint64_t> jobs;
    const double start = wall_seconds();
    for (int i = 0; i < naive_jobs; ++i, ++request)
      jobs.push_back(domain.submit(request, specs[request % specs.size()]));
    std::erase(jobs, 0);
    for (const std::uint64_t job : jobs) domain.finish(job, seconds(600));
    rates.push_back(static_cast<double>(jobs.size()) / (wall_seconds() - start));
  }
  return median(rates);
}

Speed measure_durable(std::uint32_t nodes, const std::filesystem::path& directory) {
  Speed speed;
  {
    auto journal = journal::SqliteJournal::open({.directory = directory.string()});
    if (journal && (*journal)->claim_leadership()) {
      speed = measure(nodes, **journal);
    } else {
      std::fprintf(stderr, "bench_throughput: no journal can be written in %s\n",
                   directory.c_str());
      std::exit(1);
    }
  }
  std::filesystem::remove_all(directory);
  return speed;
}

// By which power of the nodes the cost of a decision grows: the slope through all sizes.
double exponent(const std::vector<std::pair<double, double>>& costs) {
  double n = 0;
  double x = 0;
  double y = 0;
  double xx = 0;
  double xy = 0;
  for (const auto& [nodes, seconds] : costs) {
    const double log_nodes = std::log(nodes);
    const double log_seconds = std::log(seconds);
    n += 1;
    x += log_nodes;
    y += log_seconds;
    xx += log_nodes * log_nodes;
    xy += log_nodes * log_seconds;
  }
  return (n * xy - x * y) / (n * xx - x * x);
}

void measure_all(const std::filesystem::path& directory) {
  std::vector<std::pair<double, double>> costs;
  std::vector<std::pair<double, double>> naive_costs;
  for (const std::uint32_t nodes : sizes) {
    const std::string of = "_" + std::to_string(nodes) + "_nodes";
    const double naive = measure_naive(nodes);
    FreeJournal journal;
    const Speed memory = measure(nodes, journal);
    const Speed durable = measure_durable(nodes, directory);
    print("decisions_per_second" + of, memory.per_second, "1/s", naive);
    print("p50_ms" + of, memory.p50_ms, "ms");
    print("p99_ms" + of, memory.p99_ms, "ms");
    print("durable_decisions_per_second" + of, durable.per_second, "1/s", memory.per_second);
    print("durable_p50_ms" + of, durable.p50_ms, "ms", memory.p50_ms);
    print("durable_p99_ms" + of, durable.p99_ms, "ms", memory.p99_ms);
    costs.emplace_back(nodes, 1 / memory.per_second);
    naive_costs.emplace_back(nodes, 1 / naive);
  }
  print("cost_exponent", exponent(costs), "", exponent(naive_costs));
}

}  // namespace

}  // namespace suan::bench

/// Writes its journals under $SUAN_BENCH_DIRECTORY, or here.
int main(int, char** argv) {
  suan::runtime::restart_with_large_caches(argv);  // As the server does.
  const char* place = std::getenv("SUAN_BENCH_DIRECTORY");
  suan::bench::measure_all(std::filesystem::path(place == nullptr ? "." : place) /
                           ("bench-throughput-" + std::to_string(::getpid())));
}
