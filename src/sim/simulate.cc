#include "sim/simulate.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "sim/arguments.h"
#include "sim/crew.h"
#include "sim/replayer.h"
#include "sim/ruler.h"
#include "wire/json.h"
#include "wire/names.h"

namespace suan::sim {

namespace {

constexpr int exit_broken = 1;
constexpr int exit_usage = 2;
constexpr std::uint64_t seeds_for_coverage = 500;  // From here on every point must be hit.
constexpr std::size_t failures_shown = 10;
constexpr std::uint32_t network_provinces = 3;
constexpr std::uint32_t network_sites = 4;

struct Options {
  Scenario scenario;
  std::string scenario_path;
  std::uint64_t seeds = 100;
  std::uint64_t seed = 0;  // 0 = from 1 on.
  unsigned width = 2;
  bool once = false;
  bool trace = false;
  bool planted = false;
  bool network = false;
  std::string bug;  // Only this one.
  bool json = false;
};

// What the report says; also its JSON.

struct FailureRow {
  std::uint64_t seed = 0;
  std::string auditor;
  std::string text;
  std::string replay;

  static void fields(auto&& visit, auto& self) {
    visit(1, "seed", self.seed);
    visit(2, "auditor", self.auditor);
    visit(3, "text", self.text);
    visit(4, "replay", self.replay);
  }
};

struct CoverageRow {
  std::string kind;
  std::string name;
  std::uint64_t count = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "kind", self.kind);
    visit(2, "name", self.name);
    visit(3, "count", self.count);
  }
};

struct BugRow {
  std::string bug;
  bool found = false;
  std::uint64_t seed = 0;
  std::string auditor;
  std::string text;

  static void fields(auto&& visit, auto& self) {
    visit(1, "bug", self.bug);
    visit(2, "found", self.found);
    visit(3, "seed", self.seed);
    visit(4, "auditor", self.auditor);
    visit(5, "text", self.text);
  }
};

struct Report {
  std::uint64_t seeds = 0;
  std::uint64_t events = 0;
  std::uint64_t records = 0;
  std::uint64_t jobs = 0;
  std::uint64_t restarts = 0;
  Span lived;
  Span took;
  std::string end_hash;  // Of a single seed.
  std::vector<FailureRow> failures;
  std::vector<CoverageRow> coverage;
  std::vector<BugRow> bugs;

  static void fields(auto&& visit, auto& self) {
    visit(1, "seeds", self.seeds);
    visit(2, "events", self.events);
    visit(3, "records", self.records);
    visit(4, "jobs", self.jobs);
    visit(5, "restarts", self.restarts);
    visit(6, "lived", self.lived);
    visit(7, "took", self.took);
    visit(8, "end_hash", self.end_hash);
    visit(9, "failures", self.failures);
    visit(10, "coverage", self.coverage);
    visit(11, "bugs", self.bugs);
  }
};

Span monotonic_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return Span{std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000};
}

int complain(const std::string& text) {
  std::fprintf(stderr, "suan simulate: %s\n", text.c_str());
  return exit_usage;
}

Result<std::string> read_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failure(Failure::Kind::not_found, "cannot read " + path);
  std::string text(std::size_t{1} << 16U, '\0');
  const ssize_t size = ::read(file, text.data(), text.size());
  ::close(file);
  if (size < 0) return failure(Failure::Kind::io, "cannot read " + path);
  text.resize(static_cast<std::size_t>(size));
  return text;
}

Result<void> take_scenario(Options& options, std::string_view path) {
  options.scenario_path = path;
  SUAN_TRY(const std::string text, read_file(options.scenario_path));
  SUAN_TRY(options.scenario, parse_scenario(text));
  return {};
}

