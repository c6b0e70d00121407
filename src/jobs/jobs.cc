#include "jobs/jobs.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/ensure.h"
#include "base/fingerprint.h"
#include "base/planted.h"

namespace suan::jobs {

namespace {

constexpr std::size_t mishaps_kept = 8;

HeadKey head_of(const Line& line, const Job& job) {
  const QueueKey& first = line.units.begin()->first;
  return {first.rank, job.spec->project, first.unit};
}

bool is_launched(Phase phase) {
  return phase == Phase::staging || phase == Phase::running || phase == Phase::stopping;
}

bool is_active(const Job& job) {
  for (const Unit& unit : job.units) {
    if (unit.phase != Phase::waiting && unit.phase != Phase::ended) return true;
  }
  return false;
}

template <class Change>
void edit_guest(Job& job, Change change) {
  auto guest = std::make_shared<Guest>(*job.guest);
  change(*guest);
  job.guest = std::move(guest);
}

void note(Unit& unit, Mishap mishap) {
  if (unit.mishaps.size() == mishaps_kept) unit.mishaps.erase(unit.mishaps.begin());
  unit.mishaps.push_back(mishap);
}

}  // namespace

QueueKey queue_key(const JobSpec& spec, const UnitKey& unit) {
  constexpr std::uint8_t ranks[] = {1, 2, 0};  // normal, low, high.
  constexpr std::uint8_t behind_all = 3;
  if (planted(Bug::priority_ignored)) return {0, unit};
  const std::uint8_t rank = ranks[static_cast<std::size_t>(spec.priority)];
  return {static_cast<std::uint8_t>(spec.is_spot ? behind_all + rank : rank), unit};
}

std::uint64_t demand_fingerprint(const JobSpec& spec) {
  Fingerprint print;
  for (const Alternative& each : spec.alternatives) {
    print.add(each.chip);
    print.add(each.card_milli);
    print.add(each.runs_image);
  }
  print.add(spec.is_ordered);
  print.add(spec.nodes);
  print.add(spec.elements);
  print.add(spec.spread);
  print.add(spec.cpu_milli);
  print.add(spec.memory_bytes);
  print.add(spec.disk_bytes);
  print.add(spec.network_tier);
  print.add(spec.where);
  print.add(spec.hourly_max);
  print.add(spec.objective);
  print.add(spec.window);
  print.add(spec.carbon_max);
  print.add(spec.budget);
  print.add(spec.max_duration);
  print.add(spec.moves_data);
  print.add(spec.stores);
  print.add(spec.is_spot);
  print.add(spec.project);  // Its money decides too.
  return print.value();
}

TaskPlace place_of(const JobSpec& spec, std::uint32_t task) {
  return {task / spec.nodes, task % spec.nodes};
}

std::uint32_t task_number(const JobSpec& spec, std::uint32_t unit, std::uint32_t index) {
  return unit * spec.nodes + index;
}

std::vector<std::uint32_t> bound_with(const Job& job, std::uint32_t unit) {
  if (!job.spec->is_spread()) return {unit};
  std::vector<std::uint32_t> all(job.units.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

bool waits_itself(const JobSpec& spec, std::uint32_t unit) {
  return unit == 0 || !spec.is_spread();
}

bool is_lost(const Unit& unit) {
  return std::ranges::find(unit.lost, unit.attempt, &LostAttempt::attempt) != unit.lost.end();
}

std::uint64_t Jobs::ahead_of(const UnitKey& key) const {
  const Job* job = find(key.job);
  if (job == nullptr || key.unit >= job->units.size() || !job->units[key.unit].is_queued) return 0;
  const Line& line = lines_.at(demand_fingerprint(*job->spec));
  const QueueKey own = queue_key(*job->spec, key);
  std::uint64_t ahead = 0;
  for (const auto& entry : line.units) {
    if (!(entry.first < own)) break;
    ++ahead;
  }
  return ahead;
}

Job& Jobs::edit(JobId id) {
  Job* job = jobs_.edit(id);
  ensure(job != nullptr);
  return *job;
}

Unit& Jobs::unit(const UnitKey& key) {
  Job& job = edit(key.job);
  ensure(key.unit < job.units.size());
  return job.units[key.unit];
}

Unit* Jobs::edit_unit(const UnitKey& key) {
  Job* job = jobs_.edit(key.job);
  return job == nullptr || key.unit >= job->units.size() ? nullptr : &job->units[key.unit];
}

Task& Jobs::task(const AttemptKey& key) {
  Job& job = edit(key.job);
  const TaskPlace place = place_of(*job.spec, key.task);
  ensure(place.unit < job.units.size());
  return job.units[place.unit].tasks[place.index];
}

void Jobs::enqueue(const UnitKey& key, const Job& job) {
  const std::uint64_t print = demand_fingerprint(*job.spec);
  Line* line = lines_.edit(print);
  if (line == nullptr) line = &lines_.insert(print, {});
  if (!line->units.empty()) heads_.erase(head_of(*line, job));
  line->units.insert(queue_key(*job.spec, key), true);
  heads_.insert(head_of(*line, job), print);
  ++waiting_;
}

void Jobs::dequeue(const UnitKey& key, const Job& job) {
  const std::uint64_t print = demand_fingerprint(*job.spec);
  Line* line = lines_.edit(print);
  ensure(line != nullptr);
  heads_.erase(head_of(*line, job));
  line->units.erase(queue_key(*job.spec, key));
  if (line->units.empty()) {
    lines_.erase(print);
  } else {
    heads_.insert(head_of(*line, job), print);
  }
  --waiting_;
}

void Jobs::count(const Job& job, std::int64_t sign) {
  std::uint64_t& counter = job.outcome != Outcome::none ? counts_.ended
                           : is_active(job)             ? counts_.active
                                                        : counts_.waiting;
  counter = static_cast<std::uint64_t>(static_cast<std::int64_t>(counter) + sign);
}

void Jobs::touch(JobId id, std::uint64_t sequence) {
  if (Job* job = jobs_.edit(id)) job->sequence = sequence;
}

void Jobs::apply(const JobSubmitted& event, Moment now) {
  Job job;
  job.id = event.job;
  job.user = event.user;
  job.hold = event.hold;
  job.spec = event.spec;
  job.submitted = now;
  job.held = event.held;
  job.is_rolling = event.is_rolling;
  job.guest = event.guest;
  if (job.guest) guests_.insert({job.guest->parent, job.guest->home}, event.job);
  job.units.resize(event.spec->elements);
  for (Unit& unit : job.units) unit.tasks.resize(event.spec->nodes);
  for (std::uint32_t i = 0; i < job.units.size() && waits_itself(*event.spec, i); ++i)
    job.units[i].is_queued = event.spec->not_before <= now;
  count(job, 1);
  const Job& submitted = jobs_.insert(event.job, std::move(job));
  for (std::uint32_t i = 0; i < submitted.units.size(); ++i) {
    if (submitted.units[i].is_queued) arrivals_.push_back({event.job, i});
  }
}

void Jobs::settle() {
  for (const UnitKey& key : arrivals_) enqueue(key, jobs_.at(key.job));
  arrivals_.clear();
}

void Jobs::apply(const UnitQueued& event) {
  Unit& queued = unit(event.unit);
  ensure(queued.phase == Phase::waiting && !queued.is_queued);
  queued.is_queued = true;
  queued.put_off = {};
  enqueue(event.unit, jobs_.at(event.unit.job));
}

void Jobs::apply(const UnitPutOff& event) {
  Unit& waiting = unit(event.unit);
  ensure(waiting.phase == Phase::waiting);
  if (const auto arrival = std::ranges::find(arrivals_, event.unit); arrival != arrivals_.end())
    arrivals_.erase(arrival);
  else
    ensure(!waiting.is_queued);
  waiting.is_queued = false;
  waiting.put_off = event.put_off;
}

// What was kept is anybody's again.
void Jobs::drop_promise(Unit& unit) {
  if (unit.promise.pool) promises_.erase(unit.promise.pool);
  unit.promise = {};
}

void Jobs::apply(const UnitPromised& event) {
  drop_promise(unit(event.unit));
  if (!event.promise.pool) return;
  if (const UnitKey* other = promises_.find(event.promise.pool))
    drop_promise(unit(UnitKey(*other)));
  promises_.insert(event.promise.pool, event.unit);
  unit(event.unit).promise = event.promise;
}

void Jobs::apply(const PlaceCleared& event) {
  unit(event.unit).cleared_by = event.by;
}

// What it held is free, or will be at once.
void Jobs::drop_spot(const UnitKey& key, const Job& job) {
  const SpotKey spot{job.units[key.unit].placement.pool, key};
  if (spots_.contains(spot)) spots_.erase(spot);
}

void Jobs::apply(const UnitPlaced& event) {
  Job& job = edit(event.unit.job);
  count(job, -1);
  Unit& placed = job.units[event.unit.unit];
  ensure(placed.phase == Phase::waiting && event.attempt == placed.attempt + 1);
  if (const auto arrival = std::ranges::find(arrivals_, event.unit); arrival != arrivals_.end()) {
    arrivals_.erase(arrival);
  } else if (placed.is_queued) {
    dequeue(event.unit, job);
  }
  placed.is_queued = false;
  placed.cleared_by = {};
  placed.phase = Phase::reserving;
  placed.attempt = event.attempt;
  placed.placement = event.placement;
  placed.allowance = placed.allowance_left = event.placement.allowance;
  for (Task& each : placed.tasks) {
    const Money cost = each.cost;
    each = Task{};
    each.phase = Phase::reserving;
    each.cost = cost;
  }
  count(job, 1);
}

void Jobs::apply(const UnitGranted& event) {
  Unit& granted = unit(event.unit);
  ensure(granted.phase == Phase::reserving && event.leases.size() == granted.tasks.size());
  granted.phase = Phase::confirming;
  drop_promise(granted);
  for (std::size_t i = 0; i < granted.tasks.size(); ++i) {
    granted.tasks[i].phase = Phase::confirming;
    granted.tasks[i].lease = event.leases[i];
  }
}

void Jobs::apply(const UnitReturned& event, Moment now) {
  Job& job = edit(event.unit.job);
  count(job, -1);
  Unit& returned = job.units[event.unit.unit];
  ensure(returned.phase != Phase::waiting && returned.phase != Phase::ended);
  drop_promise(returned);
  drop_spot(event.unit, job);
  if (event.setback != Setback::none) note(returned, {now, event.setback, returned.placement.pool});
  returned.phase = Phase::waiting;
  returned.allowance = returned.allowance_left = {};
  returned.run_for = {};
  returned.paid_until = {};
  for (Task& each : returned.tasks) {
    each.phase = Phase::waiting;
    each.lease = {};
  }
  returned.is_queued = event.queue_at <= now && waits_itself(*job.spec, event.unit.unit);
  if (returned.is_queued) enqueue(event.unit, job);
  count(job, 1);
}

void Jobs::apply(const UnitLaunched& event, Moment now) {
  Job& job = edit(event.unit.job);
  Unit& launched = job.units[event.unit.unit];
  ensure(launched.phase == Phase::confirming);
  launched.launched = now;
  launched.phase = Phase::staging;
  launched.run_for = event.run_for;
  launched.paid_until = event.paid_until;
  for (Task& each : launched.tasks) each.phase = Phase::staging;
  if (job.spec->is_spot || planted(Bug::on_demand_preempted))
    spots_.insert({launched.placement.pool, event.unit}, true);
}

void Jobs::apply(const UnitRenewed& event) {
  Job& job = edit(event.unit.job);
  Unit& renewed = job.units[event.unit.unit];
  renewed.run_for = event.run_for;
  renewed.paid_until = event.paid_until;
  renewed.allowance = renewed.allowance + event.allowance;
  renewed.allowance_left = renewed.allowance_left + event.allowance;
  if (!job.guest) return;
  edit_guest(job, [&](Guest& guest) { guest.allowance = guest.allowance + event.allowance; });
}

void Jobs::apply(const TaskStarted& event, Moment now) {
  Job& job = edit(event.key.job);
  const TaskPlace place = place_of(*job.spec, event.key.task);
  Unit& started = job.units[place.unit];
  Task& each = started.tasks[place.index];
  each.started = now;
  if (each.phase == Phase::staging) each.phase = Phase::running;
  if (started.phase == Phase::staging) started.phase = Phase::running;
  if (job.started == Moment{}) job.started = now;
}

void Jobs::apply(const TaskStopping& event) {
  Job& job = edit(event.key.job);
  const TaskPlace place = place_of(*job.spec, event.key.task);
  job.units[place.unit].phase = Phase::stopping;
  Task& each = job.units[place.unit].tasks[place.index];
  each.phase = Phase::stopping;
  each.end = event.why;  // What it will have ended by, unless it ends by itself first.
}

void Jobs::apply(const TaskEnded& event, Moment now) {
  Task& each = task(event.key);
  ensure(each.phase != Phase::ended);
  each.phase = Phase::ended;
  each.lease = {};
  each.ended = now;
  each.end = event.end;
  each.exit_code = event.exit_code;
  each.usage = event.usage;
  each.cost = each.cost + event.cost;
  each.reason = event.reason;
  Job& job = edit(event.key.job);
  job.cost = job.cost + event.cost;
  Unit& own = job.units[place_of(*job.spec, event.key.task).unit];
  own.allowance_left = own.allowance_left - event.cost;
  ensure(own.allowance_left >= Money{});
}

void Jobs::apply(const AttemptLost& event, Moment now) {
  Job& job = edit(event.unit.job);
  Unit& own = job.units[event.unit.unit];
  ensure(event.lost.attempt == own.attempt);
  for (const std::uint32_t index : event.lost.open) {
    Task& each = own.tasks[index];
    ensure(each.phase != Phase::ended);
    each.phase = Phase::ended;
    each.lease = {};
    each.ended = now;
    each.end = AttemptEnd::lost;
    each.exit_code = 0;
    each.reason = event.reason;
  }
  own.allowance_left = {};
  own.lost.push_back(event.lost);
  job.owed = job.owed + event.set_aside;
  ++job.lost_open;
}

void Jobs::apply(const LostTaskTold& event) {
  Job& job = edit(event.key.job);
  const TaskPlace place = place_of(*job.spec, event.key.task);
  Unit& own = job.units[place.unit];
  const auto lost = std::ranges::find(own.lost, event.key.attempt, &LostAttempt::attempt);
  ensure(lost != own.lost.end() && std::erase(lost->open, place.index) == 1);
  Task& each = own.tasks[place.index];
  each.cost = each.cost + event.cost;
  job.cost = job.cost + event.cost;
  if (own.attempt == event.key.attempt) each.usage = event.usage;
}

void Jobs::apply(const LostAttemptClosed& event) {
  Job& job = edit(event.unit.job);
  Unit& own = job.units[event.unit.unit];
  ensure(std::erase_if(own.lost, [&](const LostAttempt& each) {
           return each.attempt == event.attempt;
         }) == 1);
  job.owed = job.owed - event.returned;
  --job.lost_open;
}

void Jobs::apply(const UnitEnded& event) {
  Job& job = edit(event.unit.job);
  count(job, -1);
  Unit& ended = job.units[event.unit.unit];
  if (ended.is_queued) dequeue(event.unit, job);
  drop_promise(ended);
  drop_spot(event.unit, job);
  ended.put_off = {};
  ended.is_queued = false;
  ended.phase = Phase::ended;
  ended.allowance_left = {};
  for (Task& each : ended.tasks) {
    each.phase = Phase::ended;
    each.lease = {};
  }
  ++job.units_ended;
  const bool is_good = event.end == AttemptEnd::exited && event.exit_code == 0;
  if (!is_good && event.end != AttemptEnd::cancelled && job.units_failed++ == 0) {
    job.exit_code = event.exit_code;
    job.reason = event.reason;
  }
  count(job, 1);
}

void Jobs::apply(const JobStopping& event) {
  edit(event.job).is_stopping = true;
}

void Jobs::apply(const JobEnded& event, Moment now) {
  Job& job = edit(event.job);
  count(job, -1);
  job.outcome = event.outcome;
  job.exit_code = event.exit_code;
  job.reason = event.reason;
  job.ended = now;
  count(job, 1);
}

void Jobs::apply(const JobEvicted& event) {
  const Job& job = jobs_.at(event.job);
  count(job, -1);
  if (job.guest) guests_.erase({job.guest->parent, job.guest->home});
  jobs_.erase(event.job);
}

const Job* Jobs::find_guest(const GuestKey& key) const {
  const JobId* id = guests_.find(key);
  return id == nullptr ? nullptr : jobs_.find(*id);
}

void Jobs::apply(const GuestCommitted& event) {
  Job& job = edit(event.job);
  auto spec = std::make_shared<JobSpec>(*job.spec);
  spec->max_duration = event.max_duration;
  spec->payload = event.payload;
  job.spec = std::move(spec);
  edit_guest(job, [&](Guest& guest) {
    guest.is_committed = true;
    guest.lost_after = event.lost_after;
  });
}

void Jobs::apply(const GuestKept& event) {
  edit_guest(edit(event.job),
             [&](Guest& guest) { guest.keeping = event.is_done ? Keeping::done : Keeping::asked; });
}

void Jobs::apply(const GuestRefused& event) {
  edit_guest(edit(event.job), [](Guest& guest) { guest.is_refused = true; });
}

void Jobs::apply(const GuestLetGo& event) {
  edit_guest(edit(event.job), [](Guest& guest) { guest.is_let_go = true; });
}

void Jobs::reindex() {
  guests_ = {};
  lines_ = {};
  heads_ = {};
  promises_ = {};
  spots_ = {};
  waiting_ = 0;
  counts_ = {};
  for (const auto& [id, job] : jobs_) {
    if (job.guest) guests_.insert({job.guest->parent, job.guest->home}, id);
    count(job, 1);
    for (std::uint32_t i = 0; i < job.units.size(); ++i) {
      const Unit& unit = job.units[i];
      if (unit.is_queued) enqueue({id, i}, job);
      if (unit.promise.pool) promises_.insert(unit.promise.pool, {id, i});
      if (job.spec->is_spot && is_launched(unit.phase))
        spots_.insert({unit.placement.pool, {id, i}}, true);
    }
  }
}

}  // namespace suan::jobs
