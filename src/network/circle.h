#pragma once

#include "base/time.h"
#include "model/spec.h"

/// Circles of latency (时延圈): how far off a place still counts as near.
namespace suan::network {

/// How long one way takes at most within a circle, by data/circles.csv; `none` has no bound: 0.
Span one_way_max(Circle);

/// The longest round trip that a job allows: twice the one way of its circle or its own bound,
/// whichever is less. 0 = it says nothing, or not from where.
Span round_trip_max(const Where&);

}  // namespace suan::network
