#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "jobs/guest.h"
#include "jobs/placement.h"
#include "model/attempt.h"
#include "model/contract.h"
#include "model/ids.h"
#include "model/spec.h"

/// Work: jobs, their units and tasks, and the events of their lives. The home domain's end of the
/// contract.
namespace suan::jobs {

/// Where a unit or a task is on its way. A unit is what is placed together: the gang, or one
/// element.
enum class Phase : std::uint8_t {
  waiting,     // In the queue, or before not_before.
  reserving,   // A member has been asked for leases.
  confirming,  // All leases are granted; their confirmation is under way.
  staging,     // Launched; the member has not said that it runs.
  running,
  stopping,  // Asked to stop; the member has not said that it ended.
  ended,
};

struct Task {
  Phase phase = Phase::waiting;
  LeaseId lease;
  Moment started;  // Of the latest attempt.
  Moment ended;
  AttemptEnd end = AttemptEnd::none;
  std::int32_t exit_code = 0;
  Usage usage;
  Money cost;  // Of all attempts.
  std::string reason;

  static void fields(auto&& visit, auto& self) {
    visit(1, "phase", self.phase);
    visit(2, "lease", self.lease);
    visit(3, "started", self.started);
    visit(4, "ended", self.ended);
    visit(5, "end", self.end);
    visit(6, "exit_code", self.exit_code);
    visit(7, "usage", self.usage);
    visit(8, "cost", self.cost);
    visit(9, "reason", self.reason);
  }
};

/// Why a placement came to nothing.
enum class Setback : std::uint8_t {
  none,
  capacity_taken,  // Somebody else got it first.
  pool_closed,     // The pool takes nothing new.
  lease_expired,   // Not confirmed in time.
  interrupted,     // The member stopped it; it is tried again.
  site_lost,       // The member lost it; it is tried again.
  refused,         // The member could not take it after all.
  unanswered,      // The member could not be reached, and had not said that it would take it.
  cut_off,         // The member could not be reached for too long; it is tried again.
  preempted,       // Other work needed its place; it is tried again.
};

struct Mishap {
  Moment at;
  Setback setback = Setback::none;
  PoolId pool;

  static void fields(auto&& visit, auto& self) {
    visit(1, "at", self.at);
    visit(2, "setback", self.setback);
    visit(3, "pool", self.pool);
  }
};

/// An attempt that was given up because its member could not be reached for so long that it must
/// have stopped by itself. What it used is charged once the member tells.
struct LostAttempt {
  std::uint32_t attempt = 0;
  PoolId pool;
  Money hourly;                     // Of each task.
  HoldId hold;                      // Set aside for what it used; 0 = it costs nothing.
  Moment until;                     // Nobody waits longer for its member to tell.
  std::vector<std::uint32_t> open;  // The tasks, by their place in the unit, of which it has not.
  Hourly rates{};                   // As in Placement.

  static void fields(auto&& visit, auto& self) {
    visit(1, "attempt", self.attempt);
    visit(2, "pool", self.pool);
    visit(3, "hourly", self.hourly);
    visit(4, "hold", self.hold);
    visit(5, "until", self.until);
    visit(6, "open", self.open);
    visit(7, "rates", self.rates);
  }
};

/// Nodes of a pool that are kept for a unit that waits, so that smaller work does not pass it by
/// for ever: only what ends before `by`, or comes before it in the queue, is granted anything
/// there.
struct Promise {
  PoolId pool;                       // 0 = nothing is kept.
  std::vector<std::uint32_t> nodes;  // Ascending, one for each of its tasks.
  Moment by;                         // When the last of them is to be free.
  bool is_bound = false;  // All that runs there must end by then; else some of it has no limit and
                          // is taken to run as long again as it has.

  static void fields(auto&& visit, auto& self) {
    visit(1, "pool", self.pool);
    visit(2, "nodes", self.nodes);
    visit(3, "by", self.by);
    visit(4, "is_bound", self.is_bound);
  }
};

struct Unit {
  Phase phase = Phase::waiting;
  std::uint32_t attempt = 0;  // Of every task in it; 0 before the first placement.
  bool is_queued = false;     // Waiting, and its time to be placed has come.
  Placement placement;        // Of the latest attempt.
  Money allowance;            // Ever, for this attempt.
  Money allowance_left;
  Span run_for;       // What the member was last given; 0 = no limit.
  Moment paid_until;  // Of a rolling hold.
  Moment timer;       // When it next wants attention; 0 = never.
  std::vector<Task> tasks;
  std::vector<Mishap> mishaps;  // The latest few.
  Moment launched;              // Of the latest attempt.
  std::vector<LostAttempt> lost;
  Promise promise;    // Of one that waits, or whose placement on those nodes is not granted yet.
  PutOff put_off;     // Of one that waits.
  Moment cleared_by;  // Of one that waits: when spot work is to have left it a place.

