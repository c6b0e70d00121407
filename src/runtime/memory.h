#pragma once

namespace suan::runtime {

/// Starts this program anew, under the same process id, with larger caches of free memory for each
/// thread; returns if it runs with them already, or cannot. For a process that will allocate much:
/// what a batch of records takes and gives back is far more than the seven pieces of a size that
/// glibc keeps by default, and its environment is the only place where it can be told (glibc
/// manual, "Memory Allocation Tunables"). The children of this process do not inherit it.
void restart_with_large_caches(char** arguments);

}  // namespace suan::runtime
