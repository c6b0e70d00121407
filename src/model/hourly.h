#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"

namespace suan {

/// What has a value for each hour, such as a rate or the carbon of a grid: one for every hour of
/// whole days from `from` on. Later days are like the last one given, earlier ones like the first.
struct Hourly {
  Moment from;  // A whole hour of UTC.
  std::vector<std::uint32_t> values;

  bool is_given() const { return !values.empty(); }
  friend bool operator==(const Hourly&, const Hourly&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "from", self.from);
    visit(2, "values", self.values);
  }
};

constexpr std::size_t hours_of_day = 24;
constexpr std::size_t hourly_days_max = 7;
constexpr std::uint32_t rate_usual = 1000;       // Thousandths of the list price.
constexpr std::uint32_t rate_max = 10'000;       // The same.
constexpr std::uint32_t carbon_g_max = 100'000;  // For a kWh.

/// The whole hour of UTC in which a moment lies.
constexpr Moment hour_of(Moment at) {
  const std::int64_t hour = hours(1).us;
  return {(at.us >= 0 ? at.us / hour : (at.us + 1) / hour - 1) * hour};
}

/// Nothing, or values that are all usable.
inline bool is_sound(const Hourly& hourly, std::uint32_t value_max) {
  if (!hourly.is_given()) return hourly.from == Moment{};
  constexpr Moment latest{hours(300LL * 366 * 24).us};  // Sums of times stay within their type.
  return hourly.values.size() % hours_of_day == 0 &&
         hourly.values.size() <= hourly_days_max * hours_of_day && hourly.from >= Moment{} &&
         hourly.from <= latest && hour_of(hourly.from) == hourly.from &&
         std::ranges::max(hourly.values) <= value_max;
}

}  // namespace suan
