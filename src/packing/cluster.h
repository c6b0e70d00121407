#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "packing/policy.h"
#include "packing/room.h"
#include "packing/shelves.h"

namespace suan::packing {

/// Where a task is.
struct Placed {
  std::uint32_t node = 0;
  std::uint64_t cards = 0;  // One bit for each.
};

/// The nodes of one cluster, packed by a policy.
///
/// A task that fits somewhere is placed: on the node that the policy judges best, of equals the
/// first. A policy that judges few nodes is shown some that differ. For one that judges all,
/// judgements are kept for each kind of ask and made anew only for nodes that have changed, so that
/// a decision costs one comparison for each node and few judgements. They take at most 24 bytes for
/// each node and each of 1,024 asks; now and then all are forgotten.
class Cluster {
 public:
  Cluster(std::vector<NodeKind>, std::vector<NodeRoom>, std::unique_ptr<Policy>);

  /// Places a task, if it fits anywhere.
  std::optional<Placed> place(const Ask&);

  /// A task that was placed has ended.
  void end(const Ask&, const Placed&);

  std::span<const NodeKind> kinds() const { return kinds_; }
  std::span<const NodeRoom> rooms() const { return rooms_; }

 private:
  struct Judged {
    double score = 0;
    std::uint32_t card = 0;
    bool fits = false;
  };
  struct Memory {
    std::vector<Judged> nodes;
    std::uint64_t edition = 0;
    std::uint64_t seen = 0;  // Of the changes.
  };

  /// A node, and the card for a share.
  struct Choice {
    std::uint32_t node = 0;
    std::uint32_t card = 0;
  };

  std::optional<Choice> best_of_all(const Ask&);
  std::optional<Choice> best_of_few(const Ask&);
  const Memory& judge_all(const Ask&);
  void judge(Memory&, const Ask&, std::uint32_t node);
  void change(std::uint32_t node, const NodeRoom& before);
  void forget();

  std::vector<NodeKind> kinds_;
  std::vector<NodeRoom> rooms_;
  std::unique_ptr<Policy> policy_;
  std::map<Ask, Memory> memories_;
  std::vector<std::uint32_t> changes_;  // Nodes, in the order in which they changed.
  Shelves shelves_;                     // In place of these two where few are judged.
  std::vector<std::uint32_t> picked_;
};

}  // namespace suan::packing
