// Decides what a sub-domain says: what it offers, and how the units are that it was asked to host.
#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/planted.h"
#include "domain/deciding.h"
#include "domain/gangs.h"
#include "domain/terms.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

constexpr std::size_t sites_max = 10'000;  // Of one member.
constexpr std::size_t pools_max = 100'000;
constexpr std::uint64_t nodes_max = 1'000'000;
constexpr std::size_t name_bytes_max = 255;
constexpr std::int64_t cpu_milli_max = 100'000'000;  // Of a node.
constexpr std::int64_t memory_bytes_max = std::int64_t{1} << 43U;
constexpr Money price_max = yuan(10'000);          // Of a card or core for an hour,
constexpr Money node_price_max = yuan(1'000'000);  // and of all of a node.
constexpr std::size_t reason_bytes_max = 1000;
constexpr Span clocks_differ_max = hours(72);

// A unit that is with this member, in this attempt, and not over; absent if that has passed.
const jobs::Job* job_with(const Deciding& deciding, MemberId member, const UnitAttempt& message) {
  const jobs::Job* job = deciding.state.jobs().find(message.job);
  if (job == nullptr || message.unit >= job->units.size()) return nullptr;
  const jobs::Unit& unit = job->units[message.unit];
  if (unit.attempt != message.attempt && !planted(Bug::old_host_answers_for_new)) return nullptr;
  if (unit.phase == Phase::waiting || unit.phase == Phase::ended) return nullptr;
  if (jobs::is_lost(unit)) return nullptr;  // What else is bound with it has not ended.
  const Pool& pool = deciding.state.catalogue().pools().at(unit.placement.pool);
  return pool.member == member ? job : nullptr;
}

// Whether the grants are what was asked for: on nodes that are there, one each, and on cards that
// nobody else has by the books of this domain.
bool are_sound(const Deciding& deciding, const jobs::Job& job, const jobs::Unit& unit,
               const std::vector<Grant>& grants) {
  if (grants.size() != job.spec->nodes) return false;
  const Pool& pool = deciding.state.catalogue().pools().at(unit.placement.pool);
  std::set<std::uint32_t> nodes;
  const Need& need = unit.placement.need;
  return std::ranges::all_of(grants, [&](const Grant& grant) {
    const auto cards = static_cast<std::int64_t>(grant.cards.size()) * grant.card_milli;
    return nodes.insert(grant.node).second && cards == need.card_milli &&
           grant.cpu_milli == need.cpu_milli && grant.memory_bytes == need.memory_bytes &&
           deciding.state.market().nodes().can_take(pool, grant);
  });
}

Span pause_after(const std::vector<jobs::Mishap>& mishaps) {
  Span pause = refused_pause_min;
  for (auto at = mishaps.rbegin(); at != mishaps.rend(); ++at) {
    if (at->setback != jobs::Setback::refused && at->setback != jobs::Setback::unanswered) break;
    pause = std::min(pause * 2, refused_pause_max);
  }
  return pause;
}

}  // namespace

void take_back(Deciding& deciding, const jobs::Job& job, const UnitKey& key, jobs::Setback setback,
               std::string reason) {
  if (job.guest) return refuse_guest(deciding, job, std::move(reason));
  if (job.is_stopping) {
    give_up_placement(deciding, job, key);
    const jobs::UnitEnded end{
        .unit = key, .end = AttemptEnd::cancelled, .exit_code = 0, .reason = "stopped on request"};
    deciding.emit(end);
    if (job.units_ended + 1 == job.units.size())
      end_job(deciding, job, jobs::Outcome::cancelled, end,
              deciding.state.ledger().holds().at(job.hold).amount);
    return;
  }
  return_unit(deciding, job, key, setback, deciding.now + pause_after(job.units[key.unit].mishaps));
}

