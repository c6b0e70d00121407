#include "slurm/verdict.h"

#include <csignal>
#include <cstring>

namespace suan::slurm {
namespace {

std::string print_job(const Job& job) {
  std::string text = "Slurm says of job " + std::to_string(job.id) + ": " + job.state_name;
  if (!job.reason.empty()) text += " (" + job.reason + ")";
  return text;
}

// What a state of Slurm means for work that it ended; none where it does not say.
AttemptEnd end_of(JobState state) {
  switch (state) {
    case JobState::cancelled:
      return AttemptEnd::cancelled;
    case JobState::timed_out:
      return AttemptEnd::timed_out;
    case JobState::out_of_memory:
      return AttemptEnd::out_of_memory;
    case JobState::node_failed:
    case JobState::preempted:
      return AttemptEnd::lost;
    case JobState::pending:
    case JobState::running:
    case JobState::completing:
    case JobState::completed:
    case JobState::failed:
    case JobState::unknown:
      return AttemptEnd::none;
  }
  return AttemptEnd::none;
}

Progress begin(const AttemptKey& key) {
  Progress progress;
  progress.key = key;
  progress.state = AttemptState::ended;
  return progress;
}

std::string print_signal(int number) {
  const char* name = ::sigabbrev_np(number);
  return "it died of SIG" + (name != nullptr ? std::string(name) : std::to_string(number));
}

}  // namespace

bool needs_slurm(const ExitWord& exit) {
  if (!exit.has_run || exit.stop != AttemptEnd::none) return false;
  // SIGKILL may be the kernel's at the memory limit, which only some nodes count for themselves.
  const bool is_killed = exit.exit_code == 128 + SIGKILL && !exit.is_out_of_memory;
  return exit.was_told || is_killed;
}

Progress judge_exit(const AttemptKey& key, const ExitWord& exit, const std::optional<Job>& job) {
  Progress progress = begin(key);
  progress.usage = exit.usage;
  progress.exit_code = exit.has_run ? exit.exit_code : 0;
  const AttemptEnd told = job && needs_slurm(exit) ? end_of(job->state) : AttemptEnd::none;
  if (!exit.has_run) {
    progress.end = exit.stop == AttemptEnd::none ? AttemptEnd::launch_failed : exit.stop;
    progress.reason = "it was stopped before it started";
  } else if (exit.stop != AttemptEnd::none) {
    progress.end = exit.stop;
  } else if (told != AttemptEnd::none) {
    progress.end = told;
    progress.reason = print_job(*job);
  } else if (exit.is_out_of_memory && exit.exit_code != 0) {
    progress.end = AttemptEnd::out_of_memory;
    progress.reason = "the kernel killed a process of it at its memory limit";
  } else if (exit.is_signalled) {
    progress.end = AttemptEnd::signalled;
    progress.reason = print_signal(exit.exit_code - 128);
  } else {
    progress.end = AttemptEnd::exited;
  }
  return progress;
}

Progress judge_silent(const AttemptKey& key, const Usage& last, const std::optional<Job>& job) {
  Progress progress = begin(key);
  progress.usage = last;
  progress.end = AttemptEnd::lost;
  if (!job) {
    progress.reason = "Slurm does not know its job any more, and it left no word of its end";
    return progress;
  }
  const AttemptEnd told = end_of(job->state);
  if (told != AttemptEnd::none) progress.end = told;
  if (progress.end != AttemptEnd::lost) progress.exit_code = 128 + SIGKILL;
  progress.reason = print_job(*job);
  return progress;
}

Progress judge_unstarted(const AttemptKey& key, const Job& job, const std::string& words) {
  Progress progress = begin(key);
  progress.end =
      job.state == JobState::cancelled ? AttemptEnd::cancelled : AttemptEnd::launch_failed;
  progress.reason = "it had not started; " + print_job(job);
  if (!words.empty()) progress.reason += "; " + words;
  return progress;
}

std::string print_waiting(const Job& job) {
  std::string text = "waits in Slurm as job " + std::to_string(job.id);
  if (!job.reason.empty()) text += ": " + job.reason;
  return text;
}

}  // namespace suan::slurm
