// Decides what becomes of units whose sub-domain cannot be reached: taken back before they ran,
// given up once they must have stopped, and charged when their member tells at last.
#include <algorithm>

#include "base/planted.h"
#include "domain/deciding.h"
#include "domain/gangs.h"
#include "domain/terms.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

constexpr Span answer_awaited = seconds(2);  // By a unit that its member has not taken yet.

bool is_launched(const jobs::Unit& unit) {
  return unit.phase == Phase::staging || unit.phase == Phase::running ||
         unit.phase == Phase::stopping;
}

// What the tasks of an attempt can have used at most, as far as it was allowed to.
Money worst_case(const jobs::Unit& unit, std::size_t tasks, Moment now) {
  const Money most = unit.allowance_left;
  const Span longest = dearest_time(unit.placement.rates, now - unit.launched);
  const Money each = std::min(charge_for(unit.placement.hourly, longest), most);
  Money sum;
  for (std::size_t i = 0; i < tasks && sum < most; ++i) sum = std::min(sum + each, most);
  return sum;
}

// Why it ends, if it is not tried again: what somebody asked for before it was lost.
AttemptEnd end_of(const jobs::Unit& unit) {
  for (const jobs::Task& task : unit.tasks) {
    if (task.phase == Phase::stopping) return task.end;
  }
  return AttemptEnd::lost;
}

struct Found {
  const jobs::Job* job = nullptr;
  const jobs::LostAttempt* lost = nullptr;
};

Found find_lost(const Deciding& deciding, MemberId member, const UnitAttempt& message) {
  const jobs::Job* job = deciding.state.jobs().find(message.job);
  if (job == nullptr || message.unit >= job->units.size()) return {};
  const auto& all = job->units[message.unit].lost;
  const auto lost = std::ranges::find(all, message.attempt, &jobs::LostAttempt::attempt);
  if (lost == all.end() || deciding.state.catalogue().pools().at(lost->pool).member != member)
    return {};
  return {job, &*lost};
}

// `left` is what will then be in its hold.
void close(Deciding& deciding, const jobs::Job& job, const UnitKey& key,
           const jobs::LostAttempt& lost, Money left) {
  if (lost.hold && !planted(Bug::lost_hold_kept)) {
    deciding.emit(ledger::HoldReturned{lost.hold, left, true});
    if (job.guest && left > Money{})
      deciding.emit(ledger::Withdrawn{job.spec->project, left, "not used"});
  }
  deciding.emit(jobs::LostAttemptClosed{key, lost.attempt, lost.pool, left});
}

Money left_of(const Deciding& deciding, const jobs::LostAttempt& lost) {
  return lost.hold ? deciding.state.ledger().holds().at(lost.hold).amount : Money{};
}

}  // namespace

void lose_unit(Deciding& deciding, const jobs::Job& job, const UnitKey& key, std::string reason) {
  const jobs::Unit& unit = job.units[key.unit];
  jobs::AttemptLost lost{
      .unit = key,
      .lost = {.attempt = unit.attempt,
               .pool = unit.placement.pool,
               .hourly = unit.placement.hourly,
               .hold = {},
               .until = deciding.now + late_usage_awaited,
               .open = {},
               .rates = unit.placement.rates},
      .set_aside = {},
      .reason = reason,
  };
  for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
    if (unit.tasks[t].phase == Phase::ended) continue;
    if (!planted(Bug::lost_lease_kept))
      deciding.emit(market::LeaseReleased{unit.tasks[t].lease, false});
    lost.lost.open.push_back(t);
  }
  if (unit.allowance_left != Money{} && !planted(Bug::lost_allowance_kept))
    deciding.emit(ledger::Allotted{job.hold, -unit.allowance_left});
  if (unit.placement.hourly != Money{}) {
    lost.set_aside = worst_case(unit, lost.lost.open.size(), deciding.now);
    lost.lost.hold = HoldId{deciding.state.essence().last.hold + 1};
    if (lost.set_aside > Money{})
      deciding.emit(ledger::HoldReturned{job.hold, lost.set_aside, false});
    deciding.emit(ledger::Held{lost.lost.hold, job.id, job.spec->project, lost.set_aside});
  }
  const Money taken = lost.set_aside;
  deciding.emit(std::move(lost));
  if (job.spec->is_spread()) {
    Money rest;
    bool others_live = false;
    for (std::uint32_t i = 0; i < job.units.size(); ++i) {
      if (i == key.unit) continue;
      rest = rest + job.units[i].allowance_left;
      others_live = others_live || is_live(job.units[i]);
      if (!planted(Bug::part_survives_a_lost_one))
        stop_unit(deciding, job, {job.id, i}, AttemptEnd::cancelled);
    }
    if (others_live) return;
    conclude_gang(deciding, job,
                  {.unit = key, .end = end_of(unit), .exit_code = 0, .reason = std::move(reason)},
                  taken, rest, jobs::Setback::cut_off);
    return;
  }
  conclude_unit(
      deciding, job,
      verdict_of(unit,
                 {.unit = key, .end = end_of(unit), .exit_code = 0, .reason = std::move(reason)}),
      taken, jobs::Setback::cut_off);
}