namespace {

// Whether a task has been launched and has not ended.
bool is_open(const jobs::Job& job, const UnitAttempt& unit, std::uint32_t index) {
  const Phase phase = job.units[unit.unit].tasks[index].phase;
  return phase == Phase::staging || phase == Phase::running || phase == Phase::stopping;
}

bool has_started(const jobs::Unit& unit) {
  return std::ranges::any_of(unit.tasks, [](const jobs::Task& task) {
    return task.started != Moment{} || task.phase == Phase::ended;
  });
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= name_bytes_max &&
         name.find_first_of("/ \t\r\n") == std::string_view::npos;
}

bool are_stores(const std::vector<std::string>& names) {
  constexpr std::size_t stores_max = 64;
  return names.size() <= stores_max && std::ranges::all_of(names, is_name) &&
         std::ranges::adjacent_find(names, std::greater_equal()) == names.end();
}

// What comes of any of it later, on however many nodes, fits into its type.
bool is_sane(const Pool& pool) {
  const auto within = [](std::int64_t value, std::int64_t most) {
    return value >= 0 && value <= most;
  };
  if (!pool.id || !is_name(pool.name) || pool.chip.size() > name_bytes_max) return false;
  if (!are_stores(pool.stores)) return false;
  if (pool.cards_per_node > 64 || !within(pool.cpu_milli_per_node, cpu_milli_max) ||
      !within(pool.memory_bytes_per_node, memory_bytes_max) || pool.disk_bytes_per_node < 0 ||
      !within(pool.price.card_hour.micro, price_max.micro) ||
      !within(pool.price.core_hour.micro, price_max.micro))
    return false;
  if (!is_sound(pool.rates, rate_max) || pool.spot_milli > 1000) return false;
  const Need whole{std::int64_t{1000} * pool.cards_per_node, pool.cpu_milli_per_node, 0};
  return hourly_price(pool.price, whole) <= node_price_max;
}

Ruling check_offer(const SupplyOffer& offer) {
  if (offer.sites.size() > sites_max || offer.pools.size() > pools_max)
    return refuse(Code::spec_invalid, "a member offers at most 10,000 sites and 100,000 pools");
  std::set<SiteId> sites;
  std::set<std::string_view> names;
  for (const Site& site : offer.sites) {
    if (!is_name(site.name) || !sites.insert(site.id).second || !names.insert(site.name).second)
      return refuse(Code::spec_invalid, "a site is offered twice, or has no proper name");
    if (!is_sound(site.carbon_hours, carbon_g_max))
      return refuse(Code::spec_invalid, "the carbon of a site is no value for each hour");
  }
  std::set<std::pair<SiteId, std::string_view>> pools;
  std::uint64_t nodes = 0;
  for (const Pool& pool : offer.pools) {
    nodes += pool.nodes;
    if (!is_sane(pool) || !sites.contains(pool.site) ||
        !pools.insert({pool.site, pool.name}).second)
      return refuse(Code::spec_invalid, "a pool is offered twice, or is out of range");
  }
  if (nodes > nodes_max)
    return refuse(Code::spec_invalid, "a member offers at most 1,000,000 nodes");
  return {};
}

}  // namespace

Ruling decide_one(Deciding& deciding, const OfferSupply& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_supply));
  SUAN_CHECK(check_offer(command.offer));
  const identity::Joiner* joiner = deciding.state.identity().find_joiner(command.member);
  if (joiner != nullptr && joiner->state != identity::JoinState::approved &&
      !planted(Bug::unapproved_offer_taken))
    return refuse(Code::forbidden, "this domain has not been approved as a member here");
  const catalogue::Catalogue& catalogue = deciding.state.catalogue();
  const Counters& last = deciding.state.essence().last;
  const catalogue::Member* known = catalogue.find_member(command.member);
  if (known != nullptr && known->kind != catalogue::MemberKind::domain)
    return refuse(Code::name_taken, "an engine of this domain has that name", "/member");
  catalogue::Member member = known != nullptr ? *known : catalogue::Member{};
  if (known == nullptr) {
    member.id = MemberId{last.member + 1};
    member.name = command.member;
    member.kind = catalogue::MemberKind::domain;
    member.owner =
        deciding.state.identity().users().at(deciding.caller.principal.user).organisation;
    member.incarnation = 1;
    deciding.emit(catalogue::MemberStarted{member});
  }
  std::uint64_t last_site = last.site;
  std::uint64_t last_pool = last.pool;
  std::set<PoolId> offered;
  std::multimap<SiteId, const Pool*> pools;
  for (const Pool& each : command.offer.pools) pools.emplace(each.site, &each);
  for (const Site& each : command.offer.sites) begin_first_hour(deciding, each.carbon_hours);
  for (const Pool& each : command.offer.pools) begin_first_hour(deciding, each.rates);
  for (const Site& theirs : command.offer.sites) {
    Site site = theirs;
    site.name = command.member + "." + theirs.name;
    const Site* known_site = catalogue.find_site(site.name);
    site.id = known_site != nullptr ? known_site->id : SiteId{++last_site};
    if (known_site == nullptr || *known_site != site) deciding.emit(catalogue::SiteDescribed{site});
    const auto [first, end] = pools.equal_range(theirs.id);
    for (auto each = first; each != end; ++each) {
      Pool pool = *each->second;
      pool.site = site.id;
      pool.member = member.id;
      pool.remote = each->second->id;
      const Pool* known_pool =
          known_site != nullptr ? catalogue.find_pool(site.id, pool.name) : nullptr;
      pool.id = known_pool != nullptr ? known_pool->id : PoolId{++last_pool};
      offered.insert(pool.id);
      if (known_pool == nullptr || *known_pool != pool) deciding.emit(catalogue::PoolOffered{pool});
    }
  }
  for (const auto& [id, pool] : catalogue.pools()) {
    if (pool.member != member.id || offered.contains(id) || pool.state == ServingState::closed)
      continue;
    Pool closed = pool;
    closed.state = ServingState::closed;
    deciding.emit(catalogue::PoolOffered{closed});
  }
  if (deciding.events.empty()) return nothing_new();
  return {};
}

