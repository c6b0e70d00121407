// What follows from a State for placement: what is free, seen, learnt and of this hour.
#include <algorithm>

#include "domain/state.h"
#include "energy/course.h"

namespace suan::domain {

namespace {

constexpr std::uint32_t tasks_looked_past_max = 8;  // By the summary; else the nodes are asked.

}  // namespace

// Tells placement what is free in a pool, less what has been reserved there and not granted yet.
void State::refresh_free(PoolId id) {
  const Pool& pool = catalogue_.pools().at(id);
  const market::PoolFree free = market_.nodes().free_in(pool);
  const Expected* expected = expected_.find(id);
  const Need less = expected == nullptr ? Need{} : expected->sum;
  const std::uint32_t tasks = expected == nullptr ? 0 : expected->tasks;
  placement::Free shown;
  const auto not_negative = [](std::int64_t n) { return std::max<std::int64_t>(n, 0); };
  shown.cards_milli = not_negative(free.card_milli - less.card_milli);
  shown.cpu_milli = not_negative(free.cpu_milli - less.cpu_milli);
  shown.memory_bytes = not_negative(free.memory_bytes - less.memory_bytes);
  shown.nodes_free = free.nodes_idle - std::min(free.nodes_idle, tasks);
  shown.cards_max = static_cast<std::uint32_t>(
      std::min<std::int64_t>(free.cards_on_a_node, shown.cards_milli / 1000));
  shown.share_max_milli =
      shown.cards_max > 0 ? 1000
                          : std::min<std::int64_t>(free.share_milli_of_a_card, shown.cards_milli);
  shown.cpu_max_milli = std::min(not_negative(free.cpu_milli_on_a_node), shown.cpu_milli);
  shown.memory_max_bytes = std::min(pool.memory_bytes_per_node, shown.memory_bytes);
  if (tasks == 0) {
    shown.widest_cards = free.cards_on_a_node;
    shown.widest_share_milli = free.cards_on_a_node > 0 ? 1000 : 0;
    shown.widest_cpu_milli = shown.roomiest_cpu_milli = free.widest_cpu_milli;
    shown.widest_memory_bytes = shown.roomiest_memory_bytes = free.widest_memory_bytes;
  } else if (tasks <= tasks_looked_past_max) {
    const market::NodeRoom left = market_.nodes().left_after(pool, tasks);
    shown.widest_cards = left.cards;
    shown.widest_share_milli = left.cards > 0 ? 1000 : 0;
    shown.widest_cpu_milli = shown.roomiest_cpu_milli = left.cpu_milli;
    shown.widest_memory_bytes = shown.roomiest_memory_bytes = left.memory_bytes;
  }
  supply_.set_free(id, shown);
}

void State::refresh() {
  if (stale_pools_.size() > 1) {
    std::ranges::sort(stale_pools_);
    const auto repeats = std::ranges::unique(stale_pools_);
    stale_pools_.erase(repeats.begin(), repeats.end());
  }
  for (const PoolId pool : stale_pools_) refresh_free(pool);
  stale_pools_.clear();
}

void State::observe(PoolId id, const PoolReading& reading, Moment at) {
  ensure(stale_pools_.empty());
  market_.observe(catalogue_.pools().at(id), reading.nodes);
  sights_.put(id, {at, reading.queued, reading.is_away});
  supply_.set_reachable(id, !reading.is_away);
  supply_.forget_links(at);
  refresh_free(id);
}

void State::learn(const Events& events) {
  for (const Event& event : events) {
    if (const auto* granted = std::get_if<market::LeaseGranted>(&event))
      market_.learn(catalogue_.pools().at(granted->lease.pool), granted->lease.grant);
  }
}

void State::learn_all() {
  for (const auto& [id, lease] : market_.leases())
    market_.learn(catalogue_.pools().at(lease.pool), lease.grant);
}

void State::observe_link(SiteId from, SiteId to, const Rtt& rtt) {
  const auto& sites = catalogue_.sites();
  if (rtt.p99 <= Span{} || !sites.contains(from) || !sites.contains(to)) return;
  supply_.set_link(from, to, rtt);
  supply_.forget_links(rtt.at);
}

// Tells placement what a pool is, for the price and with the carbon of this hour.
void State::supply_pool(const Pool& pool) {
  const Site& site = catalogue_.sites().at(pool.site);
  supply_.put(energy::at_hour(pool, essence_.hour), energy::at_hour(site, essence_.hour));
}

std::uint32_t ExactNodes::nodes_fitting(PoolId id, const Need& need, std::uint32_t limit) const {
  const Pool& pool = state_.catalogue().pools().at(id);
  return static_cast<std::uint32_t>(state_.market().nodes().fitting(pool, need, limit).size());
}

}  // namespace suan::domain
