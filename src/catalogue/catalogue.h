#pragma once

#include <string>
#include <string_view>

#include "base/table.h"
#include "catalogue/records.h"

namespace suan::catalogue {

/// The members, sites and pools of one domain. Part of State: no lock, no clock, no I/O.
class Catalogue {
 public:
  const Member* find_member(std::string_view name) const;
  const Site* find_site(std::string_view name) const;

  /// A pool by its site and its name within it.
  const Pool* find_pool(SiteId site, std::string_view name) const;

  /// "site/pool", as people write it.
  std::string pool_name(const Pool&) const;

  const Table<MemberId, Member>& members() const { return members_; }
  const Table<SiteId, Site>& sites() const { return sites_; }
  const Table<PoolId, Pool>& pools() const { return pools_; }

  void apply(const MemberStarted&);
  void apply(const SiteDescribed&);
  void apply(const PoolOffered&);

  static void tables(auto&& visit, auto& self) {
    visit(1, "members", self.members_);
    visit(2, "sites", self.sites_);
    visit(3, "pools", self.pools_);
  }
  void reindex();

 private:
  Table<MemberId, Member> members_;
  Table<SiteId, Site> sites_;
  Table<PoolId, Pool> pools_;

  Table<std::string, MemberId> member_names_;
  Table<std::string, SiteId> site_names_;
  Table<std::string, PoolId> pool_names_;
};

}  // namespace suan::catalogue
