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
  static constexpr Span lasts = hours(1);              // Since it was measured.

  /// The newest wins.
  void put(SiteId a, SiteId b, const Rtt& rtt) {
    const LinkKey key = LinkKey::between(a, b);
    const Rtt* known = table_.find(key);
    if (known == nullptr && ages_.size() >= links_max) return;
    if (known != nullptr) ages_.erase({known->at, key});
    ages_.put({rtt.at, key}, true);
    table_.put({a, b}, rtt);  // Both ways, so that the links of a site lie side by side.
    table_.put({b, a}, rtt);
  }

  /// It is `now` or later: what was measured too long ago is as if it had never been.
  void forget(Moment now) {
    while (!ages_.empty() && ages_.begin()->first.at + lasts <= now) {
      const Age oldest = ages_.begin()->first;
      const LinkKey key = oldest.key;
      ages_.erase(oldest);
      table_.erase(key);
      if (key.from != key.to) table_.erase({key.to, key.from});
    }
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
  struct Age {
    Moment at;
    LinkKey key;
    friend constexpr auto operator<=>(const Age&, const Age&) = default;
  };

  Table<LinkKey, Rtt> table_;
  Table<Age, bool> ages_;  // The oldest first.
};

/// How long a round trip takes, as far as that is known.
struct RoundTrip {
  Span time;  // Measured: of 99 in 100 at most. 0 = not known.
  bool is_estimated = false;

  bool is_known() const { return time > Span{}; }
  friend bool operator==(const RoundTrip&, const RoundTrip&) = default;
};

}  // namespace suan::network
