#pragma once

#include <span>

/// `suan simulate`: the domain under virtual time, with faults, from seeds.
namespace suan::sim {

/// The arguments after the verb; returns the exit code: 0 when every promise held, 1 when one was
/// broken (or a planted bug or a coverage point was missed), 2 for arguments that make no sense.
int simulate(std::span<const char* const> arguments);

}  // namespace suan::sim
