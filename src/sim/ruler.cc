#include "sim/ruler.h"

#include <algorithm>
#include <array>
#include <cstdio>
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
#include "sim/protocol.h"
#include "wire/json.h"

namespace suan::sim {

namespace {

struct Outcome {
  std::string policy;
  std::array<Figure, arrived_percents.size()> allocation;
  Figure first_rejection;
  std::map<std::string, Figure> admitted;
  double decisions_per_second = 0;
};

Result<ListOptions> read_options(std::span<const char* const> arguments) {
  ListOptions options;
  const auto take = [&](std::string_view name, std::string_view value) -> Result<void> {
    if (name == "--protocol") {
      if (value == "fgd") return {};
      return wrong("there is no protocol \"" + std::string(value) + "\", only fgd");
    }
    SUAN_TRY(const bool is_taken, take_list_option(options, name, value));
    if (is_taken) return {};
    return wrong(std::string(name) +
                 " does not go with --protocol; there are --nodes --jobs "
                 "--policy --compare --seed --seeds -o");
  };
  SUAN_CHECK(each_argument(arguments, {}, take));
  if (options.nodes.empty() || options.tasks.empty())
    return wrong("--protocol fgd needs --nodes FILE and --jobs FILE");
  return options;
}

class Shown final : public Witness {
 public:
  Shown(ProgressBar& progress, std::size_t tasks) : progress_(progress), tasks_(tasks) {}
  void decided(std::uint64_t decisions) override {
    progress_.show(static_cast<double>(decisions) / static_cast<double>(tasks_));
  }

 private:
  ProgressBar& progress_;
  std::size_t tasks_;
};

Outcome run_policy(const ListOptions& options, const std::string& policy, const NodeList& nodes,
                   const std::vector<packing::Ask>& tasks, ProgressBar& progress) {
  packing::Knowledge knowledge;
  for (const packing::Ask& ask : tasks) knowledge.mix.add(ask);
  std::array<std::vector<double>, arrived_percents.size()> allocation;
  std::vector<double> rejections;
  std::map<std::string, std::vector<double>> admitted;
  std::uint64_t decisions = 0;
  double seconds = 0;
  Shown shown(progress, tasks.size());
  for (std::uint64_t i = 0; i < options.seeds; ++i) {
    progress.begin(policy);
    knowledge.seed = options.seed + i;
    const double start = seconds_now();
    const FgdRun run =
        run_fgd(nodes, tasks, packing::make_policy(policy, knowledge), knowledge.seed, &shown);
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

Report make_report(const ListOptions& options, const Outcome& outcome) {
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
  std::vector<std::string> names;
  for (const auto& [name, figure] : outcomes.front().admitted) names.push_back(name);
  names = cards_in_order(std::move(names));
  titles.clear();
  for (const std::string& name : names) titles.push_back(cards_title(name));
  print_row("policy", titles);
  for (const Outcome& outcome : outcomes) {
    std::vector<std::string> cells;
    for (const std::string& name : names) cells.push_back(print_figure(outcome.admitted.at(name)));
    print_row(outcome.policy, cells);
  }
}

Result<std::vector<Outcome>> run_all(const ListOptions& options) {
  SUAN_TRY(const std::string nodes_csv, read_list(options.nodes));
  SUAN_TRY(const std::string tasks_csv, read_list(options.tasks));
  auto nodes = parse_nodes(nodes_csv);
  if (!nodes) return in_file(nodes.error(), options.nodes);
  auto tasks = parse_tasks(tasks_csv, *nodes);
  if (!tasks) return in_file(tasks.error(), options.tasks);
  ProgressBar progress(options.policies.size() * options.seeds);
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
  const auto options = read_options(arguments);
  if (!options) return complain_about(options.error());
  const auto outcomes = run_all(*options);
  if (!outcomes) return complain_about(outcomes.error());
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
