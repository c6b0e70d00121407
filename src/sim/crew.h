#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/planted.h"
#include "sim/network.h"

namespace suan::sim {

/// What a run of one seed came to, also when it ended the process.
struct SeedResult {
  Verdict verdict;
  Coverage coverage;
};

/// Seeds for one bug (or none), tried in order.
struct Errand {
  Bug bug = Bug::none;
  std::uint64_t first = 1;
  std::uint64_t count = 1;
  bool twice = true;         // Run each seed twice; the ends must be equal.
  bool until_found = false;  // Stop at the first objection.
};

/// Runs errands in processes of their own, at most `width` at a time, so that an abort, an endless
/// loop or a crash of the simulated domain is the end of one seed only and becomes its objection.
/// Calls `done` for every seed, in no fixed order; false ends everything.
void run_errands(const Scenario&, std::vector<Errand>, unsigned width,
                 Callback<bool(const Errand&, const SeedResult&)> done);

}  // namespace suan::sim
