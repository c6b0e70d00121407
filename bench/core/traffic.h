#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/random.h"
#include "runtime/core.h"
#include "seams.h"

namespace suan::bench {

/// How a domain under test stands and moves.
struct Scene {
  std::uint32_t pools = 40;
  std::uint32_t nodes = 5'000;       // Of eight cards, over all pools.
  Span between_steps = seconds(14);  // 33,000 commands in an hour: jobs run half an hour or so.
  std::size_t commands_per_step = 128;
};

/// What a run of commands came to.
struct Tally {
  std::uint64_t commands = 0;  // Of people and of members.
  std::uint64_t inner = 0;     // Reservations, confirmations, timers.
  double seconds = 0;          // Of processor time of this thread, in the core alone.
  std::vector<double> steps;   // Wall seconds of each step that had commands of people.
  double wall_seconds = 0;     // Of all steps.
};

enum class Kind : std::uint8_t { submit, finish, cancel, duplicate };

/// A domain with its people and its centre: makes commands and drives a Core with them, in steps.
/// Making the commands is not part of the time it reports.
class Traffic {
 public:
  Traffic(const Scene&, journal::Journal&, std::uint64_t seed);

  /// Starts `jobs` more jobs.
  void fill(std::size_t jobs);

  /// Ends jobs until `jobs` run.
  Tally drain(std::size_t jobs);

  /// `count` commands of one kind.
  Tally repeat(Kind, std::size_t count);

  /// `count` commands: 60 % submit, 30 % report an end, 5 % stop a job, 5 % repeat a submission
  /// made lately under its request id.
  Tally mix(std::size_t count);

  runtime::Core& core() { return *core_; }
  Centre& centre() { return centre_; }
  std::uint64_t refused() const { return refused_; }

  /// The next pool is read anew: a part of its nodes take no more work, and those that took none
  /// do again.
  void churn(std::uint32_t percent);

  /// Specs like those submitted.
  const std::vector<JobSpec>& specs() const { return specs_; }

 private:
  void found();
  void carry_out(domain::Command);
  runtime::Request request(domain::Command);
  runtime::Request submit();
  runtime::Request finish();
  runtime::Request cancel();
  runtime::Request duplicate();
  runtime::Request make(Kind);
  void add(Tally&, std::vector<runtime::Request>&);
  void settle(Tally&);

  struct Sent {
    domain::Caller caller;
    JobSpec spec;
  };

  Scene scene_;
  StillClock clock_;
  Centre centre_;
  Random random_;
  std::vector<JobSpec> specs_;
  std::unique_ptr<runtime::Core> core_;
  std::vector<Sent> sent_;  // The latest submissions, a ring.
  std::size_t next_sent_ = 0;
  std::uint64_t churned_ = 0;  // Pools read anew.
  std::uint64_t refused_ = 0;
};

}  // namespace suan::bench
