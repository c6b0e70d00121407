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
  SiteId low;
  SiteId high;

  static LinkKey between(SiteId a, SiteId b) { return {std::min(a, b), std::max(a, b)}; }
  friend constexpr auto operator<=>(const LinkKey&, const LinkKey&) = default;
};

/// The links between sites that somebody has measured (算网路径). Copying shares what neither side
/// writes.
class Links {
 public:
  static constexpr std::size_t links_max = 1'000'000;  // Beyond these a new pair is not kept.

  /// The newest wins.
  void put(SiteId a, SiteId b, const Rtt& rtt) {
    const LinkKey key = LinkKey::between(a, b);
    if (table_.size() < links_max || table_.contains(key)) table_.put(key, rtt);
  }

  /// Absent where nobody has measured.
  const Rtt* find(SiteId a, SiteId b) const { return table_.find(LinkKey::between(a, b)); }
  bool empty() const { return table_.empty(); }
  const Table<LinkKey, Rtt>& all() const { return table_; }

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
