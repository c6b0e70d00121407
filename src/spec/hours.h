#pragma once

#include <vector>

#include "model/spec.h"
#include "spec/document.h"
#include "wire/json_reader.h"

namespace suan::spec {

/// Which hour work waits for and how clean its power is to be: start.window, with the objective of
/// its kind, and energy.max_carbon. What is wrong with them.
std::vector<wire::Mistake> read_hours(const SpecDocument&, JobSpec&);

}  // namespace suan::spec
