#include "catalogue/catalogue.h"

#include "base/ensure.h"

namespace suan::catalogue {

const Member* Catalogue::find_member(std::string_view name) const {
  const MemberId* id = member_names_.find(std::string(name));
  return id == nullptr ? nullptr : members_.find(*id);
}

const Site* Catalogue::find_site(std::string_view name) const {
  const SiteId* id = site_names_.find(std::string(name));
  return id == nullptr ? nullptr : sites_.find(*id);
}

const Pool* Catalogue::find_pool(SiteId site, std::string_view name) const {
  const PoolId* id = pool_names_.find(sites_.at(site).name + "/" + std::string(name));
  return id == nullptr ? nullptr : pools_.find(*id);
}

std::string Catalogue::pool_name(const Pool& pool) const {
  return sites_.at(pool.site).name + "/" + pool.name;
}

void Catalogue::apply(const MemberStarted& event) {
  members_.put(event.member.id, event.member);
  member_names_.put(event.member.name, event.member.id);
}

void Catalogue::apply(const SiteDescribed& event) {
  sites_.put(event.site.id, event.site);
  site_names_.put(event.site.name, event.site.id);
}

void Catalogue::apply(const PoolOffered& event) {
  ensure(members_.contains(event.pool.member) && event.pool.cards_per_node <= 64);
  pools_.put(event.pool.id, event.pool);
  pool_names_.put(pool_name(event.pool), event.pool.id);
}

void Catalogue::reindex() {
  member_names_ = {};
  site_names_ = {};
  pool_names_ = {};
  for (const auto& [id, member] : members_) member_names_.insert(member.name, id);
  for (const auto& [id, site] : sites_) site_names_.insert(site.name, id);
  for (const auto& [id, pool] : pools_) pool_names_.insert(pool_name(pool), id);
}

}  // namespace suan::catalogue
