#include "sim/replayer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "packing/policy.h"
#include "sim/arguments.h"
#include "sim/lists.h"
#include "sim/measuring.h"
#include "sim/outcome.h"
#include "sim/replay.h"
#include "sim/workload.h"
#include "wire/json.h"

namespace suan::sim {

namespace {

constexpr std::uint64_t load_percent_max = 1000;
constexpr std::uint64_t hours_max = std::uint64_t{366} * 24;
constexpr std::uint64_t speed_max = 1'000'000;
constexpr std::uint64_t hours_usual = 6;

struct Options : ListOptions {
  std::optional<std::uint64_t> load_percent;
  std::optional<std::uint64_t> hours;
  std::optional<std::uint64_t> speed;
  std::string report;
};

Result<void> take_option(Options& options, std::string_view name, std::string_view value) {
  if (name == "--load") {
    SUAN_TRY(options.load_percent, parse_count(name, value, load_percent_max));
  } else if (name == "--hours") {
    SUAN_TRY(options.hours, parse_count(name, value, hours_max));
  } else if (name == "--speed") {
    SUAN_TRY(options.speed, parse_count(name, value, speed_max));
  } else if (name == "--report") {
    options.report = value;
  } else {
    SUAN_TRY(const bool is_taken, take_list_option(options, name, value));
    if (!is_taken)
      return wrong(std::string(name) +
                   " does not go with --nodes and --jobs; there are --load --hours --speed "
                   "--policy --compare --seed --seeds --report -o, and --protocol fgd");
  }
  return {};
}

Result<Options> read_options(std::span<const char* const> arguments) {
  Options options;
  SUAN_CHECK(each_argument(arguments, {}, [&](std::string_view name, std::string_view value) {
    return take_option(options, name, value);
  }));
  if (options.nodes.empty() || options.tasks.empty())
    return wrong("a replay needs --nodes FILE and --jobs FILE");
  if (options.load_percent && options.speed)
    return wrong("--speed is of jobs as they were recorded: it does not go with --load");
  if (!options.load_percent && options.hours)
    return wrong("--hours goes with --load: jobs as recorded take as long as they took");
  if (!options.load_percent && options.seeds > 1)
    return wrong("--seeds goes with --load: without it nothing is drawn");
  return options;
}

Result<Workload> workload_of(const Options& options, const NodeList& nodes,
                             std::span<const TimedTask> tasks, std::uint64_t seed) {
  if (!options.load_percent)
    return as_recorded(tasks, static_cast<double>(options.speed.value_or(1)));
  const auto span = static_cast<std::int64_t>(options.hours.value_or(hours_usual));
  return drawn(tasks, nodes.card_milli, static_cast<std::int64_t>(*options.load_percent) * 10,
               hours(span), seed);
}

Result<Replay> run(const std::string& policy, const NodeList& nodes,
                   std::span<const TimedTask> tasks, const Workload& workload, std::uint64_t seed,
                   ProgressBar* progress) {
  if (policy == "suan") return replay_in_domain(nodes, workload, progress);
  packing::Knowledge knowledge;
  for (const TimedTask& each : tasks) knowledge.mix.add(each.ask);
  knowledge.seed = seed;
  return replay_in_line(nodes, workload, packing::make_policy(policy, knowledge), progress);
}

struct Measured {
  Setting setting;
  std::vector<Outcome> outcomes;
};

Result<Measured> measure_all(const Options& options) {
  SUAN_TRY(const std::string nodes_csv, read_list(options.nodes));
  SUAN_TRY(const std::string tasks_csv, read_list(options.tasks));
  const auto nodes = parse_nodes(nodes_csv);
  if (!nodes) return in_file(nodes.error(), options.nodes);
  const auto tasks = parse_timed_tasks(tasks_csv, *nodes);
  if (!tasks) return in_file(tasks.error(), options.tasks);
  ProgressBar progress(options.policies.size() * options.seeds);
  Measured measured;
  for (const std::string& policy : options.policies) {
    std::vector<Replay> runs;
    for (std::uint64_t i = 0; i < options.seeds; ++i) {
      auto workload = workload_of(options, *nodes, *tasks, options.seed + i);
      if (!workload) return in_file(workload.error(), options.tasks);
      measured.setting.lasts = workload->lasts;
      progress.begin(policy);
      const double start = seconds_now();
      SUAN_TRY(Replay replay, run(policy, *nodes, *tasks, *workload, options.seed + i, &progress));
      replay.seconds = seconds_now() - start;
      runs.push_back(std::move(replay));
    }
    measured.outcomes.push_back(outcome_of(policy, runs));
  }
  Setting& setting = measured.setting;
  setting.nodes = options.nodes;
  setting.jobs = options.tasks;
  setting.node_count = nodes->rooms.size();
  setting.cards = nodes->card_milli / packing::card_milli;
  setting.load_percent = options.load_percent.value_or(0);
  setting.speed = options.speed.value_or(1);
  setting.seed = options.seed;
  setting.seeds = options.seeds;
  return measured;
}

struct SizeReport {
  std::uint64_t came = 0;
  std::uint64_t started = 0;
  std::optional<double> wait_minutes_mean;
  std::optional<double> wait_minutes_p50;
  std::optional<double> wait_minutes_p99;

