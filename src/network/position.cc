#include "network/position.h"

#include <algorithm>
#include <cstdlib>

namespace suan::network {

namespace {

__extension__ using Wide = __int128;

constexpr std::int64_t right_angle_micro = 90'000'000;
constexpr unsigned fraction_bits = 60;
constexpr std::int64_t pi_fraction = 3'622'009'729'038'561'421;  // π × 2^60.
constexpr unsigned unit_bits = 30;
constexpr std::int64_t unit = std::int64_t{1} << unit_bits;
constexpr std::int64_t earth_radius_m = 6'371'009;

constexpr std::int64_t times(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>((Wide{a} * b) >> fraction_bits);
}

// The sine of an angle of 0 to 90 degrees, in 2^-60, by its series.
std::int64_t sine_of_quadrant(std::int64_t micro) {
  const auto x = static_cast<std::int64_t>(Wide{micro} * pi_fraction / 180'000'000);
  // x² may be 2.5, which 60 bits of fraction hold as well.
  const std::int64_t square = times(x, x);
  std::int64_t term = x;
  std::int64_t sum = x;
  for (std::int64_t n = 2; term != 0; n += 2) {
    term = -(times(term, square) / (n * (n + 1)));
    sum += term;
  }
  return sum;
}

// Of any angle within ±180 degrees.
std::int64_t sine(std::int64_t micro) {
  const std::int64_t size = std::abs(micro);
  const std::int64_t folded = size > right_angle_micro ? 2 * right_angle_micro - size : size;
  return micro < 0 ? -sine_of_quadrant(folded) : sine_of_quadrant(folded);
}

std::int64_t cosine(std::int64_t micro) {
  return sine(right_angle_micro - std::abs(micro));
}

std::int32_t shortened(std::int64_t fraction) {
  constexpr unsigned cut = fraction_bits - unit_bits;
  return static_cast<std::int32_t>((fraction + (std::int64_t{1} << (cut - 1))) >> cut);
}

// Rounded down.
std::int64_t square_root(std::uint64_t square) {
  std::uint64_t root = 0;
  for (std::uint64_t bit = std::uint64_t{1} << 62U; bit != 0; bit >>= 2U) {
    const bool fits = square >= root + bit;
    if (fits) square -= root + bit;
    root = (root >> 1U) + (fits ? bit : 0);
  }
  return static_cast<std::int64_t>(root);
}

// The angle whose sine this is, both in 2^-30, up to a sine of 0.71: the series needs few terms.
std::int64_t small_angle_of(std::int64_t s) {
  const std::int64_t square = (s * s) >> unit_bits;
  std::int64_t term = s;
  std::int64_t sum = s;
  for (std::int64_t n = 1; term != 0; n += 2) {
    term = ((term * square) >> unit_bits) * n / (n + 1);
    sum += term / (n + 2);
  }
  return sum;
}

}  // namespace

Position position_at(std::int64_t latitude_micro, std::int64_t longitude_micro) {
  const std::int64_t latitude =
      std::clamp<std::int64_t>(latitude_micro, -right_angle_micro, right_angle_micro);
  const std::int64_t longitude =
      std::clamp<std::int64_t>(longitude_micro, -2 * right_angle_micro, 2 * right_angle_micro);
  const std::int64_t across = cosine(latitude);
  return {shortened(times(across, cosine(longitude))), shortened(times(across, sine(longitude))),
          shortened(sine(latitude))};
}

std::int64_t distance_metres(const Position& a, const Position& b) {
  const auto squared = [](std::int32_t one, std::int32_t other) {
    const std::int64_t apart = std::int64_t{one} - other;
    return static_cast<std::uint64_t>(apart * apart);
  };
  // Half the chord is the sine of half the angle.
  const std::uint64_t chord = squared(a.x, b.x) + squared(a.y, b.y) + squared(a.z, b.z);
  const auto square = static_cast<std::int64_t>(chord / 4);  // In 2^-60.
  const std::int64_t rest = unit * unit - square;
  constexpr std::int64_t right_angle = pi_fraction >> (fraction_bits - unit_bits + 1);
  const std::int64_t half_angle =
      square <= rest
          ? small_angle_of(square_root(static_cast<std::uint64_t>(square)))
          : right_angle -
                small_angle_of(square_root(static_cast<std::uint64_t>(std::max(rest, INT64_C(0)))));
  return (half_angle * 2 * earth_radius_m) >> unit_bits;
}

std::int64_t fibre_metres(std::int64_t distance_metres) {
  constexpr std::int64_t near_limit = 1'000'000;
  constexpr std::int64_t far_limit = 1'200'000;
  if (distance_metres < near_limit) return distance_metres * 3 / 2;
  return distance_metres <= far_limit ? 1'500'000 : distance_metres * 5 / 4;
}

Span estimated_round_trip(std::int64_t distance_metres) {
  constexpr std::int64_t metres_in_a_microsecond = 204;
  constexpr Span at_the_ends = microseconds(2 * 100);
  const std::int64_t there_and_back = 2 * fibre_metres(distance_metres);
  const std::int64_t rounded_up =
      (there_and_back + metres_in_a_microsecond - 1) / metres_in_a_microsecond;
  return microseconds(rounded_up) + at_the_ends;
}

}  // namespace suan::network