  static void fields(auto&& visit, auto& self) {
    visit(1, "phase", self.phase);
    visit(2, "attempt", self.attempt);
    visit(3, "is_queued", self.is_queued);
    visit(4, "placement", self.placement);
    visit(5, "allowance_left", self.allowance_left);
    visit(6, "run_for", self.run_for);
    visit(7, "paid_until", self.paid_until);
    visit(8, "timer", self.timer);
    visit(9, "tasks", self.tasks);
    visit(10, "mishaps", self.mishaps);
    visit(11, "allowance", self.allowance);
    visit(12, "launched", self.launched);
    visit(13, "lost", self.lost);
    visit(14, "promise", self.promise);
    visit(15, "put_off", self.put_off);
    visit(16, "cleared_by", self.cleared_by);
  }
};

enum class Outcome : std::uint8_t { none, finished, failed, cancelled };

struct Job {
  JobId id;
  UserId user;
  HoldId hold;
  std::shared_ptr<const JobSpec> spec;
  Moment submitted;
  Moment started;  // Of its first task.
  Moment ended;
  Outcome outcome = Outcome::none;
  std::int32_t exit_code = 0;  // Of the first task that failed.
  std::string reason;
  Money held;  // Set aside at submission; what the ledger has now may differ.
  Money cost;
  bool is_rolling = false;   // No budget, no max_duration: the hold is renewed by the hour.
  bool is_stopping = false;  // Somebody asked for it.
  std::uint32_t units_ended = 0;
  std::uint32_t units_failed = 0;
  std::uint64_t sequence = 0;  // Of the last record about it.
  std::vector<Unit> units;
  std::shared_ptr<const Guest> guest;  // Absent: the job is at home here.
  Money owed;                   // Set aside in other holds for attempts that were lost, or spent.
  std::uint32_t lost_open = 0;  // Lost attempts whose members have not told all.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "user", self.user);
    visit(3, "hold", self.hold);
    visit(4, "spec", self.spec);
    visit(5, "submitted", self.submitted);
    visit(6, "started", self.started);
    visit(7, "ended", self.ended);
    visit(8, "outcome", self.outcome);
    visit(9, "exit_code", self.exit_code);
    visit(10, "reason", self.reason);
    visit(11, "held", self.held);
    visit(12, "cost", self.cost);
    visit(13, "is_rolling", self.is_rolling);
    visit(14, "is_stopping", self.is_stopping);
    visit(15, "units_ended", self.units_ended);
    visit(16, "units_failed", self.units_failed);
    visit(17, "sequence", self.sequence);
    visit(18, "units", self.units);
    visit(19, "guest", self.guest);
    visit(20, "owed", self.owed);
    visit(21, "lost_open", self.lost_open);
  }
};

/// One placement unit of a job.
struct UnitKey {
  JobId job;
  std::uint32_t unit = 0;

  friend constexpr auto operator<=>(const UnitKey&, const UnitKey&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "unit", self.unit);
  }
};

// Events.

struct JobSubmitted {
  static constexpr std::uint32_t code = 40;
  static constexpr const char* name = "job_submitted";
  JobId job;
  UserId user;
  HoldId hold;
  std::shared_ptr<const JobSpec> spec;
  Money held;
  bool is_rolling = false;
  std::uint32_t payloads = 0;  // Sealed blobs: ids from spec->payload on.
  std::shared_ptr<const Guest> guest{};
  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "user", self.user);
    visit(3, "hold", self.hold);
    visit(4, "spec", self.spec);
    visit(5, "held", self.held);
    visit(6, "is_rolling", self.is_rolling);
    visit(7, "payloads", self.payloads);
    visit(8, "guest", self.guest);
  }
};

/// The moment before which it must not start has come: the unit joins the queue.
struct UnitQueued {
  static constexpr std::uint32_t code = 41;
  static constexpr const char* name = "unit_queued";
  UnitKey unit;
  static void fields(auto&& visit, auto& self) { visit(1, "unit", self.unit); }
};

