#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"

/// What the home domain of a job and the member that runs it say to each other about one attempt.
namespace suan {

/// Capacity of one node, given to one task.
struct Grant {
  std::uint32_t node = 0;            // Index of the node in its pool.
  std::vector<std::uint32_t> cards;  // Indexes of the accelerators on the node, ascending.
  std::uint32_t card_milli = 0;      // Of each of `cards`: 1000, or a share of exactly one card.
  std::int64_t cpu_milli = 0;        // Thousandths of a core.
  std::int64_t memory_bytes = 0;

  friend bool operator==(const Grant&, const Grant&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "node", self.node);
    visit(2, "cards", self.cards);
    visit(3, "card_milli", self.card_milli);
    visit(4, "cpu_milli", self.cpu_milli);
    visit(5, "memory_bytes", self.memory_bytes);
  }
};

/// What an attempt has used so far, as metered where it runs. Only ever grows.
struct Usage {
  Span wall;  // From `running` to now or to the end, on the member's monotonic clock.
  Span cpu;   // User and system time of all its processes.
  std::int64_t memory_peak_bytes = 0;
  Span priced{};  // `wall`, each hour by the rate of its pool; where that has rates.

  friend bool operator==(const Usage&, const Usage&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "wall", self.wall);
    visit(2, "cpu", self.cpu);
    visit(3, "memory_peak_bytes", self.memory_peak_bytes);
    visit(4, "priced", self.priced);
  }
};

/// How an attempt ended.
enum class AttemptEnd : std::uint8_t {
  none,           // It has not.
  exited,         // The command ended by itself; see the exit code.
  signalled,      // A signal ended it that nobody here sent.
  out_of_memory,  // The kernel killed it at its memory limit.
  cancelled,      // Somebody asked for it to stop.
  timed_out,      // max_duration passed.
  over_budget,    // The money set aside for it was used up.
  lapsed,         // run_for passed without a renewal.
  launch_failed,  // It never ran; `reason` says why.
  lost,           // The member cannot know how it ended (a reboot, a vanished supervisor).
  displaced,      // It never ran, and would have where it was not put: its node takes no work now.
  preempted,      // It was spot work, and other work needed its place.
};
inline constexpr AttemptEnd attempt_end_last = AttemptEnd::preempted;

/// The state of an attempt as its member sees it.
enum class AttemptState : std::uint8_t { none, staging, running, stopping, ended };

/// Data that is there before the work starts. `path` is a directory: absolute in an image, else
/// below the working directory. `source` is an http or https URL, or "STORE:path"; a file is put
/// into the directory, of a directory what is in it.
struct Input {
  std::string path;
  std::string source;
  std::string sha256;  // Of a source that is one file, 64 lower-case hexadecimal digits; "" = any.

  friend bool operator==(const Input&, const Input&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "path", self.path);
    visit(2, "source", self.source);
    visit(3, "sha256", self.sha256);
  }
};

/// A directory that is kept when the work has ended: below "STORE:path", in a directory of the
/// attempt's own.
struct Output {
  std::string path;
  std::string to;
  bool is_always = false;  // Else only after exit code 0.

  friend bool operator==(const Output&, const Output&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "path", self.path);
    visit(2, "to", self.to);
    visit(3, "is_always", self.is_always);
  }
};

/// A directory of the user's, packed by tar and gzip, in which the work starts. It is brought to
/// the domain to which the job is submitted, and each domain that hosts it asks its parent for it.
struct Workdir {
  std::string sha256;  // Of the packed bytes, 64 lower-case hexadecimal digits; "" = there is none.
  std::int64_t bytes = 0;

  bool is_given() const { return !sha256.empty(); }
  friend bool operator==(const Workdir&, const Workdir&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sha256", self.sha256);
    visit(2, "bytes", self.bytes);
  }
};

/// The file that has it at the domain of a job of this user; "" if there is none.
inline std::string upload_name(UserId user, const Workdir& workdir) {
  return workdir.is_given() ? std::to_string(user.value) + "-" + workdir.sha256 : "";
}

/// The secret part of a job: never in the journal, only in sealed blobs. `run` and `setup` are
/// bash.
struct Payload {
  std::string run;
  std::string setup;
  std::string image;
  std::map<std::string, std::string> envs;
  std::vector<Input> inputs{};
  std::vector<Output> outputs{};

  bool moves_data() const { return !inputs.empty() || !outputs.empty(); }

