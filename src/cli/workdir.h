#pragma once

#include <cstdint>
#include <string>

#include "cli/call.h"

/// `workdir: DIR` of a job: packed here, and brought to the domain before the job is submitted.
namespace suan::cli {

/// A packed directory in a file that has no name, and goes with it.
class PackedDirectory {
 public:
  PackedDirectory() = default;
  PackedDirectory(const PackedDirectory&) = delete;
  PackedDirectory& operator=(const PackedDirectory&) = delete;
  ~PackedDirectory();

  /// Packs the directory that call.spec names, if it does, and says in the specification what came
  /// of it: its checksum and its size.
  Outcome<void> pack(Call&);

  /// Brings what the domain has not got of it yet.
  Outcome<void> bring(Call&);

 private:
  int fd_ = -1;
  std::string sha256_;
  std::int64_t bytes_ = 0;
};

}  // namespace suan::cli
