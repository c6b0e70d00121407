// Decides what reports of attempts lead to: their ends, charges, and what is tried again.
#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "domain/deciding.h"
#include "domain/gangs.h"
#include "domain/terms.h"
#include "energy/course.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

// Why an attempt really ended, where the member can only see that its time was up.
AttemptEnd cause_of(const jobs::Job& job, const jobs::Unit& unit, const jobs::Task& task,
                    const Progress& progress) {
  if (task.phase == Phase::stopping &&
      (progress.end == AttemptEnd::signalled || progress.end == AttemptEnd::cancelled))
    return task.end;  // As was asked for.
  if (progress.end == AttemptEnd::timed_out) {
    const Span limit = running_limit(*job.spec, fare_of(job, unit), unit.placement.allowance);
    if (job.spec->max_duration == Span{} || limit < job.spec->max_duration)
      return AttemptEnd::over_budget;
  }
  if (progress.end == AttemptEnd::lapsed && job.is_rolling && !job.spec->partition.replace)
    return AttemptEnd::over_budget;
  return progress.end;
}

std::string reason_for(AttemptEnd end, const Progress& progress) {
  if (!progress.reason.empty()) return progress.reason;
  switch (end) {
    case AttemptEnd::none:
      break;
    case AttemptEnd::exited:
      return progress.exit_code == 0
                 ? ""
                 : "the command exited with code " + std::to_string(progress.exit_code);
    case AttemptEnd::signalled:
      return "a signal ended the command (" + std::to_string(progress.exit_code - 128) + ")";
    case AttemptEnd::out_of_memory:
      return "it used more memory than it asked for";
    case AttemptEnd::cancelled:
      return "stopped on request";
    case AttemptEnd::timed_out:
      return "max_duration has passed";
    case AttemptEnd::over_budget:
      return "the money set aside for it was used up";
    case AttemptEnd::lapsed:
      return "no renewal reached the site in time";
    case AttemptEnd::launch_failed:
      return "it could not be launched";
    case AttemptEnd::lost:
      return "the site cannot know how it ended";
    case AttemptEnd::displaced:
      return "its node took no work any more before it began";
    case AttemptEnd::preempted:
      return "other work needed its place";
  }
  return "";
}

bool is_tried_again(const Deciding& deciding, const jobs::Job& job, AttemptEnd end) {
  if (job.is_stopping && !planted(Bug::tried_again_after_stop)) return false;
  const Retry& retry = job.spec->retry;
  const bool in_time = retry.duration == Span{} || deciding.now - job.submitted <= retry.duration;
  if (!in_time) return false;
  // These whatever is to be tried again: the one has not been, the other agreed to be stopped. Of a
  // guest its home decides.
  if (end == AttemptEnd::displaced) return job.guest == nullptr;
  if (end == AttemptEnd::preempted)
    return job.guest == nullptr && !planted(Bug::preempted_given_up);
  if (end == AttemptEnd::lost || end == AttemptEnd::lapsed)
    return retry.on_site_lost || job.spec->partition.replace;
  return end == AttemptEnd::launch_failed && retry.on_interruption;
}

// What fails at once would otherwise be tried a thousand times a second.
Span retry_pause(std::uint32_t attempt) {
  Span pause = retry_pause_min;
  for (std::uint32_t i = 1; i < attempt && pause < retry_pause_max; ++i) pause = pause * 2;
  return std::min(pause, retry_pause_max);
}

/// One task that has just ended, with the rest of its unit.
struct Ending {
  const jobs::Job& job;
  UnitKey key;
  jobs::TaskEnded ended;

  const jobs::Unit& unit() const { return job.units[key.unit]; }
  bool is_good() const { return ended.end == AttemptEnd::exited && ended.exit_code == 0; }
};

// Lets what else is live of a gang that is spread stop, if something of it went wrong; or ends it
// if nothing is live.
void go_on_with_gang(Deciding& deciding, const Ending& ending) {
  const jobs::Job& job = ending.job;
  Money rest = ending.unit().allowance_left - ending.ended.cost;
  bool others_live = false;
  for (std::uint32_t i = 0; i < job.units.size(); ++i) {
    if (i == ending.key.unit) continue;
    rest = rest + job.units[i].allowance_left;
    if (!is_live(job.units[i])) continue;
    others_live = true;
    if (!ending.is_good() && !planted(Bug::part_survives_another))
      stop_unit(deciding, job, {job.id, i}, AttemptEnd::cancelled);
  }
  if (others_live) return;
  const jobs::TaskEnded& last = ending.ended;
  conclude_gang(
      deciding, job,
      {.unit = ending.key, .end = last.end, .exit_code = last.exit_code, .reason = last.reason},
      last.cost, rest);
}

void finish_unit(Deciding& deciding, const Ending& ending, Money rest) {
  const jobs::Job& job = ending.job;
  if (rest != Money{} && !planted(Bug::rest_of_allowance_kept))
    deciding.emit(ledger::Allotted{job.hold, -rest});
  const jobs::TaskEnded& last = ending.ended;
  conclude_unit(deciding, job,
                verdict_of(ending.unit(), {.unit = ending.key,
                                           .end = last.end,
                                           .exit_code = last.exit_code,
                                           .reason = last.reason}),
                last.cost);
}

