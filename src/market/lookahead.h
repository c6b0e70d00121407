#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "market/nodes.h"

namespace suan::market {

/// What would fit on the nodes of a pool if grants there ended one after another. Borrows all it is
/// given; the nodes must not change meanwhile.
class Lookahead {
 public:
  Lookahead(const Nodes& nodes, const Pool& pool, const Need& need)
      : nodes_(nodes), pool_(pool), need_(need) {}

  /// Nodes on which a task fits now, kept ones too: at most so many.
  std::vector<std::uint32_t> open_now(std::uint32_t most) const;

  /// One more grant ends: whether a task fits on its node now, where none did before.
  bool end(const Grant&);

 private:
  struct Thought {
    NodeFree free;
    bool is_open = false;
  };

  const Nodes& nodes_;
  const Pool& pool_;
  const Need& need_;
  std::map<std::uint32_t, Thought> thoughts_;  // Of nodes on which something has ended.
};

}  // namespace suan::market
