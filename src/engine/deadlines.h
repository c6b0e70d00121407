#pragma once

#include <optional>

#include "base/time.h"
#include "model/attempt.h"

/// When a supervisor must do what to its work. Pure: times are arguments.
namespace suan::engine {

/// The two clocks of one instant (process.h). Leases lapse on `boottime`, so that a machine that
/// slept does not run on past the moment its home counted it out; work is metered on `monotonic`.
struct Instant {
  Span monotonic;
  Span boottime;
};

/// What is due now.
enum class Due : std::uint8_t { nothing, checkpoint, terminate, kill };

/// The course of one attempt: running, then perhaps told to checkpoint, asked to end (SIGTERM) and
/// made to end (SIGKILL).
class Deadlines {
 public:
  /// `received` is boottime when the launch arrived: run_for counts from there. The work starts
  /// now.
  Deadlines(const Launch&, Span received, Instant started);

  /// run_for anew, counted from `renewed` (boottime); 0 = no limit. Void once stopping.
  void renew(Span run_for, Span renewed);

  /// Asks to stop. The first reason stays; of the moments to kill, the earliest.
  void stop(AttemptEnd why, Span grace, Instant now);

  /// The next thing to do, if its time has come; each is returned once, and to be asked again until
  /// `nothing`.
  Due due(Instant now);

  /// How long until something may be due, if ever.
  std::optional<Span> next(Instant now) const;

  /// Why the attempt is being stopped; none while it is not.
  AttemptEnd why() const { return why_; }

 private:
  enum class Phase : std::uint8_t { running, noticed, terminated, killed };

  std::optional<Span> foreseen(Instant now) const;
  void begin_stop(AttemptEnd why, Instant now);

  Phase phase_ = Phase::running;
  AttemptEnd why_ = AttemptEnd::none;
  bool has_checkpoint_;
  Span notice_;
  Span grace_;
  std::optional<Span> max_at_;         // monotonic
  std::optional<Span> lapse_at_;       // boottime
  std::optional<Span> warn_max_at_;    // monotonic; when to send the signal ahead of max_at_
  std::optional<Span> warn_lapse_at_;  // boottime
  Span terminate_at_;                  // monotonic
  Span kill_at_;                       // monotonic
};

}  // namespace suan::engine