/// Nodes are kept for a unit that waits, in place of what was kept for it, and of what was kept in
/// that pool for a unit behind it; or, with an empty promise, nothing is any longer.
struct UnitPromised {
  static constexpr std::uint32_t code = 64;
  static constexpr const char* name = "unit_promised";
  UnitKey unit;
  Promise promise;
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "promise", self.promise);
  }
};

/// A unit that waits is put off until a better hour: it is in no line before.
struct UnitPutOff {
  static constexpr std::uint32_t code = 65;
  static constexpr const char* name = "unit_put_off";
  UnitKey unit;
  PutOff put_off;
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "put_off", self.put_off);
  }
};

/// Spot work is stopped so that a unit that waits finds a place in that pool.
struct PlaceCleared {
  static constexpr std::uint32_t code = 66;
  static constexpr const char* name = "place_cleared";
  UnitKey unit;
  PoolId pool;
  Moment by;  // When it is to be free.
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "pool", self.pool);
    visit(3, "by", self.by);
  }
};

struct UnitPlaced {
  static constexpr std::uint32_t code = 42;
  static constexpr const char* name = "unit_placed";
  UnitKey unit;
  std::uint32_t attempt = 0;
  Placement placement;
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "attempt", self.attempt);
    visit(3, "placement", self.placement);
  }
};

/// All leases of the unit are granted, in the order of its tasks.
struct UnitGranted {
  static constexpr std::uint32_t code = 43;
  static constexpr const char* name = "unit_granted";
  UnitKey unit;
  std::vector<LeaseId> leases;
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "leases", self.leases);
  }
};

/// The placement came to nothing: the unit is in the queue again, at its old place, or will be at
/// `queue_at`.
struct UnitReturned {
  static constexpr std::uint32_t code = 44;
  static constexpr const char* name = "unit_returned";
  UnitKey unit;
  Setback setback = Setback::none;
  Moment queue_at = {};  // 0 = now.
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "setback", self.setback);
    visit(3, "queue_at", self.queue_at);
  }
};

/// All leases are confirmed: every task of the unit is launched.
struct UnitLaunched {
  static constexpr std::uint32_t code = 45;
  static constexpr const char* name = "unit_launched";
  UnitKey unit;
  Span run_for;
  Span max_duration;  // What the money and the spec allow, whichever is less; 0 = no limit.
  Moment paid_until;  // Of a rolling hold.
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "run_for", self.run_for);
    visit(3, "max_duration", self.max_duration);
    visit(4, "paid_until", self.paid_until);
  }
};

/// The unit may run longer: sent to the member as a renewal of every task in it.
struct UnitRenewed {
  static constexpr std::uint32_t code = 46;
  static constexpr const char* name = "unit_renewed";
  UnitKey unit;
  Span run_for;
  Moment paid_until;
  Money allowance;  // Added to what the unit may spend.
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "run_for", self.run_for);
    visit(3, "paid_until", self.paid_until);
    visit(4, "allowance", self.allowance);
  }
};

struct TaskStarted {
  static constexpr std::uint32_t code = 47;
  static constexpr const char* name = "task_started";
  AttemptKey key;
  static void fields(auto&& visit, auto& self) { visit(1, "key", self.key); }
};

/// The member was asked to stop the attempt.
struct TaskStopping {
  static constexpr std::uint32_t code = 48;
  static constexpr const char* name = "task_stopping";
  AttemptKey key;
  AttemptEnd why = AttemptEnd::cancelled;
  static void fields(auto&& visit, auto& self) {
    visit(1, "key", self.key);
    visit(2, "why", self.why);
  }
};

struct TaskEnded {
  static constexpr std::uint32_t code = 49;
  static constexpr const char* name = "task_ended";
  AttemptKey key;
  AttemptEnd end = AttemptEnd::none;
  std::int32_t exit_code = 0;
  Usage usage;
  Money cost;  // Charged to the project.
  std::string reason;
  static void fields(auto&& visit, auto& self) {
    visit(1, "key", self.key);
    visit(2, "end", self.end);
    visit(3, "exit_code", self.exit_code);
    visit(4, "usage", self.usage);
    visit(5, "cost", self.cost);
    visit(6, "reason", self.reason);
  }
};

