#include "sim/machine.h"

#include <algorithm>

#include "base/ensure.h"
#include "base/planted.h"
#include "wire/bytes.h"

namespace suan::sim {

namespace {

constexpr std::uint32_t nodes_max = 100'000;
constexpr std::uint32_t failing_launches = 3;  // Of work that fails to launch; then it runs.
constexpr Span repeat_first = seconds(20);
constexpr Span repeat_max = minutes(20);
constexpr Span kill_takes = milliseconds(20);

void take_earlier(Moment& first, Moment other) {
  if (other != Moment{} && (first == Moment{} || other < first)) first = other;
}

}  // namespace

Payload write_course(const Course& course) {
  Payload payload;
  payload.run = wire::encode(course);
  return payload;
}

Course read_course(const Payload& payload) {
  auto course = wire::decode<Course>(payload.run);
  ensure(course.has_value());
  return *course;
}

Machine::Attempt& Machine::find(const AttemptKey& key) {
  Attempt& attempt = attempts_[key];
  attempt.latest.key = key;
  return attempt;
}

void Machine::attach(member::ProgressSink* sink) {
  sink_ = sink;
  if (sink == nullptr) return;
  for (const auto& [key, attempt] : attempts_) {
    if (!attempt.is_tomb) report(attempt);
  }
}

void Machine::report(const Attempt& attempt) {
  if (sink_ != nullptr) sink_->on_progress(attempt.latest);
}

void Machine::meter(Attempt& attempt) const {
  if (attempt.started == Moment{}) return;
  Usage& usage = attempt.latest.usage;
  usage.wall = now_ - attempt.started;
  usage.cpu = Span{usage.wall.us / 1000 * attempt.launch.grant.cpu_milli};
  usage.memory_peak_bytes = attempt.launch.grant.memory_bytes / 2;
}

void Machine::over(Attempt& attempt, AttemptEnd end, std::int32_t exit_code, std::string reason) {
  meter(attempt);
  attempt.latest.state = AttemptState::ended;
  attempt.latest.end = end;
  attempt.latest.exit_code = exit_code;
  attempt.latest.reason = std::move(reason);
  attempt.repeat_after = repeat_first;
  --live_;
  if (witness_ != nullptr) witness_->on_over(attempt.latest.key, attempt.latest);
  report(attempt);
  plan(attempt);
}

void Machine::begin_stop(Attempt& attempt, AttemptEnd why, Span grace) {
  if (attempt.latest.state == AttemptState::staging) {
    attempt.why = why;
    over(attempt, why, 0, "");
    return;
  }
  const Moment kill = now_ + grace + kill_takes;
  if (attempt.latest.state == AttemptState::stopping) {
    attempt.killed = std::min(attempt.killed, kill);
    plan(attempt);
    return;
  }
  attempt.latest.state = AttemptState::stopping;
  attempt.why = why;
  attempt.killed = kill;
  if (attempt.course.ignores_term)
    coverage_.hit(Fault::ignored_term);
  else
    attempt.ends = std::min(attempt.ends, now_ + attempt.course.term_takes);
  meter(attempt);
  report(attempt);
  plan(attempt);
}

// Puts the attempt on the list for the next moment at which something happens to it.
void Machine::plan(Attempt& attempt) {
  const AttemptKey& key = attempt.latest.key;
  if (attempt.wakes != Moment{}) wakes_.erase({attempt.wakes, key});
  attempt.wakes = {};
  if (attempt.is_tomb) return;
  switch (attempt.latest.state) {
    case AttemptState::none:
      return;
    case AttemptState::staging:
      attempt.wakes = attempt.runs_at;
      take_earlier(attempt.wakes, attempt.lapses);
      break;
    case AttemptState::running:
      attempt.wakes = attempt.ends;
      take_earlier(attempt.wakes, attempt.lapses);
      if (attempt.launch.max_duration > Span{})
        take_earlier(attempt.wakes, attempt.started + attempt.launch.max_duration);
      break;
    case AttemptState::stopping:
      attempt.wakes = std::min(attempt.ends, attempt.killed);
      break;
    case AttemptState::ended:
      attempt.wakes = now_ + attempt.repeat_after;
      break;
  }
  wakes_.insert({attempt.wakes, key});
}

void Machine::wake(Attempt& attempt) {
  const Course& course = attempt.course;
  const bool has_lapsed = attempt.lapses != Moment{} && attempt.lapses <= now_;
  if (attempt.latest.state == AttemptState::ended) {
    coverage_.hit(Fault::end_repeated);
    attempt.repeat_after = std::min(attempt.repeat_after * 2, repeat_max);
    report(attempt);
    plan(attempt);
  } else if (attempt.latest.state == AttemptState::stopping) {
    if (attempt.ends <= now_) {
      over(attempt, attempt.why, 128 + 15, "");
    } else {
      coverage_.hit(Branch::killed_after_grace);
      over(attempt, attempt.why, 128 + 9, "");
    }
  } else if (has_lapsed) {
    begin_stop(attempt, AttemptEnd::lapsed, attempt.launch.grace);
  } else if (attempt.latest.state == AttemptState::staging) {
    attempt.latest.state = AttemptState::running;
    attempt.started = now_;
    attempt.ends = now_ + course.runs;
    if (witness_ != nullptr) witness_->on_started(attempt.launch);
    report(attempt);
    plan(attempt);
  } else if (attempt.ends <= now_) {
    if (course.leaks_memory) {
      coverage_.hit(Fault::ran_out_of_memory);
      over(attempt, AttemptEnd::out_of_memory, 128 + 9, "");
    } else if (course.signal != 0) {
      coverage_.hit(Fault::died_of_signal);
      over(attempt, AttemptEnd::signalled, 128 + course.signal, "");
    } else {
      over(attempt, AttemptEnd::exited, course.exit_code, "");
    }
  } else {
    begin_stop(attempt, AttemptEnd::timed_out, attempt.launch.grace);
  }
}

void Machine::advance(Moment now) {
  ensure(now >= now_);
  while (!wakes_.empty() && wakes_.begin()->first <= now) {
    const auto [at, key] = *wakes_.begin();
    now_ = std::max(now_, at);
    wake(attempts_.at(key));
  }
  now_ = now;
}

std::optional<Moment> Machine::next() const {
  return wakes_.empty() ? std::nullopt : std::optional(wakes_.begin()->first);
}

void Machine::reboot() {
  for (auto& [key, attempt] : attempts_) {
    const AttemptState state = attempt.latest.state;
    if (state == AttemptState::none || state == AttemptState::ended) continue;
    coverage_.hit(Fault::machine_rebooted);
    over(attempt, AttemptEnd::lost, 0, "the machine was started again");
  }
}

void Machine::launch(const Launch& launch, const Payload& payload) {
  Attempt& attempt = find(launch.key);
  const bool is_forgotten = attempt.is_tomb && !planted(Bug::engine_runs_the_forgotten);
  if (is_forgotten || attempt.latest.state != AttemptState::none) {
    coverage_.hit(attempt.started == Moment{} ? Branch::launch_after_stop
                                              : Branch::launch_repeated);
    if (!is_forgotten) report(attempt);
    return;
  }
  attempt.is_tomb = false;
  attempt.launch = launch;
  attempt.course = read_course(payload);
  ++live_;
  if (launch.is_late && launch.run_for > Span{}) {
    coverage_.hit(Between::launch_too_late);
    over(attempt, AttemptEnd::lapsed, 0, "its launch came too late");
    return;
  }
  // As whoever submitted it counts: what comes from above is a first attempt here each time.
  const std::uint32_t nth =
      launch.origin.job.value == 0 ? launch.key.attempt : launch.origin.attempt;
  const bool is_broken = attempt.course.fails_to_launch && nth <= failing_launches;
  if (is_broken || launch.grant.node >= nodes_max) {
    const bool is_displaced = is_broken && random_.chance(1, 2);
    coverage_.hit(is_displaced ? Fault::displaced : Fault::launch_failed);
    over(attempt, is_displaced ? AttemptEnd::displaced : AttemptEnd::launch_failed, 0,
         "the node does not answer");
    return;
  }
  attempt.latest.state = AttemptState::staging;
  attempt.runs_at = now_ + milliseconds(random_.between(1, 800));
  if (launch.run_for > Span{}) attempt.lapses = now_ + launch.run_for;
  report(attempt);
  plan(attempt);
}

void Machine::renew(const RenewAttempt& renew) {
  const auto found = attempts_.find(renew.key);
  if (found == attempts_.end()) return;
  Attempt& attempt = found->second;
  if (attempt.latest.state != AttemptState::staging &&
      attempt.latest.state != AttemptState::running)
    return;
  // One that was overtaken takes nothing back.
  attempt.lapses =
      renew.run_for > Span{} ? std::max(attempt.lapses, now_ + renew.run_for) : Moment{};
  plan(attempt);
}

void Machine::stop(const StopAttempt& stop) {
  Attempt& attempt = find(stop.key);
  if (attempt.is_tomb) return;
  if (attempt.latest.state == AttemptState::ended) {
    report(attempt);
    return;
  }
  if (attempt.latest.state == AttemptState::none) {
    coverage_.hit(Branch::stop_reached_machine_first);
    ++live_;
    over(attempt, stop.why, 0, "");
    return;
  }
  begin_stop(attempt, stop.why, stop.grace);
}

void Machine::forget(const ForgetAttempt& forget) {
  Attempt& attempt = find(forget.key);
  const AttemptState state = attempt.latest.state;
  if (attempt.is_tomb || (state != AttemptState::none && state != AttemptState::ended)) return;
  attempt.is_tomb = true;
  ++tombs_;
  if (planted(Bug::engine_runs_the_forgotten)) {
    attempt.latest = {};
    attempt.latest.key = forget.key;
    --tombs_;
  }
  plan(attempt);
}

Result<member::LogPiece> Machine::read_log(const AttemptKey& key, member::LogStream stream,
                                           std::uint64_t offset, std::size_t bytes_max) const {
  const auto found = attempts_.find(key);
  if (found == attempts_.end())
    return failure(Failure::Kind::not_found, "there is no such attempt here");
  const Attempt& attempt = found->second;
  const std::string none;
  const std::string& text = attempt.started == Moment{}           ? none
                            : stream == member::LogStream::output ? attempt.course.output
                                                                  : attempt.course.error;
  member::LogPiece piece;
  if (offset < text.size()) piece.bytes = text.substr(offset, bytes_max);
  piece.is_end = attempt.latest.state != AttemptState::staging &&
                 attempt.latest.state != AttemptState::running &&
                 attempt.latest.state != AttemptState::stopping &&
                 offset + piece.bytes.size() >= text.size();
  return piece;
}

}  // namespace suan::sim