  static void fields(auto&& visit, auto& self) {
    visit(1, "came", self.came);
    visit(2, "started", self.started);
    visit(3, "wait_minutes_mean", self.wait_minutes_mean);
    visit(4, "wait_minutes_p50", self.wait_minutes_p50);
    visit(5, "wait_minutes_p99", self.wait_minutes_p99);
  }
};

/// The JSON of an outcome. Percentages are of all cards; of jobs that still waited at the end their
/// wait counts as far as it went.
struct Report {
  std::string policy;
  std::optional<std::uint64_t> load_percent;
  double hours = 0;
  std::uint64_t seed = 0;
  std::uint64_t seeds = 0;
  std::optional<double> allocation;
  std::optional<double> allocation_deviation;
  std::optional<double> waiting_at_end;
  std::uint64_t refused = 0;
  std::map<std::string, SizeReport> by_gpus;
  std::uint64_t jobs_per_second = 0;
  std::optional<double> card_hours;
  std::optional<double> cost_cny;
  std::optional<double> energy_kwh;

  static void fields(auto&& visit, auto& self) {
    visit(1, "policy", self.policy);
    visit(2, "load_percent", self.load_percent);
    visit(3, "hours", self.hours);
    visit(4, "seed", self.seed);
    visit(5, "seeds", self.seeds);
    visit(6, "allocation", self.allocation);
    visit(7, "allocation_deviation", self.allocation_deviation);
    visit(8, "waiting_at_end", self.waiting_at_end);
    visit(9, "refused", self.refused);
    visit(10, "by_gpus", self.by_gpus);
    visit(11, "jobs_per_second", self.jobs_per_second);
    visit(12, "card_hours", self.card_hours);
    visit(13, "cost_cny", self.cost_cny);
    visit(14, "energy_kwh", self.energy_kwh);
  }
};

/// Of several policies.
struct Comparison {
  std::vector<Report> outcomes;

