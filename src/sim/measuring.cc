#include "sim/measuring.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <utility>

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "packing/policy.h"

namespace suan::sim {

namespace {

constexpr int exit_usage = 2;
constexpr std::uint64_t seeds_max = 10'000;
constexpr std::size_t list_bytes_max = std::size_t{1} << 30U;

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

}  // namespace

std::unexpected<Failure> wrong(std::string text) {
  return failure(Failure::Kind::invalid, std::move(text));
}

Result<std::uint64_t> parse_count(std::string_view name, std::string_view text,
                                  std::uint64_t most) {
  const auto number = parse_integer(text);
  if (!number || *number < 1 || static_cast<std::uint64_t>(*number) > most)
    return wrong(std::string(name) + " is a number from 1 to " + std::to_string(most));
  return static_cast<std::uint64_t>(*number);
}

Result<bool> take_list_option(ListOptions& options, std::string_view name, std::string_view value) {
  if (name == "--nodes") {
    options.nodes = value;
  } else if (name == "--jobs") {
    options.tasks = value;
  } else if (name == "--policy" || name == "--compare") {
    SUAN_TRY(options.policies, parse_policies(value));
    if (name == "--policy" && options.policies.size() > 1)
      return wrong("--policy takes one policy; --compare takes several");
  } else if (name == "--seed") {
    SUAN_TRY(options.seed, parse_count(name, value, seeds_max));
  } else if (name == "--seeds") {
    SUAN_TRY(options.seeds, parse_count(name, value, seeds_max));
  } else if (name == "-o") {
    if (value != "table" && value != "json") return wrong("-o is table or json");
    options.is_json = value == "json";
  } else {
    return false;
  }
  return true;
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

std::unexpected<Failure> in_file(Failure failure, const std::string& path) {
  failure.place = failure.place.empty() ? path : path + ", " + failure.place;
  return std::unexpected(std::move(failure));
}

int complain_about(const Failure& failure) {
  const std::string place = failure.place.empty() ? "" : failure.place + ": ";
  std::fprintf(stderr, "suan simulate: %s%s\n", place.c_str(), failure.text.c_str());
  return exit_usage;
}

Figure Figure::over(const std::vector<double>& values) {
  Figure figure;
  figure.seeds = values.size();
  for (const double value : values) figure.mean += value / static_cast<double>(values.size());
  double squares = 0;
  for (const double value : values) squares += (value - figure.mean) * (value - figure.mean);
  if (values.size() > 1)
    figure.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
  return figure;
}

std::string print_figure(const Figure& figure, int decimals) {
  if (figure.seeds == 0) return "-";
  char text[64];
  if (figure.seeds > 1)
    std::snprintf(text, sizeof text, "%.*f ±%.*f", decimals, figure.mean, decimals,
                  figure.deviation);
  else
    std::snprintf(text, sizeof text, "%.*f", decimals, figure.mean);
  return text;
}

std::optional<double> digits(const Figure& figure, double Figure::* which) {
  constexpr double shown = 10'000;
  if (figure.seeds == 0) return std::nullopt;
  return std::round(figure.*which * shown) / shown;
}

std::vector<std::string> cards_in_order(std::vector<std::string> names) {
  std::ranges::sort(names, {}, [](const std::string& name) {
    const auto cards = parse_integer(name);
    return cards ? *cards * 2 : std::int64_t{1};
  });
  return names;
}

std::string cards_title(const std::string& cards) {
  if (cards == "share") return "shares";
  if (cards == "0") return "no card";
  return cards == "1" ? "1 card" : cards + " cards";
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

double seconds_now() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

ProgressBar::ProgressBar(std::uint64_t runs)
    : runs_(runs), is_shown_(::isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  if (is_shown_) std::fputs("\r\x1b[K", stderr);
}

void ProgressBar::begin(const std::string& policy) {
  policy_ = policy;
  ++run_;
}

void ProgressBar::show(double part) {
  if (!is_shown_ || seconds_now() - shown_at_ < 0.1) return;
  shown_at_ = seconds_now();
  constexpr int width = 30;
  const double all = std::clamp(
      (static_cast<double>(run_ - 1) + std::clamp(part, 0.0, 1.0)) / static_cast<double>(runs_),
      0.0, 1.0);
  const int done = static_cast<int>(all * width);
  std::fprintf(stderr, "\r%-8s [%s%s] %3.0f %%", policy_.c_str(),
               std::string(static_cast<std::size_t>(done), '#').c_str(),
               std::string(static_cast<std::size_t>(width - done), ' ').c_str(), all * 100);
}

}  // namespace suan::sim
