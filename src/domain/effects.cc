#include "domain/effects.h"

#include <algorithm>
#include <utility>

#include "base/planted.h"
#include "domain/gangs.h"
#include "domain/terms.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

MemberId member_of(const State& state, const jobs::Unit& unit) {
  return state.catalogue().pools().at(unit.placement.pool).member;
}

Origin origin_of(const State& state, const jobs::Job& job, const jobs::Unit& unit) {
  if (job.guest) return job.guest->origin;
  return {state.identity().projects().at(job.spec->project).name, job.id, unit.attempt};
}

Launch launch_of(const State& state, const jobs::Job& job, const jobs::Unit& unit,
                 const AttemptKey& key, LeaseId lease_id) {
  const JobSpec& spec = *job.spec;
  const market::Lease& lease = *state.market().find_lease(lease_id);
  const Alternative& chosen = spec.alternatives[unit.placement.alternative];
  return {.key = key,
          .lease = lease.id,
          .lease_epoch = lease.epoch,
          .pool = lease.pool,
          .grant = lease.grant,
          .tasks = job.guest ? job.guest->tasks_in_all : spec.tasks(),
          .chip = chosen.chip,
          .run_for = unit.run_for,
          .max_duration = running_limit(spec, fare_of(job, unit), unit.placement.allowance),
          .grace = spec.grace,
          .checkpoint_signal = spec.checkpoint_signal,
          .checkpoint_notice = spec.checkpoint_notice,
          .payload = chosen.payload ? chosen.payload : spec.payload,
          .first_task = job.guest ? job.guest->first_task : 0,
          .is_late = false,
          .origin = origin_of(state, job, unit),
          .workdir = spec.workdir,
          .upload = upload_name(job.user, spec.workdir)};
}

bool is_hosted(const State& state, const jobs::Unit& unit) {
  return state.catalogue().members().at(member_of(state, unit)).kind ==
         catalogue::MemberKind::domain;
}

// What a sub-domain is asked, and what a parent is told.

template <class Message>
void tell(Effects& effects, MemberId member, Message message) {
  auto& effect = std::get<TellMember>(effects.emplace_back(std::in_place_type<TellMember>));
  effect.member = member;
  effect.message = std::move(message);
}

template <class Message>
void tell(Effects& effects, ParentId parent, Message message) {
  auto& effect = std::get<TellParent>(effects.emplace_back(std::in_place_type<TellParent>));
  effect.parent = parent;
  effect.message = std::move(message);
}

UnitAttempt attempt_of(const jobs::Job& job, std::uint32_t unit) {
  return {job.id, unit, job.units[unit].attempt};
}

HostUnit wish_of(const State& state, const jobs::Job& job, std::uint32_t index) {
  const JobSpec& spec = *job.spec;
  const jobs::Unit& unit = job.units[index];
  const std::uint32_t first = jobs::task_number(spec, index, 0);
  return {.unit = attempt_of(job, index),
          .pool = state.catalogue().pools().at(unit.placement.pool).remote,
          .tasks = spec.nodes,
          .first_task = job.guest ? job.guest->first_task : first,
          .tasks_in_all = job.guest ? job.guest->tasks_in_all : spec.tasks(),
          .name = spec.name,
          .chip = spec.alternatives[unit.placement.alternative].chip,
          .need = unit.placement.need,
          .hourly = unit.placement.hourly,
          .allowance = unit.placement.allowance,
          .grace = spec.grace,
          .checkpoint_signal = spec.checkpoint_signal,
          .checkpoint_notice = spec.checkpoint_notice,
          .origin = origin_of(state, job, unit),
          .workdir = spec.workdir,
          .rates = unit.placement.rates,
          .is_spot = spec.is_spot};
}

CommitUnit commit_of(const jobs::Job& job, std::uint32_t index) {
  const JobSpec& spec = *job.spec;
  const jobs::Unit& unit = job.units[index];
  const Alternative& chosen = spec.alternatives[unit.placement.alternative];
  return {.unit = attempt_of(job, index),
          .run_for = unit.run_for,
          .max_duration = running_limit(spec, fare_of(job, unit), unit.placement.allowance),
          .payload = chosen.payload ? chosen.payload : spec.payload,
          .lost_after = lost_after(job),
          .is_late = false};
}