Ruling decide_one(Deciding& deciding, const FromMember<UnitHosted>& command) {
  const UnitAttempt& message = command.message.unit;
  const jobs::Job* job = job_with(deciding, command.member, message);
  if (job == nullptr) {
    // Of one that was given up the member has not heard that it may launch it, and will not.
    if (close_unstarted(deciding, command.member, message)) return {};
    return stale();
  }
  const UnitKey key{message.job, message.unit};
  const jobs::Unit& unit = job->units[message.unit];
  if (unit.phase != Phase::reserving) return nothing_new();
  if (!are_sound(deciding, *job, unit, command.message.grants)) {
    take_back(deciding, *job, key, jobs::Setback::refused,
              "what was granted is not what was asked for");
    return {};
  }
  jobs::UnitGranted granted{key, {}};
  const Counters& last = deciding.state.essence().last;
  for (std::uint32_t t = 0; t < job->spec->nodes; ++t) {
    const LeaseId id{last.lease + 1 + t};
    // A guest may be given up until its home commits it; whatever is at home here is committed at
    // once, and is the member's to end from then on.
    const Moment expires = job->guest ? deciding.now + tentative_lease_lasts : Moment{};
    deciding.emit(market::LeaseGranted{
        {.id = id,
         .epoch = last.lease_epoch + 1 + t,
         .pool = unit.placement.pool,
         .holder = {job->id, jobs::task_number(*job->spec, key.unit, t), unit.attempt},
         .grant = command.message.grants[t],
         .state = market::LeaseState::tentative,
         .expires = expires}});
    granted.leases.push_back(id);
  }
  const std::vector<LeaseId> leases = granted.leases;
  deciding.emit(std::move(granted));
  // A gang that is spread is kept first, once all of it is granted.
  if (job->guest || job->spec->is_spread()) return {};
  for (const LeaseId lease : leases) deciding.emit(market::LeaseConfirmed{lease});
  deciding.emit(launch_terms(deciding, *job, key));
  return {};
}

Ruling decide_one(Deciding& deciding, const FromMember<UnitConfirmed>& command) {
  const UnitAttempt& message = command.message.unit;
  const jobs::Job* job = job_with(deciding, command.member, message);
  if (job == nullptr) return stale();
  const jobs::Unit& unit = job->units[message.unit];
  if (unit.phase != Phase::confirming || is_kept(deciding.state, unit)) return nothing_new();
  if (job->guest) {
    if (job->guest->keeping != jobs::Keeping::asked) return nothing_new();
    keep_leases(deciding, unit);
    deciding.emit(jobs::GuestKept{job->id, true});
  } else if (job->spec->is_spread()) {
    keep_part(deciding, *job, {message.job, message.unit});
  } else {
    return nothing_new();
  }
  return {};
}

Ruling decide_one(Deciding& deciding, const FromMember<UnitRefused>& command) {
  const UnitAttempt& message = command.message.unit;
  const jobs::Job* job = job_with(deciding, command.member, message);
  if (job == nullptr) {
    if (close_unstarted(deciding, command.member, message)) return {};
    return stale();
  }
  if (has_started(job->units[message.unit]) || command.message.reason.size() > reason_bytes_max)
    return nothing_new();
  if (job->spec->is_spread() && is_live(job->units[message.unit])) {
    // Others of its gang may run; it is tried again whatever the user says of that.
    Progress progress;
    progress.key = {job->id, jobs::task_number(*job->spec, message.unit, 0), message.attempt};
    progress.state = AttemptState::ended;
    progress.end = AttemptEnd::displaced;
    progress.reason = command.message.reason;
    return decide_one(deciding, Report{progress});
  }
  take_back(deciding, *job, {message.job, message.unit}, jobs::Setback::refused,
            command.message.reason);
  return {};
}

Ruling decide_one(Deciding& deciding, const FromMember<TaskReport>& command) {
  const UnitAttempt& unit = command.message.unit;
  const jobs::Job* job = deciding.state.jobs().find(unit.job);
  if (job == nullptr || unit.unit >= job->units.size()) return stale();
  Progress progress = command.message.progress;
  if (command.message.index >= job->spec->nodes || progress.reason.size() > reason_bytes_max)
    return nothing_new();
  // It ran here at the earliest when it was submitted, however far the two clocks are apart.
  const Span most = deciding.now - job->submitted + clocks_differ_max;
  progress.usage.wall = std::clamp(progress.usage.wall, Span{}, most);
  progress.usage.priced = std::max(progress.usage.priced, Span{});
  progress.usage.cpu = std::max(progress.usage.cpu, Span{});
  progress.usage.memory_peak_bytes = std::max<std::int64_t>(progress.usage.memory_peak_bytes, 0);
  progress.key = {job->id, jobs::task_number(*job->spec, unit.unit, command.message.index),
                  unit.attempt};
  if (job_with(deciding, command.member, unit) == nullptr)
    return hear_of_lost(deciding, command.member, unit, command.message.index, progress);
  if (progress.state == AttemptState::ended && progress.end == AttemptEnd::lost &&
      progress.is_open && is_open(*job, unit, command.message.index)) {
    lose_unit(deciding, *job, {unit.job, unit.unit}, progress.reason);
    return {};
  }
  const Ruling ruling = decide_one(deciding, Report{progress});
  // The attempt as a whole is not over: what it has said before changes nothing.
  if (!ruling && ruling.error().code == Code::stale) return nothing_new();
  return ruling;
}

}  // namespace suan::domain
