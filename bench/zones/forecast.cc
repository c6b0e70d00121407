#include "forecast.h"

#include <algorithm>

namespace suan::bench {

namespace {

constexpr double day_weight = 1.0 / 4;  // Of the latest day in what is usual.
constexpr double hour_keeps = 0.96;     // Of what an hour is above or below the usual.

}  // namespace

void Forecast::see(std::int64_t hour, double value) {
  const auto at = static_cast<std::size_t>(hour % static_cast<std::int64_t>(day));
  usual_[at] = is_known_[at] ? usual_[at] + day_weight * (value - usual_[at]) : value;
  is_known_[at] = true;
  hour_ = hour;
  value_ = value;
}

std::vector<double> Forecast::from_now(std::size_t hours) const {
  std::vector<double> values{value_};
  const auto now = static_cast<std::size_t>(hour_ % static_cast<std::int64_t>(day));
  double above = value_ - usual_[now];
  for (std::size_t i = 1; i < hours; ++i) {
    const std::size_t at = (now + i) % day;
    above *= hour_keeps;
    values.push_back(is_known_[at] ? std::max(usual_[at] + above, 0.0) : value_);
  }
  return values;
}

}  // namespace suan::bench