// Its home may have started another attempt since it was last heard of. Only while it is heard of
// may anything of it begin or be renewed.
bool may_be_replaced(const jobs::Job& job) {
  return job.guest != nullptr && job.guest->lost_after > Span{} &&
         !planted(Bug::late_launch_starts);
}

StopTask stop_of(const jobs::Job& job, std::uint32_t unit, std::uint32_t index) {
  const jobs::Task& task = job.units[unit].tasks[index];
  return {attempt_of(job, unit), index, task.end, job.spec->grace};
}

UnitHosted hosted(const State& state, const jobs::Job& guest) {
  UnitHosted message{guest.guest->home, {}};
  for (const jobs::Task& task : guest.units.front().tasks)
    message.grants.push_back(state.market().find_lease(task.lease)->grant);
  return message;
}

TaskReport report_of(const jobs::Job& guest, std::uint32_t index) {
  const jobs::Task& task = guest.units.front().tasks[index];
  TaskReport report{.unit = guest.guest->home, .index = index, .progress = {}};
  report.progress.state = AttemptState::running;
  if (task.phase != Phase::ended) return report;
  report.progress.state = AttemptState::ended;
  report.progress.end = task.end;
  report.progress.exit_code = task.exit_code;
  report.progress.usage = task.usage;
  if (planted(Bug::guest_usage_halved)) report.progress.usage.wall.us /= 2;
  report.progress.reason = task.reason;
  if (planted(Bug::lost_usage_not_awaited)) return report;
  report.progress.is_open =
      std::ranges::any_of(guest.units.front().lost, [&](const jobs::LostAttempt& lost) {
        return std::ranges::find(lost.open, index) != lost.open.end();
      });
  return report;
}

// A task that was asked to stop is not launched again: it may never have arrived.
void add_launches(const State& state, const UnitKey& key, bool is_late, Effects& effects) {
  const jobs::Job& job = *state.jobs().find(key.job);
  const jobs::Unit& unit = job.units[key.unit];
  for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
    const jobs::Task& task = unit.tasks[t];
    if (task.phase == Phase::ended || task.phase == Phase::stopping) continue;
    const AttemptKey attempt{key.job, jobs::task_number(*job.spec, key.unit, t), unit.attempt};
    if (planted(Bug::gang_launched_by_half) && t > 0) continue;
    Launch launch = launch_of(state, job, unit, attempt, task.lease);
    launch.is_late = is_late;
    effects.push_back(AskLaunch{member_of(state, unit), std::move(launch)});
  }
}

void add_stop(const State& state, const jobs::Job& job, const AttemptKey& key, AttemptEnd why,
              Effects& effects) {
  const jobs::Unit& unit = job.units[jobs::place_of(*job.spec, key.task).unit];
  effects.push_back(AskStop{member_of(state, unit), {key, why, job.spec->grace}});
}

void add_renewals(const State& state, const UnitKey& key, Span run_for, Effects& effects) {
  const jobs::Job& job = *state.jobs().find(key.job);
  const jobs::Unit& unit = job.units[key.unit];
  for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
    const Phase phase = unit.tasks[t].phase;
    if (phase == Phase::ended || phase == Phase::stopping) continue;
    const AttemptKey attempt{key.job, jobs::task_number(*job.spec, key.unit, t), unit.attempt};
    effects.push_back(AskRenew{member_of(state, unit), {attempt, run_for}});
  }
}

// What is left of the last renewal: it may never have reached the member. Never longer than paid.
Span run_for_left(const State& state, const jobs::Job& job, const jobs::Unit& unit) {
  if (unit.paid_until == Moment{}) return unit.run_for;
  const Span paid = unit.paid_until - state.essence().now - job.spec->grace;
  return std::clamp(paid, Span{1}, unit.run_for);
}

// The heartbeats of one record: all that it says to a member about units that run on is one
// message.
class Heartbeats {
 public:
  explicit Heartbeats(Effects& effects) : effects_(effects) {}

  void add(MemberId member, RenewUnit renewal) {
    const auto open = std::ranges::find(open_, member, &Open::member);
    if (open == open_.end()) return begin(open_.emplace_back(member), std::move(renewal));
    auto& units = std::get<RenewUnits>(std::get<TellMember>(effects_[open->at]).message).units;
    if (planted(Bug::heartbeat_says_one)) return;
    if (units.size() == renewals_max) return begin(*open, std::move(renewal));
    units.push_back(std::move(renewal));
  }

