#include "domain/effects.h"

#include <algorithm>

#include "base/planted.h"
#include "domain/terms.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

MemberId member_of(const State& state, const jobs::Unit& unit) {
  return state.catalogue().pools().at(unit.placement.pool).member;
}

Launch launch_of(const State& state, const jobs::Job& job, const jobs::Unit& unit,
                 const AttemptKey& key, LeaseId lease_id) {
  const JobSpec& spec = *job.spec;
  const market::Lease& lease = *state.market().find_lease(lease_id);
  const Alternative& chosen = spec.alternatives[unit.placement.alternative];
  const Money hourly = scale(unit.placement.hourly, spec.nodes, 1);
  return {.key = key,
          .lease = lease.id,
          .lease_epoch = lease.epoch,
          .pool = lease.pool,
          .grant = lease.grant,
          .tasks = spec.tasks(),
          .chip = chosen.chip,
          .run_for = unit.run_for,
          .max_duration = running_limit(spec, hourly, unit.placement.allowance),
          .grace = spec.grace,
          .checkpoint_signal = spec.checkpoint_signal,
          .checkpoint_notice = spec.checkpoint_notice,
          .payload = chosen.payload ? chosen.payload : spec.payload};
}

// A task that was asked to stop is not launched again: it may never have arrived.
void add_launches(const State& state, const UnitKey& key, Effects& effects) {
  const jobs::Job& job = *state.jobs().find(key.job);
  const jobs::Unit& unit = job.units[key.unit];
  for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
    const jobs::Task& task = unit.tasks[t];
    if (task.phase == Phase::ended || task.phase == Phase::stopping) continue;
    const AttemptKey attempt{key.job, jobs::task_number(*job.spec, key.unit, t), unit.attempt};
    if (planted(Bug::gang_launched_by_half) && t > 0) continue;
    effects.push_back(
        AskLaunch{member_of(state, unit), launch_of(state, job, unit, attempt, task.lease)});
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

struct Following {
  const State& state;
  Effects& effects;

  void operator()(const jobs::UnitPlaced& event) const {
    const MemberId member = state.catalogue().pools().at(event.placement.pool).member;
    effects.push_back(AskReserve{member, event.unit, event.attempt});
  }
  void operator()(const jobs::UnitGranted& event) const {
    const jobs::Unit& unit = state.jobs().find(event.unit.job)->units[event.unit.unit];
    effects.push_back(AskConfirm{member_of(state, unit), event.unit, unit.attempt});
  }
  void operator()(const jobs::UnitLaunched& event) const {
    add_launches(state, event.unit, effects);
  }
  void operator()(const jobs::UnitRenewed& event) const {
    add_renewals(state, event.unit, event.run_for, effects);
  }
  void operator()(const jobs::TaskStarted& event) const {
    const jobs::Job& job = *state.jobs().find(event.key.job);
    if (planted(Bug::payload_destroyed_early))
      effects.push_back(DestroyPayloads{job.spec->payload, 1});
  }
  void operator()(const jobs::TaskStopping& event) const {
    add_stop(state, *state.jobs().find(event.key.job), event.key, event.why, effects);
  }
  void operator()(const jobs::TaskEnded& event) const {
    const jobs::Job& job = *state.jobs().find(event.key.job);
    const jobs::Unit& unit = job.units[jobs::place_of(*job.spec, event.key.task).unit];
    effects.push_back(AskForget{member_of(state, unit), {event.key}});
  }
  void operator()(const jobs::JobEvicted& event) const {
    if (event.payloads > 0) effects.push_back(DestroyPayloads{event.first_payload, event.payloads});
  }
  void operator()(const auto&) const {}
};

}  // namespace

void add_effects(const State& after, const Events& events, Effects& effects) {
  for (const Event& event : events) std::visit(Following{after, effects}, event);
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
      if (unit.phase == Phase::reserving)
        effects.push_back(AskReserve{member_of(state, unit), key, unit.attempt});
      if (unit.phase == Phase::confirming)
        effects.push_back(AskConfirm{member_of(state, unit), key, unit.attempt});
      if (unit.phase != Phase::staging && unit.phase != Phase::running &&
          unit.phase != Phase::stopping)
        continue;
      if (!planted(Bug::launches_not_sent_again)) add_launches(state, key, effects);
      if (unit.run_for > Span{} && !planted(Bug::renewals_not_sent_again))
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

}  // namespace suan::domain
