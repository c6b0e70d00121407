#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "placement/demand.h"
#include "placement/reason.h"
#include "placement/supply.h"

namespace suan::placement {

/// How good a candidate is: less is better, the first difference decides. All terms are integers,
/// so every machine ranks alike, and the pool's id ends all ties.
///
/// | objective | order of the terms |
/// |---|---|
/// | cost | cost, now before later, firm before queued, spare |
/// | finish | now before later, faster cards, cost, firm before queued, spare |
/// | carbon | carbon (unknown last), cost, now before later, firm before queued, spare |
/// | balanced | now before later, cost raised by carbon, cost, firm before queued, spare |
///
/// An ordered wish puts the number of the alternative before all of them. The balanced cost is cost
/// × (1 + g/kWh × PUE / 2000): coal power at 600 g counts 30 % dearer than wind; unknown counts as
/// 600. Spare is what the widest node of the pool keeps beyond the need, in thousandths of a card:
/// the least keeps whole nodes for those who need them. Work without cards spares pools with cards.
struct Score {
  std::uint32_t alternative_first = 0;
  bool later_first = false;
  std::int64_t major = 0;
  std::int64_t cost = 0;
  bool later = false;
  bool queued = false;
  std::int64_t spare_milli = 0;
  std::uint64_t pool = 0;
  std::uint32_t alternative = 0;

  friend constexpr auto operator<=>(const Score&, const Score&) = default;
};

/// A pool that could run the job, by one of its alternatives.
struct Candidate {
  PoolId pool;
  std::uint32_t alternative = 0;    // Index into JobSpec::alternatives.
  Need need;                        // Of one task on one node.
  Money hourly_cost;                // Of the whole job, all tasks.
  Reason waits_for = Reason::none;  // none: it starts now; else a busy one.
  bool is_firm = false;
  std::int64_t carbon = 0;        // g/kWh of the grid × PUE × 1000; 0 = unknown.
  std::int64_t speed = 0;         // Of a node's cards: speed × card_milli; 0 = unknown.
  network::RoundTrip round_trip;  // To the place asked for; not known where none was.
  Score score;

  bool starts_now() const { return waits_for == Reason::none; }
};

using Counts = std::array<std::uint64_t, reason_count>;

/// Answers `find`.
struct Ranking {
  std::uint64_t pools = 0;       // Looked at: all of them.
  std::uint64_t total = 0;       // Candidates: pools that no hard reason rejects.
  std::uint64_t starts_now = 0;  // Of those.
  Counts counts{};  // By Reason: the hard ones add up to pools - total, the busy to total -
                    // starts_now.
  std::vector<Candidate> best;  // Best first, each pool once, by its best alternative: one that
                                // starts now before one that must wait.
};

/// Looks at every pool. Without a NodeView only what the summaries prove starts now.
/// O(pools + total log limit); a pool of another chip costs next to nothing.
Ranking rank(const Supply&, const Demand&, const NodeView*, std::size_t limit);

/// The first of rank() that starts now, without looking at every pool: O(log pools) plus the bounds
/// of the blocks that could matter plus, usually, the rows of a few of them.
std::optional<Candidate> choose(const Supply&, const Demand&, const NodeView*);

/// How one pool would run the job if it had the room, the best alternative first; empty if a hard
/// reason rejects it or its member cannot be reached.
std::vector<Candidate> candidates_in(const Supply&, const Demand&, PoolId);

/// The terms of a score for people, the deciding one first: "cost 18.4 CNY/h", "starts now".
std::vector<std::string> print_score(const Candidate&, const Demand&);

}  // namespace suan::placement