 private:
  struct Open {
    MemberId member;
    std::size_t at = 0;  // In the effects.
  };

  void begin(Open& open, RenewUnit renewal) {
    open.at = effects_.size();
    tell(effects_, open.member, RenewUnits{{std::move(renewal)}});
  }

  Effects& effects_;
  std::vector<Open> open_;
};

struct Following {
  const State& state;
  Effects& effects;
  Heartbeats& heartbeats;

  void operator()(const jobs::UnitPlaced& event) const {
    const MemberId member = state.catalogue().pools().at(event.placement.pool).member;
    const jobs::Job& job = *state.jobs().find(event.unit.job);
    if (is_hosted(state, job.units[event.unit.unit]))
      tell(effects, member, wish_of(state, job, event.unit.unit));
    else
      effects.push_back(AskReserve{member, event.unit, event.attempt});
  }
  void operator()(const jobs::UnitGranted& event) const {
    const jobs::Job& job = *state.jobs().find(event.unit.job);
    const jobs::Unit& unit = job.units[event.unit.unit];
    if (job.guest)
      tell(effects, job.guest->parent, hosted(state, job));
    else if (job.spec->is_spread())
      keep_gang(job);
    else if (!is_hosted(state, unit))
      effects.push_back(AskConfirm{member_of(state, unit), event.unit, unit.attempt});
  }
  void operator()(const jobs::UnitLaunched& event) const {
    const jobs::Job& job = *state.jobs().find(event.unit.job);
    const jobs::Unit& unit = job.units[event.unit.unit];
    if (is_hosted(state, unit))
      tell(effects, member_of(state, unit), commit_of(job, event.unit.unit));
    else
      add_launches(state, event.unit, false, effects);
  }
  void operator()(const jobs::UnitRenewed& event) const {
    const jobs::Job& job = *state.jobs().find(event.unit.job);
    const jobs::Unit& unit = job.units[event.unit.unit];
    if (!is_hosted(state, unit)) return add_renewals(state, event.unit, event.run_for, effects);
    heartbeats.add(member_of(state, unit),
                   {attempt_of(job, event.unit.unit), event.run_for, unit.allowance});
  }
  void operator()(const jobs::UnitReturned& event) const { let_go(event.unit); }
  void operator()(const jobs::UnitEnded& event) const { let_go(event.unit); }
  void operator()(const jobs::GuestKept& event) const {
    const jobs::Job& job = *state.jobs().find(event.job);
    if (!event.is_done)
      tell(effects, member_of(state, job.units.front()), ConfirmUnit{attempt_of(job, 0)});
    else if (!job.guest->is_let_go)
      tell(effects, job.guest->parent, UnitConfirmed{job.guest->home});
  }
  void operator()(const jobs::GuestRefused& event) const {
    const jobs::Guest& guest = *state.jobs().find(event.job)->guest;
    if (!guest.is_let_go) tell(effects, guest.parent, UnitRefused{guest.home, event.reason});
  }
  void operator()(const jobs::TaskStarted& event) const {
    const jobs::Job& job = *state.jobs().find(event.key.job);
    report(job, event.key);
    if (planted(Bug::payload_destroyed_early))
      effects.push_back(DestroyPayloads{job.spec->payload, 1});
  }
  void operator()(const jobs::TaskStopping& event) const {
    const jobs::Job& job = *state.jobs().find(event.key.job);
    const jobs::TaskPlace place = jobs::place_of(*job.spec, event.key.task);
    const jobs::Unit& unit = job.units[place.unit];
    if (!is_hosted(state, unit)) return add_stop(state, job, event.key, event.why, effects);
    if (planted(Bug::stop_not_passed_on)) return;
    tell(effects, member_of(state, unit), stop_of(job, place.unit, place.index));
  }
  void operator()(const jobs::TaskEnded& event) const {
    const jobs::Job& job = *state.jobs().find(event.key.job);
    const jobs::Unit& unit = job.units[jobs::place_of(*job.spec, event.key.task).unit];
    report(job, event.key);
    if (!is_hosted(state, unit)) effects.push_back(AskForget{member_of(state, unit), {event.key}});
  }
  // The parent of a guest hears that its usage will follow, and then what it was.
  void operator()(const jobs::AttemptLost& event) const {
    const jobs::Job& job = *state.jobs().find(event.unit.job);
    for (const std::uint32_t index : event.lost.open)
      report(job, {job.id, jobs::task_number(*job.spec, event.unit.unit, index), 0});
  }
  void operator()(const jobs::LostTaskTold& event) const {
    report(*state.jobs().find(event.key.job), event.key);
  }
  void operator()(const jobs::LostAttemptClosed& event) const {
    tell(effects, state.catalogue().pools().at(event.pool).member,
         LetGo{{event.unit.job, event.unit.unit, event.attempt}});
  }
  void operator()(const jobs::JobEvicted& event) const {
    if (event.payloads > 0) effects.push_back(DestroyPayloads{event.first_payload, event.payloads});
  }
  void operator()(const auto&) const {}

