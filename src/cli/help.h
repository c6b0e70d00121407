#pragma once

#include <string>

#include "cli/verb.h"

namespace suan::cli {

/// Every verb in its group, the common flags, the environment and the exit codes.
std::string print_overview();

/// One verb: usage, flags, examples.
std::string print_help(const Verb&);

}  // namespace suan::cli
