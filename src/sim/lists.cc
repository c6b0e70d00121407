#include "sim/lists.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <utility>

#include "base/text.h"

namespace suan::sim {

namespace {

using packing::Ask;
using packing::NodeKind;

constexpr std::int64_t cpu_milli_max = 1'000'000'000;
constexpr std::int64_t memory_mib_max = 1'000'000'000;
constexpr std::int64_t cards_max = 64;
constexpr Money hourly_max = yuan(1'000'000);
constexpr std::int64_t watts_max = 1'000'000;
constexpr std::int64_t time_max = 1'000'000'000'000;  // Seconds.
constexpr std::size_t nodes_max = 1'000'000;
constexpr std::size_t tasks_max = 10'000'000;
constexpr std::int64_t mib = 1'048'576;

std::vector<std::string_view> split(std::string_view line, char mark) {
  std::vector<std::string_view> cells;
  for (;;) {
    const auto end = line.find(mark);
    cells.push_back(line.substr(0, end));
    if (end == line.npos) return cells;
    line.remove_prefix(end + 1);
  }
}

// The rows of a list, of which some columns are wanted.
class Rows {
 public:
  static Result<Rows> open(std::string_view csv, std::span<const std::string_view> wanted,
                           std::span<const std::string_view> optional = {}) {
    Rows rows;
    rows.rest_ = csv;
    if (!rows.next())
      return failure(Failure::Kind::invalid, "the list is empty; its first line names the columns",
                     "line 1");
    const std::vector<std::string_view> header = rows.cells_;
    for (const std::string_view name : wanted) {
      const auto at = std::ranges::find(header, name);
      if (at == header.end() && std::ranges::find(optional, name) == optional.end())
        return failure(Failure::Kind::invalid,
                       "there is no column " + std::string(name) + " in the first line", "line 1");
      rows.columns_.push_back({name, static_cast<std::size_t>(at - header.begin())});
    }
    return rows;
  }

  // The next line that is not empty; false at the end.
  bool next() {
    while (!rest_.empty()) {
      std::string_view line = rest_.substr(0, rest_.find('\n'));
      rest_.remove_prefix(std::min(line.size() + 1, rest_.size()));
      ++line_;
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (line.empty()) continue;
      cells_ = split(line, ',');
      return true;
    }
    return false;
  }

  // Empty where the column is not there.
  std::string_view text(std::size_t column) const {
    const std::size_t at = columns_[column].second;
    return at < cells_.size() ? cells_[at] : std::string_view{};
  }

  Result<std::int64_t> number(std::size_t column, std::int64_t most) const {
    const auto number = parse_integer(text(column));
    if (number && *number >= 0 && *number <= most) return *number;
    return wrong(column, "a whole number from 0 to " + std::to_string(most));
  }

  std::unexpected<Failure> wrong(std::size_t column, const std::string& right) const {
    return failure(Failure::Kind::invalid,
                   std::string(columns_[column].first) + " is \"" + std::string(text(column)) +
                       "\" but must be " + right,
                   place());
  }

  std::string place() const { return "line " + std::to_string(line_); }

