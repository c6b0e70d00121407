#pragma once

#include <string>

#include "domain/events.h"

namespace suan::sim {

/// One event for people who follow a seed: its name and, as JSON, what it says beyond defaults.
std::string print_event(const domain::Event&);

}  // namespace suan::sim
