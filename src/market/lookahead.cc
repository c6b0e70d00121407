#include "market/lookahead.h"

namespace suan::market {

std::vector<std::uint32_t> Lookahead::open_now(std::uint32_t most) const {
  std::vector<std::uint32_t> open = nodes_.fitting(pool_, need_, most);
  for (const std::uint32_t node : nodes_.kept_in(pool_.id)) {
    if (open.size() >= most) break;
    if (nodes_.fits_beside_others(pool_, node, *nodes_.find(pool_.id, node), need_))
      open.push_back(node);
  }
  return open;
}

bool Lookahead::end(const Grant& grant) {
  const NodeFree* free = nodes_.find(pool_.id, grant.node);
  if (free == nullptr) return false;  // The pool has shrunk below this node.
  const auto [at, is_new] = thoughts_.try_emplace(grant.node);
  Thought& thought = at->second;
  if (is_new) {
    thought.free = *free;
    thought.is_open = nodes_.fits_beside_others(pool_, grant.node, *free, need_);
  }
  if (thought.is_open) return false;
  Nodes::put_back(thought.free, grant);
  thought.is_open = nodes_.fits_beside_others(pool_, grant.node, thought.free, need_);
  return thought.is_open;
}

}  // namespace suan::market