 private:
  // Once all of it is granted.
  void keep_gang(const jobs::Job& job) const {
    if (!are_all_granted(job) && !planted(Bug::part_kept_too_early)) return;
    for (std::uint32_t i = 0; i < job.units.size(); ++i) {
      const jobs::Unit& unit = job.units[i];
      if (unit.phase != Phase::confirming) continue;
      if (is_hosted(state, unit))
        tell(effects, member_of(state, unit), ConfirmUnit{attempt_of(job, i)});
      else
        effects.push_back(AskConfirm{member_of(state, unit), {job.id, i}, unit.attempt});
    }
  }

  // A guest is one unit, so its tasks are numbered from 0.
  void report(const jobs::Job& job, const AttemptKey& key) const {
    if (job.guest && !job.guest->is_let_go)
      tell(effects, job.guest->parent, report_of(job, key.task));
  }

  // The attempt of a unit is over; one that never had a place was never with anybody.
  void let_go(const UnitKey& key) const {
    const jobs::Job& job = *state.jobs().find(key.job);
    const jobs::Unit& unit = job.units[key.unit];
    if (!unit.placement.pool || !is_hosted(state, unit) || jobs::is_lost(unit)) return;
    tell(effects, member_of(state, unit), LetGo{attempt_of(job, key.unit)});
  }
};

}  // namespace

void add_effects(const State& after, const Events& events, Effects& effects) {
  Heartbeats heartbeats(effects);
  for (const Event& event : events) std::visit(Following{after, effects, heartbeats}, event);
}

void stamp(Effect& effect, Moment decided) {
  if (auto* launch = std::get_if<AskLaunch>(&effect)) {
    launch->decided = decided;
  } else if (auto* renew = std::get_if<AskRenew>(&effect)) {
    renew->decided = decided;
  } else if (auto* tell = std::get_if<TellMember>(&effect)) {
    tell->decided = decided;
  }
}

bool count_down(Span& run_for, Moment decided, Moment now) {
  if (run_for == Span{} || decided == Moment{}) return true;
  run_for = std::min(run_for, decided + run_for - now);
  return run_for > Span{};
}

bool count_down(RenewUnits& heartbeat, Moment decided, Moment now) {
  std::erase_if(heartbeat.units,
                [&](RenewUnit& each) { return !count_down(each.run_for, decided, now); });
  return !heartbeat.units.empty();
}

