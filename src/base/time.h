#pragma once

#include <compare>
#include <cstdint>

namespace suan {

/// A length of time in microseconds. Negative only as a difference.
struct Span {
  std::int64_t us = 0;

  friend constexpr auto operator<=>(const Span&, const Span&) = default;
  friend constexpr Span operator+(Span a, Span b) { return {a.us + b.us}; }
  friend constexpr Span operator-(Span a, Span b) { return {a.us - b.us}; }
  friend constexpr Span operator*(Span a, std::int64_t n) { return {a.us * n}; }
  friend constexpr Span operator/(Span a, std::int64_t n) { return {a.us / n}; }
};

constexpr Span microseconds(std::int64_t n) {
  return {n};
}
constexpr Span milliseconds(std::int64_t n) {
  return {n * 1'000};
}
constexpr Span seconds(std::int64_t n) {
  return {n * 1'000'000};
}
constexpr Span minutes(std::int64_t n) {
  return {n * 60'000'000};
}
constexpr Span hours(std::int64_t n) {
  return {n * 3'600'000'000};
}

/// A point in time: microseconds since 1970-01-01T00:00:00Z. 0 means never set.
struct Moment {
  std::int64_t us = 0;

  friend constexpr auto operator<=>(const Moment&, const Moment&) = default;
  friend constexpr Moment operator+(Moment a, Span b) { return {a.us + b.us}; }
  friend constexpr Moment operator-(Moment a, Span b) { return {a.us - b.us}; }
  friend constexpr Span operator-(Moment a, Moment b) { return {a.us - b.us}; }
};

}  // namespace suan
