#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace suan::sim {

/// A workload and the faults it meets. Chances are in thousandths.
struct Scenario {
  std::uint64_t events = 2000;           // Lived through before the world comes to rest.
  std::uint64_t acts_every_s_max = 100;  // People act at random moments up to this far apart.
  std::uint32_t submit = 500;            // Of acts, as are the next.
  std::uint32_t stop = 130;
  std::uint32_t supply = 60;                // The supply changes.
  std::uint32_t odd = 90;                   // Forbidden, stale or strange requests.
  std::uint32_t repeat = 90;                // Requests sent again later.
  std::uint32_t append_fault = 12;          // Of steps of the server.
  std::uint32_t message_fault = 60;         // Of messages: lost, doubled or late.
  std::uint32_t misfortunes_per_hour = 20;  // Kills, reboots, clocks, a second leader.
  std::uint32_t snapshot = 30;              // Of steps.
  std::uint32_t poor = 250;                 // Projects that have little money.
  std::uint32_t provinces = 0;  // Domains that have joined the first; if not 0, between 1 and that,
  std::uint32_t sites = 0;      // and up to so many that have joined those.
  bool exact = false;           // Neither fewer nor more of them than that.
  std::uint32_t cuts_per_hour = 4;  // Of each connection between two of them.

  /// Each chance of a seed is its own draw around these, some are off.
  bool swarm = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "events", self.events);
    visit(2, "acts_every_s_max", self.acts_every_s_max);
    visit(3, "submit", self.submit);
    visit(4, "stop", self.stop);
    visit(5, "supply", self.supply);
    visit(6, "odd", self.odd);
    visit(7, "repeat", self.repeat);
    visit(8, "append_fault", self.append_fault);
    visit(9, "message_fault", self.message_fault);
    visit(10, "misfortunes_per_hour", self.misfortunes_per_hour);
    visit(11, "snapshot", self.snapshot);
    visit(12, "poor", self.poor);
    visit(13, "swarm", self.swarm);
    visit(14, "provinces", self.provinces);
    visit(15, "sites", self.sites);
    visit(16, "cuts_per_hour", self.cuts_per_hour);
    visit(17, "exact", self.exact);
  }
};

/// Reads lines of "name value"; '#' begins a comment. `invalid` names the line.
Result<Scenario> parse_scenario(std::string_view text);

}  // namespace suan::sim
