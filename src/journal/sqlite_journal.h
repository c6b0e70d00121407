#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "journal/directory_lock.h"
#include "journal/journal.h"
#include "journal/snapshot_files.h"
#include "journal/sqlite_database.h"

/// The journal of one server in one directory. Format: docs/formats/journal.md.
namespace suan::journal {

struct SqliteSettings {
  std::string directory;  // Created if missing, mode 0700; holds nothing else.
  std::string vfs = {};   // Name of a registered SQLite VFS; "" = the system's.
  int log_pages_max =
      1'000;               // Of 4 KiB in the write-ahead log, then tidy() copies it into the file.
  int deletions_max = 64;  // Blobs deleted before old copies of their keys leave the log too.
};

/// A Journal in SQLite: one row a batch, one sync an append.
///
/// One object writes a directory at a time. A deleted blob's key is overwritten in the file; a copy
/// that the write-ahead log may still hold goes at the latest after `deletions_max` deletions, at
/// `scrub` and at the end.
class SqliteJournal : public Journal {
 public:
  /// Opens or creates the journal, makes what it finds durable and checks its last batch.
  /// `conflict` when another process has it open, `unsupported` for a format that this program does
  /// not know, `invalid` when it is damaged, `io` when the operating system refused.
  static Result<std::unique_ptr<SqliteJournal>> open(const SqliteSettings&);
  ~SqliteJournal() override;

  Head head() const override;
  Result<std::uint64_t> claim_leadership() override;
  Result<Head> append(std::uint64_t expected_sequence, std::uint64_t leader_epoch,
                      const Batch&) override;
  void tidy() override;
  Result<std::vector<Record>> follow(std::uint64_t from, std::size_t limit) const override;
  Result<std::string> read_blob(std::uint64_t id) const override;
  Result<void> delete_blob(std::uint64_t id) override;
  Result<void> write_snapshot(std::uint64_t sequence, std::string_view bytes) override;
  Result<std::optional<Snapshot>> read_snapshot() const override;
  Result<std::uint64_t> free_bytes() const override;

  /// Empties the write-ahead log, and with it every old copy of a deleted key. `unavailable` when a
  /// reader was in the way; try again.
  Result<void> scrub();

 private:
  struct Writer;
  struct Reader;

  SqliteJournal(SqliteSettings, std::unique_ptr<DirectoryLock>, SnapshotFiles);

  Result<void> recover();
  Result<void> check_last_batch();
  Result<void> check_certain() const;  // With writing_ held, as the next three.
  Result<void> store(const Head& after, const Batch&);
  Result<void> settle(Result<void> written);
  void checkpoint_from(int log_pages);
  Result<Digest> hash_at(std::uint64_t sequence) const;

  const SqliteSettings settings_;
  std::unique_ptr<DirectoryLock> lock_;

  mutable std::mutex writing_;
  std::unique_ptr<Writer> writer_;
  std::uint64_t epoch_ = 0;
  int deletions_ = 0;
  bool is_uncertain_ = false;

  mutable std::mutex reading_;
  std::unique_ptr<Reader> reader_;

  mutable std::mutex snapshotting_;
  SnapshotFiles snapshots_;

  mutable std::mutex head_guard_;
  Head head_;
};

}  // namespace suan::journal
