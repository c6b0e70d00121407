#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "base/time.h"
#include "engine/file.h"

/// Control groups: how the kernel limits, counts and kills an attempt with all its processes.
/// Version 2 (Linux Documentation/admin-guide/cgroup-v2.rst), version 1 (cgroup-v1/) and machines
/// that mix both.
namespace suan::engine {

/// The directories in which groups of attempts are made; "" where the machine has none that this
/// process may use.
struct CgroupRoots {
  std::string v2;  // Tracks, kills and counts CPU time even without controllers.
  bool v2_has_memory = false;
  bool v2_has_cpu = false;
  std::string v1_memory;   // Used only without v2_has_memory.
  std::string v1_cpu;      // Used only without v2_has_cpu.
  std::string v1_cpuacct;  // Used only without v2.

  static void fields(auto&& visit, auto& self) {
    visit(1, "v2", self.v2);
    visit(2, "v2_has_memory", self.v2_has_memory);
    visit(3, "v2_has_cpu", self.v2_has_cpu);
    visit(4, "v1_memory", self.v1_memory);
    visit(5, "v1_cpu", self.v1_cpu);
    visit(6, "v1_cpuacct", self.v1_cpuacct);
  }
};

/// Which limits of a grant the machine enforces.
enum class Enforcement : std::uint8_t { cpu_and_memory, memory_only, cpu_only, none };

/// What was found, and a sentence for people that says what is enforced, and where or why not.
struct CgroupFinding {
  CgroupRoots roots;
  Enforcement enforcement = Enforcement::none;
  std::string sentence;
};

/// Looks for groups that this process may make, by making one. `parent` is a version 2 group made
/// over to this program, with the controllers to use enabled for its children and no process in it;
/// "" looks below this process's own groups, and "none" uses no groups at all. May turn on the
/// controllers memory and cpu for the children of its own group, and move this process to a group
/// `suan-serve` there, as version 2 allows no processes beside children with controllers.
CgroupFinding find_cgroups(const std::string& parent);

/// Limits of one attempt; 0 = none.
struct CgroupLimits {
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
};

/// What the kernel counted for a group; nullopt where the machine does not count it.
struct CgroupReading {
  std::optional<Span> cpu;
  std::optional<std::int64_t> memory_peak_bytes;
  std::int64_t oom_kills = 0;
};

/// The group of one attempt: one directory of the same name in each root that is used.
class Cgroup {
 public:
  /// Names a group, whether it is there or not.
  Cgroup(const CgroupRoots& roots, const std::string& name);

  /// True if the machine has groups that tell which processes are in them.
  bool is_tracking() const { return !tracker_.empty(); }

  /// Makes the directories and sets the limits. On failure nothing is left.
  Result<void> make(const CgroupLimits&);

  /// The directory of the version 2 group, for CLONE_INTO_CGROUP; empty without one.
  Fd open_v2() const;

  /// Files, open for writing, each of which takes the calling thread into a version 1 group when
  /// "0" is written. Written by the process itself before it execs: so the kernel need not stop
  /// every fork on the machine, as it does to move another process.
  Result<std::vector<Fd>> open_v1_entries() const;

  /// Takes the calling process, which has one thread, into the group. Fails where it is gone.
  Result<void> enter() const;

  std::vector<pid_t> processes() const;

  /// True if the process is in every directory of the group, so that all limits hold for it.
  bool holds(pid_t) const;
  CgroupReading read() const;

  /// Kills every process in the group, also those forked meanwhile. Returns false if some are still
  /// there after `patience`.
  bool kill(Span patience) const;

  /// Removes the directories. The group must be empty of live processes. Returns false if one
  /// stays.
  bool remove() const;

 private:
  std::string name_;
  std::string v2_, v1_memory_, v1_cpu_, v1_cpuacct_;  // Directories of this group, or "".
  bool v2_has_memory_, v2_has_cpu_;
  std::string tracker_;  // One of the above that has every process.
};

/// Kills and removes the groups below `roots` whose name starts with `prefix` and is not in `keep`,
/// which is ascending.
void sweep_cgroups(const CgroupRoots& roots, const std::string& prefix,
                   const std::vector<std::string>& keep);

}  // namespace suan::engine