/// The unit's attempt is given up: all of its tasks that had not ended count as ended now, `lost`,
/// and cost nothing yet. What follows for the unit is said after this.
struct AttemptLost {
  static constexpr std::uint32_t code = 57;
  static constexpr const char* name = "attempt_lost";
  UnitKey unit;
  LostAttempt lost;
  Money set_aside;  // In the hold of `lost`.
  std::string reason;
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "lost", self.lost);
    visit(3, "set_aside", self.set_aside);
    visit(4, "reason", self.reason);
  }
};

/// The member of a lost attempt has told how one task of it ended.
struct LostTaskTold {
  static constexpr std::uint32_t code = 58;
  static constexpr const char* name = "lost_task_told";
  AttemptKey key;
  AttemptEnd end = AttemptEnd::none;
  std::int32_t exit_code = 0;
  Usage usage;
  Money cost;  // Charged to the project.
  static void fields(auto&& visit, auto& self) {
    visit(1, "key", self.key);
    visit(2, "end", self.end);
    visit(3, "exit_code", self.exit_code);
    visit(4, "usage", self.usage);
    visit(5, "cost", self.cost);
  }
};

/// All is told of a lost attempt, or nobody waits for it any longer.
struct LostAttemptClosed {
  static constexpr std::uint32_t code = 59;
  static constexpr const char* name = "lost_attempt_closed";
  UnitKey unit;
  std::uint32_t attempt = 0;
  PoolId pool;
  Money returned;  // Of what was set aside.
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "attempt", self.attempt);
    visit(3, "pool", self.pool);
    visit(4, "returned", self.returned);
  }
};

/// Somebody asked for the whole job to stop.
struct JobStopping {
  static constexpr std::uint32_t code = 53;
  static constexpr const char* name = "job_stopping";
  JobId job;
  UserId by;
  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "by", self.by);
  }
};

/// Every task of the unit has ended and it will not be tried again, or it never started. `end`,
/// `exit_code` and `reason` are those of its first task that did not end well.
struct UnitEnded {
  static constexpr std::uint32_t code = 50;
  static constexpr const char* name = "unit_ended";
  UnitKey unit;
  AttemptEnd end = AttemptEnd::none;
  std::int32_t exit_code = 0;
  std::string reason;
  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "end", self.end);
    visit(3, "exit_code", self.exit_code);
    visit(4, "reason", self.reason);
  }
};

struct JobEnded {
  static constexpr std::uint32_t code = 51;
  static constexpr const char* name = "job_ended";
  JobId job;
  Outcome outcome = Outcome::none;
  std::int32_t exit_code = 0;
  std::string reason;
  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "outcome", self.outcome);
    visit(3, "exit_code", self.exit_code);
    visit(4, "reason", self.reason);
  }
};

/// The job leaves hot state; it stays in the journal and the projection. Its payloads are
/// destroyed.
struct JobEvicted {
  static constexpr std::uint32_t code = 52;
  static constexpr const char* name = "job_evicted";
  JobId job;
  PayloadId first_payload;
  std::uint32_t payloads = 0;
  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "first_payload", self.first_payload);
    visit(3, "payloads", self.payloads);
  }
};

/// The home of a guest says that it may be launched.
struct GuestCommitted {
  static constexpr std::uint32_t code = 54;
  static constexpr const char* name = "guest_committed";
  JobId job;
  Span max_duration;
  PayloadId payload;           // 0 = none.
  std::uint32_t payloads = 0;  // Sealed blobs: 1 if it has one.
  Span lost_after;             // As in CommitUnit.
  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "max_duration", self.max_duration);
    visit(3, "payload", self.payload);
    visit(4, "payloads", self.payloads);
    visit(5, "lost_after", self.lost_after);
  }
};

/// The home of a guest wants its leases kept; `is_done` once they are.
struct GuestKept {
  static constexpr std::uint32_t code = 63;
  static constexpr const char* name = "guest_kept";
  JobId job;
  bool is_done = false;
  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "is_done", self.is_done);
  }
};

/// Nothing of a guest has run, and nothing will.
struct GuestRefused {
  static constexpr std::uint32_t code = 55;
  static constexpr const char* name = "guest_refused";
  JobId job;
  std::string reason;
  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "reason", self.reason);
  }
};

/// The home of a guest is done with it.
struct GuestLetGo {
  static constexpr std::uint32_t code = 56;
  static constexpr const char* name = "guest_let_go";
  JobId job;
  static void fields(auto&& visit, auto& self) { visit(1, "job", self.job); }
};

}  // namespace suan::jobs
