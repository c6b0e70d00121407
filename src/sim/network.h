#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sim/line.h"
#include "sim/turns.h"
#include "sim/world.h"

namespace suan::sim {

/// What came of one run.
struct Verdict {
  std::uint64_t seed = 0;
  std::optional<Objection> objection;
  Digest end_hash;  // Of the journals' heads and the states: equal for equal runs.
  std::uint64_t domains = 0;
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t jobs = 0;
  std::uint64_t restarts = 0;
  Span lived;  // Virtual time.
};

/// One domain, or several that have joined one another, under one virtual time, from one seed.
class Network {
 public:
  Network(const Scenario&, std::uint64_t seed, Coverage&);

  /// Lives until the scenario's number of events has happened, then lets everything come to rest
  /// with faults off, and examines it.
  Verdict run();

  /// Prints every durable event to stderr.
  void trace();

 private:
  void settle_provinces();
  void join(World& child, World& parent);
  void live();
  void come_to_rest();
  void wait_for_units();
  void take_turns();
  bool pass_one(Moment limit);
  void pass(Span);
  bool is_over() const;
  std::uint64_t events() const;
  std::size_t live_units() const;
  void cut_lines();

  const Scenario scenario_;
  const std::uint64_t seed_;
  Coverage& coverage_;
  Random random_;
  Moment now_;
  bool is_calm_ = false;
  std::vector<std::unique_ptr<World>> worlds_;  // The first is nobody's child.
  std::vector<std::unique_ptr<Line>> lines_;
  std::optional<Turns> turns_;  // Of the worlds.
};

/// Runs one seed.
Verdict run_network(const Scenario&, std::uint64_t seed, Coverage&);

}  // namespace suan::sim
