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

  /// The path of a directory to be written in, new or with what a spare has: an old `record`, empty
  /// `run`, `stdout`, `stderr` and `work/`. Until it is put somewhere it counts for nothing.
  Result<std::string> take();

  /// Makes a directory taken from here that of an attempt, at `path`, in one step: whoever finds it
  /// there finds what was written in it before. conflict, and it is a spare again, if there is one.
  Result<void> put(const std::string& taken, const std::string& path);

  /// Keeps the directory at `path` if nothing in it could reach the next attempt; else leaves it
  /// where it is and returns false.
  bool keep(const std::string& path);

 private:
  int state_;
  std::vector<std::string> names_;
  std::uint64_t next_ = 0;
};

}  // namespace suan::engine
