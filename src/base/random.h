#pragma once

#include <concepts>
#include <cstdint>

#include "base/ensure.h"

namespace suan {

/// The only source of chance in simulation and property tests: the same numbers from the same seed
/// on every compiler and machine. SplitMix64 (Steele, Lea, Flood, OOPSLA 2014).
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    state_ += 0x9E3779B97F4A7C15U;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30U)) * 0xBF58476D1CE4E5B9U;
    mixed = (mixed ^ (mixed >> 27U)) * 0x94D049BB133111EBU;
    return mixed ^ (mixed >> 31U);
  }

  /// A number in [0, bound); the bias is below bound / 2^64. `bound` is positive.
  template <std::unsigned_integral Number>
  Number below(Number bound) {
    ensure(bound > 0);
    return static_cast<Number>(next() % bound);
  }

  /// A number in [first, last], both included.
  std::int64_t between(std::int64_t first, std::int64_t last) {
    ensure(first <= last);
    return first +
           static_cast<std::int64_t>(next() % (static_cast<std::uint64_t>(last - first) + 1));
  }

  /// True `numerator` times in `denominator`.
  bool chance(std::uint32_t numerator, std::uint32_t denominator) {
    return below(denominator) < numerator;
  }

  /// A generator of its own, so that one consumer drawing more does not change what another draws.
  Random split() { return Random(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace suan
