// Jobs, their tasks and attempts.
#include <algorithm>

#include "base/text.h"
#include "domain/terms.h"
#include "energy/course.h"
#include "http/show.h"
#include "wire/names.h"

namespace suan::http {

using jobs::Phase;

namespace {

api::JobState state_of(Phase phase) {
  switch (phase) {
    case Phase::waiting:
      return api::JobState::queued;
    case Phase::reserving:
    case Phase::confirming:
      return api::JobState::reserving;
    case Phase::staging:
      return api::JobState::staging;
    case Phase::running:
      return api::JobState::running;
    case Phase::stopping:
      return api::JobState::stopping;
    case Phase::ended:
      return api::JobState::finished;
  }
  return api::JobState::queued;
}

api::JobState ended_state(AttemptEnd end, std::int32_t exit_code) {
  if (end == AttemptEnd::cancelled) return api::JobState::cancelled;
  if (end == AttemptEnd::lost) return api::JobState::lost;
  return end == AttemptEnd::exited && exit_code == 0 ? api::JobState::finished
                                                     : api::JobState::failed;
}

std::string project_name(const domain::State& state, ProjectId id) {
  const identity::Project* project = state.identity().projects().find(id);
  return project == nullptr ? "" : project->name;
}

std::string user_name(const domain::State& state, UserId id) {
  const identity::User* user = state.identity().users().find(id);
  return user == nullptr ? "" : user->name;
}

std::string waiting_reason(const domain::State& state, const jobs::Job& job) {
  const jobs::Unit& unit = job.units.front();
  if (job.is_stopping) return "stopping on request";
  if (unit.phase == Phase::stopping && unit.tasks.front().end == AttemptEnd::preempted)
    return "stopping, as other work needs its place";
  if (unit.phase != Phase::waiting) return "";
  if (unit.put_off.until != Moment{})
    return "waits until " + print_moment(unit.put_off.until) +
           (job.spec->window == Window::greenest ? " for a greener hour" : " for a cheaper hour");
  if (!unit.is_queued) return "waits for its start.not_before";
  if (unit.promise.pool) return "waits for capacity; " + promise_text(state, unit.promise);
  if (const std::string text = cleared_text(unit); !text.empty())
    return "waits for capacity; " + text;
  if (unit.mishaps.empty()) return "waits for capacity";
  switch (unit.mishaps.back().setback) {
    case jobs::Setback::site_lost:
      return "its site lost it; waits to be tried again";
    case jobs::Setback::cut_off:
      return "its site was cut off; waits to be tried again";
    case jobs::Setback::preempted:
      return "other work needed its place; waits to be tried again";
    case jobs::Setback::interrupted:
      return "it was interrupted; waits to be tried again";
    default:
      return "waits for capacity";
  }
}

Money cost_so_far(const jobs::Placement& placement, Moment started, Moment now) {
  const Span wall = std::max(now - started, Span{});
  const bool is_rated = placement.rates.is_given();
  return domain::charge_for(placement.hourly,
                            is_rated ? energy::Course(placement.rates).weigh(started, wall) : wall);
}

std::vector<api::TaskView> show_tasks(const domain::State& state, const jobs::Job& job) {
  std::vector<api::TaskView> tasks;
  for (std::uint32_t i = 0; i < job.units.size(); ++i) {
    const jobs::Unit& unit = job.units[i];
    for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
      const jobs::Task& task = unit.tasks[t];
      api::TaskView view;
      view.task = jobs::task_number(*job.spec, i, t);
      view.state =
          task.phase == Phase::ended ? ended_state(task.end, task.exit_code) : state_of(task.phase);
      if (unit.attempt > 0) {
        api::AttemptView attempt;
        attempt.number = unit.attempt;
        attempt.state = std::string(wire::enum_name(task.phase));
        attempt.pool = pool_text(state, unit.placement.pool);
        attempt.lease = task.lease;
        attempt.started = task.started;
        attempt.ended = task.ended;
        attempt.end = task.phase == Phase::ended ? task.end : AttemptEnd::none;
        attempt.exit_code = task.exit_code;
        attempt.usage = task.usage;
        attempt.cost = task.cost;
        attempt.reason = task.reason;
        view.attempts.push_back(std::move(attempt));
      }
      tasks.push_back(std::move(view));
    }
  }
  return tasks;
}

api::AttemptView show_attempt(const domain::State& state, const history::AttemptRow& row) {
  return {.number = row.attempt,
          .state = row.end == AttemptEnd::none ? "running" : "ended",
          .pool = pool_text(state, row.pool),
          .lease = row.lease,
          .started = row.started,
          .ended = row.ended,
          .end = row.end,
          .exit_code = row.exit_code,
          .usage = row.usage,
          .cost = row.cost,
          .reason = row.reason};
}

}  // namespace

std::string pool_text(const domain::State& state, PoolId id) {
  const Pool* pool = state.catalogue().pools().find(id);
  return pool == nullptr ? "" : state.catalogue().pool_name(*pool);
}

api::JobState job_state(jobs::Outcome outcome) {
  switch (outcome) {
    case jobs::Outcome::none:
      break;
    case jobs::Outcome::finished:
      return api::JobState::finished;
    case jobs::Outcome::failed:
      return api::JobState::failed;
    case jobs::Outcome::cancelled:
      return api::JobState::cancelled;
  }
  return api::JobState::running;
}

