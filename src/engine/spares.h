#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace suan::engine {

/// Directories of forgotten attempts that left nothing behind, kept for new ones.
///
/// Thousands of short attempts a minute would otherwise create and delete some ten thousand files
/// each: ext4 does not use an inode again for five seconds, and passes over all such inodes every
/// time it creates a file, which then takes longer than the whole rest of an attempt. One thread.
class Spares {
 public:
  /// Takes over what lies in `spares/` of the state directory `state`.
  explicit Spares(int state);

  /// Makes a directory for an attempt at `path`, with whatever a spare has: an old `record`, empty
  /// `run`, `stdout`, `stderr` and `work/`. conflict if there is one.
  Result<void> make(const std::string& path);

  /// Keeps the directory at `path` if nothing in it could reach the next attempt; else leaves it
  /// where it is and returns false.
  bool keep(const std::string& path);

 private:
  int state_;
  std::vector<std::string> names_;
  std::uint64_t next_ = 0;
};

}  // namespace suan::engine
