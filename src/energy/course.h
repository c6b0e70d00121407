#pragma once

#include <cstdint>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "model/hourly.h"
#include "model/supply.h"

/// Power and time: what an hour costs, and how much carbon it makes.
namespace suan::energy {

/// The value of the hour in which a moment lies. They are given and sound. O(1).
std::uint32_t value_at(const Hourly&, Moment);

/// Starts that may be, both ends included.
struct Starts {
  Moment first;
  Moment last;
};

/// The course of hourly values, for questions about lengths of time. A question costs O(1), one
/// over many starts as much as there are hours in them; making one costs O(values).
class Course {
 public:
  /// The values are given and sound.
  explicit Course(const Hourly&);

  /// The mean value over a time that is longer than 0, in thousandths.
  std::int64_t mean_milli(Moment from, Span) const;

  /// A time in which each hour counts as many thousandths of itself as its value says.
  Span weigh(Moment from, Span) const;

  /// The most that a time may weigh which starts at one of these moments.
  Span dearest(Starts, Span) const;

  /// The longest time up to `most` that weighs `paid` at most, whichever its start.
  Span longest(Starts, Span paid, Span most) const;

  /// All starts from a moment on: what comes later repeats these.
  Starts all_from(Moment) const;

 private:
  __extension__ using Wide = __int128;

  std::int64_t sum_before(std::int64_t hour) const;
  Wide total_before(Moment) const;  // Values × µs, since their first hour.
  Wide total(Moment from, Span span) const {
    return total_before(from + span) - total_before(from);
  }

  Hourly hourly_;
  std::vector<std::int64_t> sums_;  // Of the values before each.
};

/// A site as it is in an hour: with the carbon of then.
Site at_hour(Site, Moment hour);

/// A pool as it is offered in an hour: for the price of then. What it is charged by rate for, its
/// list price, is in the pool itself.
Pool at_hour(Pool, Moment hour);

/// The rate of a pool in an hour, in thousandths of its list price.
std::uint32_t rate_at(const Hourly& rates, Moment);

}  // namespace suan::energy
