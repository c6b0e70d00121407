#pragma once

#include <optional>
#include <string>

#include "model/attempt.h"
#include "slurm/cluster.h"
#include "slurm/wrapper.h"

/// How an attempt ended, from what its wrapper and Slurm say. Without I/O.
namespace suan::slurm {

/// Whether the wrapper's word is not the whole truth: something outside ended the work, and only
/// Slurm knows what.
bool needs_slurm(const ExitWord&);

/// The end that the wrapper tells; `job` where needs_slurm and Slurm could say.
Progress judge_exit(const AttemptKey&, const ExitWord&, const std::optional<Job>& job);

/// The end of an attempt whose wrapper began and left no word; `job` is absent where Slurm does not
/// know it any more.
Progress judge_silent(const AttemptKey&, const Usage& last, const std::optional<Job>& job);

/// The end of an attempt whose wrapper never began; `words` are what Slurm says in its output.
Progress judge_unstarted(const AttemptKey&, const Job& job, const std::string& words);

/// Why an attempt waits, for people: "waits in Slurm as job 12: Resources".
std::string print_waiting(const Job&);

}  // namespace suan::slurm