  friend bool operator==(const Payload&, const Payload&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "run", self.run);
    visit(2, "setup", self.setup);
    visit(3, "image", self.image);
    visit(4, "envs", self.envs);
    visit(5, "inputs", self.inputs);
    visit(6, "outputs", self.outputs);
  }
};

// Down: from the home domain to the member. Each may arrive twice and must then have one effect.

/// Whose work it is, in the words of the user: as the domain knows it to which it was submitted.
struct Origin {
  std::string owner;  // The project there; each domain that hosts it adds "@" and its parent.
  JobId job;          // As it is numbered there; so is the attempt.
  std::uint32_t attempt = 0;

  friend bool operator==(const Origin&, const Origin&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "owner", self.owner);
    visit(2, "job", self.job);
    visit(3, "attempt", self.attempt);
  }
};

/// Start one attempt on a confirmed lease.
struct Launch {
  AttemptKey key;
  LeaseId lease;
  std::uint64_t lease_epoch = 0;
  PoolId pool;
  Grant grant;
  std::uint32_t tasks = 1;        // Of the job.
  std::string chip;               // The chip model, "" without accelerators.
  Span run_for;                   // Stop when this has passed since the last renewal; 0 = no limit.
  Span max_duration;              // Of running; 0 = no limit.
  Span grace;                     // Between SIGTERM and SIGKILL.
  std::string checkpoint_signal;  // "USR1"; "" = none.
  Span checkpoint_notice;         // How long before a foreseen stop the signal is sent.
  PayloadId payload;
  std::uint32_t first_task = 0;  // The task learns its rank from first_task + key.task.
  bool is_late = false;  // Nobody knows whether run_for has passed: if it is news, it lapses.
  Origin origin{};
  Workdir workdir{};
  std::string upload{};  // The name of the file that has it.

  static void fields(auto&& visit, auto& self) {
    visit(1, "key", self.key);
    visit(2, "lease", self.lease);
    visit(3, "lease_epoch", self.lease_epoch);
    visit(4, "pool", self.pool);
    visit(5, "grant", self.grant);
    visit(6, "tasks", self.tasks);
    visit(7, "chip", self.chip);
    visit(8, "run_for", self.run_for);
    visit(9, "max_duration", self.max_duration);
    visit(10, "grace", self.grace);
    visit(11, "checkpoint_signal", self.checkpoint_signal);
    visit(12, "checkpoint_notice", self.checkpoint_notice);
    visit(13, "payload", self.payload);
    visit(14, "first_task", self.first_task);
    visit(15, "is_late", self.is_late);
    visit(16, "origin", self.origin);
    visit(17, "workdir", self.workdir);
    visit(18, "upload", self.upload);
  }
};

/// Let an attempt run `run_for` longer, counted from when the member receives this.
struct RenewAttempt {
  AttemptKey key;
  Span run_for;

  static void fields(auto&& visit, auto& self) {
    visit(1, "key", self.key);
    visit(2, "run_for", self.run_for);
  }
};

/// Stop an attempt: checkpoint signal and notice if it has them, SIGTERM, grace, SIGKILL. The
/// member reports `ended` with `why`, also for an attempt that it never saw.
struct StopAttempt {
  AttemptKey key;
  AttemptEnd why = AttemptEnd::cancelled;
  Span grace;

  static void fields(auto&& visit, auto& self) {
    visit(1, "key", self.key);
    visit(2, "why", self.why);
    visit(3, "grace", self.grace);
  }
};

/// The home has durably recorded the end: the member may forget the attempt (its logs stay).
struct ForgetAttempt {
  AttemptKey key;

  static void fields(auto&& visit, auto& self) { visit(1, "key", self.key); }
};

// Up: from the member to the home domain.

/// The latest of one attempt. Repeated until the home acknowledges it with ForgetAttempt or a newer
/// one follows; states only go forward, so a repeated or late one changes nothing.
struct Progress {
  AttemptKey key;
  AttemptState state = AttemptState::none;
  AttemptEnd end = AttemptEnd::none;  // Set exactly when state is `ended`.
  std::int32_t exit_code = 0;         // Of `exited`; 128 + signal otherwise, 0 where it never ran.
  Usage usage;
  std::string reason;    // For people; one sentence or empty.
  bool is_open = false;  // Of `lost`: what it used is told once it is known.

  static void fields(auto&& visit, auto& self) {
    visit(1, "key", self.key);
    visit(2, "state", self.state);
    visit(3, "end", self.end);
    visit(4, "exit_code", self.exit_code);
    visit(5, "usage", self.usage);
    visit(6, "reason", self.reason);
    visit(7, "is_open", self.is_open);
  }
};

}  // namespace suan