Money hourly_of(const jobs::Job& job, Moment now) {
  const Moment at = job.outcome == jobs::Outcome::none ? now : job.started;
  const auto one = [&](const jobs::Placement& placement) {
    return scale(placement.hourly, energy::rate_at(placement.rates, at), rate_usual);
  };
  if (!job.spec->is_spread()) return scale(one(job.units.front().placement), job.spec->tasks(), 1);
  Money sum;
  for (const jobs::Unit& unit : job.units) sum = sum + one(unit.placement);
  return sum;
}

api::JobState job_state(const jobs::Job& job) {
  if (job.outcome != jobs::Outcome::none) return job_state(job.outcome);
  if (job.is_stopping) return api::JobState::stopping;
  // The unit that is furthest on its way speaks for the job.
  Phase furthest = Phase::waiting;
  for (const jobs::Unit& unit : job.units) {
    if (unit.phase != Phase::ended) furthest = std::max(furthest, unit.phase);
  }
  return state_of(furthest);
}

api::JobView show_job(const domain::State& state, const jobs::Job& job, Moment now,
                      bool with_tasks) {
  const JobSpec& spec = *job.spec;
  const jobs::Placement& placement = job.units.front().placement;
  const ledger::Hold* hold = state.ledger().holds().find(job.hold);
  api::JobView view;
  view.id = job.id;
  view.name = spec.name;
  view.project = project_name(state, spec.project);
  view.user = user_name(state, job.user);
  view.kind = spec.kind;
  view.state = job_state(job);
  view.reason = job.outcome != jobs::Outcome::none ? job.reason : waiting_reason(state, job);
  view.exit_code = job.exit_code;
  view.submitted = job.submitted;
  view.started = job.started;
  view.ended = job.ended;
  view.pool = pool_text(state, placement.pool);
  const std::size_t chosen = placement.pool ? placement.alternative : 0;
  view.chip = spec.alternatives[chosen].chip;
  view.card_milli = spec.alternatives[chosen].card_milli;
  view.cpu_milli = placement.pool ? placement.need.cpu_milli : spec.cpu_milli.least;
  view.memory_bytes = placement.pool ? placement.need.memory_bytes : spec.memory_bytes.least;
  view.nodes = spec.is_spread() ? spec.elements : spec.nodes;
  view.elements = spec.is_spread() ? 1 : spec.elements;
  view.hourly_cost = hourly_of(job, now);
  view.held = hold == nullptr ? Money{} : hold->amount;
  view.cost = job.cost;
  for (const jobs::Unit& unit : job.units) {  // What runs has cost something already.
    for (const jobs::Task& task : unit.tasks) {
      const bool is_live = task.phase == Phase::running || task.phase == Phase::stopping;
      if (is_live && task.started != Moment{})
        view.cost = view.cost + cost_so_far(unit.placement, task.started, now);
    }
  }
  view.budget = spec.budget;
  view.max_duration = spec.max_duration;
  view.sequence = job.sequence;
  if (with_tasks) view.tasks = show_tasks(state, job);
  return view;
}

api::JobView show_job(const domain::State& state, const history::JobRow& row) {
  api::JobView view;
  view.id = row.id;
  view.name = row.name;
  view.project = project_name(state, row.project);
  view.user = user_name(state, row.user);
  view.kind = row.kind;
  view.state = job_state(row.outcome);
  view.reason = row.reason;
  view.exit_code = row.exit_code;
  view.submitted = row.submitted;
  view.started = row.started;
  view.ended = row.ended;
  view.pool = pool_text(state, row.pool);
  view.chip = row.chip;
  view.card_milli = row.need.card_milli;
  view.cpu_milli = row.need.cpu_milli;
  view.memory_bytes = row.need.memory_bytes;
  view.nodes = row.nodes;
  view.elements = row.elements;
  const Hourly& rates = row.placement.rates;
  view.hourly_cost = scale(row.hourly, energy::rate_at(rates, row.started), rate_usual);
  view.cost = row.cost;
  view.budget = row.budget;
  view.max_duration = row.max_duration;
  view.sequence = row.sequence;
  return view;
}

std::vector<api::TaskView> show_attempts(const domain::State& state,
                                         const std::vector<history::AttemptRow>& rows) {
  std::vector<api::TaskView> tasks;
  for (const history::AttemptRow& row : rows) {
    auto task = std::ranges::find(tasks, row.task, &api::TaskView::task);
    if (task == tasks.end()) {
      tasks.push_back({.task = row.task, .state = api::JobState::queued, .attempts = {}});
      task = tasks.end() - 1;
    }
    task->state =
        row.end == AttemptEnd::none ? api::JobState::running : ended_state(row.end, row.exit_code);
    task->attempts.push_back(show_attempt(state, row));
  }
  std::ranges::sort(tasks, {}, &api::TaskView::task);
  return tasks;
}

void add_earlier_attempts(const domain::State& state, const std::vector<history::AttemptRow>& rows,
                          std::vector<api::TaskView>& tasks) {
  for (api::TaskView& task : tasks) {
    if (task.attempts.empty()) continue;
    // One that was given up is in the state only as what waits for the next.
    const bool is_waiting = task.attempts.front().state == wire::enum_name(Phase::waiting);
    const std::uint32_t latest = task.attempts.front().number;
    std::vector<api::AttemptView> all;
    for (const history::AttemptRow& row : rows) {
      const bool is_over = row.attempt < latest || (is_waiting && row.attempt == latest);
      if (row.task == task.task && is_over) all.push_back(show_attempt(state, row));
    }
    const bool has_latest = !all.empty() && all.back().number == latest;
    if (!has_latest) all.push_back(std::move(task.attempts.front()));
    task.attempts = std::move(all);
  }
}

}  // namespace suan::http
