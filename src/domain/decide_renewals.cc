// Decides how long units may run on: one heartbeat for all that are with one member.
#include <algorithm>
#include <map>

#include "base/planted.h"
#include "domain/deciding.h"
#include "domain/terms.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

constexpr std::size_t looked_at_max = 4 * renewals_max;
constexpr Span paid_early_max = minutes(5);  // So that holds are extended together.

// What one heartbeat has held so far, which the ledger does not know yet.
using Held = std::map<ProjectId, Money>;

// Whether the money of a unit is what is to be renewed next, and not only its time.
bool is_to_be_paid(const jobs::Job& job, const jobs::Unit& unit, Moment when) {
  return unit.paid_until != Moment{} && when >= hold_renewal(unit.paid_until, job.spec->grace);
}

bool can_pay(const Deciding& deciding, const Held& held, const jobs::Job& job, Money amount) {
  const auto before = held.find(job.spec->project);
  const bool is_first = before == held.end() || planted(Bug::heartbeat_overdraws);
  return deciding.state.ledger().can_hold(job.spec->project,
                                          is_first ? amount : before->second + amount);
}

// `is_early`: before its time, along with others. False if it must wait for its own then.
bool renew_unit(Deciding& deciding, Held& held, const UnitKey& key, bool is_early) {
  const jobs::Job& job = *deciding.state.jobs().find(key.job);
  const jobs::Unit& unit = job.units[key.unit];
  jobs::UnitRenewed renewed{
      .unit = key, .run_for = {}, .paid_until = unit.paid_until, .allowance = {}};
  if (is_to_be_paid(job, unit, is_early ? unit.timer : deciding.now)) {
    renewed.allowance = unit_allowance(*job.spec, fare_of(job, unit));
    if (!can_pay(deciding, held, job, renewed.allowance) && !planted(Bug::renewed_without_money)) {
      if (!is_early) stop_unit(deciding, job, key, AttemptEnd::over_budget);
      return !is_early;
    }
    renewed.paid_until = std::max(unit.paid_until, deciding.now) + rolling_hold;
    if (renewed.allowance > Money{}) {
      Money& sum = held[job.spec->project];
      sum = sum + renewed.allowance;
      deciding.emit(ledger::HoldExtended{job.hold, renewed.allowance});
      deciding.emit(ledger::Allotted{job.hold, renewed.allowance});
    }
  }
  if (renewed.paid_until != Moment{})
    renewed.run_for = std::max(renewed.paid_until - deciding.now - job.spec->grace, Span{1});
  renewed.run_for = bounded_by_cut(job, renewed.run_for);
  deciding.emit(renewed);
  return true;
}

// How long before its time a unit is renewed along with others: not so early that it would be
// renewed twice as often.
Span early_by(const jobs::Job& job, const jobs::Unit& unit) {
  if (planted(Bug::heartbeat_renews_too_early)) return hours(1);
  return is_to_be_paid(job, unit, unit.timer) ? paid_early_max : unit.run_for / 6;
}

}  // namespace

Span bounded_by_cut(const jobs::Job& job, Span run_for) {
  const Span most = lost_after(job);
  if (most == Span{}) return run_for;
  return run_for == Span{} ? most : std::min(run_for, most);
}

void renew_units(Deciding& deciding, const jobs::Job& job, const UnitKey& first) {
  const State& state = deciding.state;
  const jobs::Unit& unit = job.units[first.unit];
  const MemberId member = state.catalogue().pools().at(unit.placement.pool).member;
  const Moment last = deciding.now + std::max(unit.run_for / 6, paid_early_max);
  Held held;
  renew_unit(deciding, held, first, false);
  std::size_t renewed = 1;
  std::size_t looked_at = 0;
  for (auto at = state.renewals().from({member, {}, {}});
       at != state.renewals().end() && renewed < renewals_max; ++at) {
    const RenewalKey& next = at->first;
    if (next.member != member && !planted(Bug::heartbeat_of_all_members)) break;
    if (next.at > last || ++looked_at > looked_at_max) break;
    if (next.unit == first) continue;
    const jobs::Job& its = *state.jobs().find(next.unit.job);
    const bool is_early = next.at > deciding.now;
    if (is_early && next.at - deciding.now > early_by(its, its.units[next.unit.unit])) continue;
    if (renew_unit(deciding, held, next.unit, is_early)) ++renewed;
  }
}

}  // namespace suan::domain
