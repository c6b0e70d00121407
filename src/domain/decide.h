#pragma once

#include <expected>
#include <memory_resource>
#include <vector>

#include "domain/commands.h"
#include "domain/events.h"
#include "domain/refusal.h"
#include "domain/state.h"
#include "placement/rank.h"

namespace suan::domain {

using Decision = std::expected<Events, Refusal>;

/// Decides a command against the present state, which it does not change: the caller applies the
/// events at once, and lets replies and effects leave only when they are durable. `now` is no
/// earlier than state.essence().now. Pure: the same arguments give the same answer on every
/// machine, but for which nodes of a pool are granted where the State has learnt: that rests on
/// floating point. What was granted is recorded, so every replay agrees.
///
/// The events lie in `memory`, which must outlive them.
///
/// A request seen before (see State::find_answer) must be answered from there and not come here.
Decision decide(const State&, const Command&, const Caller&, Moment now,
                std::pmr::memory_resource* memory = std::pmr::get_default_resource());

/// The rules about request ids, before deciding: why this request cannot be taken, or nothing.
std::expected<void, Refusal> check_request(const State&, const Caller&, Moment now);

/// Where the units of a job would go if it were submitted now and nothing waited before it: the
/// first of them or, of a gang that may be spread, all. Empty: it would wait. The cost that the
/// first has is that of the whole job.
std::vector<placement::Candidate> places_now(const State&, const JobSpec&, Moment now);

/// A better hour for a job with a start.window than now, if there is one by its deadline.
std::optional<jobs::PutOff> better_hour(const State&, const JobSpec&, Moment now);

/// Where a job would start now on nodes that are kept for another, if it took no longer than that.
struct Gap {
  PoolId pool;
  JobId owner;
  Moment by;     // When its nodes are to be free.
  Span longest;  // max_duration at most; 0 = nothing is short enough.
};
std::optional<Gap> widest_gap(const State&, const JobSpec&, Moment now);

/// What may be asked of a caller in one place: nullopt-like success, or `forbidden` naming the
/// role.
std::expected<void, Refusal> authorise(const State&, const Caller&, identity::Action,
                                       ProjectId project = {});

}  // namespace suan::domain
