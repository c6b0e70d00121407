// How long find, why, plan and a choice take while the supply changes: JSON lines on stdout, one a
// metric, the median of five runs each. The baseline is a scan of the same pools row by row, in the
// same process.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "country.h"
#include "placement/rank.h"
#include "placement/why.h"
#include "queries.h"

namespace suan::bench {

namespace {

using Clock = std::chrono::steady_clock;

constexpr int runs = 5;
constexpr std::size_t page = 20;
constexpr std::size_t runners = 3;  // That the record of a choice names.
constexpr std::int64_t updates_per_second = 1000;

// Of this thread alone: what a question costs, whoever else is on the machine.
double processor_milliseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
}

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  const auto rank = static_cast<std::size_t>(q * static_cast<double>(values.size()));
  return values[std::min(rank, values.size() - 1)];
}

void print(const std::string& metric, double value, const char* unit, double baseline) {
  std::printf("{\"bench\":\"find\",\"metric\":\"%s\",\"value\":%.4g,\"unit\":\"%s\"",
              metric.c_str(), value, unit);
  if (baseline > 0) std::printf(",\"baseline\":%.4g", baseline);
  std::printf("}\n");
  std::fflush(stdout);
}

/// Changes nodes as time passes, on the thread that asks, so that questions wait for them.
class Stream {
 public:
  Stream(Country& country, placement::Supply& supply)
      : country_(country), supply_(supply), start_(Clock::now()) {}

  void catch_up() {
    const double due = milliseconds_since(start_) * static_cast<double>(updates_per_second) / 1000;
    for (; static_cast<double>(done_) < due; ++done_) {
      const Pool& pool = country_.change_a_node(random_);
      supply_.set_free(pool.id, country_.free_of(pool));
    }
  }

 private:
  Country& country_;
  placement::Supply& supply_;
  Clock::time_point start_;
  Random random_{7};
  std::int64_t done_ = 0;
};

/// The pools as rows, judged one by one as one would write it first: the baseline.
std::size_t scan_rows(const Country& country, const std::vector<placement::Free>& frees,
                      const JobSpec& spec) {
  struct Row {
    Money cost;
    bool later = false;
    PoolId pool;
  };
  const placement::Demand demand = placement::make_demand(spec);
  const auto lists = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<Row> rows;
  for (const Pool& pool : country.pools()) {
    const Site& site = country.site_of(pool);
    const Where& where = spec.where;
    if (pool.state != ServingState::production) continue;
    if (!where.regions.empty() && !lists(where.regions, site.region)) continue;
    if (lists(where.exclude_regions, site.region)) continue;
    if (!where.sites.empty() && !lists(where.sites, site.name)) continue;
    if (!placement::lies_in(site.region, where.data_residency)) continue;
    if (spec.disk_bytes > pool.disk_bytes_per_node || spec.network_tier > pool.network_tier)
      continue;
    if (pool.nodes < spec.nodes) continue;
    for (std::size_t i = 0; i < spec.alternatives.size(); ++i) {
      const Alternative& wish = spec.alternatives[i];
      if (!wish.chip.empty() && wish.chip != pool.chip) continue;
      const Need need = placement::need_in(pool, demand, i);
      if (need.card_milli > pool.cards_per_node * 1000 ||
          need.cpu_milli > pool.cpu_milli_per_node ||
          need.memory_bytes > pool.memory_bytes_per_node) {
        continue;
      }
      const Money cost = scale(hourly_price(pool.price, need), spec.tasks(), 1);
      if (spec.hourly_max != Money{} && cost > spec.hourly_max) continue;
      const bool starts = frees[pool.id.value - 1].nodes_free >= spec.nodes ||
                          country.nodes_fitting(pool.id, need, spec.nodes) >= spec.nodes;
      rows.push_back({cost, !starts, pool.id});
      break;
    }
  }
  std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return std::tie(a.cost, a.later, a.pool) < std::tie(b.cost, b.later, b.pool);
  });
  return std::min(rows.size(), page);
}

/// In milliseconds: on the wall, as a user waits, and of the processor, which a busy machine does
/// not stretch.
struct Times {
  std::vector<double> wall;
  std::vector<double> processor;
};

/// One question's times over all queries, `rounds` times over, while the supply changes.
template <class Ask>
Times times(Country& country, placement::Supply& supply, int rounds, Ask ask) {
  static const std::vector<Query> asked = queries();
  Times samples;
  Stream stream(country, supply);
  for (int round = 0; round < rounds; ++round) {
    for (const Query& query : asked) {
      const auto start = Clock::now();
      const double processor_start = processor_milliseconds();
      stream.catch_up();
      ask(query.spec);
      samples.processor.push_back(processor_milliseconds() - processor_start);
      samples.wall.push_back(milliseconds_since(start));
    }
  }
  return samples;
}

struct Quantiles {
  double p50 = 0;
  double p99 = 0;
  double processor_p50 = 0;
  double processor_p99 = 0;
};

/// The medians of five runs.
template <class Ask>
Quantiles median_quantiles(Country& country, placement::Supply& supply, int rounds, Ask ask) {
  std::array<std::vector<double>, 4> all;
  for (int run = 0; run < runs; ++run) {
    const Times samples = times(country, supply, rounds, ask);
    all[0].push_back(quantile(samples.wall, 0.5));
    all[1].push_back(quantile(samples.wall, 0.99));
    all[2].push_back(quantile(samples.processor, 0.5));
    all[3].push_back(quantile(samples.processor, 0.99));
  }
  return {quantile(all[0], 0.5), quantile(all[1], 0.5), quantile(all[2], 0.5),
          quantile(all[3], 0.5)};
}

