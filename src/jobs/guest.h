#pragma once

#include <cstdint>

#include "base/money.h"
#include "base/time.h"
#include "model/attempt.h"
#include "model/contract.h"
#include "model/ids.h"

namespace suan::jobs {

/// How far the home of a guest has gone in keeping its leases: see ConfirmUnit.
enum class Keeping : std::uint8_t { none, asked, done };

/// What a job that runs here for a parent has in addition. Such a job is one unit, and one attempt
/// of it: whatever it comes to, its home decides what next.
struct Guest {
  ParentId parent;
  UnitAttempt home;
  std::uint32_t first_task = 0;
  std::uint32_t tasks_in_all = 1;
  Money allowance;            // Ever received.
  bool is_committed = false;  // It may be launched, or has been.
  bool is_refused = false;    // Nothing of it ran.
  bool is_let_go = false;     // Its home wants to hear no more of it.
  Span lost_after;            // As in CommitUnit.
  Origin origin{};
  Keeping keeping = Keeping::none;

  static void fields(auto&& visit, auto& self) {
    visit(1, "parent", self.parent);
    visit(2, "home", self.home);
    visit(3, "first_task", self.first_task);
    visit(4, "tasks_in_all", self.tasks_in_all);
    visit(5, "allowance", self.allowance);
    visit(6, "is_committed", self.is_committed);
    visit(7, "is_refused", self.is_refused);
    visit(8, "is_let_go", self.is_let_go);
    visit(9, "lost_after", self.lost_after);
    visit(10, "origin", self.origin);
    visit(11, "keeping", self.keeping);
  }
};

}  // namespace suan::jobs
