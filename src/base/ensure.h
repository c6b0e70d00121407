#pragma once

#include <source_location>

namespace suan {

/// Prints the place to stderr and aborts the process.
[[noreturn]] void fail_at(std::source_location where);

/// States what must be true if the program is correct. Always on, in release too: a restart and a
/// replay cost less than a wrong answer. Never for anything that a user, a file or a peer can
/// cause.
constexpr void ensure(bool holds, std::source_location where = std::source_location::current()) {
  if (!holds) [[unlikely]]
    fail_at(where);
}

}  // namespace suan
