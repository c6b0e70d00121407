#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "base/random.h"
#include "model/contract.h"
#include "runtime/contract.h"
#include "sim/coverage.h"
#include "sim/turns.h"

namespace suan::sim {

class World;

constexpr Moment never = Turns::never;

/// What travels up beside the answers about units.
using UpMessage =
    std::variant<UnitHosted, UnitConfirmed, UnitRefused, TaskReport, SupplyOffer, SupplyReading>;

/// The connection of a domain to its parent. While it is up, what is said arrives later, once and
/// in order, in each direction by itself; a cut loses what is on its way.
class Line {
 public:
  Line(World& parent, World& child, Random random, Coverage& coverage)
      : parent_(parent),
        child_(child),
        random_(random),
        coverage_(coverage),
        asks_first_(random_.chance(1, 2)) {}

  bool is_up() const { return is_up_; }
  /// Since when all that was said has arrived; `never` if it does not.
  Moment well_since() const;
  /// Grows with every connection and every cut.
  std::uint64_t session() const { return session_; }

  World& parent() const { return parent_; }
  World& child() const { return child_; }

  /// Connects as soon as both ends can talk, now or later.
  void try_to_connect();

  /// Cuts it; it is tried again after `span`.
  void cut(Span span);

  /// Nothing more arrives in one direction, until the silence is noticed and the line is cut.
  void cut_one_way(bool is_downward, Span span);

  /// Says it if the line is up; else it is as good as said and lost.
  void say(runtime::Down, std::string payload);
  void say(UpMessage);

  /// The parent has started again: whatever it knew of the time that this was cut is gone.
  void forget_absence();

  /// The child's supply has changed: says so soon.
  void note_supply();

 private:
  void connect();
  void tell_supply();
  void tell_readings();
  Moment arrival(Moment& until, Moment now);
  bool is_in_time(runtime::Down&, Moment heard);
  void miss();

  World& parent_;
  World& child_;
  Random random_;
  Coverage& coverage_;
  bool asks_first_;  // Else the parent takes the child as it comes.
  bool is_up_ = false;
  bool is_silent_down_ = false;
  bool is_silent_up_ = false;
  std::uint64_t lingering_ = 0;  // The session of which what was said may arrive after its end.
  bool is_supply_new_ = false;
  std::uint64_t session_ = 0;
  Moment connected_;
  Moment away_since_;  // By the parent's steady clock.
  Moment down_until_;
  Moment up_until_;
  std::map<PoolId, PoolReading> told_;  // In this session.
  std::uint64_t told_as_of_ = 0;        // What the child had seen then.
};

}  // namespace suan::sim
