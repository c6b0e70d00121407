#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"

/// Other programs, run to their end.
namespace suan::slurm {

struct ProgramEnd {
  int exit_code = 0;  // 128 + signal where one ended it.
  std::string output;
  std::string error;
};

/// Runs a program found by PATH, without a shell, with `input` as its standard input, and waits.
/// `variables` ("NAME=value") are added to the environment of this process. Failures: `unsupported`
/// if there is no such program, `unavailable` if it has not ended in `limit` (it is killed then) or
/// the system refuses, `no_space` if it says more than `bytes_max`.
Result<ProgramEnd> run_program(const std::vector<std::string>& words, const std::string& input,
                               const std::vector<std::string>& variables, Span limit,
                               std::size_t bytes_max);

/// Whether PATH has such a program.
bool has_program(const std::string& name);

}  // namespace suan::slurm
