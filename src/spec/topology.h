#pragma once

#include <expected>

#include "model/spec.h"
#include "spec/document.h"
#include "wire/json_reader.h"

namespace suan::spec {

/// How far apart the nodes of a gang may be, or what is wrong with what is said of it.
std::expected<Spread, wire::Mistake> read_topology(const TopologyDocument&);

}  // namespace suan::spec