Result<void> take_option(Options& options, std::string_view name, std::string_view value) {
  if (name == "-o") {
    if (value != "table" && value != "json")
      return failure(Failure::Kind::invalid, "-o is table or json");
    options.json = value == "json";
    return {};
  }
  if (name == "--scenario") return take_scenario(options, value);
  if (name == "--nodes" || name == "--jobs" || name == "--policy" || name == "--compare")
    return failure(Failure::Kind::invalid, std::string(name) + " goes with --protocol");
  if (name == "--bug") {
    options.bug = value;
    return {};
  }
  const auto number = parse_integer(value);
  if (!number || *number < 1 || *number > 1'000'000'000)
    return failure(Failure::Kind::invalid, std::string(name) + " is a number from 1 on");
  const auto count = static_cast<std::uint64_t>(*number);
  if (name == "--seeds") {
    options.seeds = count;
  } else if (name == "--seed") {
    options.seed = count;
  } else if (name == "--events") {
    options.scenario.events = count;
  } else if (name == "-j") {
    options.width = static_cast<unsigned>(std::min<std::uint64_t>(count, 64));
  } else {
    return failure(Failure::Kind::invalid, "there is no " + std::string(name) +
                                               "; there are --check --planted --network --once "
                                               "--trace --seeds --seed --events --scenario "
                                               "--bug -j -o");
  }
  return {};
}

Result<Options> read_options(std::span<const char* const> arguments) {
  Options options;
  bool check = true;  // Always done.
  const std::array<std::pair<std::string_view, bool*>, 5> switches{{{"--check", &check},
                                                                    {"--planted", &options.planted},
                                                                    {"--network", &options.network},
                                                                    {"--trace", &options.trace},
                                                                    {"--once", &options.once}}};
  std::array<std::string_view, switches.size()> names;
  std::ranges::transform(switches, names.begin(), [](const auto& each) { return each.first; });
  SUAN_CHECK(each_argument(arguments, names, [&](std::string_view name, std::string_view value) {
    const auto at = std::ranges::find(names, name);
    if (at == names.end()) return take_option(options, name, value);
    *switches[static_cast<std::size_t>(at - names.begin())].second = true;
    return Result<void>();
  }));
  if (options.network && options.scenario.provinces == 0) {
    options.scenario.provinces = network_provinces;
    options.scenario.sites = network_sites;
  }
  return options;
}

std::string replay_command(const Options& options, std::uint64_t seed, Bug bug) {
  std::string command = "suan simulate --check --seed " + std::to_string(seed);
  if (!options.scenario_path.empty()) command += " --scenario " + options.scenario_path;
  if (options.network) command += " --network";
  command += " --events " + std::to_string(options.scenario.events);
  if (bug != Bug::none) command += " --planted --bug " + std::string(wire::enum_name(bug));
  return command;
}

void print_report(const Report& report, bool with_coverage) {
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  if (with_coverage) {
    for (const CoverageRow& row : report.coverage)
      std::printf("%-8s  %-32s %12llu%s\n", row.kind.c_str(), row.name.c_str(), number(row.count),
                  row.count == 0 ? "  never" : "");
  }
  for (const BugRow& row : report.bugs) {
    if (row.found)
      std::printf("%-32s  seed %-5llu %s: %s\n", row.bug.c_str(), number(row.seed),
                  row.auditor.c_str(), row.text.c_str());
    else
      std::printf("%-32s  NOT FOUND\n", row.bug.c_str());
  }
  for (const FailureRow& row : report.failures)
    std::printf("seed %llu: %s: %s\n  %s\n", number(row.seed), row.auditor.c_str(),
                row.text.c_str(), row.replay.c_str());
  const double took = static_cast<double>(report.took.us) / 1e6;
  std::printf(
      "%llu seeds, %llu events in %llu records, %llu jobs, %llu starts, %.1f days lived, "
      "%.1f s, %.0f events/s\n",
      number(report.seeds), number(report.events), number(report.records), number(report.jobs),
      number(report.restarts), static_cast<double>(report.lived.us) / 86'400e6, took,
      static_cast<double>(report.events) / std::max(took, 1e-6));
  if (!report.end_hash.empty()) std::printf("end %s\n", report.end_hash.c_str());
}

void count(Report& report, const Verdict& verdict) {
  ++report.seeds;
  report.events += verdict.events;
  report.records += verdict.records;
  report.jobs += verdict.jobs;
  report.restarts += verdict.restarts;
  report.lived = report.lived + verdict.lived;
}

// One seed in this process, with every event on stderr.
int follow(const Options& options) {
  Coverage coverage;
  Network network(options.scenario, std::max<std::uint64_t>(options.seed, 1), coverage);
  network.trace();
  const Verdict verdict = network.run();
  if (!verdict.objection) return 0;
  std::fprintf(stderr, "%s: %s\n", verdict.objection->auditor.c_str(),
               verdict.objection->text.c_str());
  return exit_broken;
}

int check(const Options& options) {
  Report report;
  Coverage coverage;
  const Span start = monotonic_now();
  const std::uint64_t first = options.seed != 0 ? options.seed : 1;
  const std::uint64_t seeds = options.seed != 0 ? 1 : options.seeds;
  constexpr std::uint64_t at_once = 25;  // Seeds of one errand: small, so that all end together.
  std::vector<Errand> errands;
  for (std::uint64_t from = first; from < first + seeds; from += at_once) {
    errands.push_back({.bug = Bug::none,
                       .first = from,
                       .count = std::min(at_once, first + seeds - from),
                       .twice = !options.once,
                       .until_found = false});
  }
  run_errands(
      options.scenario, std::move(errands), options.width,
      [&](const Errand&, const SeedResult& result) {
        count(report, result.verdict);
        coverage.add(result.coverage);
        if (seeds == 1) report.end_hash = print_digest(result.verdict.end_hash);
        if (!result.verdict.objection) return true;
        report.failures.push_back({result.verdict.seed, result.verdict.objection->auditor,
                                   result.verdict.objection->text,
                                   replay_command(options, result.verdict.seed, Bug::none)});
        return report.failures.size() < failures_shown;
      });
  report.took = monotonic_now() - start;
  bool is_covered = true;
  for (const CoverageLine& line : coverage_lines(coverage, options.scenario.provinces > 0)) {
    report.coverage.push_back({std::string(line.kind), std::string(line.name), line.count});
    is_covered = is_covered && line.count > 0;
  }
  std::ranges::sort(report.failures, {}, &FailureRow::seed);
  if (options.json)
    std::printf("%s\n", wire::to_json(report).c_str());
  else
    print_report(report, seeds > 1);
  const bool must_cover = seeds >= seeds_for_coverage && options.scenario_path.empty();
  if (must_cover && !is_covered && !options.json) std::printf("some points were never reached\n");
  return report.failures.empty() && (is_covered || !must_cover) ? 0 : exit_broken;
}

int find_planted(const Options& options) {
#ifndef SUAN_PLANTED
  static_cast<void>(options);
  return complain("this binary has no planted bugs: build suan_sim_planted");
#else
  constexpr std::uint64_t seeds_for_a_bug = 1000;
  Report report;
  const Span start = monotonic_now();
  std::vector<Errand> errands;
  std::map<Bug, BugRow> rows;
  for (std::size_t i = 1; i < wire::enumerators_max; ++i) {
    const auto bug = static_cast<Bug>(i);
    const std::string name(wire::enum_name(bug));
    const bool is_between = bug >= Bug::guest_price_not_checked && bug != Bug::drained_site_resumed;
    if (is_between != options.network && options.bug.empty()) continue;
    if (name.empty() || (!options.bug.empty() && name != options.bug)) continue;
    rows[bug].bug = name;
    errands.push_back({.bug = bug,
                       .first = options.seed != 0 ? options.seed : 1,
                       .count = options.seed != 0 ? 1 : seeds_for_a_bug,
                       .twice = false,
                       .until_found = true});
  }
  if (errands.empty()) return complain("there is no such bug");
  run_errands(options.scenario, std::move(errands), options.width,
              [&](const Errand& errand, const SeedResult& result) {
                count(report, result.verdict);
                if (!result.verdict.objection) return true;
                rows[errand.bug] = {rows[errand.bug].bug, true, result.verdict.seed,
                                    result.verdict.objection->auditor,
                                    result.verdict.objection->text};
                return true;
              });
  report.took = monotonic_now() - start;
  bool all_found = true;
  for (auto& [bug, row] : rows) {
    all_found = all_found && row.found;
    report.bugs.push_back(std::move(row));
  }
  if (options.json)
    std::printf("%s\n", wire::to_json(report).c_str());
  else
    print_report(report, false);
  return all_found ? 0 : exit_broken;
#endif
}

}  // namespace

int simulate(std::span<const char* const> arguments) {
  if (asks_for_protocol(arguments)) return measure(arguments);
  if (asks_for_replay(arguments)) return replay(arguments);
  const auto options = read_options(arguments);
  if (!options) return complain(options.error().text);
  if (options->trace) return follow(*options);
  return options->planted ? find_planted(*options) : check(*options);
}

}  // namespace suan::sim
