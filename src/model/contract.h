#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "model/attempt.h"
#include "model/ids.h"
#include "model/reading.h"
#include "model/supply.h"

/// What a domain and a sub-domain of it say to each other: the member contract over a wire, by
/// units (a gang, or one element of an array). The parent is the home of the unit, or stands in for
/// it. Between a cut and the next nothing is lost, repeated or overtaken; after a cut each side
/// says again all that may still be under way, and all of it may have been heard before.
namespace suan {

/// One attempt of a unit, as its home numbers it. A greater attempt of a unit is a later one.
struct UnitAttempt {
  JobId job;
  std::uint32_t unit = 0;
  std::uint32_t attempt = 0;

  friend constexpr auto operator<=>(const UnitAttempt&, const UnitAttempt&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "job", self.job);
    visit(2, "unit", self.unit);
    visit(3, "attempt", self.attempt);
  }
};

// Down.

/// Reserve capacity for a unit; answered by UnitHosted or UnitRefused. What is granted lapses
/// unless it is committed in time.
struct HostUnit {
  UnitAttempt unit;
  PoolId pool;                   // As the member numbers it.
  std::uint32_t tasks = 1;       // Of the gang, each on a node of its own.
  std::uint32_t first_task = 0;  // The number of the first within the job.
  std::uint32_t tasks_in_all = 1;
  std::string name;  // Of the job.
  std::string chip;
  Need need;        // Of each task.
  Money hourly;     // Of each task, as it was offered: by the list price, where there are rates.
  Money allowance;  // What the unit may spend.
  Span grace;
  std::string checkpoint_signal;
  Span checkpoint_notice;
  Origin origin{};
  Workdir workdir{};
  Hourly rates{};  // As they were offered.
  bool is_spot = false;

  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "pool", self.pool);
    visit(3, "tasks", self.tasks);
    visit(4, "first_task", self.first_task);
    visit(5, "tasks_in_all", self.tasks_in_all);
    visit(6, "name", self.name);
    visit(7, "chip", self.chip);
    visit(8, "need", self.need);
    visit(9, "hourly", self.hourly);
    visit(10, "allowance", self.allowance);
    visit(11, "grace", self.grace);
    visit(12, "checkpoint_signal", self.checkpoint_signal);
    visit(13, "checkpoint_notice", self.checkpoint_notice);
    visit(14, "origin", self.origin);
    visit(15, "workdir", self.workdir);
    visit(16, "rates", self.rates);
    visit(17, "is_spot", self.is_spot);
  }
};

/// Keep what a unit that is hosted was granted until it is committed or let go, however long that
/// takes; answered by UnitConfirmed or UnitRefused. For gangs of which other parts are elsewhere.
struct ConfirmUnit {
  UnitAttempt unit;

  static void fields(auto&& visit, auto& self) { visit(1, "unit", self.unit); }
};

/// Launch every task of a unit that is hosted. Its payload travels beside it.
struct CommitUnit {
  UnitAttempt unit;
  Span run_for;          // As in Launch.
  Span max_duration;     // As in Launch.
  PayloadId payload{};   // At home; 0 = none.
  Span lost_after;       // No run_for is longer; 0 = no other attempt is started after it.
  bool is_late = false;  // As in Launch.

  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "run_for", self.run_for);
    visit(3, "max_duration", self.max_duration);
    visit(4, "payload", self.payload);
    visit(5, "lost_after", self.lost_after);
    visit(6, "is_late", self.is_late);
  }
};

/// The unit may run on for `run_for` (0 = no limit) and spend `allowance` in all.
struct RenewUnit {
  UnitAttempt unit;
  Span run_for;
  Money allowance;

  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "run_for", self.run_for);
    visit(3, "allowance", self.allowance);
  }
};

/// One heartbeat for units that run there: each may run on. At most `renewals_max`, each unit once.
struct RenewUnits {
  std::vector<RenewUnit> units;

  static void fields(auto&& visit, auto& self) { visit(1, "units", self.units); }
};
constexpr std::size_t renewals_max = 1000;

struct StopTask {
  UnitAttempt unit;
  std::uint32_t index = 0;  // Within the unit.
  AttemptEnd why = AttemptEnd::cancelled;
  Span grace;

  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "index", self.index);
    visit(3, "why", self.why);
    visit(4, "grace", self.grace);
  }
};

/// The home is done with this attempt: what it still holds is given back, what of it still runs is
/// stopped, and nothing more about it is wanted.
struct LetGo {
  UnitAttempt unit;

  static void fields(auto&& visit, auto& self) { visit(1, "unit", self.unit); }
};

// Up.

/// The capacity is held: one grant for each task, in their order.
struct UnitHosted {
  UnitAttempt unit;
  std::vector<Grant> grants;

  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "grants", self.grants);
  }
};

/// What was granted stays, as ConfirmUnit asked for.
struct UnitConfirmed {
  UnitAttempt unit;

  static void fields(auto&& visit, auto& self) { visit(1, "unit", self.unit); }
};

/// Nothing of the unit runs or will run, and it holds nothing.
struct UnitRefused {
  UnitAttempt unit;
  std::string reason;  // For people; one sentence.

  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "reason", self.reason);
  }
};

/// How far one task of a committed unit is; the key within `progress` means nothing.
struct TaskReport {
  UnitAttempt unit;
  std::uint32_t index = 0;  // Within the unit.
  Progress progress;

  static void fields(auto&& visit, auto& self) {
    visit(1, "unit", self.unit);
    visit(2, "index", self.index);
    visit(3, "progress", self.progress);
  }
};

/// All that the member offers, in place of what it offered before. Ids are the member's.
struct SupplyOffer {
  std::vector<Site> sites;
  std::vector<Pool> pools;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sites", self.sites);
    visit(2, "pools", self.pools);
  }
};

/// What others than the parent hold of a pool; `pool` is the member's number of it.
struct SupplyReading {
  PoolId pool;
  PoolReading reading;
  Span age{};  // When it was said, of what the member knows only by a reading itself; 0 = none.

  static void fields(auto&& visit, auto& self) {
    visit(1, "pool", self.pool);
    visit(2, "reading", self.reading);
    visit(3, "age", self.age);
  }
};

}  // namespace suan