Ruling decide_one(Deciding& deciding, const NoteAbsence& command) {
  const State& state = deciding.state;
  const bool any_member = planted(Bug::absence_of_another);
  for (auto at = state.hosted().from({any_member ? MemberId{} : command.member, {}, 0});
       at != state.hosted().end() && (any_member || at->first.member == command.member); ++at) {
    const auto& [member, key, attempt] = at->first;
    const jobs::Job& job = *state.jobs().find(key.job);
    const jobs::Unit& unit = job.units[key.unit];
    if (unit.attempt != attempt) continue;
    const bool has_no_answer =
        unit.phase == Phase::reserving ||
        (unit.phase == Phase::confirming && job.spec->is_spread()) ||
        (planted(Bug::launched_unit_taken_back) && unit.phase == Phase::staging);
    if (has_no_answer && command.away >= answer_awaited) {
      take_back(deciding, job, key, jobs::Setback::unanswered, "its site cannot be reached");
      return {};
    }
    if (!is_launched(unit) || !is_live(unit)) continue;
    const Span most = lost_after(job);
    if (most == Span{} || !must_have_stopped(most, job.spec->grace, command.away)) continue;
    lose_unit(deciding, job, key,
              "its site has not been heard of for " +
                  print_span(seconds(command.away.us / seconds(1).us)) +
                  ", so it has stopped by now");
    return {};
  }
  return nothing_new();
}

Ruling hear_of_lost(Deciding& deciding, MemberId member, const UnitAttempt& message,
                    std::uint32_t index, const Progress& progress) {
  const auto [job, lost] = find_lost(deciding, member, message);
  if (job == nullptr) return stale();
  const auto open = std::ranges::find(lost->open, index);
  if (open == lost->open.end() || progress.state != AttemptState::ended || progress.is_open ||
      progress.end == AttemptEnd::none)
    return nothing_new();
  const UnitKey key{message.job, message.unit};
  Usage usage = progress.usage;
  usage.priced = lost->rates.is_given()
                     ? std::clamp(usage.priced, Span{}, dearest_time(lost->rates, usage.wall))
                     : Span{};
  const Money due = charge_for(lost->hourly, charged_time(lost->rates, usage));
  const Money left = left_of(deciding, *lost);
  const Money cost = planted(Bug::late_usage_not_charged) ? Money{} : std::min(due, left);
  if (due > Money{})
    deciding.emit(ledger::Charged{.hold = lost->hold,
                                  .provider = deciding.state.catalogue().members().at(member).owner,
                                  .attempt = progress.key,
                                  .pool = lost->pool,
                                  .wall = usage.wall,
                                  .hourly = lost->hourly,
                                  .amount = cost,
                                  .loss = due - cost,
                                  .priced = usage.priced});
  deciding.emit(jobs::LostTaskTold{.key = progress.key,
                                   .end = progress.end,
                                   .exit_code = progress.exit_code,
                                   .usage = usage,
                                   .cost = cost});
  if (lost->open.size() == 1) close(deciding, *job, key, *lost, left - cost);
  return {};
}

bool close_unstarted(Deciding& deciding, MemberId member, const UnitAttempt& message) {
  const auto [job, lost] = find_lost(deciding, member, message);
  if (job == nullptr) return false;
  close(deciding, *job, {message.job, message.unit}, *lost, left_of(deciding, *lost));
  return true;
}

Ruling wait_no_longer(Deciding& deciding, const UnitKey& key, Moment until) {
  const jobs::Job& job = *deciding.state.jobs().find(key.job);
  const auto& all = job.units[key.unit].lost;
  const auto lost = std::ranges::find(all, until, &jobs::LostAttempt::until);
  close(deciding, job, key, *lost, left_of(deciding, *lost));
  return {};
}

}  // namespace suan::domain
