#include "domain/terms.h"

#include <algorithm>

#include "base/ensure.h"
#include "domain/state.h"

namespace suan::domain {

namespace {

constexpr Span stop_takes = seconds(1);  // Beyond the grace: noticing, killing, reaping.
constexpr Span unlimited_runs_on_min = minutes(10);
constexpr Span cut_stop_takes = seconds(10);   // The same, where nobody may be wrong about it.
constexpr std::int64_t clock_error_part = 50;  // Two clocks, each off by a hundredth.

// How long `amount` pays for at `hourly`, rounded down; at most a hundred years.
Span time_for(Money amount, Money hourly) {
  constexpr Span longest = hours(100LL * 366 * 24);
  ensure(hourly > Money{});
  __extension__ using Wide = __int128;
  const Wide us = Wide{amount.micro} * hours(1).us / hourly.micro;
  return us > longest.us ? longest : Span{static_cast<std::int64_t>(us)};
}

// What a time costs, and one micro-yuan more than rounded, so that what it pays for is never short.
// Saturates far above what any account has.
Money price_of(Money hourly, Span time) {
  __extension__ using Wide = __int128;
  if (Wide{hourly.micro} * time.us / hours(1).us > INT64_MAX - 2) return {INT64_MAX};
  return charge_for(hourly, time) + Money{1};
}

}  // namespace

Money unit_allowance(const JobSpec& spec, Money unit_hourly) {
  if (is_rolling(spec)) return unit_hourly;
  const Money share{spec.budget.micro / spec.elements};  // Rounded down: the budget is a cap.
  if (spec.max_duration == Span{}) return share;
  if (unit_hourly == Money{}) return Money{};
  const Money needed = price_of(unit_hourly, spec.max_duration + spec.grace + stop_takes);
  return spec.budget == Money{} ? needed : std::min(needed, share);
}

Span running_limit(const JobSpec& spec, Money unit_hourly, Money allowance) {
  if (is_rolling(spec) || unit_hourly == Money{}) return spec.max_duration;
  const Span paid = time_for(allowance, unit_hourly) - spec.grace - stop_takes;
  const Span limit = std::max(paid, Span{1});
  return spec.max_duration == Span{} ? limit : std::min(limit, spec.max_duration);
}

std::optional<Moment> surely_ends(const JobSpec& spec, Moment now) {
  // What is moved before the start takes its time, and the nodes are held meanwhile.
  if (spec.max_duration == Span{} || spec.moves_data) return std::nullopt;
  return now + spec.max_duration + spec.grace + stop_takes;
}

LeaseEnd lease_end(const jobs::Job& job, const market::Lease& lease, Moment now) {
  const jobs::TaskPlace place = jobs::place_of(*job.spec, lease.holder.task);
  const jobs::Unit& unit = job.units[place.unit];
  const Moment started = unit.tasks[place.index].started;
  const Moment since = started == Moment{} ? now : started;
  const Money hourly = scale(unit.placement.hourly, job.spec->nodes, 1);
  const Span limit = running_limit(*job.spec, hourly, unit.placement.allowance);
  if (limit == Span{}) return {now + std::max(now - since, unlimited_runs_on_min), false};
  return {std::max(since + limit + job.spec->grace + stop_takes, now + stop_takes), true};
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
