#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "base/time.h"
#include "engine/file.h"

/// Other programs of this machine, run beside an attempt.
namespace suan::engine {

/// Where programs are looked for, whatever the environment says.
inline constexpr std::string_view standard_path =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The absolute path of a program, or "".
std::string find_program(std::string_view name);

/// Starts a program, with the environment of this process; it reads from /dev/null, its standard
/// output and error go to `output`. It dies with the calling thread. `words[0]` is its path.
Result<pid_t> start_program(const std::vector<std::string>& words, int output);

/// Runs a program to its end and returns all that it said. `io` with its last line if it fails,
/// `no_space` if it says more than `bytes_max`, `unavailable` if it takes longer than `within`
/// (0 = as long as it likes).
Result<std::string> ask_program(const std::vector<std::string>& words, std::size_t bytes_max,
                                Span within = {});

}  // namespace suan::engine