 private:
  std::string_view rest_;
  std::size_t line_ = 0;
  std::vector<std::string_view> cells_;
  std::vector<std::pair<std::string_view, std::size_t>> columns_;
};

std::uint32_t number_of(std::vector<std::string>& names, std::string_view name) {
  const auto at = std::ranges::find(names, name);
  const auto number = static_cast<std::uint32_t>(at - names.begin());
  if (at == names.end()) names.emplace_back(name);
  return number;
}

}  // namespace

Result<NodeList> parse_nodes(std::string_view csv) {
  enum : std::uint8_t { cpu_milli, memory_mib, gpu, model, price, watts };
  static constexpr std::array<std::string_view, 6> columns{"cpu_milli", "memory_mib", "gpu",
                                                           "model",     "price",      "watts"};
  SUAN_TRY(Rows rows, Rows::open(csv, columns, std::span(columns).last(2)));
  NodeList list;
  std::map<std::pair<NodeKind, CardTerms>, std::uint32_t> kinds;
  while (rows.next()) {
    NodeKind kind;
    SUAN_TRY(kind.cpu_milli, rows.number(cpu_milli, cpu_milli_max));
    SUAN_TRY(const std::int64_t memory, rows.number(memory_mib, memory_mib_max));
    kind.memory_bytes = memory * mib;
    SUAN_TRY(const std::int64_t cards, rows.number(gpu, cards_max));
    kind.cards = static_cast<std::uint32_t>(cards);
    kind.chip = number_of(list.chips, rows.text(model));
    if (list.chips.size() > packing::chips_max)
      return rows.wrong(model, "one of at most 64 models");
    CardTerms terms;
    if (!rows.text(price).empty()) {
      const auto hourly = parse_money(rows.text(price));
      if (!hourly || *hourly < Money{} || *hourly > hourly_max)
        return rows.wrong(price, "CNY for a card and an hour, from 0 to 1000000");
      terms.hourly = *hourly;
    }
    if (!rows.text(watts).empty()) {
      SUAN_TRY(terms.watts, rows.number(watts, watts_max));
    }
    const auto [at, is_new] =
        kinds.try_emplace({kind, terms}, static_cast<std::uint32_t>(list.kinds.size()));
    if (is_new) {
      list.kinds.push_back(kind);
      list.terms.push_back(terms);
    }
    if (list.rooms.size() == nodes_max)
      return failure(Failure::Kind::invalid, "there are more than 1000000 nodes", rows.place());
    list.rooms.push_back(packing::all_free(at->second, kind));
    list.card_milli += cards * packing::card_milli;
  }
  if (list.card_milli == 0)
    return failure(Failure::Kind::invalid, "no node has a card", rows.place());
  return list;
}

namespace {

// A name that no node has fits nothing.
std::uint64_t chips_named(std::string_view names, const NodeList& list) {
  std::uint64_t chips = 0;
  for (const std::string_view name : split(names, '|')) {
    const auto at = std::ranges::find(list.chips, name);
    if (at != list.chips.end()) chips |= std::uint64_t{1} << (at - list.chips.begin());
  }
  return chips;
}

enum Column : std::uint8_t {
  name,
  cpu_milli,
  memory_mib,
  num_gpu,
  gpu_milli,
  gpu_spec,
  creation_time,
  deletion_time,
  scheduled_time
};
constexpr std::array<std::string_view, 9> task_columns{
    "name",     "cpu_milli",     "memory_mib",    "num_gpu",       "gpu_milli",
    "gpu_spec", "creation_time", "deletion_time", "scheduled_time"};
constexpr std::array<std::string_view, 2> may_be_missing{"gpu_spec", "scheduled_time"};
constexpr std::size_t untimed_columns = 6;

Result<Ask> read_ask(const Rows& rows, const NodeList& list) {
  Ask ask;
  SUAN_TRY(ask.cpu_milli, rows.number(cpu_milli, cpu_milli_max));
  SUAN_TRY(const std::int64_t memory, rows.number(memory_mib, memory_mib_max));
  ask.memory_bytes = memory * mib;
  SUAN_TRY(const std::int64_t cards, rows.number(num_gpu, cards_max));
  if (cards == 0) return ask;
  SUAN_TRY(const std::int64_t milli, rows.number(gpu_milli, packing::card_milli));
  const bool is_share = milli < packing::card_milli;
  if (milli == 0 || (is_share && cards > 1))
    return rows.wrong(gpu_milli, "1000, or with one card 1 to 1000");
  (is_share ? ask.share_milli : ask.cards) = static_cast<std::uint32_t>(is_share ? milli : cards);
  if (!rows.text(gpu_spec).empty()) ask.chips = chips_named(rows.text(gpu_spec), list);
  return ask;
}

// Calls take(ask) for each task in the order of the list.
template <class Take>
Result<void> each_task(Rows& rows, const NodeList& list, Take take) {
  std::size_t tasks = 0;
  bool has_cards = false;
  while (rows.next()) {
    SUAN_TRY(const Ask ask, read_ask(rows, list));
    if (tasks++ == tasks_max)
      return failure(Failure::Kind::invalid, "there are more than 10000000 tasks", rows.place());
    has_cards = has_cards || ask.has_cards();
    SUAN_CHECK(take(ask));
  }
  if (!has_cards) return failure(Failure::Kind::invalid, "no task asks for a card", rows.place());
  return {};
}

}  // namespace

Result<std::vector<Ask>> parse_tasks(std::string_view csv, const NodeList& list) {
  SUAN_TRY(Rows rows,
           Rows::open(csv, std::span(task_columns).first(untimed_columns), may_be_missing));
  struct Named {
    std::string_view name;
    std::size_t line = 0;
    Ask ask;
  };
  std::vector<Named> named;
  SUAN_CHECK(each_task(rows, list, [&](const Ask& ask) -> Result<void> {
    named.push_back({rows.text(name), named.size(), ask});
    return {};
  }));
  std::ranges::sort(named, [](const Named& a, const Named& b) {
    return a.name != b.name ? a.name < b.name : a.line < b.line;
  });
  std::vector<Ask> tasks;
  tasks.reserve(named.size());
  for (const Named& each : named) tasks.push_back(each.ask);
  return tasks;
}

Result<std::vector<TimedTask>> parse_timed_tasks(std::string_view csv, const NodeList& list) {
  SUAN_TRY(Rows rows, Rows::open(csv, task_columns, may_be_missing));
  std::vector<TimedTask> tasks;
  SUAN_CHECK(each_task(rows, list, [&](const Ask& ask) -> Result<void> {
    SUAN_TRY(const std::int64_t comes, rows.number(creation_time, time_max));
    SUAN_TRY(const std::int64_t ends, rows.number(deletion_time, time_max));
    std::int64_t begins = comes;
    if (!rows.text(scheduled_time).empty()) {
      SUAN_TRY(begins, rows.number(scheduled_time, time_max));
    }
    if (begins < comes || ends < begins)
      return rows.wrong(deletion_time,
                        "no earlier than scheduled_time, and that no earlier than "
                        "creation_time");
    tasks.push_back({tasks.size(), ask, seconds(comes), seconds(ends - begins)});
    return {};
  }));
  std::ranges::sort(tasks, {},
                    [](const TimedTask& each) { return std::pair(each.comes, each.number); });
  return tasks;
}

}  // namespace suan::sim
