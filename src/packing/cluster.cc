#include "packing/cluster.h"

#include <utility>

#include "base/ensure.h"

namespace suan::packing {

namespace {

constexpr std::size_t asks_max = 1024;
constexpr std::size_t changes_max = 8;  // For each node.

}  // namespace

Cluster::Cluster(std::vector<NodeKind> kinds, std::vector<NodeRoom> rooms,
                 std::unique_ptr<Policy> policy)
    : kinds_(std::move(kinds)), rooms_(std::move(rooms)), policy_(std::move(policy)) {
  policy_->begin(kinds_, rooms_);
  if (policy_->judged_max() > 0) shelves_.begin(kinds_, rooms_);
}

void Cluster::judge(Memory& memory, const Ask& ask, std::uint32_t node) {
  const NodeRoom& room = rooms_[node];
  Judged& judged = memory.nodes[node];
  judged.fits = fits(room, kinds_[room.kind], ask);
  if (!judged.fits) return;
  const Fit fit = policy_->judge(node, room, ask);
  judged.score = fit.score;
  judged.card = fit.card;
}

void Cluster::forget() {
  memories_.clear();
  changes_.clear();
}

const Cluster::Memory& Cluster::judge_all(const Ask& ask) {
  if (memories_.size() >= asks_max || changes_.size() >= changes_max * rooms_.size()) forget();
  Memory& memory = memories_[ask];
  const std::uint64_t edition = policy_->edition();
  if (memory.nodes.empty() || memory.edition != edition) {
    memory.nodes.resize(rooms_.size());
    for (std::uint32_t node = 0; node < rooms_.size(); ++node) judge(memory, ask, node);
    memory.edition = edition;
  } else {
    for (std::uint64_t i = memory.seen; i < changes_.size(); ++i) judge(memory, ask, changes_[i]);
  }
  memory.seen = changes_.size();
  return memory;
}

std::optional<Cluster::Choice> Cluster::best_of_all(const Ask& ask) {
  const Memory& memory = judge_all(ask);
  const Judged* best = nullptr;
  for (const Judged& each : memory.nodes) {
    if (each.fits && (best == nullptr || each.score > best->score)) best = &each;
  }
  if (best == nullptr) return std::nullopt;
  return Choice{static_cast<std::uint32_t>(best - memory.nodes.data()), best->card};
}

std::optional<Cluster::Choice> Cluster::best_of_few(const Ask& ask) {
  shelves_.pick(ask, rooms_, policy_->judged_max(), picked_);
  std::optional<Choice> best;
  double best_score = 0;
  for (const std::uint32_t node : picked_) {
    const Fit fit = policy_->judge(node, rooms_[node], ask);
    if (best && (fit.score < best_score || (fit.score == best_score && node > best->node)))
      continue;
    best = Choice{node, fit.card};
    best_score = fit.score;
  }
  return best;
}

std::optional<Placed> Cluster::place(const Ask& ask) {
  policy_->arrived(ask);
  const auto best = policy_->judged_max() > 0 ? best_of_few(ask) : best_of_all(ask);
  if (!best) return std::nullopt;
  Placed placed{.node = best->node, .cards = 0};
  const NodeRoom before = rooms_[placed.node];
  placed.cards = take(rooms_[placed.node], ask, best->card);
  change(placed.node, before);
  return placed;
}

void Cluster::end(const Ask& ask, const Placed& placed) {
  ensure(placed.node < rooms_.size());
  const NodeRoom before = rooms_[placed.node];
  give_back(rooms_[placed.node], ask, placed.cards);
  change(placed.node, before);
}

void Cluster::change(std::uint32_t node, const NodeRoom& before) {
  if (policy_->judged_max() > 0)
    shelves_.changed(node, before, rooms_[node]);
  else
    changes_.push_back(node);
  policy_->changed(before, rooms_[node]);
}

}  // namespace suan::packing
