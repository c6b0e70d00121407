#include "sim/ruler.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "packing/policy.h"
#include "sim/arguments.h"
#include "sim/lists.h"
#include "sim/protocol.h"
#include "wire/json.h"

namespace suan::sim {

namespace {

constexpr int exit_usage = 2;
constexpr std::uint64_t first_seed = 42;  // Of the published figures.
constexpr std::int64_t seeds_max = 10'000;
constexpr std::size_t list_bytes_max = std::size_t{1} << 30U;

struct Options {
  std::string nodes;
  std::string tasks;
  std::vector<std::string> policies{"suan"};
  std::uint64_t seed = first_seed;
  std::uint64_t seeds = 1;
  bool is_json = false;
};

/// A figure over all seeds.
struct Figure {
  double mean = 0;
  double deviation = 0;  // Of the sample; 0 for one seed.
  std::size_t seeds = 0;

  static Figure over(const std::vector<double>& values) {
    Figure figure;
    figure.seeds = values.size();
    for (const double value : values) figure.mean += value / static_cast<double>(values.size());
    double squares = 0;
    for (const double value : values) squares += (value - figure.mean) * (value - figure.mean);
    if (values.size() > 1)
      figure.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
    return figure;
  }
};

struct Outcome {
  std::string policy;
  std::array<Figure, arrived_percents.size()> allocation;
  Figure first_rejection;
  std::map<std::string, Figure> admitted;
  double decisions_per_second = 0;
};

std::unexpected<Failure> wrong(std::string text) {
  return failure(Failure::Kind::invalid, std::move(text));
}

Result<void> check_policy(std::string_view name) {
  const auto names = packing::policy_names();
  if (std::ranges::find(names, name) != names.end()) return {};
  std::string text = "there is no policy \"" + std::string(name) + "\"; there are";
  for (const std::string_view each : names) text += " " + std::string(each);
  return wrong(text);
}

Result<std::vector<std::string>> parse_policies(std::string_view text) {
  std::vector<std::string> names;
  for (;;) {
    const auto end = text.find(',');
    names.emplace_back(text.substr(0, end));
    SUAN_CHECK(check_policy(names.back()));
    if (end == text.npos) return names;
    text.remove_prefix(end + 1);
  }
}

Result<std::uint64_t> parse_count(std::string_view name, std::string_view text) {
  const auto number = parse_integer(text);
  if (!number || *number < 1 || *number > seeds_max)
    return wrong(std::string(name) + " is a number from 1 to " + std::to_string(seeds_max));
  return static_cast<std::uint64_t>(*number);
}

Result<void> take_option(Options& options, std::string_view name, std::string_view value) {
  if (name == "--protocol") {
    if (value != "fgd")
      return wrong("there is no protocol \"" + std::string(value) + "\", only fgd");
  } else if (name == "--nodes") {
    options.nodes = value;
  } else if (name == "--jobs") {
    options.tasks = value;
  } else if (name == "--policy" || name == "--compare") {
    SUAN_TRY(options.policies, parse_policies(value));
    if (name == "--policy" && options.policies.size() > 1)
      return wrong("--policy takes one policy; --compare takes several");
  } else if (name == "--seed") {
    SUAN_TRY(options.seed, parse_count(name, value));
  } else if (name == "--seeds") {
    SUAN_TRY(options.seeds, parse_count(name, value));
  } else if (name == "-o") {
    if (value != "table" && value != "json") return wrong("-o is table or json");
    options.is_json = value == "json";
  } else {
    return wrong(std::string(name) +
                 " does not go with --protocol; there are --nodes --jobs "
                 "--policy --compare --seed --seeds -o");
  }
  return {};
}

Result<Options> read_options(std::span<const char* const> arguments) {
  Options options;
  SUAN_CHECK(each_argument(arguments, {}, [&](std::string_view name, std::string_view value) {
    return take_option(options, name, value);
  }));
  if (options.nodes.empty() || options.tasks.empty())
    return wrong("--protocol fgd needs --nodes FILE and --jobs FILE");
  return options;
}

Result<std::string> read_list(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return failure(Failure::Kind::not_found, "cannot read " + path);
  std::string text;
  std::string piece(std::size_t{1} << 20U, '\0');
  ssize_t size = 0;
  while ((size = ::read(file, piece.data(), piece.size())) > 0) {
    text.append(piece, 0, static_cast<std::size_t>(size));
    if (text.size() > list_bytes_max) break;
  }
  ::close(file);
  if (size < 0) return failure(Failure::Kind::io, "cannot read " + path);
  if (size > 0) return failure(Failure::Kind::no_space, path + " has more than 1 GiB");
  return text;
}

double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

/// How far it is, on a terminal.
class Progress final : public Witness {
 public:
  Progress(std::uint64_t runs, std::size_t tasks)
      : runs_(runs), tasks_(tasks), is_shown_(::isatty(STDERR_FILENO) == 1) {}
  ~Progress() override {
    if (is_shown_) std::fputs("\r\x1b[K", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void begin(const std::string& policy) {
    policy_ = policy;
    ++run_;
  }
  void decided(std::uint64_t decisions) override {
    if (!is_shown_ || seconds_now() - shown_at_ < 0.1) return;
    shown_at_ = seconds_now();
    constexpr int width = 30;
    const double part = std::min(
        1.0, (static_cast<double>(run_ - 1) +
              std::min(1.0, static_cast<double>(decisions) / static_cast<double>(tasks_))) /
                 static_cast<double>(runs_));
    const int done = static_cast<int>(part * width);
    std::fprintf(stderr, "\r%-8s [%s%s] %3.0f %%", policy_.c_str(),
                 std::string(static_cast<std::size_t>(done), '#').c_str(),
                 std::string(static_cast<std::size_t>(width - done), ' ').c_str(), part * 100);
  }

 private:
  std::uint64_t runs_ = 1;
  std::size_t tasks_ = 1;
  bool is_shown_ = false;
  std::uint64_t run_ = 0;
  std::string policy_;
  double shown_at_ = 0;
};

Outcome run_policy(const Options& options, const std::string& policy, const NodeList& nodes,
                   const std::vector<packing::Ask>& tasks, Progress& progress) {
  packing::Knowledge knowledge;
  for (const packing::Ask& ask : tasks) knowledge.mix.add(ask);
  std::array<std::vector<double>, arrived_percents.size()> allocation;
  std::vector<double> rejections;
  std::map<std::string, std::vector<double>> admitted;
  std::uint64_t decisions = 0;
  double seconds = 0;
  for (std::uint64_t i = 0; i < options.seeds; ++i) {
    progress.begin(policy);
    knowledge.seed = options.seed + i;
    const double start = seconds_now();
    const FgdRun run =
        run_fgd(nodes, tasks, packing::make_policy(policy, knowledge), knowledge.seed, &progress);
    seconds += seconds_now() - start;
    decisions += run.decisions;
    for (std::size_t at = 0; at < allocation.size(); ++at) {
      if (run.allocation[at]) allocation[at].push_back(*run.allocation[at]);
    }
    if (run.first_rejection) rejections.push_back(*run.first_rejection);
    for (const auto& [cards, percent] : run.admitted_by_cards) admitted[cards].push_back(percent);
  }
  Outcome outcome;
  outcome.policy = policy;
  for (std::size_t at = 0; at < allocation.size(); ++at)
    outcome.allocation[at] = Figure::over(allocation[at]);
  outcome.first_rejection = Figure::over(rejections);
  for (const auto& [cards, percents] : admitted) outcome.admitted[cards] = Figure::over(percents);
  outcome.decisions_per_second = static_cast<double>(decisions) / std::max(seconds, 1e-9);
  return outcome;
}

// "0", "share", then by number of cards.
std::vector<std::string> cards_in_order(const std::map<std::string, Figure>& admitted) {
  std::vector<std::string> names;
  for (const auto& [name, figure] : admitted) names.push_back(name);
  std::ranges::sort(names, {}, [](const std::string& name) {
    const auto cards = parse_integer(name);
    return cards ? *cards * 2 : std::int64_t{1};
  });
  return names;
}

// Hundredths are what the figures are good for.
std::string print_figure(const Figure& figure) {
  if (figure.seeds == 0) return "-";
  char text[64];
  if (figure.seeds > 1)
    std::snprintf(text, sizeof text, "%.2f ±%.2f", figure.mean, figure.deviation);
  else
    std::snprintf(text, sizeof text, "%.2f", figure.mean);
  return text;
}

/// The JSON of an outcome. Percentages, with as many digits as mean anything.
struct Report {
  std::string protocol = "fgd";
  std::string policy;
  std::uint64_t seed = 0;
  std::uint64_t seeds = 0;
  std::map<std::string, std::optional<double>> allocation;
  std::map<std::string, std::optional<double>> allocation_deviation;
  std::optional<double> first_rejection;
  std::map<std::string, std::optional<double>> admitted_by_gpus;
  std::uint64_t decisions_per_second = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "protocol", self.protocol);
    visit(2, "policy", self.policy);
    visit(3, "seed", self.seed);
    visit(4, "seeds", self.seeds);
    visit(5, "allocation", self.allocation);
    visit(6, "allocation_deviation", self.allocation_deviation);
    visit(7, "first_rejection", self.first_rejection);
    visit(8, "admitted_by_gpus", self.admitted_by_gpus);
    visit(9, "decisions_per_second", self.decisions_per_second);
  }
};

/// Of several policies.
struct Comparison {
  std::vector<Report> outcomes;