Effects outstanding_effects(const State& state) {
  Effects effects;
  for (const auto& [first, count] : state.doomed_payloads())
    effects.push_back(DestroyPayloads{first, count});
  for (const auto& [id, job] : state.jobs().all()) {
    if (job.outcome != jobs::Outcome::none) continue;
    for (std::uint32_t i = 0; i < job.units.size(); ++i) {
      const jobs::Unit& unit = job.units[i];
      const UnitKey key{id, i};
      if (unit.phase == Phase::waiting || unit.phase == Phase::ended || is_hosted(state, unit))
        continue;
      if (unit.phase == Phase::reserving)
        effects.push_back(AskReserve{member_of(state, unit), key, unit.attempt});
      const bool may_keep = !job.spec->is_spread() || are_all_granted(job);
      if (unit.phase == Phase::confirming && !job.guest && may_keep && !is_kept(state, unit))
        effects.push_back(AskConfirm{member_of(state, unit), key, unit.attempt});
      if (unit.phase != Phase::staging && unit.phase != Phase::running &&
          unit.phase != Phase::stopping)
        continue;
      const bool is_late = may_be_replaced(job);
      if (!planted(Bug::launches_not_sent_again)) add_launches(state, key, is_late, effects);
      if (unit.run_for > Span{} && !is_late && !planted(Bug::renewals_not_sent_again))
        add_renewals(state, key, run_for_left(state, job, unit), effects);
      for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
        if (unit.tasks[t].phase != Phase::stopping || planted(Bug::stops_not_sent_again)) continue;
        const AttemptKey attempt{id, jobs::task_number(*job.spec, i, t), unit.attempt};
        add_stop(state, job, attempt, unit.tasks[t].end, effects);
      }
    }
  }
  return effects;
}

// What may run on is said before what is to stop: it may spend more until it has stopped.
Effects outstanding_for(const State& state, MemberId member) {
  Effects effects;
  Effects stops;
  RenewUnits renewals;
  const auto say = [&](auto message) { tell(effects, member, std::move(message)); };
  for (auto at = state.hosted().from({member, {}, 0});
       at != state.hosted().end() && at->first.member == member; ++at) {
    const auto& [its, key, attempt] = at->first;
    const jobs::Job& job = *state.jobs().find(key.job);
    const jobs::Unit& unit = job.units[key.unit];
    if (const auto lost = std::ranges::find(unit.lost, attempt, &jobs::LostAttempt::attempt);
        lost != unit.lost.end()) {
      for (const std::uint32_t index : lost->open)
        tell(stops, member,
             StopTask{{key.job, key.unit, attempt}, index, AttemptEnd::lapsed, job.spec->grace});
      continue;
    }
    if (unit.phase == Phase::reserving) say(wish_of(state, job, key.unit));
    const bool is_wanted = job.guest ? job.guest->keeping == jobs::Keeping::asked
                                     : job.spec->is_spread() && are_all_granted(job);
    if (unit.phase == Phase::confirming && is_wanted && !is_kept(state, unit))
      say(ConfirmUnit{attempt_of(job, key.unit)});
    if (unit.phase == Phase::reserving || unit.phase == Phase::confirming) continue;
    CommitUnit commit = commit_of(job, key.unit);
    commit.is_late = may_be_replaced(job);
    if (!planted(Bug::commits_not_told_again)) say(commit);
    if (unit.run_for > Span{} && !commit.is_late)
      renewals.units.push_back(
          {attempt_of(job, key.unit), run_for_left(state, job, unit), unit.allowance});
    if (renewals.units.size() == renewals_max) say(std::exchange(renewals, {}));
    for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
      if (unit.tasks[t].phase == Phase::stopping) tell(stops, member, stop_of(job, key.unit, t));
    }
  }
  if (!renewals.units.empty()) say(std::move(renewals));
  effects.insert(effects.end(), stops.begin(), stops.end());
  return effects;
}

// Ends first: a card that one of them gave back may be part of what another has been granted since.
Effects outstanding_for(const State& state, ParentId parent) {
  Effects first;
  Effects then;
  for (auto at = state.jobs().guests().from({parent, {}});
       at != state.jobs().guests().end() && at->first.parent == parent; ++at) {
    const jobs::Job& job = *state.jobs().find(at->second);
    const jobs::Unit& unit = job.units.front();
    if (job.guest->is_let_go) continue;
    if (job.guest->is_refused) {
      tell(first, parent, UnitRefused{job.guest->home, job.reason});
    } else if (unit.phase == Phase::confirming) {
      tell(then, parent, hosted(state, job));
      if (job.guest->keeping == jobs::Keeping::done)
        tell(then, parent, UnitConfirmed{job.guest->home});
    } else if (job.guest->is_committed && !planted(Bug::reports_not_told_again)) {
      for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
        if (unit.tasks[t].phase == Phase::ended)
          tell(first, parent, report_of(job, t));
        else if (unit.tasks[t].started != Moment{})
          tell(then, parent, report_of(job, t));
      }
    }
  }
  first.insert(first.end(), then.begin(), then.end());
  return first;
}

}  // namespace suan::domain
