#pragma once

#include <cstdint>

#include "base/time.h"

/// Where places are, and how long light takes between them. Integers throughout, so that every
/// machine answers alike.
namespace suan::network {

/// A point on the globe as the unit vector to it, in 2^-30: a step of 6 mm.
struct Position {
  std::int32_t x = 0;
  std::int32_t y = 0;
  std::int32_t z = 0;

  friend bool operator==(const Position&, const Position&) = default;
};

/// Of a latitude within ±90 degrees and a longitude within ±180, in millionths of a degree; what
/// lies beyond is taken for the bound.
Position position_at(std::int64_t latitude_micro, std::int64_t longitude_micro);

/// Along the great circle, on a globe of the Earth's mean radius of 6,371,009 m; at most 0.6 % from
/// the distance on the ellipsoid. Symmetrical.
std::int64_t distance_metres(const Position&, const Position&);

/// The fibre between places so far apart: ITU-T G.826 (12/2002) and Y.1541 (12/2011), appendix III,
/// take 1.5 times the air distance below 1,000 km, 1,500 km up to 1,200 km, and 1.25 times beyond.
std::int64_t fibre_metres(std::int64_t distance_metres);

/// What a round trip over that fibre takes where nobody has measured: light goes 204 m in a
/// microsecond (G.652 fibre, group index 1.468 at 1,550 nm), and what stands at the ends takes
/// 100 µs each way, as one station of a transport network does by its makers' rule of thumb. Never
/// less for places that are farther apart.
Span estimated_round_trip(std::int64_t distance_metres);

}  // namespace suan::network
