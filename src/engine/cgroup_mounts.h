#pragma once

#include <string>
#include <string_view>

/// Where this machine keeps its control group hierarchies, read from /proc.
namespace suan::engine {

/// The directory of the calling process's own group in each hierarchy, "" where there is none.
struct OwnCgroups {
  std::string v2;
  std::string v2_top;  // The mount point of version 2, if the whole hierarchy shows there.
  std::string v1_memory;
  std::string v1_cpu;
  std::string v1_cpuacct;
};

/// Pure: from the text of /proc/self/mountinfo (proc(5)) and /proc/self/cgroup (cgroups(7)).
OwnCgroups parse_own_cgroups(std::string_view mountinfo, std::string_view cgroup);

/// Of the calling process. Empty without /proc.
OwnCgroups read_own_cgroups();

}  // namespace suan::engine
