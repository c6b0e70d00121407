#pragma once

#include <cstdint>
#include <vector>

#include "base/money.h"
#include "base/time.h"
#include "model/hourly.h"
#include "model/ids.h"
#include "model/supply.h"

/// Where work is put, and when: what is recorded of a choice.
namespace suan::jobs {

/// A candidate that was not chosen, as recorded when the choice was made.
struct Runner {
  PoolId pool;
  Money hourly;
  bool starts_now = false;

  static void fields(auto&& visit, auto& self) {
    visit(1, "pool", self.pool);
    visit(2, "hourly", self.hourly);
    visit(3, "starts_now", self.starts_now);
  }
};

/// How many pools a constraint turned down; `reason` is the number of a placement::Reason.
struct Tally {
  std::uint32_t reason = 0;
  std::uint32_t count = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "reason", self.reason);
    visit(2, "count", self.count);
  }
};

/// Where a unit was placed and why there: recorded when it was decided, so `why` can say it later.
struct Placement {
  PoolId pool;
  std::uint32_t alternative = 0;  // Index into spec.alternatives.
  Need need;                      // Of each task.
  Money hourly;                   // Of each task; by the list price, where there are rates.
  Money allowance;                // What the unit may spend, cut from the hold.
  std::uint32_t pools = 0;        // Looked at.
  std::vector<Runner> runners;    // The best of those not chosen.
  std::vector<Tally> rejected;
  Hourly rates{};      // Of the pool, as they were then.
  Moment starts_from;  // With rates: no earlier,
  Moment starts_by;    // and in all likelihood no later; 0 = whenever.

  static void fields(auto&& visit, auto& self) {
    visit(1, "pool", self.pool);
    visit(2, "alternative", self.alternative);
    visit(3, "need", self.need);
    visit(4, "hourly", self.hourly);
    visit(5, "allowance", self.allowance);
    visit(6, "pools", self.pools);
    visit(7, "runners", self.runners);
    visit(8, "rejected", self.rejected);
    visit(9, "rates", self.rates);
    visit(10, "starts_from", self.starts_from);
    visit(11, "starts_by", self.starts_by);
  }
};

/// A better hour for which a unit waits: its start.window.
struct PutOff {
  Moment until;     // 0 = it is not put off.
  PoolId pool;      // The best place then.
  PoolId pool_now;  // The best that could start at once; 0 = none could.
  // What is the least, of a whole run: its cost by the hour in micro-CNY, or g/kWh × PUE × 1000.
  std::int64_t then = 0;
  std::int64_t now = 0;  // 0 = not known.

  static void fields(auto&& visit, auto& self) {
    visit(1, "until", self.until);
    visit(2, "pool", self.pool);
    visit(3, "pool_now", self.pool_now);
    visit(4, "then", self.then);
    visit(5, "now", self.now);
  }
};

}  // namespace suan::jobs
