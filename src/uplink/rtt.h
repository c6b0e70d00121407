#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

#include "base/time.h"

namespace suan::uplink {

/// The last round trips of one connection.
class RttWindow {
 public:
  void add(Span rtt) {
    if (rtt <= Span{}) return;
    all_[next_++ % all_.size()] = rtt;
    count_ = std::min(count_ + 1, all_.size());
  }

  /// The smallest that so many of a hundred do not exceed; 0 = there are none yet.
  Span quantile(std::size_t hundredths) const {
    if (count_ == 0) return {};
    std::vector<Span> sorted(all_.begin(), all_.begin() + static_cast<std::ptrdiff_t>(count_));
    std::ranges::sort(sorted);
    return sorted[std::min((count_ * hundredths + 99) / 100, count_) - 1];
  }

 private:
  std::array<Span, 120> all_{};
  std::size_t next_ = 0;
  std::size_t count_ = 0;
};

}  // namespace suan::uplink
