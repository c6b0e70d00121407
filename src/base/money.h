#pragma once

#include <compare>
#include <cstdint>

#include "base/ensure.h"

namespace suan {

/// An amount of money in millionths of one yuan (CNY). An integer, so that every machine computes
/// the same; an overflow is a bug and aborts.
struct Money {
  std::int64_t micro = 0;

  friend constexpr auto operator<=>(const Money&, const Money&) = default;

  friend constexpr Money operator+(Money a, Money b) {
    Money sum;
    ensure(!__builtin_add_overflow(a.micro, b.micro, &sum.micro));
    return sum;
  }
  friend constexpr Money operator-(Money a, Money b) {
    Money difference;
    ensure(!__builtin_sub_overflow(a.micro, b.micro, &difference.micro));
    return difference;
  }
  friend constexpr Money operator-(Money a) { return Money{} - a; }
};

constexpr Money yuan(std::int64_t n) {
  return {n * 1'000'000};
}

/// price × numerator / denominator, computed in 128 bits and rounded once, half away from zero: the
/// only rounding rule for money. `denominator` is positive; the result fits or the process aborts.
constexpr Money scale(Money price, std::int64_t numerator, std::int64_t denominator) {
  ensure(denominator > 0);
  __extension__ using Wide = __int128;
  const Wide exact = Wide{price.micro} * numerator;
  const Wide half = denominator / 2;
  const Wide rounded = (exact >= 0 ? exact + half : exact - half) / denominator;
  ensure(rounded <= INT64_MAX && rounded >= INT64_MIN);
  return {static_cast<std::int64_t>(rounded)};
}

}  // namespace suan