// What a task used, and what its time comes to by the rates of its pool: as its member says, or as
// it is here.
Usage priced(const Deciding& deciding, const jobs::Unit& unit, const jobs::Task& task,
             Usage usage) {
  const Hourly& rates = unit.placement.rates;
  const Span said = std::exchange(usage.priced, Span{});
  if (!rates.is_given()) return usage;
  if (deciding.state.catalogue().pools().at(unit.placement.pool).remote) {
    usage.priced = std::clamp(said, Span{}, dearest_time(rates, usage.wall));
    return usage;
  }
  // Whoever was away hears late that it started; and of some only that they ended.
  const Moment latest = std::min(task.started, deciding.now - usage.wall);
  const Moment started = std::max(latest, unit.launched);
  usage.priced = planted(Bug::hours_not_weighed) ? usage.wall
                                                 : energy::Course(rates).weigh(started, usage.wall);
  return usage;
}

void end_task(Deciding& deciding, Ending& ending, Money task_hourly) {
  const jobs::Job& job = ending.job;
  const jobs::Unit& unit = ending.unit();
  const Pool& pool = deciding.state.catalogue().pools().at(unit.placement.pool);
  const Usage& usage = ending.ended.usage;
  const Money due = charge_for(task_hourly, charged_time(unit.placement.rates, usage));
  ending.ended.cost = std::min(due, unit.allowance_left);
  if (planted(Bug::charge_beyond_allowance)) ending.ended.cost = due;
  if (due > Money{}) {
    if (ending.ended.cost > Money{}) deciding.emit(ledger::Allotted{job.hold, -ending.ended.cost});
    deciding.emit(
        ledger::Charged{.hold = job.hold,
                        .provider = deciding.state.catalogue().members().at(pool.member).owner,
                        .attempt = ending.ended.key,
                        .pool = pool.id,
                        .wall = usage.wall,
                        .hourly = task_hourly,
                        .amount = ending.ended.cost,
                        .loss = due - ending.ended.cost,
                        .priced = usage.priced});
  }
  const jobs::TaskPlace place = jobs::place_of(*job.spec, ending.ended.key.task);
  if (!planted(Bug::lease_never_released))
    deciding.emit(market::LeaseReleased{unit.tasks[place.index].lease, false});
  deciding.emit(ending.ended);
  if (job.spec->is_spread()) return go_on_with_gang(deciding, ending);

  bool others_live = false;
  for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
    const AttemptKey other{job.id, jobs::task_number(*job.spec, ending.key.unit, t), unit.attempt};
    const Phase phase = unit.tasks[t].phase;
    if (other == ending.ended.key || phase == Phase::ended) continue;
    others_live = !planted(Bug::settled_before_all_ended);
    if (!ending.is_good() && phase != Phase::stopping &&
        !planted(Bug::gang_survives_its_member))  // A gang lives and dies together.
      deciding.emit(jobs::TaskStopping{other, AttemptEnd::cancelled});
  }
  if (!others_live) finish_unit(deciding, ending, unit.allowance_left - ending.ended.cost);
}

// When a task ended, for telling the first thing that went wrong. Of several that are told at the
// same moment those that were stopped because of another come last.
std::pair<Moment, bool> order_of_end(const jobs::Task& task) {
  return {task.ended, task.end == AttemptEnd::cancelled};
}

}  // namespace

// The first thing that went wrong, in the order in which its tasks ended.
jobs::UnitEnded verdict_of(const jobs::Unit& unit, jobs::UnitEnded verdict) {
  auto earliest = std::pair(Moment{INT64_MAX}, true);
  for (const jobs::Task& task : unit.tasks) {
    const bool is_bad = task.end != AttemptEnd::exited || task.exit_code != 0;
    if (task.phase != Phase::ended || !is_bad || !(order_of_end(task) < earliest)) continue;
    earliest = order_of_end(task);
    verdict = {
        .unit = verdict.unit, .end = task.end, .exit_code = task.exit_code, .reason = task.reason};
  }
  return verdict;
}

void conclude_gang(Deciding& deciding, const jobs::Job& job, jobs::UnitEnded end, Money taken,
                   Money rest, jobs::Setback lost) {
  if (rest != Money{} && !planted(Bug::rest_of_gang_kept))
    deciding.emit(ledger::Allotted{job.hold, -rest});
  auto earliest = std::pair(Moment{INT64_MAX}, true);
  for (std::uint32_t i = 0; i < job.units.size(); ++i) {
    for (const jobs::Task& task : job.units[i].tasks) {
      const bool is_bad = task.end != AttemptEnd::exited || task.exit_code != 0;
      if (task.phase != Phase::ended || !is_bad || !(order_of_end(task) < earliest)) continue;
      earliest = order_of_end(task);
      end = {
          .unit = {job.id, i}, .end = task.end, .exit_code = task.exit_code, .reason = task.reason};
    }
  }
  conclude_unit(deciding, job, std::move(end), taken, lost);
}

