#include "domain/shown.h"

#include <set>
#include <utility>

namespace suan::domain {

namespace {

using NodeAt = std::pair<PoolId, std::uint32_t>;

}  // namespace

SupplyOffer offer_to_parents(const State& state) {
  SupplyOffer offer;
  for (const auto& [id, site] : state.catalogue().sites()) offer.sites.push_back(site);
  for (const auto& [id, pool] : state.catalogue().pools()) {
    if (pool.state != ServingState::closed) offer.pools.push_back(pool);
  }
  return offer;
}

std::map<PoolId, PoolReading> readings_for(const State& state, ParentId parent) {
  std::map<NodeAt, NodeReading> held;
  std::map<PoolId, PoolReading> readings;
  for (const auto& [id, pool] : state.catalogue().pools()) {
    if (pool.state == ServingState::closed) continue;
    readings[id].pool = pool.name;
    if (const Sight* sight = state.sight_of(id)) {
      readings[id].queued = sight->queued;
      readings[id].is_away = sight->is_away;
    }
    for (const NodeReading& each : state.market().nodes().others_in(id))
      held[{id, each.node}] = each;
    for (const std::uint32_t node : state.market().nodes().kept_in(id))
      held[{id, node}].takes_work = false;
  }
  std::set<std::pair<NodeAt, std::uint32_t>> cards;  // A card is held however many share it.
  for (const auto& [id, lease] : state.market().leases()) {
    const jobs::Job* job = state.jobs().find(lease.holder.job);
    if (job != nullptr && job->guest && job->guest->parent == parent) continue;
    const NodeAt at{lease.pool, lease.grant.node};
    NodeReading& node = held[at];
    node.cpu_milli += lease.grant.cpu_milli;
    node.memory_bytes += lease.grant.memory_bytes;
    for (const std::uint32_t card : lease.grant.cards)
      node.cards += cards.insert({at, card}).second ? 1U : 0U;
  }
  for (auto& [at, node] : held) {
    const auto reading = readings.find(at.first);
    if (reading == readings.end()) continue;
    node.node = at.second;
    reading->second.nodes.push_back(node);
  }
  return readings;
}

std::map<PoolId, Span> reading_ages(const State& state, Moment now) {
  std::map<PoolId, Span> ages;
  for (const auto& [id, pool] : state.catalogue().pools())
    if (const Sight* sight = state.sight_of(id)) ages[id] = std::max(now - sight->at, Span{});
  return ages;
}

std::set<std::string> uploads_wanted(const State& state) {
  std::set<std::string> names;
  for (const auto& [id, job] : state.jobs().all())
    if (job.spec->workdir.is_given()) names.insert(upload_name(job.user, job.spec->workdir));
  return names;
}

}  // namespace suan::domain
