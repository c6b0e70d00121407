#include "domain/terms.h"

#include <algorithm>

#include "base/ensure.h"
#include "domain/state.h"
#include "energy/course.h"

namespace suan::domain {

namespace {

constexpr Span stop_takes = seconds(1);  // Beyond the grace: noticing, killing, reaping.
constexpr Span unlimited_runs_on_min = minutes(10);
constexpr Span cut_stop_takes = seconds(10);   // The same, where nobody may be wrong about it.
constexpr std::int64_t clock_error_part = 50;  // Two clocks, each off by a hundredth.

__extension__ using Wide = __int128;

// When a unit may start, as far as that decides what it costs.
energy::Starts starts_of(const energy::Course& course, const jobs::Placement& placement) {
  if (placement.starts_by == Moment{}) return course.all_from(placement.starts_from);
  return {placement.starts_from, placement.starts_by};
}

// How long `amount` pays for, rounded down; at most a hundred years.
Span time_for(Money amount, const Fare& fare) {
  constexpr Span longest = hours(100LL * 366 * 24);
  ensure(fare.hourly > Money{});
  const Wide us = Wide{amount.micro} * hours(1).us / fare.hourly.micro;
  const Span paid = us > longest.us ? longest : Span{static_cast<std::int64_t>(us)};
  if (fare.rated == nullptr) return paid;
  const energy::Course course(fare.rated->rates);
  return course.longest(starts_of(course, *fare.rated), paid, longest);
}

// A time as it is charged if it is as dear as it may be.
Span weighed(const Fare& fare, Span time) {
  if (fare.rated == nullptr || planted(Bug::hours_not_weighed)) return time;
  const energy::Course course(fare.rated->rates);
  return course.dearest(starts_of(course, *fare.rated), time);
}

// What a time costs, and one micro-yuan more than rounded, so that what it pays for is never short.
// Saturates far above what any account has.
Money price_of(const Fare& fare, Span time) {
  const Span charged = weighed(fare, time);
  if (Wide{fare.hourly.micro} * charged.us / hours(1).us > INT64_MAX - 2) return {INT64_MAX};
  return charge_for(fare.hourly, charged) + Money{1};
}

}  // namespace

Fare::Fare(const jobs::Placement& placement, std::uint32_t tasks)
    : hourly(scale(placement.hourly, tasks, 1)),
      rated(placement.rates.is_given() ? &placement : nullptr) {}

Fare fare_of(const jobs::Job& job, const jobs::Unit& unit) {
  return {unit.placement, job.spec->nodes};
}

Span charged_time(const Hourly& rates, const Usage& usage) {
  return rates.is_given() ? usage.priced : usage.wall;
}

Span dearest_time(const Hourly& rates, Span time) {
  if (!rates.is_given()) return time;
  const Wide us = Wide{time.us} * std::ranges::max(rates.values) / rate_usual + 1;
  return {us > INT64_MAX ? INT64_MAX : static_cast<std::int64_t>(us)};
}

Money unit_allowance(const JobSpec& spec, const Fare& fare) {
  if (is_rolling(spec)) {
    if (fare.rated == nullptr) return fare.hourly;
    return charge_for(fare.hourly, dearest_time(fare.rated->rates, hours(1)));
  }
  const Money share{spec.budget.micro / spec.elements};  // Rounded down: the budget is a cap.
  if (spec.max_duration == Span{}) return share;
  if (fare.hourly == Money{}) return Money{};
  const Money needed = price_of(fare, spec.max_duration + spec.grace + stop_takes);
  return spec.budget == Money{} ? needed : std::min(needed, share);
}

Span running_limit(const JobSpec& spec, const Fare& fare, Money allowance) {
  if (is_rolling(spec) || fare.hourly == Money{}) return spec.max_duration;
  const Span paid = time_for(allowance, fare) - spec.grace - stop_takes;
  const Span limit = std::max(paid, Span{1});
  return spec.max_duration == Span{} ? limit : std::min(limit, spec.max_duration);
}

std::optional<Moment> surely_ends(const JobSpec& spec, Moment now) {
  // What is moved before the start takes its time, and the nodes are held meanwhile.
  if (spec.max_duration == Span{} || spec.moves_data) return std::nullopt;
  return now + spec.max_duration + spec.grace + stop_takes;
}

Span stops_within(const JobSpec& spec) {
  return spec.checkpoint_notice + spec.grace + stop_takes;
}

market::Ending ending_of(const jobs::Job& job, const market::Lease& lease) {
  using Kind = market::Ending::Kind;
  const jobs::TaskPlace place = jobs::place_of(*job.spec, lease.holder.task);
  const jobs::Unit& unit = job.units[place.unit];
  const Moment started = unit.tasks[place.index].started;
  const Span limit = running_limit(*job.spec, fare_of(job, unit), unit.placement.allowance);
  if (limit == Span{}) return {Kind::unlimited, started == Moment{} ? -INT64_MAX : -started.us};
  const Span lasts = limit + job.spec->grace + stop_takes;
  if (started == Moment{}) return {Kind::not_begun, lasts.us};
  return {Kind::fixed, (started + lasts).us};
}

Moment ends_at(const market::Ending& ending, Moment now) {
  switch (ending.kind) {
    case market::Ending::Kind::fixed:
      return std::max(Moment{ending.us}, now + stop_takes);
    case market::Ending::Kind::not_begun:
      return now + Span{ending.us};
    case market::Ending::Kind::unlimited:
      return now + std::max(now - Moment{-ending.us}, unlimited_runs_on_min);
  }
  ensure(false);
  return now;
}

Span lost_after(const jobs::Job& job) {
  if (job.guest) return job.guest->lost_after;
  const Partition& partition = job.spec->partition;
  if (!partition.replace) return {};
  return partition.lost_after == Span{} ? lost_after_default : partition.lost_after;
}

bool must_have_stopped(Span lost_after, Span grace, Span away) {
  const Span lasts = lost_after + grace;
  if (planted(Bug::given_up_too_early)) return away >= lost_after / 3;
  return away >= lasts + lasts / clock_error_part + cut_stop_takes;
}

}  // namespace suan::domain
