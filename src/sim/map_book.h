#pragma once

#include <algorithm>
#include <map>
#include <utility>

#include "model/spec.h"
#include "model/supply.h"
#include "network/links.h"
#include "sim/coverage.h"

namespace suan::sim {

/// Where sites are and how long round trips between them take, as an auditor knows it: in floating
/// point, and without the rooms that work is placed by.
class MapBook {
 public:
  explicit MapBook(Coverage& coverage) : coverage_(coverage) {}

  void see(const Site& site) { sites_[site.id] = site; }

  const Site* site(SiteId id) const {
    const auto found = sites_.find(id);
    return found == sites_.end() ? nullptr : &found->second;
  }

  /// The core has observed something at this moment, or later.
  void pass(Moment at) { latest_ = std::max(latest_, at); }

  /// What the core has taken of a link.
  void observe_link(SiteId from, SiteId to, const Rtt& rtt);

  /// Whether a job that asks to be near somewhere may be placed there.
  bool allows(const Where&, SiteId);

 private:
  const Rtt* measured(const Near&, SiteId) const;

  Coverage& coverage_;
  std::map<SiteId, Site> sites_;
  std::map<std::pair<SiteId, SiteId>, Rtt> links_;
  Moment latest_;  // What was measured an hour before counts no more.
};

}  // namespace suan::sim
