#include "sim/books.h"

#include <algorithm>

namespace suan::sim {

void Objections::raise(std::string_view auditor, std::string text) {
  if (first_) return;
  first_ = Objection{std::string(auditor), "record " + std::to_string(sequence) + ": " + text};
}

bool Objections::check(bool holds, std::string_view auditor, std::string_view text) {
  if (!holds) raise(auditor, std::string(text));
  return holds;
}

std::string print_key(const AttemptKey& key) {
  return "job-" + std::to_string(key.job.value) + " task " + std::to_string(key.task) +
         " attempt " + std::to_string(key.attempt);
}

std::string print_key(const jobs::UnitKey& key) {
  return "job-" + std::to_string(key.job.value) + " unit " + std::to_string(key.unit);
}

// Ground truth.

void GroundTruth::on_started(const Launch& launch) {
  const AttemptKey& key = launch.key;
  objections_.check(allowed_.contains(key), "launch before durable",
                    print_key(key) + " runs and no durable record launched it");
  objections_.check(!ended_.contains(key), "two runs", print_key(key) + " runs a second time");
  const auto [other, is_new] = tasks_.insert({key.task_key(), key});
  objections_.check(is_new, "two runs",
                    print_key(key) + " runs beside " + print_key(other->second));
  running_[key] = launch;
  for (const std::uint32_t card : launch.grant.cards) {
    std::uint32_t& taken = cards_[{launch.pool, {launch.grant.node, card}}];
    taken += launch.grant.card_milli;
    objections_.check(taken <= 1000, "card used twice",
                      print_key(key) + " starts on a card that is in use");
  }
}

void GroundTruth::on_over(const AttemptKey& key, const Progress& progress) {
  ended_[key] = progress;
  const auto found = running_.find(key);
  if (found == running_.end()) return;
  const Launch& launch = found->second;
  for (const std::uint32_t card : launch.grant.cards)
    cards_[{launch.pool, {launch.grant.node, card}}] -= launch.grant.card_milli;
  tasks_.erase(key.task_key());
  running_.erase(found);
}

const Progress* GroundTruth::end_of(const AttemptKey& key) const {
  const auto found = ended_.find(key);
  return found == ended_.end() ? nullptr : &found->second;
}

// Capacity.

const LeaseBook::Kept* LeaseBook::find(LeaseId id) const {
  const auto found = leases_.find(id);
  return found == leases_.end() ? nullptr : &found->second;
}

const Pool* LeaseBook::pool(PoolId id) const {
  const auto found = pools_.find(id);
  return found == pools_.end() ? nullptr : &found->second;
}

void LeaseBook::take(const market::Lease& lease, int sign) {
  Node& node = nodes_[{lease.pool, lease.grant.node}];
  for (const std::uint32_t card : lease.grant.cards)
    node.cards[card] += sign > 0 ? lease.grant.card_milli : 0 - lease.grant.card_milli;
  node.cpu_milli += sign * lease.grant.cpu_milli;
  node.memory_bytes += sign * lease.grant.memory_bytes;
}

void LeaseBook::see(const market::LeaseGranted& event, Moment at) {
  const market::Lease& lease = event.lease;
  const std::string who = print_key(lease.holder);
  const Pool* offered = pool(lease.pool);
  if (!objections_.check(offered != nullptr, "lease", "a lease on no pool for " + who)) return;
  const bool is_open = offered->state == ServingState::production;
  objections_.check(is_open || offered->remote, "closed pool",
                    "a lease on a pool that takes nothing new for " + who);
  objections_.check(lease.epoch > last_epoch_, "lease epoch", "an epoch does not grow for " + who);
  objections_.check(lease.expires > at || (lease.expires == Moment{} && offered->remote), "lease",
                    "a lease is born expired for " + who);
  objections_.check(!leases_.contains(lease.id), "lease", "a lease is granted again to " + who);
  for (const auto& [id, kept] : leases_)
    objections_.check(kept.lease.holder != lease.holder, "lease", who + " has two leases");
  last_epoch_ = lease.epoch;
  if (!nodes_[{lease.pool, lease.grant.node}].cards.empty() && lease.grant.card_milli < 1000 &&
      lease.grant.card_milli > 0 &&
      nodes_[{lease.pool, lease.grant.node}].cards[lease.grant.cards.front()] > 0)
    coverage_.hit(Branch::share_of_used_card);
  take(lease, 1);
  leases_[lease.id] = {lease, false};
  Node& node = nodes_[{lease.pool, lease.grant.node}];
  objections_.check(lease.grant.node < offered->nodes, "capacity", "a node that is not there");
  std::set<std::uint32_t> cards;
  for (const std::uint32_t card : lease.grant.cards) {
    objections_.check(card < offered->cards_per_node, "capacity", "a card that is not there");
    objections_.check(cards.insert(card).second, "capacity", "a card named twice");
    objections_.check(node.cards[card] <= 1000, "card leased twice",
                      "card " + std::to_string(card) + " is promised beyond itself to " + who);
  }
  objections_.check(node.cpu_milli <= offered->cpu_milli_per_node, "cores overcommitted",
                    "the leases of a node have more cores than it, after " + who);
  objections_.check(node.memory_bytes <= offered->memory_bytes_per_node, "memory overcommitted",
                    "the leases of a node have more memory than it, after " + who);
  if (!offered->remote) check_beside_others(lease, *offered);  // Else its member knows better.
}

// A new lease fits beside what others hold, as far as that was known.
void LeaseBook::check_beside_others(const market::Lease& lease, const Pool& offered) {
  const auto others = others_.find({lease.pool, lease.grant.node});
  if (others == others_.end()) return;
  const std::string who = print_key(lease.holder);
  const NodeReading& reading = others->second;
  objections_.check(reading.takes_work, "node down",
                    "a lease on a node that takes nothing new for " + who);
  coverage_.hit(Branch::granted_beside_neighbour);
  const Node& node = nodes_[{lease.pool, lease.grant.node}];
  const auto in_use =
      std::ranges::count_if(node.cards, [](const auto& card) { return card.second > 0; });
  const bool takes_whole = lease.grant.card_milli == 1000;
  objections_.check(!takes_whole || in_use + reading.cards <= offered.cards_per_node,
                    "neighbour's card", "a card that others hold is leased to " + who);
  objections_.check(node.cpu_milli + reading.cpu_milli <= offered.cpu_milli_per_node,
                    "neighbour's cores", "cores that others hold are leased to " + who);
  objections_.check(node.memory_bytes + reading.memory_bytes <= offered.memory_bytes_per_node,
                    "neighbour's memory", "memory that others hold is leased to " + who);
}

void LeaseBook::observe(PoolId pool, const PoolReading& reading) {
  std::erase_if(others_, [&](const auto& each) { return each.first.first == pool; });
  for (const NodeReading& each : reading.nodes) others_[{pool, each.node}] = each;
}

void LeaseBook::see(const market::LeaseConfirmed& event, Moment at) {
  const auto found = leases_.find(event.lease);
  if (!objections_.check(found != leases_.end(), "lease", "an unknown lease is confirmed")) return;
  const std::string who = print_key(found->second.lease.holder);
  objections_.check(!found->second.is_confirmed, "lease", "confirmed twice for " + who);
  const Moment expires = found->second.lease.expires;
  objections_.check(expires > at || expires == Moment{}, "expired lease",
                    "confirmed late for " + who);
  found->second.is_confirmed = true;
}

void LeaseBook::see(const market::LeaseReleased& event, Moment) {
  const auto found = leases_.find(event.lease);
  if (!objections_.check(found != leases_.end(), "lease", "an unknown lease is released")) return;
  const market::Lease lease = found->second.lease;
  objections_.check(!truth_.is_running(lease.holder), "lease released early",
                    print_key(lease.holder) + " still runs on it");
  take(lease, -1);
  leases_.erase(found);
}

void LeaseBook::see(const catalogue::PoolOffered& event) {
  pools_[event.pool.id] = event.pool;
  for (const auto& [id, kept] : leases_) {
    if (kept.lease.pool == event.pool.id && kept.lease.grant.node >= event.pool.nodes)
      coverage_.hit(Branch::capacity_below_leases);
  }
}

void LeaseBook::compare(const domain::State& state) const {
  objections_.check(state.market().leases().size() == leases_.size(), "lease",
                    "the market counts other leases");
  for (const auto& [id, kept] : leases_) {
    const market::Lease* lease = state.market().find_lease(id);
    objections_.check(lease != nullptr && lease->grant == kept.lease.grant &&
                          (lease->state == market::LeaseState::confirmed) == kept.is_confirmed,
                      "lease", "the market has another lease " + std::to_string(id.value));
  }
}

}  // namespace suan::sim
