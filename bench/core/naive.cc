#include "naive.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"

namespace suan::bench {

namespace {

constexpr std::size_t journal_bytes_max = 64U << 20U;

}  // namespace

NaiveDomain::NaiveDomain(const std::vector<Pool>& pools) {
  for (const Pool& pool : pools) {
    for (std::uint32_t node = 0; node < pool.nodes; ++node)
      nodes_.push_back({pool.chip, std::int64_t{1000} * pool.cards_per_node,
                        pool.cpu_milli_per_node, pool.price});
  }
}

bool NaiveDomain::find(const JobSpec& spec, Place& best) const {
  bool is_found = false;
  for (const Alternative& wish : spec.alternatives) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
      const Node& node = nodes_[i];
      if (node.chip != wish.chip || node.card_milli < wish.card_milli) continue;
      const Need need{wish.card_milli, wish.card_milli * 24, 0};
      if (node.cpu_milli < need.cpu_milli) continue;
      const Money hourly = hourly_price(node.price, need);
      const bool is_better =
          !is_found || hourly < best.hourly ||
          (hourly == best.hourly && node.card_milli < nodes_[best.node].card_milli);
      if (!is_better) continue;
      best = {i, need, hourly};
      is_found = true;
    }
    if (is_found && spec.is_ordered) break;
  }
  return is_found;
}

std::uint64_t NaiveDomain::submit(std::uint64_t request, const JobSpec& spec) {
  if (const auto known = requests_.find(request); known != requests_.end()) return known->second;
  Place place;
  if (!find(spec, place)) return 0;
  const Span length = spec.max_duration == Span{} ? hours(1) : spec.max_duration;
  const Money held = scale(place.hourly, length.us, hours(1).us);
  balances_[spec.project.value] = balances_[spec.project.value] - held;
  Node& node = nodes_[place.node];
  node.card_milli -= place.need.card_milli;
  node.cpu_milli -= place.need.cpu_milli;
  const std::uint64_t id = ++last_job_;
  jobs_[id] = {spec, place.node, place.need, held};
  requests_[request] = id;
  if (journal_.size() > journal_bytes_max) journal_.clear();
  journal_ += "submit " + std::to_string(id) + " " + spec.name + " node " +
              std::to_string(place.node) + " held " + std::to_string(held.micro) + "\n";
  return id;
}

void NaiveDomain::finish(std::uint64_t id, Span wall) {
  const auto found = jobs_.find(id);
  ensure(found != jobs_.end());
  const Job& job = found->second;
  Node& node = nodes_[job.node];
  node.card_milli += job.need.card_milli;
  node.cpu_milli += job.need.cpu_milli;
  const Money due = scale(hourly_price(node.price, job.need), wall.us, hours(1).us);
  const Money charged = std::min(due, job.held);
  balances_[job.spec.project.value] = balances_[job.spec.project.value] + (job.held - charged);
  journal_ += "finish " + std::to_string(id) + " charged " + std::to_string(charged.micro) + "\n";
  jobs_.erase(found);
}

}  // namespace suan::bench
