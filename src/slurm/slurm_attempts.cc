#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/attempt_files.h"
#include "engine/process.h"
#include "engine/work.h"
#include "slurm/slurm_loop.h"
#include "slurm/verdict.h"

// The part of the loop that is about single attempts: what the home wishes of them.
namespace suan::slurm {
namespace {

using engine::boottime_now;
using engine::monotonic_now;

constexpr std::int64_t memory_mebibytes_min = 64;  // The wrapper itself needs some.
constexpr Span limit_margin = minutes(1);          // Slurm's own time limit comes behind ours.
constexpr int cannot_write = 74;                   // EX_IOERR of sysexits(3).
constexpr Span stop_patience = seconds(30);        // Beyond its grace, before Slurm is asked.

Progress ended(const AttemptKey& key, AttemptEnd end, std::string reason) {
  Progress progress;
  progress.key = key;
  progress.state = AttemptState::ended;
  progress.end = end;
  progress.reason = std::move(reason);
  return progress;
}

std::string find_odd_name(const Payload& payload) {
  for (const auto& [name, value] : payload.envs)
    if (!is_identifier(name))
      return "bash cannot export an environment variable called `" + name + "`";
  return {};
}

}  // namespace

const SlurmPool* SlurmEngine::Loop::find_pool(PoolId id) const {
  if (names_.empty() && offer_.pools.size() == 1) return &offer_.pools.front();
  const auto name = names_.find(id);
  if (name == names_.end()) return nullptr;
  for (const SlurmPool& pool : offer_.pools)
    if (pool.offered.name == name->second) return &pool;
  return nullptr;
}

std::string SlurmEngine::Loop::find_excess(const Launch& launch, const SlurmPool& pool) const {
  const Grant& grant = launch.grant;
  if (grant.node >= pool.nodes.size()) return "there is no such node in the pool";
  if (grant.cards.size() > pool.offered.cards_per_node)
    return "the node has fewer cards than granted";
  if (!grant.cards.empty() && grant.card_milli < 1000)
    return "Slurm gives whole cards only; ask for 1, not for a share";
  if (grant.cpu_milli > pool.offered.cpu_milli_per_node)
    return "the node has fewer cores than granted";
  if (grant.memory_bytes > pool.offered.memory_bytes_per_node)
    return "the node has less memory than granted";
  if (grant.cpu_milli < 0 || grant.memory_bytes < 0) return "a grant is never negative";
  return {};
}

void SlurmEngine::Loop::fulfil(const NewLaunch& wish) {
  const AttemptKey& key = wish.launch.key;
  if (const auto known = attempts_.find(key); known != attempts_.end()) {
    report(known->second);
    return;
  }
  if (logs_->is_forgotten(key)) return;
  if (wish.launch.is_late && wish.launch.run_for > Span{}) {
    end_unstarted(key, AttemptEnd::lapsed, "its launch came too late");
    return;
  }
  const SlurmPool* pool = find_pool(wish.launch.pool);
  std::string fault = engine::find_fault(wish.launch, wish.payload);
  if (fault.empty()) fault = find_odd_name(wish.payload);
  if (fault.empty()) fault = engine::find_data_fault(stores_, wish.launch, wish.payload);
  if (fault.empty() && pool == nullptr) fault = "this cluster has no such pool now";
  if (fault.empty()) fault = find_excess(wish.launch, *pool);
  if (!fault.empty()) {
    end_unstarted(key, AttemptEnd::launch_failed, std::move(fault));
    return;
  }
  const Seat seat{pool->partition, pool->nodes[wish.launch.grant.node],
                  wish.launch.grant.cards.empty() ? "" : pool->gres};
  const Control control{.run_for = wish.launch.run_for};
  if (auto made = share_->make_attempt(wish.launch, wish.payload, seat, control); !made) {
    end_unstarted(key, AttemptEnd::launch_failed, made.error().text + " " + made.error().place);
    return;
  }
  Attempt& attempt = attempts_[key];
  attempt.latest.key = key;
  attempt.latest.state = AttemptState::staging;
  attempt.launch = wish.launch;
  attempt.seat = seat;
  attempt.control = control;
  if (control.run_for > Span{}) attempt.lapse_at = boottime_now() + control.run_for;
  attempt.next_report = monotonic_now() + options_.report_every;
  attempt.data.inputs = wish.payload.inputs;
  attempt.data.outputs = wish.payload.outputs;
  attempt.is_brought = !engine::moves_data(attempt.launch, attempt.data);
  attempt.is_brought ? submit(key, attempt, monotonic_now()) : bring(key, attempt);
}

// No node is held and nothing is metered meanwhile.
void SlurmEngine::Loop::bring(const AttemptKey& key, Attempt& attempt) {
  attempt.is_moving = true;
  set_reason(attempt, "its inputs are brought");
  porter_->send({.key = key,
                 .is_out = false,
                 .is_success = false,
                 .launch = attempt.launch,
                 .data = attempt.data,
                 .directory = share_->path() + "/" + engine::directory_of(key)});
}

void SlurmEngine::Loop::fulfil(const Moved& moved) {
  const auto at = attempts_.find(moved.key);
  if (at == attempts_.end() || !at->second.is_moving) return;
  Attempt& attempt = at->second;
  attempt.is_moving = false;
  if (moved.is_out) {
    if (!attempt.kept) return;
    Progress end = *std::exchange(attempt.kept, std::nullopt);
    if (!moved.outcome) {
      if (end.end == AttemptEnd::exited && end.exit_code == 0) end.exit_code = cannot_write;
      end.reason += (end.reason.empty() ? "" : "; ") + moved.outcome.error().text;
    }
    settle(attempt, std::move(end));
    return;
  }
  if (attempt.latest.state == AttemptState::ended) return;
  if (!moved.outcome) {
    std::ignore =
        end_unclaimed(moved.key, attempt,
                      ended(moved.key, AttemptEnd::launch_failed, moved.outcome.error().text));
    return;
  }
  // Without the mark they are brought once more after a crash.
  std::ignore = share_->write_brought(moved.key);
  attempt.is_brought = true;
  attempt.latest.reason.clear();
  submit(moved.key, attempt, monotonic_now());
}

// The work has ended, and no node is held any more; what it leaves behind may be wanted.
void SlurmEngine::Loop::conclude(Attempt& attempt, Progress progress) {
  if (attempt.kept) return;
  const bool is_success = progress.end == AttemptEnd::exited && progress.exit_code == 0;
  const bool has_run = share_->read_started(progress.key).has_value();
  if (!has_run || progress.end == AttemptEnd::lapsed || progress.end == AttemptEnd::lost ||
      !engine::has_outputs(attempt.data, is_success)) {
    settle(attempt, std::move(progress));
    return;
  }
  const AttemptKey key = progress.key;
  attempt.kept = std::move(progress);
  attempt.exit.reset();
  attempt.is_moving = true;
  porter_->send({.key = key,
                 .is_out = true,
                 .is_success = is_success,
                 .launch = attempt.launch,
                 .data = attempt.data,
                 .directory = share_->path() + "/" + engine::directory_of(key)});
}

// It was to stop, or its time was over, before its outputs were all kept.
void SlurmEngine::Loop::give_up_outputs(const AttemptKey& key, Attempt& attempt, AttemptEnd why) {
  porter_->stop(key);
  attempt.is_moving = false;
  Progress end = *std::exchange(attempt.kept, std::nullopt);
  if (end.end == AttemptEnd::exited && end.exit_code == 0) {
    end.end = why;
    end.exit_code = cannot_write;
  }
  end.reason += (end.reason.empty() ? "" : "; ");
  end.reason += "it was stopped while its outputs were kept";
  settle(attempt, std::move(end));
}

Submission SlurmEngine::Loop::submission_of(const AttemptKey& key, const Attempt& attempt) const {
  const Launch& launch = attempt.launch;
  Submission job;
  job.name = share_->job_name(key);
  job.comment = "suan engine " + share_->identity() + ", attempt " + engine::print_key(key);
  job.partition = attempt.seat.partition;
  job.node = attempt.seat.node;
  job.cpus = std::max<std::int64_t>((launch.grant.cpu_milli + 999) / 1000, 1);
  constexpr std::int64_t mebibyte = 1 << 20U;
  job.memory_mebibytes =
      std::max((launch.grant.memory_bytes + mebibyte - 1) / mebibyte, memory_mebibytes_min);
  job.gres = {attempt.seat.gres, static_cast<std::uint32_t>(launch.grant.cards.size())};
  if (launch.max_duration > Span{}) {
    const Span whole = launch.max_duration + launch.grace + launch.checkpoint_notice + limit_margin;
    job.minutes = (whole.us + minutes(1).us - 1) / minutes(1).us;
  }
  job.directory = share_->path() + "/" + engine::directory_of(key);
  job.output = job.directory + "/slurm.out";
  job.script = share_->batch_script(key);
  return job;
}

// That Slurm is asked is written down before it is: after a crash, or an answer that was lost, the
// job is looked for before another is made.
void SlurmEngine::Loop::submit(const AttemptKey& key, Attempt& attempt, Span now) {
  const bool looks_first = attempt.job.was_asked;
  attempt.job = {.was_asked = true, .id = 0};
  if (!looks_first && !share_->write_job(key, attempt.job)) {
    attempt.job.was_asked = false;
    attempt.next_try = now + seconds(1);
    return;
  }
  attempt.is_asking = true;
  errands_->send(SubmitErrand{key, submission_of(key, attempt), looks_first});
}

void SlurmEngine::Loop::hear(const Submitted& answer) {
  const Span now = monotonic_now();
  const auto at = attempts_.find(answer.key);
  const bool is_wanted = at != attempts_.end() && at->second.latest.state != AttemptState::ended;
  if (!is_wanted) {  // Stopped meanwhile: it would find itself claimed, and wait for that in vain.
    if (answer.job) errands_->send(CancelErrand{answer.key, *answer.job});
    return;
  }
  Attempt& attempt = at->second;
  attempt.is_asking = false;
  if (answer.job) {
    attempt.in_vain = 0;
    attempt.job.id = *answer.job;
    std::ignore = share_->write_job(answer.key, attempt.job);
    attempt.next_look = now + std::min(options_.look_every, seconds(1));
    return;
  }
  const Failure& why = answer.job.error();
  if (why.kind == Failure::Kind::unavailable || why.kind == Failure::Kind::io) {
    constexpr Span longest = seconds(30);
    attempt.next_try =
        now + std::min(seconds(1) * (std::int64_t{1} << std::min(attempt.in_vain, 5)), longest);
    ++attempt.in_vain;
    set_reason(attempt, "Slurm cannot take it now and is asked again: " + why.text);
    return;
  }
  Progress failed =
      ended(answer.key, AttemptEnd::launch_failed, "Slurm refuses the job: " + why.text);
  if (!end_unclaimed(answer.key, attempt, std::move(failed))) attempt.next_look = now;
}

void SlurmEngine::Loop::fulfil(const RenewAttempt& wish) {
  const auto at = attempts_.find(wish.key);
  if (at == attempts_.end() || at->second.latest.state == AttemptState::ended) return;
  Attempt& attempt = at->second;
  if (attempt.control.stop != AttemptEnd::none) return;
  ++attempt.control.number;
  attempt.control.run_for = wish.run_for;
  attempt.lapse_at = wish.run_for > Span{} ? boottime_now() + wish.run_for : Span{};
  std::ignore = share_->write_control(wish.key, attempt.control);
}

void SlurmEngine::Loop::fulfil(const StopAttempt& wish) {
  const AttemptEnd why = wish.why == AttemptEnd::none ? AttemptEnd::cancelled : wish.why;
  const auto at = attempts_.find(wish.key);
  if (at == attempts_.end()) {
    if (!logs_->is_forgotten(wish.key))
      end_unstarted(wish.key, why, "it was stopped before it was launched");
    return;
  }
  Attempt& attempt = at->second;
  if (attempt.latest.state == AttemptState::ended) {
    report(attempt);
    return;
  }
  Control& control = attempt.control;
  const bool is_new = control.stop == AttemptEnd::none;
  if (is_new) {
    control.stop = why;
    control.grace = wish.grace;
  } else {
    control.grace = std::min(control.grace, wish.grace);
  }
  ++control.number;
  std::ignore = share_->write_control(wish.key, control);
  if (attempt.kept && is_new) {
    give_up_outputs(wish.key, attempt, control.stop);
    return;
  }
  // Whoever has the claim says how it ended: an attempt that waits in Slurm ends here and now.
  if (!attempt.is_started &&
      end_unclaimed(wish.key, attempt, ended(wish.key, control.stop, "it had not started")))
    return;
  attempt.cancel_at =
      monotonic_now() + attempt.launch.checkpoint_notice + control.grace + stop_patience;
  if (attempt.latest.state == AttemptState::running) attempt.latest.state = AttemptState::stopping;
  report(attempt);
}

void SlurmEngine::Loop::fulfil(const ForgetAttempt& wish) {
  const auto at = attempts_.find(wish.key);
  if (at == attempts_.end()) {
    logs_->forget(wish.key);  // Its launch may still be on its way.
    return;
  }
  if (at->second.latest.state != AttemptState::ended) return;  // Nobody can have recorded its end.
  attempts_.erase(at);
  logs_->forget(wish.key);
  share_->remove_attempt(wish.key);
}

// Only with the claim in its own hands may the engine say that an attempt never ran.
bool SlurmEngine::Loop::end_unclaimed(const AttemptKey& key, Attempt& attempt, Progress progress) {
  if (!share_->claim(key)) return false;
  if (attempt.is_moving) porter_->stop(key);
  cancel(key, attempt);
  settle(attempt, std::move(progress));
  return true;
}

// The directory alone keeps the key from ever starting.
void SlurmEngine::Loop::end_unstarted(const AttemptKey& key, AttemptEnd end, std::string reason) {
  Attempt& attempt = attempts_[key];
  Progress progress = ended(key, end, std::move(reason));
  std::ignore = share_->make_ended(progress);
  attempt.latest = std::move(progress);
  attempt.next_report = monotonic_now() + options_.report_every;
  report(attempt);
}

void SlurmEngine::Loop::cancel(const AttemptKey& key, const Attempt& attempt) {
  if (attempt.job.id > 0) errands_->send(CancelErrand{key, attempt.job.id});
}

void SlurmEngine::Loop::hear(const Cancelled& answer) {
  if (answer.outcome) return;
  // The claim keeps it from running; it only takes a place in the queue until Slurm hears of it.
  const auto at = attempts_.find(answer.key);
  if (answer.outcome.error().kind == Failure::Kind::unavailable && at != attempts_.end())
    at->second.cancel_at = monotonic_now() + seconds(5);
}

void SlurmEngine::Loop::settle(Attempt& attempt, Progress progress) {
  // What was told of its usage before does not shrink.
  Usage& usage = progress.usage;
  usage.wall = std::max(usage.wall, attempt.latest.usage.wall);
  usage.cpu = std::max(usage.cpu, attempt.latest.usage.cpu);
  usage.memory_peak_bytes =
      std::max(usage.memory_peak_bytes, attempt.latest.usage.memory_peak_bytes);
  if (!share_->write_end(progress)) {
    attempt.unwritten = std::move(progress);  // Said when it is kept.
    attempt.next_try = monotonic_now() + seconds(1);
    return;
  }
  attempt.unwritten.reset();
  attempt.latest = std::move(progress);
  attempt.exit.reset();
  attempt.cancel_at = {};
  attempt.next_report = monotonic_now() + options_.report_every;
  report(attempt);
}

void SlurmEngine::Loop::set_reason(Attempt& attempt, std::string reason) {
  if (attempt.latest.reason == reason) return;
  attempt.latest.reason = std::move(reason);
  report(attempt);
}

void SlurmEngine::Loop::report(Attempt& attempt) {
  const std::lock_guard lock(sink_mutex_);
  if (sink_ != nullptr) sink_->on_progress(attempt.latest);
}

}  // namespace suan::slurm
