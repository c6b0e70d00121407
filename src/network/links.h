#pragma once

#include <algorithm>
#include <compare>
#include <cstddef>

#include "base/table.h"
#include "model/ids.h"
#include "model/reading.h"

namespace suan::network {

/// Two sites. A round trip is the same from either end, so their order says nothing.
struct LinkKey {
  SiteId from;
  SiteId to;

  /// The key of both orders.
  static LinkKey between(SiteId a, SiteId b) { return {std::min(a, b), std::max(a, b)}; }
  friend constexpr auto operator<=>(const LinkKey&, const LinkKey&) = default;
};

/// The links between sites that somebody has measured (算网路径). Copying shares what neither side
/// writes. O(log links).
class Links {
 public:
  static constexpr std::size_t links_max = 1'000'000;  // Beyond these a new pair is not kept.

  /// The newest wins.
  void put(SiteId a, SiteId b, const Rtt& rtt) {
    if (table_.size() >= 2 * links_max && !table_.contains({a, b})) return;
    table_.put({a, b}, rtt);  // Both ways, so that the links of a site lie side by side.
    table_.put({b, a}, rtt);
  }

  /// Absent where nobody has measured.
  const Rtt* find(SiteId a, SiteId b) const { return table_.find({a, b}); }
  bool empty() const { return table_.empty(); }

  /// Whether anything was measured from or to a site.
  bool has_any(SiteId site) const {
    const auto at = table_.from({site, SiteId{}});
    return at != table_.end() && at->first.from == site;
  }

 private:
  Table<LinkKey, Rtt> table_;
};

/// How long a round trip takes, as far as that is known.
struct RoundTrip {
  Span time;  // Measured: of 99 in 100 at most. 0 = not known.
  bool is_estimated = false;

  bool is_known() const { return time > Span{}; }
  friend bool operator==(const RoundTrip&, const RoundTrip&) = default;
};

}  // namespace suan::network
