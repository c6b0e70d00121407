#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "api/exec.h"
#include "base/callback.h"
#include "cli/fault.h"
#include "cli/settings.h"

namespace suan::cli {

/// Where the bytes of a command beside a job come from and go to. A call that returns false ends
/// the command.
struct ExecPipes {
  int input = -1;                                // A file to read to its end; -1 = no input.
  std::uint64_t input_bytes_max = UINT64_MAX;    // Or so far.
  int terminal = -1;                             // Whose size the command follows; -1 = none.
  Callback<bool(std::string_view)> on_output{};  // Of its stdout, or its terminal.
  Callback<bool(std::string_view)> on_error{};   // Of its stderr.
  Callback<void(std::uint64_t)> on_sent{};       // All bytes of input so far.
};

/// Runs one command beside task `task` of a job, and returns its exit code. Without a terminal the
/// first Ctrl-C goes to the command and the second ends it; SIGTERM and SIGHUP end it. A fault
/// where it did not begin or has no exit code; 128 + signal where a signal to this program ended
/// it.
Outcome<int> run_beside(const Settings&, const std::string& job, std::int64_t task,
                        const api::ExecBegin&, ExecPipes&);

/// Fills in rows and columns from a terminal, if it has them.
void read_size(int terminal, api::ExecBegin&);

}  // namespace suan::cli
