#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "domain/commands.h"
#include "sim/coverage.h"
#include "sim/machine.h"

/// Random people, work and supply for a simulated domain.
namespace suan::sim {

/// The supply of one member as it stands now, to be offered by StartMember.
struct Offer {
  std::string member;
  Site site;
  std::vector<Pool> pools;
};

/// The members of a small domain: a few sites, each with pools of different shapes.
std::vector<Offer> make_offers(Random&, Moment now);

/// Changes one thing about a member's pools: size, price, state, one more or one less.
void change_offer(Offer&, Random&, Coverage&, Moment now);

/// Opens and enlarges everything, so that whatever waits can run.
void open_wide(Offer&);

/// A job somebody may submit to the project; `now` is the submitter's time.
JobSpec make_spec(Random&, ProjectId, Moment now);

/// What its work will do when it runs.
Course make_course(Random&, const JobSpec&);

}  // namespace suan::sim
