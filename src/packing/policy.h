#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "packing/mix.h"
#include "packing/room.h"

namespace suan::packing {

/// How good a node is for a task, and the card that a share would be taken from.
struct Fit {
  double score = 0;  // Higher is better. Never stored: no part of any state.
  std::uint32_t card = 0;
};

/// Judges where tasks should go. One cluster uses it, from one thread.
class Policy {
 public:
  Policy() = default;
  Policy(const Policy&) = delete;
  Policy& operator=(const Policy&) = delete;
  virtual ~Policy() = default;

  /// The cluster, before anything is asked.
  virtual void begin(std::span<const NodeKind>, std::span<const NodeRoom>) {}

  /// A task has come; where it goes is not known yet.
  virtual void arrived(const Ask&) {}

  /// What is free on a node has changed.
  virtual void changed(const NodeRoom& /*before*/, const NodeRoom& /*after*/) {}

  /// The node is one that the task fits.
  virtual Fit judge(std::uint32_t node, const NodeRoom&, const Ask&) const = 0;

  /// What was judged under another edition no longer holds. Under the same one a judgement depends
  /// on nothing but its arguments.
  virtual std::uint64_t edition() const { return 0; }

  /// About how many nodes are judged for a task at the most; 0: all that it fits.
  virtual std::size_t judged_max() const { return 0; }
};

/// What a policy is given before the first task.
struct Knowledge {
  Mix mix;                 // Of everything that will be asked: only `fgd` reads it.
  std::uint64_t seed = 0;  // Of chance: only `random` draws.
};

/// The names of all policies, the best first.
std::span<const std::string_view> policy_names();

/// Null if there is none of that name.
std::unique_ptr<Policy> make_policy(std::string_view name, const Knowledge&);

}  // namespace suan::packing
