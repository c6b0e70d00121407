#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "placement/change.h"
#include "placement/rank.h"

namespace suan::placement {

/// How many pools do not start the job now for one reason.
struct Rejection {
  Reason reason = Reason::none;
  std::uint64_t count = 0;
  std::string text;  // For people: "12 pools: another chip than H800-SXM".
};

/// Answers `why` as far as places go; money and time are the caller's.
struct Why {
  std::uint64_t pools = 0;
  std::uint64_t starts_now = 0;     // If more than 0, `changes` is empty: nothing need change.
  std::vector<Rejection> rejected;  // In the order of Reason; counts add up to pools - starts_now.
  std::vector<Change> changes;      // In the order of Field; at most one for each field but `cards`
                                    // and `chip`, which may have one for each alternative.
  bool nothing_helps = false;       // No single change to these fields would let it start now.
};

/// Why the job does not start now, and the smallest changes to one field that would let it.
///
/// Each change is true: with it, choose() finds a place. Each is smallest: the least hourly limit;
/// the most cards, cores (in thousandths), memory and disk (in whole MB), nodes and network tier
/// below what was asked; the fewest parts dropped from the residency; the shortest round trip in
/// whole milliseconds, or the narrowest circle that holds it; among chips, regions and sites the
/// one whose best pool ranks first. Cards stay whole where whole ones were asked. O(pools).
///
/// Of a gang that may be spread pools are judged for one node of it, and the changes are those that
/// let all of it start in one pool.
Why explain(const Supply&, const JobSpec&, const NodeView*);

/// The rejections of a ranking, worded.
std::vector<Rejection> print_counts(const Counts&, const Demand&);

/// A pool that does not start the job now.
struct Refused {
  PoolId pool;
  Reason reason = Reason::none;
};

/// A page of the rejected pools, in order of id, after the pool `after` (none: from the start), at
/// most `limit`; `only` other than none keeps those with that reason.
struct Page {
  PoolId after;
  std::size_t limit = 100;
  Reason only = Reason::none;
};
std::vector<Refused> list_refused(const Supply&, const Demand&, const NodeView*, const Page&);

}  // namespace suan::placement
