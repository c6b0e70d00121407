#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace suan::bench {

/// What the next hours of a series will be like, for somebody who knows only the past: as the same
/// hour of the day has been lately, and as much above or below it as now, ever less so.
class Forecast {
 public:
  /// The value of an hour; the hours come one after another. `hour` is UTC.
  void see(std::int64_t hour, double value);

  /// The value of the hour last seen, and of those after it.
  std::vector<double> from_now(std::size_t hours) const;

 private:
  static constexpr std::size_t day = 24;

  std::array<double, day> usual_{};  // By the hour of the day.
  std::array<bool, day> is_known_{};
  std::int64_t hour_ = 0;
  double value_ = 0;
};

}  // namespace suan::bench