void conclude_unit(Deciding& deciding, const jobs::Job& job, jobs::UnitEnded end, Money taken,
                   jobs::Setback lost) {
  const std::vector<std::uint32_t> bound = jobs::bound_with(job, end.unit.unit);
  const jobs::Unit& unit = job.units[end.unit.unit];
  const ledger::Hold& hold = deciding.state.ledger().holds().at(job.hold);
  if (is_tried_again(deciding, job, end.end)) {
    // Whether the budget may still pay for a minute where the last attempt was, once all that is
    // set aside for other units has come back.
    const Money left = scale(job.spec->budget - hold.charged - job.owed - taken, 1,
                             static_cast<std::int64_t>(bound.size()));
    if (pays_for_a_minute(*job.spec, fare_of(job, unit), left)) {
      const bool has_run = end.end != AttemptEnd::launch_failed && end.end != AttemptEnd::displaced;
      const bool is_preempted = end.end == AttemptEnd::preempted;
      auto setback = has_run ? lost : jobs::Setback::interrupted;
      if (is_preempted) setback = jobs::Setback::preempted;
      const Moment queue_at = is_preempted ? Moment{} : deciding.now + retry_pause(unit.attempt);
      for (const std::uint32_t i : bound)
        deciding.emit(jobs::UnitReturned{
            {job.id, i}, i == end.unit.unit ? setback : jobs::Setback::none, queue_at});
      return;
    }
    end.end = AttemptEnd::over_budget;
    end.reason += "; what is left of its budget does not pay for another attempt";
  }
  deciding.emit(end);
  for (const std::uint32_t i : bound) {
    if (i == end.unit.unit) continue;
    const jobs::Task& task = job.units[i].tasks.front();
    const bool is_known = task.phase == Phase::ended;  // Else it is the one that has just ended.
    const bool is_well = end.end == AttemptEnd::exited && end.exit_code == 0;
    deciding.emit(jobs::UnitEnded{
        .unit = {job.id, i},
        .end = is_known ? task.end : (is_well ? AttemptEnd::exited : AttemptEnd::cancelled),
        .exit_code = is_known ? task.exit_code : 0,
        .reason = is_known ? task.reason : ""});
  }
  if (job.units_ended + bound.size() != job.units.size()) return;
  const bool is_good = end.end == AttemptEnd::exited && end.exit_code == 0;
  const bool all_good = job.units_failed == 0 && is_good;
  const jobs::Outcome outcome = all_good && !(job.is_stopping && job.units.size() > 1)
                                    ? jobs::Outcome::finished
                                : job.is_stopping ? jobs::Outcome::cancelled
                                                  : jobs::Outcome::failed;
  end_job(deciding, job, outcome, end, hold.amount - taken);
}

Ruling decide_one(Deciding& deciding, const Report& command) {
  const Progress& progress = command.progress;
  const jobs::Job* job = deciding.state.jobs().find(progress.key.job);
  if (job == nullptr || progress.key.task >= job->spec->tasks()) return stale();
  const jobs::TaskPlace place = jobs::place_of(*job->spec, progress.key.task);
  const jobs::Unit& unit = job->units[place.unit];
  const jobs::Task& task = unit.tasks[place.index];
  const bool is_live =
      task.phase == Phase::staging || task.phase == Phase::running || task.phase == Phase::stopping;
  if (planted(Bug::charged_for_a_repeat) && task.phase == Phase::ended &&
      job->outcome == jobs::Outcome::none && unit.attempt == progress.key.attempt) {
    deciding.emit(ledger::Charged{.hold = job->hold,
                                  .provider = OrganisationId{1},
                                  .attempt = progress.key,
                                  .pool = unit.placement.pool,
                                  .wall = progress.usage.wall,
                                  .hourly = unit.placement.hourly,
                                  .amount = {},
                                  .loss = Money{1}});
    return {};
  }
  const bool is_present =
      unit.attempt == progress.key.attempt || planted(Bug::old_attempt_reported_for_new);
  if (!is_present || !is_live) return stale();

  if (progress.state == AttemptState::running || progress.state == AttemptState::stopping) {
    if (task.started != Moment{}) return stale();
    deciding.emit(jobs::TaskStarted{progress.key});
    return {};
  }
  if (progress.state != AttemptState::ended) return stale();
  if (progress.usage.wall < Span{} || progress.end == AttemptEnd::none) return stale();
  const AttemptEnd cause = cause_of(*job, unit, task, progress);
  Ending ending{*job,
                {job->id, place.unit},
                {.key = progress.key,
                 .end = cause,
                 .exit_code = progress.exit_code,
                 .usage = priced(deciding, unit, task, progress.usage),
                 .cost = {},
                 .reason = reason_for(cause, progress)}};
  end_task(deciding, ending, unit.placement.hourly);
  return {};
}

}  // namespace suan::domain
