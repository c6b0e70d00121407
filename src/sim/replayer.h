#pragma once

#include <span>

/// `suan simulate --nodes --jobs`: what becomes of lists of jobs on lists of nodes.
namespace suan::sim {

/// Whether the arguments ask for that, once it is known that they ask for no protocol.
bool asks_for_replay(std::span<const char* const> arguments);

/// The arguments after the verb. Exit code 0, or 2 for arguments or lists that make no sense.
int replay(std::span<const char* const> arguments);

}  // namespace suan::sim
