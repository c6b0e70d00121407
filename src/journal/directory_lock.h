#pragma once

#include <memory>
#include <string>

#include "base/result.h"

namespace suan::journal {

/// The right of one process to write in a directory, held until destruction or the process's end.
class DirectoryLock {
 public:
  /// Creates the directory (mode 0700) and its parents where they are missing, and takes the lock
  /// in the file `lock`. `conflict`, naming the process, when another holds it; also from this
  /// process.
  static Result<std::unique_ptr<DirectoryLock>> take(const std::string& directory);
  ~DirectoryLock();
  DirectoryLock(const DirectoryLock&) = delete;
  DirectoryLock& operator=(const DirectoryLock&) = delete;

 private:
  explicit DirectoryLock(int file) : file_(file) {}

  int file_;
};

/// Makes the names in a directory durable.
Result<void> sync_directory(const std::string& directory);

/// Creates an empty file of mode 0600 where there is none.
Result<void> create_private_file(const std::string& path);

/// `io` with the words of the operating system for errno.
std::unexpected<Failure> os_failure(const std::string& what, const std::string& path);

}  // namespace suan::journal
