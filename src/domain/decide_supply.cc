// Decides about members and what they offer.
#include <algorithm>

#include "base/planted.h"
#include "domain/deciding.h"

namespace suan::domain {

namespace {

constexpr Span starts_within = hours(1);  // Of its placement, where a lease holds the capacity.

// The pool as it will stand in the catalogue, or nothing if it stands so already.
std::optional<Pool> changed(const State& state, Pool offered, SiteId site, MemberId member,
                            std::uint64_t& last) {
  offered.site = site;
  offered.member = member;
  const bool site_is_known = state.catalogue().sites().contains(site);
  const Pool* known = site_is_known ? state.catalogue().find_pool(site, offered.name) : nullptr;
  offered.id = known != nullptr ? known->id : PoolId{++last};
  if (known != nullptr && *known == offered) return std::nullopt;
  return offered;
}

}  // namespace

void note_rates(const Pool& pool, const JobSpec& spec, Moment now, jobs::Placement& placement) {
  if (!pool.rates.is_given()) return;
  placement.rates = pool.rates;
  placement.starts_from = now;
  placement.starts_by = pool.is_firm && !spec.moves_data ? now + starts_within : Moment{};
}

void begin_hour(Deciding& deciding) {
  const catalogue::Catalogue& catalogue = deciding.state.catalogue();
  bool is_any = false;
  for (const auto& [id, site] : catalogue.sites()) is_any = is_any || site.carbon_hours.is_given();
  for (const auto& [id, pool] : catalogue.pools()) is_any = is_any || pool.rates.is_given();
  deciding.emit(catalogue::HourTurned{is_any ? hour_of(deciding.now) : Moment{}});
}

void begin_first_hour(Deciding& deciding, const Hourly& hourly) {
  const bool has_begun = std::ranges::any_of(deciding.events, [](const Event& event) {
    return std::holds_alternative<catalogue::HourTurned>(event);
  });
  if (hourly.is_given() && deciding.state.essence().hour == Moment{} && !has_begun)
    deciding.emit(catalogue::HourTurned{hour_of(deciding.now)});
}

Ruling decide_one(Deciding& deciding, const StartMember& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_supply));
  const catalogue::Catalogue& catalogue = deciding.state.catalogue();
  const Counters& last = deciding.state.essence().last;

  const catalogue::Member* known = catalogue.find_member(command.name);
  catalogue::Member member = known != nullptr ? *known : catalogue::Member{};
  if (known == nullptr) {
    member.id = MemberId{last.member + 1};
    member.name = command.name;
    member.owner =
        deciding.state.identity().users().at(deciding.caller.principal.user).organisation;
  }
  ++member.incarnation;
  member.note = command.note;
  deciding.emit(catalogue::MemberStarted{member});

  const Site* known_site = catalogue.find_site(command.site.name);
  Site site = command.site;
  site.id = known_site != nullptr ? known_site->id : SiteId{last.site + 1};
  site.is_draining = known_site != nullptr && known_site->is_draining;
  const bool is_drained = site.is_draining && !planted(Bug::drained_site_resumed);
  begin_first_hour(deciding, site.carbon_hours);
  for (const Pool& each : command.pools) begin_first_hour(deciding, each.rates);
  if (known_site == nullptr || *known_site != site) deciding.emit(catalogue::SiteDescribed{site});

  std::uint64_t last_pool = last.pool;
  for (Pool offered : command.pools) {
    if (is_drained && offered.state == ServingState::production)
      offered.state = ServingState::draining;
    if (const auto pool = changed(deciding.state, offered, site.id, member.id, last_pool))
      deciding.emit(catalogue::PoolOffered{*pool});
  }
  for (const auto& [id, pool] : catalogue.pools()) {
    const bool is_offered = std::ranges::any_of(command.pools, [&](const Pool& offered) {
      return pool.site == site.id && offered.name == pool.name;
    });
    if (pool.member != member.id || is_offered || pool.state == ServingState::closed) continue;
    Pool closed = pool;
    closed.state = ServingState::closed;
    deciding.emit(catalogue::PoolOffered{closed});
  }
  return {};
}

Ruling decide_one(Deciding& deciding, const DrainSite& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_supply));
  const catalogue::Catalogue& catalogue = deciding.state.catalogue();
  const Site* known = catalogue.find_site(command.name);
  if (known == nullptr)
    return refuse(Code::site_unknown, "there is no site \"" + command.name + "\"", "",
                  nearest_name(command.name, catalogue.sites()));
  std::vector<Pool> pools;
  for (const auto& [id, pool] : catalogue.pools()) {
    if (pool.site == known->id) pools.push_back(pool);
  }
  if (std::ranges::any_of(pools, [](const Pool& pool) { return static_cast<bool>(pool.remote); }))
    return refuse(Code::forbidden, "the site " + known->name +
                                       " is of a domain that has joined this one: drain it there");
  deciding.accept(text_of(known->id));
  if (known->is_draining == command.is_draining) return {};
  Site site = *known;
  site.is_draining = command.is_draining;
  deciding.emit(catalogue::SiteDescribed{site});
  const ServingState from = command.is_draining ? ServingState::production : ServingState::draining;
  for (Pool& pool : pools) {
    if (pool.state != from) continue;
    pool.state = command.is_draining ? ServingState::draining : ServingState::production;
    deciding.emit(catalogue::PoolOffered{pool});
  }
  return {};
}

}  // namespace suan::domain
