#pragma once

#include <bit>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/time.h"

namespace suan::sim {

/// Whose turn it is: of many that each have something to do at some moment, the first; of equal
/// moments that of the lowest number. A tree of winners: O(log n) for each change.
class Turns {
 public:
  explicit Turns(std::size_t n) : leaves_(std::bit_ceil(n)), first_(2 * leaves_, Turn{never, 0}) {
    for (std::size_t i = 0; i < leaves_; ++i) first_[leaves_ + i].who = i;
    for (std::size_t i = leaves_ - 1; i > 0; --i) first_[i] = winner(i);
  }

  static constexpr Moment never{INT64_MAX};

  void set(std::size_t who, std::optional<Moment> at) {
    std::size_t i = leaves_ + who;
    first_[i].at = at.value_or(never);
    for (i /= 2; i > 0; i /= 2) first_[i] = winner(i);
  }

  /// It has something to do at that moment as well.
  void add(std::size_t who, Moment at) {
    if (at < first_[leaves_ + who].at) set(who, at);
  }

  Moment next() const { return first_[1].at; }
  std::size_t who() const { return first_[1].who; }

 private:
  struct Turn {
    Moment at;
    std::size_t who = 0;
  };
  Turn winner(std::size_t i) const {
    return first_[2 * i + 1].at < first_[2 * i].at ? first_[2 * i + 1] : first_[2 * i];
  }

  std::size_t leaves_;
  std::vector<Turn> first_;
};

}  // namespace suan::sim
