#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "base/money.h"
#include "base/planted.h"
#include "base/time.h"
#include "jobs/records.h"
#include "market/ending.h"
#include "market/records.h"
#include "model/spec.h"

/// What a job's money allows: how much is held for it and how long that lets it run.
namespace suan::domain {

/// Whether a job runs on a hold that is renewed by the hour: it has neither a budget nor a length.
inline bool is_rolling(const JobSpec& spec) {
  return spec.max_duration == Span{} && spec.budget == Money{};
}

/// What a unit is charged for an hour. Borrows the rates.
struct Fare {
  Money hourly;  // Of all of its tasks; by the list price, where there are rates.
  const jobs::Placement* rated =
      nullptr;  // With rates, and when it starts; absent: there are none.

  Fare(Money at_all_hours) : hourly(at_all_hours) {}  // NOLINT(google-explicit-constructor)
  Fare(const jobs::Placement&, std::uint32_t tasks);
};

/// The fare of a unit that is placed.
Fare fare_of(const jobs::Job&, const jobs::Unit&);

/// The time that a task is charged for, by the rates of its placement: each hour counts by its own.
Span charged_time(const Hourly& rates, const Usage&);

/// The most that a time may come to by rates, whenever it is.
Span dearest_time(const Hourly& rates, Span);

/// What must be set aside for one unit (a gang, or one element) whose tasks together cost
/// that: the price of max_duration and the grace after it, at most its part of the budget;
/// the budget alone; or an hour.
Money unit_allowance(const JobSpec&, const Fare&);

/// How long a unit may run on an allowance, so that stopping it, grace included, stays within; 0 =
/// no limit, as of rolling jobs and of those that cost nothing and have no max_duration.
Span running_limit(const JobSpec&, const Fare&, Money allowance);

/// When a unit that is placed now has surely ended; absent if nobody can say.
std::optional<Moment> surely_ends(const JobSpec&, Moment now);

/// How long a task may run on once it is told to stop.
Span stops_within(const JobSpec&);

/// When a task that holds a lease gives it back by the terms of its job.
market::Ending ending_of(const jobs::Job&, const market::Lease&);

/// The moment of an ending, as far as anybody can say now: what has no limit is taken to run as
/// long again as it has.
Moment ends_at(const market::Ending&, Moment now);

/// How long an attempt runs on without news from its home before it stops by itself and another may
/// be started; 0 = it is not replaced.
Span lost_after(const jobs::Job&);

/// Whether a sub-domain that has been away for so long has stopped, grace and all, whatever was to
/// stop after `lost_after`: each machine measures by its own clock, of which none is off by more
/// than a hundredth.
bool must_have_stopped(Span lost_after, Span grace, Span away);

/// What a task is charged for its time, which rates have weighed. Rounded once.
inline Money charge_for(Money task_hourly, Span wall) {
  if (planted(Bug::charge_rounded_down))
    return scale(task_hourly, std::max(wall.us - hours(1).us / 2, std::int64_t{0}), hours(1).us);
  return scale(task_hourly, wall.us, hours(1).us);
}

}  // namespace suan::domain
