#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// What the tools that measure policies on lists share: arguments, figures over seeds, tables.
namespace suan::sim {

constexpr std::uint64_t first_seed = 42;  // Of the published figures.

struct ListOptions {
  std::string nodes;
  std::string tasks;
  std::vector<std::string> policies{"suan"};
  std::uint64_t seed = first_seed;
  std::uint64_t seeds = 1;
  bool is_json = false;
};

std::unexpected<Failure> wrong(std::string text);

/// A whole number from 1 to `most`.
Result<std::uint64_t> parse_count(std::string_view name, std::string_view text, std::uint64_t most);

/// Takes --nodes, --jobs, --policy, --compare, --seed, --seeds and -o; false: it is another.
Result<bool> take_list_option(ListOptions&, std::string_view name, std::string_view value);

/// A file of at most 1 GiB.
Result<std::string> read_list(const std::string& path);

/// A failure about a file: its place is within that.
std::unexpected<Failure> in_file(Failure, const std::string& path);

/// Says what is wrong on standard error; returns the exit code.
int complain_about(const Failure&);

/// A figure over all seeds.
struct Figure {
  double mean = 0;
  double deviation = 0;  // Of the sample; 0 for one seed.
  std::size_t seeds = 0;

  static Figure over(const std::vector<double>& values);
};

/// With the deviation where there are several seeds; "-" where there is none.
std::string print_figure(const Figure&, int decimals = 2);

/// With as many digits as mean anything.
std::optional<double> digits(const Figure&, double Figure::* which);

/// The names of classes of jobs by cards, in order: "0", "share", then by number.
std::vector<std::string> cards_in_order(std::vector<std::string> names);
std::string cards_title(const std::string& cards);

/// A line of a table on standard output.
void print_row(std::string_view name, const std::vector<std::string>& cells);

double seconds_now();

/// How far several runs are, on a terminal.
class ProgressBar {
 public:
  explicit ProgressBar(std::uint64_t runs);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void begin(const std::string& policy);

  /// The present run, from 0 to 1.
  void show(double part);

 private:
  std::uint64_t runs_ = 1;
  bool is_shown_ = false;
  std::uint64_t run_ = 0;
  std::string policy_;
  double shown_at_ = 0;
};

}  // namespace suan::sim