void print_p99(const std::string& what, const Quantiles& measured, const Quantiles& baseline) {
  print(what + "_p99_ms", measured.p99, "ms", baseline.p99);
  print(what + "_p99_processor_ms", measured.processor_p99, "ms", baseline.processor_p99);
}

std::size_t answered = 0;  // Printed at the end, so that no answer is optimised away.

// What a plan does: a fork, in which up to eight tasks are placed one after another.
void plan(const Country& country, const placement::Supply& supply, const JobSpec& spec) {
  placement::Supply fork = supply;
  const placement::Demand demand = placement::make_demand(spec);
  for (int task = 0; task < 8; ++task) {
    const auto place = placement::choose(fork, demand, &country);
    if (!place) break;
    fork.set_free(place->pool, {});
    ++answered;
  }
}

// What a submission asks of placement where there are many pools: a place, and the record of why.
std::size_t submit(const Country& country, const placement::Supply& supply, const JobSpec& spec) {
  const placement::Demand demand = placement::make_demand(spec);
  const auto place = placement::choose(supply, demand, &country);
  const auto record = placement::rank(supply, demand, &country, place ? runners + 1 : 1);
  return record.best.size();
}

void measure_size(std::size_t pools) {
  Country country(pools, 8, 42);
  const auto built = Clock::now();
  placement::Supply supply = country.supply();
  const std::string size = std::to_string(pools);
  print("build_" + size + "_ms", milliseconds_since(built), "ms", 0);
  std::vector<placement::Free> frees;
  for (const Pool& pool : country.pools()) frees.push_back(country.free_of(pool));

  const auto baseline = median_quantiles(country, supply, 1, [&](const JobSpec& spec) {
    answered += scan_rows(country, frees, spec);
  });
  const auto find = median_quantiles(country, supply, 10, [&](const JobSpec& spec) {
    answered += placement::rank(supply, placement::make_demand(spec), &country, page).best.size();
  });
  print("find_" + size + "_p50_ms", find.p50, "ms", baseline.p50);
  print_p99("find_" + size, find, baseline);
  const auto why = median_quantiles(country, supply, 2, [&](const JobSpec& spec) {
    answered += placement::explain(supply, spec, &country).changes.size();
  });
  print_p99("why_" + size, why, {});
  const auto planned = median_quantiles(country, supply, 5,
                                        [&](const JobSpec& spec) { plan(country, supply, spec); });
  print_p99("plan_" + size, planned, {});
  const auto submitted = median_quantiles(
      country, supply, 5, [&](const JobSpec& spec) { answered += submit(country, supply, spec); });
  print_p99("submission_" + size, submitted, {});
}

// What a submission pays: a choice, and the change of one pool that follows from it.
void measure_choice(const std::string& name, std::size_t pools, std::uint32_t nodes_max) {
  Country country(pools, nodes_max, 42);
  placement::Supply supply = country.supply();
  std::vector<placement::Free> frees;
  for (const Pool& pool : country.pools()) frees.push_back(country.free_of(pool));
  const auto baseline = median_quantiles(country, supply, 2, [&](const JobSpec& spec) {
    answered += scan_rows(country, frees, spec);
  });
  const auto chosen = median_quantiles(country, supply, 500, [&](const JobSpec& spec) {
    answered += placement::choose(supply, placement::make_demand(spec), &country) ? 1U : 0U;
  });
  Random random(3);
  std::vector<double> changes;
  for (int i = 0; i < 20'000; ++i) {
    const Pool& pool = country.change_a_node(random);
    const placement::Free free = country.free_of(pool);
    const auto start = Clock::now();
    supply.set_free(pool.id, free);
    changes.push_back(milliseconds_since(start));
  }
  print("choose_" + name + "_p50_us", chosen.p50 * 1000, "us", baseline.p50 * 1000);
  print("choose_" + name + "_p99_us", chosen.p99 * 1000, "us", baseline.p99 * 1000);
  print("set_free_" + name + "_p50_us", quantile(changes, 0.5) * 1000, "us", 0);
}

// --queries: the processor time of each query in each form, for whoever makes them faster.
void list_queries(std::size_t pools) {
  const Country country(pools, 8, 42);
  const placement::Supply supply = country.supply();
  for (const Query& query : queries()) {
    const placement::Demand demand = placement::make_demand(query.spec);
    double start = processor_milliseconds();
    const auto ranking = placement::rank(supply, demand, &country, page);
    const double find_ms = processor_milliseconds() - start;
    start = processor_milliseconds();
    const auto place = placement::choose(supply, demand, &country);
    const double choose_ms = processor_milliseconds() - start;
    start = processor_milliseconds();
    const auto why = placement::explain(supply, query.spec, &country);
    const double why_ms = processor_milliseconds() - start;
    std::printf(
        "%-28s %8.3f ms find  %8.4f ms choose  %8.3f ms why  %7zu fit %7zu now %zu changes%s\n",
        query.name, find_ms, choose_ms, why_ms, static_cast<std::size_t>(ranking.total),
        static_cast<std::size_t>(ranking.starts_now), why.changes.size(), place ? "" : ", waits");
  }
}

}  // namespace

}  // namespace suan::bench

/// bench_find [--queries POOLS]
int main(int argc, char** argv) {
  if (argc == 3 && std::string(argv[1]) == "--queries") {
    suan::bench::list_queries(std::strtoull(argv[2], nullptr, 10));
    return 0;
  }
  suan::bench::measure_choice("5000_nodes_in_1100_pools", 1100, 16);
  suan::bench::measure_choice("5000_nodes_alone", 5000, 1);
  suan::bench::measure_size(100'000);
  suan::bench::measure_size(1'000'000);
  std::fprintf(stderr, "%zu answers\n", suan::bench::answered);
}
