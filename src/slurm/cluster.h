#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "base/time.h"
#include "slurm/names.h"

/// A Slurm cluster as far as an engine needs it, and what it says, as plain values.
namespace suan::slurm {

struct Partition {
  std::string name;
  std::vector<std::string> nodes;
  bool is_up = true;
};

struct Node {
  std::string name;
  std::int64_t cpus = 0;
  std::int64_t memory_mebibytes = 0;
  std::vector<Gres> gres;
  bool takes_work = true;  // Neither down, drained, reserved for upkeep, nor silent.
  std::string state;       // As Slurm says it: "MIXED+DRAIN".
};

/// Where a job of Slurm stands; see squeue(1), JOB STATE CODES.
enum class JobState : std::uint8_t {
  pending,
  running,  // Also what is about to: configuring, signalling, suspended.
  completing,
  completed,
  failed,
  cancelled,
  timed_out,
  out_of_memory,
  node_failed,  // Also where it could not boot.
  preempted,
  unknown,
};

/// Whether no process of it is left or will be.
constexpr bool has_ended(JobState state) {
  return state >= JobState::completed && state != JobState::unknown;
}

/// What a job holds of one node.
struct Holding {
  std::string node;
  std::int64_t cpus = 0;
  std::int64_t memory_mebibytes = 0;
  std::vector<Gres> gres;
};

struct Job {
  std::uint64_t id = 0;
  std::string name;
  std::string partition;
  JobState state = JobState::unknown;
  std::string state_name;  // As Slurm says it.
  std::string reason;      // Why it waits, or how it ended; "" if Slurm says "None".
  bool was_requeued = false;
  std::int32_t exit_code = 0;  // Of the batch script.
  std::int32_t signal = 0;
  std::vector<Holding> holdings;  // While it runs or completes.
};

/// What to submit: one task on one node.
struct Submission {
  std::string name;
  std::string comment;
  std::string partition;
  std::string node;
  std::int64_t cpus = 1;
  std::int64_t memory_mebibytes = 1;
  Gres gres;                 // count 0 = none.
  std::int64_t minutes = 0;  // 0 = as long as the partition lets it.
  std::string directory;
  std::string output;  // A file for what the batch script says itself.
  std::string script;
};

/// What a cluster says of itself.
struct Greeting {
  std::string version;  // Of Slurm: "22.05.8".
  std::string way;      // "slurmrestd at …, OpenAPI v0.0.38" or "the commands".
};

/// The seam to a cluster, with two real implementations: slurmrestd and the commands. Every call
/// blocks until the cluster has answered or a time is over; an object belongs to one thread.
///
/// Failures: `unavailable` when slurmctld or slurmrestd cannot be reached or cannot answer now, or
/// refuses who asks, and trying again later may help; `not_found` for a job that Slurm does not
/// know (any more); `invalid` when Slurm refuses for good, or its answer cannot be read;
/// `unsupported` for a version that this program does not speak.
class Cluster {
 public:
  virtual ~Cluster() = default;

  /// Asks who is there. A failure says what to do about it.
  virtual Result<Greeting> greet() = 0;

  virtual Result<std::vector<Partition>> partitions() = 0;
  virtual Result<std::vector<Node>> nodes() = 0;

  /// Every job that Slurm knows, of everybody.
  virtual Result<std::vector<Job>> jobs() = 0;
  virtual Result<Job> job(std::uint64_t id) = 0;

  /// The jobs of this exact name, in the order of their ids.
  virtual Result<std::vector<Job>> find_jobs(const std::string& name) = 0;

  /// Returns the id of the job. After `unavailable` there may be one all the same.
  virtual Result<std::uint64_t> submit(const Submission&) = 0;

  /// A job that has ended or is not known counts as cancelled.
  virtual Result<void> cancel(std::uint64_t id) = 0;
};

/// Makes a cluster for a thread of its own.
using ClusterMaker = Callback<std::unique_ptr<Cluster>()>;

/// The state of a name, with or without flags: "RUNNING", "MIXED+DRAIN" is none.
JobState parse_job_state(std::string_view name);

/// Whether a node in this state ("IDLE", "MIXED+DRAIN", "down*") takes new work. Any case.
bool takes_work(std::string_view state);

}  // namespace suan::slurm
