#include "engine/deadlines.h"

#include <algorithm>

namespace suan::engine {
namespace {

void take_earlier(std::optional<Span>& earliest, const std::optional<Span>& other) {
  if (other && (!earliest || *other < *earliest)) earliest = other;
}

}  // namespace

Deadlines::Deadlines(const Launch& launch, Span received, Instant started)
    : has_checkpoint_(!launch.checkpoint_signal.empty()),
      notice_(has_checkpoint_ ? std::max(launch.checkpoint_notice, Span{}) : Span{}),
      grace_(std::max(launch.grace, Span{})) {
  if (launch.max_duration > Span{}) {
    max_at_ = started.monotonic + launch.max_duration;
    if (has_checkpoint_) warn_max_at_ = *max_at_ - std::min(notice_, launch.max_duration);
  }
  renew(launch.run_for, received);
}

void Deadlines::renew(Span run_for, Span renewed) {
  if (phase_ != Phase::running) return;
  lapse_at_.reset();
  warn_lapse_at_.reset();
  if (run_for <= Span{}) return;
  lapse_at_ = renewed + run_for;
  // At most the last quarter: renewals come well before the end, and each would else follow a
  // signal that most programs take for the last one.
  if (has_checkpoint_) warn_lapse_at_ = *lapse_at_ - std::min(notice_, run_for / 4);
}

void Deadlines::begin_stop(AttemptEnd why, Instant now) {
  if (why_ == AttemptEnd::none) why_ = why;
  phase_ = Phase::terminated;
  kill_at_ = now.monotonic + grace_;
}

void Deadlines::stop(AttemptEnd why, Span grace, Instant now) {
  grace = std::max(grace, Span{});
  if (phase_ == Phase::terminated) {
    kill_at_ = std::min(kill_at_, now.monotonic + grace);
  } else if (phase_ == Phase::noticed) {
    grace_ = std::min(grace_, grace);
  } else if (phase_ == Phase::running) {
    why_ = why;
    grace_ = grace;
    phase_ = Phase::noticed;
    terminate_at_ = now.monotonic + notice_;
    warn_max_at_ = has_checkpoint_ ? std::optional(now.monotonic) : std::nullopt;
    warn_lapse_at_.reset();
  }
}

Due Deadlines::due(Instant now) {
  if (phase_ == Phase::killed) return Due::nothing;
  if (phase_ == Phase::terminated) {
    if (now.monotonic < kill_at_) return Due::nothing;
    phase_ = Phase::killed;
    return Due::kill;
  }
  // Lapsing and max_duration also cut a notice short.
  if (lapse_at_ && now.boottime >= *lapse_at_) {
    begin_stop(AttemptEnd::lapsed, now);
    return Due::terminate;
  }
  if (max_at_ && now.monotonic >= *max_at_) {
    begin_stop(AttemptEnd::timed_out, now);
    return Due::terminate;
  }
  if (warn_max_at_ && now.monotonic >= *warn_max_at_) {
    warn_max_at_.reset();
    return Due::checkpoint;
  }
  if (warn_lapse_at_ && now.boottime >= *warn_lapse_at_) {
    warn_lapse_at_.reset();
    return Due::checkpoint;
  }
  if (phase_ == Phase::noticed && now.monotonic >= terminate_at_) {
    begin_stop(why_, now);
    return Due::terminate;
  }
  return Due::nothing;
}

std::optional<Span> Deadlines::foreseen(Instant now) const {
  std::optional<Span> earliest;
  if (phase_ == Phase::noticed) take_earlier(earliest, terminate_at_ - now.monotonic);
  if (max_at_) take_earlier(earliest, *max_at_ - now.monotonic);
  if (warn_max_at_) take_earlier(earliest, *warn_max_at_ - now.monotonic);
  if (lapse_at_) take_earlier(earliest, *lapse_at_ - now.boottime);
  if (warn_lapse_at_) take_earlier(earliest, *warn_lapse_at_ - now.boottime);
  return earliest;
}

std::optional<Span> Deadlines::next(Instant now) const {
  if (phase_ == Phase::killed) return std::nullopt;
  const std::optional<Span> at =
      phase_ == Phase::terminated ? kill_at_ - now.monotonic : foreseen(now);
  if (!at) return std::nullopt;
  return std::max(*at, Span{});
}

}  // namespace suan::engine
