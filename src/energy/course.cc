#include "energy/course.h"

#include <algorithm>

#include "base/ensure.h"

namespace suan::energy {

namespace {

constexpr std::int64_t hour_us = hours(1).us;
constexpr auto day = static_cast<std::int64_t>(hours_of_day);

std::int64_t floor_of(std::int64_t us) {
  return us >= 0 ? us / hour_us : (us + 1) / hour_us - 1;
}

}  // namespace

std::uint32_t value_at(const Hourly& hourly, Moment at) {
  const std::int64_t size = std::ssize(hourly.values);
  std::int64_t hour = floor_of(at.us - hourly.from.us);
  if (hour < 0) hour = (hour % day + day) % day;
  if (hour >= size) hour = size - day + (hour - size) % day;
  return hourly.values[static_cast<std::size_t>(hour)];
}

Course::Course(const Hourly& hourly) : hourly_(hourly) {
  ensure(hourly.is_given() && hourly.values.size() % hours_of_day == 0);
  sums_.reserve(hourly.values.size() + 1);
  sums_.push_back(0);
  for (const std::uint32_t each : hourly.values) sums_.push_back(sums_.back() + each);
}

std::int64_t Course::sum_before(std::int64_t hour) const {
  const std::int64_t size = std::ssize(hourly_.values);
  const auto sum = [&](std::int64_t n) { return sums_[static_cast<std::size_t>(n)]; };
  if (hour < 0) {
    const std::int64_t days = (day - 1 - hour) / day;
    return sum(hour + days * day) - days * sum(day);
  }
  if (hour <= size) return sum(hour);
  const std::int64_t days = (hour - size) / day;
  const std::int64_t rest = (hour - size) % day;
  const std::int64_t last = sum(size - day);
  return sum(size) + days * (sum(size) - last) + sum(size - day + rest) - last;
}

Course::Wide Course::total_before(Moment at) const {
  const std::int64_t us = at.us - hourly_.from.us;
  const std::int64_t hour = floor_of(us);
  return Wide{sum_before(hour)} * hour_us + Wide{value_at(hourly_, at)} * (us - hour * hour_us);
}

std::int64_t Course::mean_milli(Moment from, Span span) const {
  ensure(span > Span{});
  return static_cast<std::int64_t>((total(from, span) * 2000 + span.us) / (Wide{span.us} * 2));
}

Span Course::weigh(Moment from, Span span) const {
  return {static_cast<std::int64_t>((total(from, span) * 2 + 1000) / 2000)};
}

// The weight changes its slope only where the start or the end passes a full hour: one of those is
// the dearest, or one of the ends.
Span Course::dearest(Starts starts, Span span) const {
  Wide most = std::max(total(starts.first, span), total(starts.last, span));
  for (const Span end : {Span{}, span}) {
    const std::int64_t hour = floor_of((starts.first + end).us - hourly_.from.us) + 1;
    for (Moment at = hourly_.from + hours(hour) - end; at < starts.last; at = at + hours(1))
      most = std::max(most, total(at, span));
  }
  return {static_cast<std::int64_t>((most * 2 + 1000) / 2000)};
}

Span Course::longest(Starts starts, Span paid, Span most) const {
  if (dearest(starts, most) <= paid) return most;
  Span enough;
  Span too_long = most;
  while (too_long - enough > Span{1}) {
    const Span middle = enough + (too_long - enough) / 2;
    (dearest(starts, middle) <= paid ? enough : too_long) = middle;
  }
  return enough;
}

Starts Course::all_from(Moment first) const {
  const Moment last_given = hourly_.from + hours(std::ssize(hourly_.values));
  return {first, std::max(first, last_given) + hours(day)};
}

Site at_hour(Site site, Moment hour) {
  if (site.carbon_hours.is_given()) site.carbon_g_per_kwh = value_at(site.carbon_hours, hour);
  return site;
}

std::uint32_t rate_at(const Hourly& rates, Moment at) {
  return rates.is_given() ? value_at(rates, at) : rate_usual;
}

Pool at_hour(Pool pool, Moment hour) {
  if (!pool.rates.is_given()) return pool;
  const std::uint32_t rate = rate_at(pool.rates, hour);
  pool.price.card_hour = scale(pool.price.card_hour, rate, rate_usual);
  pool.price.core_hour = scale(pool.price.core_hour, rate, rate_usual);
  return pool;
}

}  // namespace suan::energy
