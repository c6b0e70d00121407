#pragma once

#include <span>

/// `suan simulate --protocol`: how well policies pack lists of nodes and tasks.
namespace suan::sim {

/// Whether the arguments ask for that.
bool asks_for_protocol(std::span<const char* const> arguments);

/// The arguments after the verb. Exit code 0, or 2 for arguments or lists that make no sense.
int measure(std::span<const char* const> arguments);

}  // namespace suan::sim