  static void fields(auto&& visit, auto& self) { visit(1, "outcomes", self.outcomes); }
};

std::optional<double> digits(const Figure& figure, double Figure::* which) {
  constexpr double shown = 10'000;
  if (figure.seeds == 0) return std::nullopt;
  return std::round(figure.*which * shown) / shown;
}

Report make_report(const Options& options, const Outcome& outcome) {
  Report report;
  report.policy = outcome.policy;
  report.seed = options.seed;
  report.seeds = options.seeds;
  for (std::size_t at = 0; at < arrived_percents.size(); ++at) {
    const std::string name = std::to_string(arrived_percents[at]);
    report.allocation[name] = digits(outcome.allocation[at], &Figure::mean);
    report.allocation_deviation[name] = digits(outcome.allocation[at], &Figure::deviation);
  }
  report.first_rejection = digits(outcome.first_rejection, &Figure::mean);
  for (const auto& [cards, figure] : outcome.admitted)
    report.admitted_by_gpus[cards] = digits(figure, &Figure::mean);
  report.decisions_per_second = static_cast<std::uint64_t>(outcome.decisions_per_second);
  return report;
}

void print_row(std::string_view name, const std::vector<std::string>& cells) {
  constexpr std::size_t width = 13;
  std::string line(name);
  line.resize(std::max<std::size_t>(line.size(), 8), ' ');
  for (const std::string& cell : cells) {
    // "±" is two bytes and one column.
    const std::size_t columns = cell.size() - (cell.find("±") == cell.npos ? 0 : 1);
    line += ' ' + std::string(width - std::min(columns, width), ' ') + cell;
  }
  std::printf("%s\n", line.c_str());
}

std::string cards_title(const std::string& cards) {
  if (cards == "share") return "shares";
  if (cards == "0") return "no card";
  return cards == "1" ? "1 card" : cards + " cards";
}

void print_tables(const std::vector<Outcome>& outcomes) {
  std::printf("Allocated, in percent of all cards, when so much has arrived\n\n");
  std::vector<std::string> titles;
  for (const int percent : arrived_percents) titles.push_back(std::to_string(percent) + " %");
  titles.insert(titles.end(), {"first refusal", "decisions/s"});
  print_row("policy", titles);
  for (const Outcome& outcome : outcomes) {
    std::vector<std::string> cells;
    for (const Figure& figure : outcome.allocation) cells.push_back(print_figure(figure));
    cells.push_back(print_figure(outcome.first_rejection));
    cells.push_back(std::to_string(static_cast<std::uint64_t>(outcome.decisions_per_second)));
    print_row(outcome.policy, cells);
  }
  std::printf("\nPlaced, in percent of the tasks that came\n\n");
  const std::vector<std::string> names = cards_in_order(outcomes.front().admitted);
  titles.clear();
  for (const std::string& name : names) titles.push_back(cards_title(name));
  print_row("policy", titles);
  for (const Outcome& outcome : outcomes) {
    std::vector<std::string> cells;
    for (const std::string& name : names) cells.push_back(print_figure(outcome.admitted.at(name)));
    print_row(outcome.policy, cells);
  }
}

Result<std::vector<Outcome>> run_all(const Options& options) {
  const auto at = [](Failure failure, const std::string& path) {
    failure.place = failure.place.empty() ? path : path + ", " + failure.place;
    return std::unexpected(std::move(failure));
  };
  SUAN_TRY(const std::string nodes_csv, read_list(options.nodes));
  SUAN_TRY(const std::string tasks_csv, read_list(options.tasks));
  auto nodes = parse_nodes(nodes_csv);
  if (!nodes) return at(nodes.error(), options.nodes);
  auto tasks = parse_tasks(tasks_csv, *nodes);
  if (!tasks) return at(tasks.error(), options.tasks);
  Progress progress(options.policies.size() * options.seeds, tasks->size());
  std::vector<Outcome> outcomes;
  for (const std::string& policy : options.policies)
    outcomes.push_back(run_policy(options, policy, *nodes, *tasks, progress));
  return outcomes;
}

}  // namespace

bool asks_for_protocol(std::span<const char* const> arguments) {
  return std::ranges::any_of(arguments, [](std::string_view argument) {
    return argument == "--protocol" || argument.starts_with("--protocol=");
  });
}

int measure(std::span<const char* const> arguments) {
  const auto complain = [](const Failure& failure) {
    const std::string place = failure.place.empty() ? "" : failure.place + ": ";
    std::fprintf(stderr, "suan simulate: %s%s\n", place.c_str(), failure.text.c_str());
    return exit_usage;
  };
  const auto options = read_options(arguments);
  if (!options) return complain(options.error());
  const auto outcomes = run_all(*options);
  if (!outcomes) return complain(outcomes.error());
  if (!options->is_json) {
    print_tables(*outcomes);
    return 0;
  }
  Comparison comparison;
  for (const Outcome& outcome : *outcomes)
    comparison.outcomes.push_back(make_report(*options, outcome));
  const bool is_one = comparison.outcomes.size() == 1;
  std::printf("%s\n", is_one ? wire::to_json(comparison.outcomes.front()).c_str()
                             : wire::to_json(comparison).c_str());
  return 0;
}

}  // namespace suan::sim
