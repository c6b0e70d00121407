#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "journal/journal.h"

/// A Journal in memory, for simulation and tests, over a disk that outlives the process simulated.
namespace suan::journal {

/// What happens to the next append.
enum class AppendFault : std::uint8_t {
  none,
  no_space,  // Refused; nothing changed.
  io,        // The sync failed: durable or not, decided when the disk crashes or is opened again.
  crash_before,  // The machine stops before anything was written.
  crash_after,   // The machine stops when the batch is durable and before anyone was told.
};

/// What several MemoryJournals, one after another or side by side, store on. Survives `crash`. Any
/// thread may use it.
class MemoryDisk {
 public:
  /// The machine stops. Of the appends not yet synced a prefix of random length has reached the
  /// disk. Every open MemoryJournal answers `io` from now on; open a new one.
  void crash(Random&);

  /// Decides the fate of the next append that passes its checks.
  void fail_next_append(AppendFault);

  /// With true, an append returns at once and is durable only after `sync` (the caller delays its
  /// acknowledgement until then), or when a journal is opened on this disk again.
  void set_sync_by_hand(bool);
  void sync();

  void set_free_bytes(std::uint64_t);

  /// Changes one bit of the stored bytes of record `sequence`, as a failing disk would.
  void flip_bit(std::uint64_t sequence, Random&);

 private:
  friend class MemoryJournal;

  struct StoredBatch {
    std::uint64_t first_sequence = 0;
    std::size_t count = 0;
    std::string encoded;
    std::vector<Batch::Blob> blobs;  // Moved to blobs_ when durable.
    Head after;
  };

  Head head_at(std::size_t batches) const;
  bool is_blob_used(std::uint64_t id) const;
  void make_durable(std::size_t batches);
  std::size_t batch_of(std::uint64_t sequence) const;  // The durable batch that holds it.

  mutable std::mutex mutex_;
  std::vector<StoredBatch> batches_;
  std::size_t durable_ = 0;                                    // How many of batches_ are.
  std::map<std::uint64_t, std::optional<std::string>> blobs_;  // nullopt once deleted.
  std::map<std::uint64_t, std::string> snapshots_;
  std::uint64_t epoch_ = 0;
  std::uint64_t boots_ = 0;
  std::uint64_t free_bytes_ = std::uint64_t{1} << 40U;
  AppendFault next_fault_ = AppendFault::none;
  bool sync_by_hand_ = false;
};

class MemoryJournal : public Journal {
 public:
  /// Opens what `disk` holds and makes all of it durable. `disk` outlives this object.
  explicit MemoryJournal(MemoryDisk& disk);

  Head head() const override;
  Result<std::uint64_t> claim_leadership() override;
  Result<Head> append(std::uint64_t expected_sequence, std::uint64_t leader_epoch,
                      const Batch&) override;
  Result<std::vector<Record>> follow(std::uint64_t from, std::size_t limit) const override;
  Result<std::string> read_blob(std::uint64_t id) const override;
  Result<void> delete_blob(std::uint64_t id) override;
  Result<void> write_snapshot(std::uint64_t sequence, std::string_view bytes) override;
  Result<std::optional<Snapshot>> read_snapshot() const override;
  Result<std::uint64_t> free_bytes() const override;

 private:
  Result<void> check_alive() const;  // Both with the disk's mutex held.
  Result<void> check_append(std::uint64_t expected_sequence, std::uint64_t leader_epoch,
                            const Batch&) const;

  MemoryDisk& disk_;
  std::uint64_t boot_;
  bool is_uncertain_ = false;
};

}  // namespace suan::journal