  static void fields(auto&& visit, auto& self) { visit(1, "outcomes", self.outcomes); }
};

Report make_report(const Setting& setting, const Outcome& outcome) {
  Report report;
  report.policy = outcome.policy;
  if (setting.load_percent > 0) report.load_percent = setting.load_percent;
  report.hours = std::round(static_cast<double>(setting.lasts.us) / 3.6e9 * 1e4) / 1e4;
  report.seed = setting.seed;
  report.seeds = setting.seeds;
  report.allocation = digits(outcome.allocation, &Figure::mean);
  report.allocation_deviation = digits(outcome.allocation, &Figure::deviation);
  report.waiting_at_end = digits(outcome.waiting, &Figure::mean);
  report.refused = outcome.refused;
  for (const auto& [name, waits] : outcome.sizes) {
    report.by_gpus[name] = {waits.came, waits.started, digits(waits.mean, &Figure::mean),
                            digits(waits.median, &Figure::mean), digits(waits.p99, &Figure::mean)};
  }
  report.card_hours = digits(outcome.card_hours, &Figure::mean);
  if (outcome.cost_cny.mean > 0) report.cost_cny = digits(outcome.cost_cny, &Figure::mean);
  if (outcome.energy_kwh.mean > 0) report.energy_kwh = digits(outcome.energy_kwh, &Figure::mean);
  report.jobs_per_second = static_cast<std::uint64_t>(outcome.jobs_per_second);
  return report;
}

std::string wait_text(const Figure& figure, bool is_open) {
  if (figure.seeds == 0) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%s%.1f", is_open ? ">" : "", figure.mean);
  return text;
}

void print_waits(const std::vector<Outcome>& outcomes, const std::vector<std::string>& names,
                 Figure Waits::* which, bool Waits::* is_open) {
  std::vector<std::string> titles;
  for (const std::string& name : names) titles.push_back(cards_title(name));
  print_row("policy", titles);
  for (const Outcome& outcome : outcomes) {
    std::vector<std::string> cells;
    for (const std::string& name : names) {
      const auto at = outcome.sizes.find(name);
      cells.push_back(
          at == outcome.sizes.end() ? "-" : wait_text(at->second.*which, at->second.*is_open));
    }
    print_row(outcome.policy, cells);
  }
}

void print_tables(const Measured& measured) {
  const double span = static_cast<double>(measured.setting.lasts.us) / 3.6e9;
  std::printf("%lld cards on %zu nodes for %.1f hours",
              static_cast<long long>(measured.setting.cards), measured.setting.node_count, span);
  if (measured.setting.load_percent > 0)
    std::printf(", asked for %llu %% of them",
                static_cast<unsigned long long>(measured.setting.load_percent));
  std::printf("\n\n");
  const bool has_prices = any_has(measured.outcomes, &Outcome::cost_cny);
  const bool has_watts = any_has(measured.outcomes, &Outcome::energy_kwh);
  std::vector<std::string> titles{"allocated, %", "waiting", "refused", "jobs/s", "card hours"};
  if (has_prices) titles.emplace_back("CNY");
  if (has_watts) titles.emplace_back("kWh");
  print_row("policy", titles);
  std::vector<std::string> names;
  for (const Outcome& outcome : measured.outcomes) {
    std::vector<std::string> cells{
        print_figure(outcome.allocation), print_figure(outcome.waiting, 0),
        std::to_string(outcome.refused),
        std::to_string(static_cast<std::uint64_t>(outcome.jobs_per_second)),
        print_figure(outcome.card_hours, 0)};
    if (has_prices) cells.push_back(print_figure(outcome.cost_cny, 0));
    if (has_watts) cells.push_back(print_figure(outcome.energy_kwh, 0));
    print_row(outcome.policy, cells);
    for (const auto& [name, waits] : outcome.sizes) {
      if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
  }
  names = cards_in_order(std::move(names));
  std::printf("\nMinutes that half of the jobs waited at most (>: so far)\n\n");
  print_waits(measured.outcomes, names, &Waits::median, &Waits::median_is_open);
  std::printf("\nMinutes that 99 in 100 waited at most\n\n");
  print_waits(measured.outcomes, names, &Waits::p99, &Waits::p99_is_open);
}

Result<void> write_report(const Options& options, const Measured& measured) {
  std::ofstream file(options.report, std::ios::binary | std::ios::trunc);
  file << html_report(measured.setting, measured.outcomes);
  file.close();
  if (!file) return failure(Failure::Kind::io, "cannot write " + options.report);
  return {};
}

}  // namespace

bool asks_for_replay(std::span<const char* const> arguments) {
  return std::ranges::any_of(arguments, [](std::string_view argument) {
    return argument == "--nodes" || argument == "--jobs" || argument.starts_with("--nodes=") ||
           argument.starts_with("--jobs=");
  });
}

int replay(std::span<const char* const> arguments) {
  const auto options = read_options(arguments);
  if (!options) return complain_about(options.error());
  const auto may_write = [&] { return std::ofstream(options->report, std::ios::app).good(); };
  if (!options->report.empty() && !may_write())  // Known before hours are spent.
    return complain_about({Failure::Kind::io, "cannot write " + options->report, {}});
  const auto measured = measure_all(*options);
  if (!measured) return complain_about(measured.error());
  if (!options->report.empty()) {
    if (const auto written = write_report(*options, *measured); !written)
      return complain_about(written.error());
  }
  if (!options->is_json) {
    print_tables(*measured);
    return 0;
  }
  Comparison comparison;
  for (const Outcome& outcome : measured->outcomes)
    comparison.outcomes.push_back(make_report(measured->setting, outcome));
  const bool is_one = comparison.outcomes.size() == 1;
  std::printf("%s\n", is_one ? wire::to_json(comparison.outcomes.front()).c_str()
                             : wire::to_json(comparison).c_str());
  return 0;
}

}  // namespace suan::sim
