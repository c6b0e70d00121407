#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"

struct sqlite3_vfs;

namespace suan::journal {

/// A SQLite VFS that keeps what was written but not synced apart from the real files, and loses it
/// when the power goes. Test code only (fault_vfs_test.cc). The real files hold what is durable.
///
/// Every write, cut of a file, sync and deletion is an event, numbered from 1. Locks and shared
/// memory are those of the system's VFS. For one thread.
class FaultVfs {
 public:
  FaultVfs();
  ~FaultVfs();
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;

  const std::string& name() const { return name_; }

  /// What becomes of the writes that were not synced when the power goes; the last one is torn.
  enum class Unsynced : std::uint8_t { lost, some_kept };

  /// The power goes during event number `event`. From then on everything fails.
  void cut_power_at(std::uint64_t event, Unsynced, std::uint64_t seed);

  /// The power goes now.
  void cut_power();

  void fill_disk(bool is_full) { is_full_ = is_full; }  ///< Writes fail, having written nothing.
  void fail_syncs(bool fail) { fail_syncs_ = fail; }

  std::uint64_t events() const { return events_; }
  std::uint64_t syncs() const { return syncs_; }
  bool is_off() const { return is_off_; }

 private:
  friend struct FaultFile;

  /// A write, or with `is_cut` the setting of the size to `offset`.
  struct Change {
    std::uint64_t offset = 0;
    std::string bytes;
    bool is_cut = false;
  };
  struct Content {
    std::string current;
    std::vector<Change> unsynced;
  };

  /// Counts an event; false when the power went during it.
  bool survives_event();
  Content& content_of(const std::string& path);
  void lose(const std::string& path, Content& content);

  std::string name_;
  std::unique_ptr<sqlite3_vfs> vfs_;
  std::map<std::string, Content> contents_;
  std::string last_written_;
  Random random_{0};
  Unsynced unsynced_ = Unsynced::lost;
  std::uint64_t cut_at_ = 0;
  std::uint64_t events_ = 0;
  std::uint64_t syncs_ = 0;
  bool is_off_ = false;
  bool is_full_ = false;
  bool fail_syncs_ = false;
};

}  // namespace suan::journal
