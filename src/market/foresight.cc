#include "market/foresight.h"

#include <algorithm>
#include <span>

namespace suan::market {

namespace {

constexpr std::uint64_t learn_after = 20;
constexpr std::uint64_t prices_every = 10;
constexpr std::size_t pools_max = 256;  // Forecasts take a third of a megabyte for eight cards.
constexpr std::uint32_t nodes_sampled = 128;
constexpr std::size_t rows_max = 256;  // Asks told apart,
constexpr std::int64_t steps = 128;    // with cores and memory in so many steps of a node's.
constexpr std::uint64_t remembered_max = 4096;  // Then what came long ago counts half.

packing::NodeKind kind_of(const Pool& pool) {
  return {.chip = 0,
          .cards = pool.cards_per_node,
          .cpu_milli = pool.cpu_milli_per_node,
          .memory_bytes = pool.memory_bytes_per_node};
}

std::int64_t rounded(std::int64_t amount, std::int64_t of_node) {
  const std::int64_t step = std::max<std::int64_t>(of_node / steps, 1);
  return (amount + step / 2) / step * step;
}

packing::Ask ask_of(const Pool& pool, const Grant& grant) {
  packing::Ask ask;
  if (grant.card_milli == packing::card_milli)
    ask.cards = static_cast<std::uint32_t>(grant.cards.size());
  else
    ask.share_milli = grant.card_milli;
  ask.cpu_milli = rounded(grant.cpu_milli, pool.cpu_milli_per_node);
  ask.memory_bytes = rounded(grant.memory_bytes, pool.memory_bytes_per_node);
  return ask;
}

}  // namespace

void Foresight::learn(const Pool& pool, const Grant& grant, const Nodes& nodes) {
  if (pool.cards_per_node * pool.nodes < 2) return;
  std::shared_ptr<Known>* slot = known_.edit(pool.id);
  if (slot == nullptr) {
    if (known_.size() == pools_max) return;
    slot = &known_.insert(pool.id, std::make_shared<Known>());
    const packing::NodeKind kind = kind_of(pool);
    (*slot)->large.begin(std::span(&kind, 1), std::span(&pool.nodes, 1));
    (*slot)->node_cpu_milli = static_cast<double>(std::max<std::int64_t>(kind.cpu_milli, 1));
    (*slot)->node_milli = static_cast<double>(kind.cards) * packing::card_milli;
  } else if (slot->use_count() > 1) {
    *slot = std::make_shared<Known>(**slot);
  }
  Known& known = **slot;
  known.mix.add(ask_of(pool, grant));
  if (known.mix.rows().size() > rows_max || known.mix.total() > remembered_max) known.mix.halve();
  if (known.mix.total() == 0) return;
  if (known.come++ == known.learn_at) {
    known.come = 0;
    known.learn_at = std::max(learn_after, known.mix.total() / 2);
    known.forecast = std::make_shared<packing::Forecast>(known.mix, 0, kind_of(pool));
    known.large.learn(known.mix);
  } else if (known.come % prices_every != 0) {
    return;
  }
  const Nodes::Sample sample = nodes.sample(pool, nodes_sampled);
  known.large.count_places([&](const packing::Ask& ask) {
    std::uint32_t places = 0;
    for (const auto& bulk : sample.bulks) places += known.large.places_on(bulk, ask);
    return static_cast<double>(places) * sample.each;
  });
  known.large.set_prices(known.mix, static_cast<double>(nodes.free_milli(pool.id)));
  known.wear = packing::wear(known.mix, known.node_milli * pool.nodes,
                             static_cast<double>(nodes.open_milli(pool.id)));
}

std::optional<packing::Outlook> Foresight::outlook(PoolId id) const {
  const std::shared_ptr<Known>* slot = known_.find(id);
  if (slot == nullptr || (*slot)->forecast == nullptr) return std::nullopt;
  const Known& known = **slot;
  return packing::Outlook{.forecast = known.forecast.get(),
                          .large = &known.large,
                          .wear = known.wear,
                          .card_price = 0,
                          .largest_cpu_milli = known.node_cpu_milli,
                          .largest_milli = known.node_milli};
}

void Foresight::forget(PoolId id) {
  if (known_.contains(id)) known_.erase(id);
}

}  // namespace suan::market
