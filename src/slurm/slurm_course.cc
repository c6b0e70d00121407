#include <algorithm>
#include <tuple>
#include <utility>

#include "engine/attempt_files.h"
#include "engine/process.h"
#include "slurm/slurm_loop.h"
#include "slurm/verdict.h"

// The part of the loop that follows an attempt through Slurm to its end.
namespace suan::slurm {
namespace {

using engine::boottime_now;
using engine::monotonic_now;

constexpr int vanished_max = 5;               // Then a job that Slurm loses is not submitted again.
constexpr Span files_patience = seconds(3);   // For the wrapper's last word to reach this machine.
constexpr Span slurm_patience = seconds(15);  // For Slurm to say what ended an attempt.
constexpr Span soon = milliseconds(300);

}  // namespace

// What an earlier engine left.
void SlurmEngine::Loop::recover(const AttemptKey& key) {
  Attempt& attempt = attempts_[key];
  attempt.latest.key = key;
  const engine::AttemptRecord record = share_->read_record(key);
  if (record.end) {
    attempt.latest = *record.end;
    return;
  }
  const auto seat = share_->read_seat(key);
  if (!record.launch || !seat) {  // Only the mark of a key that must never start.
    attempt.latest.state = AttemptState::ended;
    attempt.latest.end = AttemptEnd::launch_failed;
    attempt.latest.reason = "its directory is damaged";
    return;
  }
  attempt.launch = record.launch->launch;
  attempt.seat = *seat;
  attempt.control = share_->read_control(key).value_or(Control{});
  attempt.job = share_->read_job(key);
  attempt.data = record.launch->payload;
  attempt.is_brought = !engine::moves_data(attempt.launch, attempt.data) || attempt.job.was_asked ||
                       share_->is_brought(key) || share_->is_claimed(key);
  attempt.latest.state = AttemptState::staging;
  if (attempt.control.run_for > Span{})
    attempt.lapse_at = boottime_now() + attempt.control.run_for - share_->control_age(key);
  const Span now = monotonic_now();
  if (!attempt.is_brought) bring(key, attempt);
  if (share_->read_started(key)) note_started(attempt, now);
  if (const auto exit = share_->read_exit(key)) take_exit(attempt, *exit, now);
}

void SlurmEngine::Loop::read_news(Span now) {
  for (const Share::News& news : share_->read_news()) {
    const auto at = attempts_.find(news.key);
    if (at == attempts_.end() || at->second.latest.state == AttemptState::ended) {
      share_->take_news(news);
      continue;
    }
    Attempt& attempt = at->second;
    if (!news.has_ended) {
      note_started(attempt, now);
      share_->take_news(news);
      continue;
    }
    if (attempt.exit || attempt.unwritten || attempt.kept) continue;
    // On a slow file system the name may be here before the word; it stays until both are.
    if (const auto exit = share_->read_exit(news.key)) take_exit(attempt, *exit, now);
  }
}

void SlurmEngine::Loop::note_started(Attempt& attempt, Span now) {
  if (attempt.is_started) return;
  attempt.is_started = true;
  attempt.latest.reason.clear();
  attempt.latest.state =
      attempt.control.stop == AttemptEnd::none ? AttemptState::running : AttemptState::stopping;
  if (const auto usage = share_->read_usage(attempt.latest.key)) attempt.latest.usage = *usage;
  attempt.next_report = now + options_.report_every;
  report(attempt);
}

void SlurmEngine::Loop::take_exit(Attempt& attempt, const ExitWord& exit, Span now) {
  if (needs_slurm(exit) && attempt.job.id > 0) {
    attempt.exit = exit;
    attempt.exit_since = now;
    attempt.next_look = now;
    return;
  }
  conclude(attempt, judge_exit(attempt.latest.key, exit, std::nullopt));
}

// Everything that time brings to an attempt.
void SlurmEngine::Loop::work_on(const AttemptKey& key, Attempt& attempt, Span now) {
  if (attempt.unwritten) {
    if (now >= attempt.next_try) settle(attempt, Progress(*attempt.unwritten));
    return;
  }
  const bool has_ended = attempt.latest.state == AttemptState::ended;
  if (attempt.cancel_at > Span{} && now >= attempt.cancel_at) {
    attempt.cancel_at = has_ended ? Span{} : now + seconds(30);
    cancel(key, attempt);
  }
  if (!has_ended && !attempt.is_started && attempt.lapse_at > Span{} &&
      boottime_now() >= attempt.lapse_at) {
    attempt.lapse_at = {};
    Progress lapsed;
    lapsed.key = key;
    lapsed.state = AttemptState::ended;
    lapsed.end = AttemptEnd::lapsed;
    lapsed.reason = "it had not started when its time was over";
    if (end_unclaimed(key, attempt, std::move(lapsed))) return;
  }
  if (attempt.kept && attempt.lapse_at > Span{} && boottime_now() >= attempt.lapse_at) {
    give_up_outputs(key, attempt, AttemptEnd::lapsed);
    return;
  }
  const bool is_ready = attempt.is_brought && !attempt.is_asking && !attempt.kept;
  if (!has_ended && attempt.job.id == 0 && is_ready && now >= attempt.next_try)
    submit(key, attempt, now);
  if (!has_ended && !attempt.kept && attempt.job.id > 0 && !attempt.is_looking &&
      now >= attempt.next_look)
    look(key, attempt);
  if (now < attempt.next_report) return;
  attempt.next_report = now + options_.report_every;
  if (!has_ended)
    if (const auto usage = share_->read_usage(key)) attempt.latest.usage = *usage;
  report(attempt);
}

void SlurmEngine::Loop::look(const AttemptKey& key, Attempt& attempt) {
  attempt.is_looking = true;
  errands_->send(LookErrand{key, attempt.job.id});
}

void SlurmEngine::Loop::hear(const Looked& answer) {
  const auto at = attempts_.find(answer.key);
  if (at == attempts_.end()) return;
  Attempt& attempt = at->second;
  const Span now = monotonic_now();
  attempt.is_looking = false;
  if (attempt.latest.state == AttemptState::ended || attempt.unwritten || attempt.kept) return;
  const bool is_away = !answer.job && answer.job.error().kind != Failure::Kind::not_found;
  attempt.in_vain = is_away ? attempt.in_vain + 1 : 0;
  attempt.next_look = now + pause_of(attempt);
  if (attempt.exit) {
    const bool is_told = !is_away && (!answer.job || has_ended(answer.job->state));
    if (!is_told && now - attempt.exit_since < slurm_patience) {
      attempt.next_look = now + soon;
      return;
    }
    const std::optional<Job> job = answer.job ? std::optional(*answer.job) : std::nullopt;
    conclude(attempt, judge_exit(answer.key, *attempt.exit, job));
    return;
  }
  if (is_away) {
    if (!attempt.is_started)
      set_reason(attempt, "Slurm does not answer: " + answer.job.error().text);
    return;
  }
  if (!answer.job)
    leave(answer.key, attempt, std::nullopt, now);
  else if (has_ended(answer.job->state))
    leave(answer.key, attempt, *answer.job, now);
  else
    note_state(answer.key, attempt, *answer.job, now);
}

void SlurmEngine::Loop::note_state(const AttemptKey& key, Attempt& attempt, const Job& job,
                                   Span now) {
  attempt.gone_since = {};
  if (job.state != JobState::pending) {
    if (!attempt.is_started)
      set_reason(attempt, "starts as job " + std::to_string(job.id) + " of Slurm");
    return;
  }
  if (!share_->is_claimed(key)) {
    set_reason(attempt, print_waiting(job));
    // After a node failed to start it, Slurm holds it for an administrator; another is as good.
    if (job.reason.find("launch failed requeued held") != std::string::npos) {
      cancel(key, attempt);
      attempt.job = {};
      resubmit(key, attempt, now);
    }
    return;
  }
  // Slurm took it back into the queue: what ran is gone, and its claim keeps it from a second run.
  if (!job.was_requeued) return;
  cancel(key, attempt);
  leave(key, attempt, job, now);
}

// Slurm says that it is over.
void SlurmEngine::Loop::leave(const AttemptKey& key, Attempt& attempt,
                              const std::optional<Job>& job, Span now) {
  if (const auto exit = share_->read_exit(key)) {
    conclude(attempt, judge_exit(key, *exit, job));
    return;
  }
  if (!share_->is_claimed(key)) {
    if (!job) {
      resubmit(key, attempt, now);
      return;
    }
    if (end_unclaimed(key, attempt, judge_unstarted(key, *job, share_->read_slurm_words(key))))
      return;
  }
  if (attempt.gone_since == Span{}) attempt.gone_since = now;
  attempt.next_look = now + soon;
  if (now - attempt.gone_since < files_patience) return;
  Usage usage = share_->read_usage(key).value_or(attempt.latest.usage);
  conclude(attempt, judge_silent(key, usage, job));
}

// slurmctld forgot what it had taken, as after a crash. Were the old job to appear again, one of
// the two would find the claim taken.
void SlurmEngine::Loop::resubmit(const AttemptKey& key, Attempt& attempt, Span now) {
  if (++attempt.vanished > vanished_max) {
    Progress failed;
    failed.key = key;
    failed.state = AttemptState::ended;
    failed.end = AttemptEnd::launch_failed;
    failed.reason = "Slurm forgot its job again and again";
    std::ignore = end_unclaimed(key, attempt, std::move(failed));
    return;
  }
  attempt.job.id = 0;
  attempt.next_try = now;
}

}  // namespace suan::slurm
