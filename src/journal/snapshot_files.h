#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"

struct sqlite3_vfs;  // NOLINT(readability-identifier-naming): SQLite's name.

/// Snapshots as files beside the journal, one each. Format: docs/formats/journal.md, "snapshot".
namespace suan::journal {

/// A snapshot file read back whole and undamaged.
struct SnapshotFile {
  std::uint64_t sequence = 0;
  Digest chain_hash;  // Of record `sequence`: which history this state belongs to.
  std::string bytes;
};

/// Writes through a SQLite VFS, so that one seam counts and fails the writes of all files. The
/// directory exists. Not for two threads at once.
class SnapshotFiles {
 public:
  /// `vfs` is the name of a registered SQLite VFS, "" for the default one.
  static Result<SnapshotFiles> open(std::string directory, const std::string& vfs);

  /// Stores a snapshot durably, then deletes all but the newest `snapshots_kept`. An interrupted
  /// write leaves a file without a valid header, which is ignored and later deleted.
  Result<void> write(std::uint64_t sequence, const Digest& chain_hash, std::string_view bytes);

  /// Sequences of the snapshots whose header is valid, newest first.
  std::vector<std::uint64_t> list() const;

  /// nullopt when it is missing or damaged.
  Result<std::optional<SnapshotFile>> read(std::uint64_t sequence) const;

 private:
  SnapshotFiles(std::string directory, sqlite3_vfs* vfs);

  std::string path_of(std::uint64_t sequence) const;
  std::vector<std::uint64_t> named() const;  // Of all snapshot files, newest first.
  bool has_header(std::uint64_t sequence) const;
  Result<void> prune();

  std::string directory_;
  sqlite3_vfs* vfs_;
};

}  // namespace suan::journal
