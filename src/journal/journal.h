#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "base/time.h"

/// The durable truth of a domain: an append-only, hash-chained sequence of records. A record is all
/// events of one command, as opaque bytes; this room knows nothing of events.
namespace suan::journal {

constexpr std::size_t record_bytes_limit = 16U << 20U;
constexpr std::size_t batch_records_limit = 65'536;
constexpr std::size_t batch_bytes_limit = 64U << 20U;
constexpr std::size_t blob_bytes_limit = 16U << 20U;

/// The end of the chain. Sequences count records and begin at 1; an empty journal has sequence 0, a
/// hash of zeros and no moment.
struct Head {
  std::uint64_t sequence = 0;
  Digest hash;
  Moment moment;  // Of the last record.

  friend bool operator==(const Head&, const Head&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "hash", self.hash);
    visit(3, "moment", self.moment);
  }
};

/// One record read back.
struct Record {
  std::uint64_t sequence = 0;
  Moment moment;
  std::string bytes;

  friend bool operator==(const Record&, const Record&) = default;
};

/// The records and blobs that become durable together: all or none. Records are encoded as they are
/// added, so that an append copies nothing; `clear` keeps the memory for the next batch.
class Batch {
 public:
  struct Blob {
    std::uint64_t id = 0;
    std::string bytes;
  };

  /// Adds a record after those already there. At most `record_bytes_limit` bytes; the caller bounds
  /// what it accepts from outside, so more is a bug and aborts.
  void add(Moment, std::string_view bytes);

  /// Adds a blob to be sealed and stored outside the chain. `id` is not 0 and was never used before
  /// in this journal. At most `blob_bytes_limit` bytes.
  void add_blob(std::uint64_t id, std::string bytes);

  void clear();

  /// Whether a record of `bytes` more bytes still fits under the limits of a batch.
  bool has_room(std::size_t bytes) const;

  std::size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  std::string_view encoded() const { return encoded_; }  ///< docs/formats/journal.md, "batch".
  const std::vector<Blob>& blobs() const { return blobs_; }
  Moment last_moment() const { return last_moment_; }

 private:
  std::string encoded_;
  std::vector<Blob> blobs_;
  std::size_t count_ = 0;
  Moment last_moment_;
};

/// A state of the caller that can be computed from the records up to `sequence`, kept so that a
/// restart need not replay them.
struct Snapshot {
  std::uint64_t sequence = 0;
  std::string bytes;
};

/// The seam to durable storage. Its implementations pass one contract suite (contract_test.cc).
///
/// Any member may be called from any thread. Appends are meant to come from one; reads run beside
/// them and see durable records only.
///
/// After a Failure of kind `io` the object refuses everything that writes: whether the last append
/// is durable is unknown, so the process must end and ask the disk again by a restart.
class Journal {
 public:
  virtual ~Journal() = default;

  /// The last record appended.
  virtual Head head() const = 0;

  /// Takes the lead: returns an epoch greater than all before it, stored durably. Appends with a
  /// lower one are refused from then on.
  virtual Result<std::uint64_t> claim_leadership() = 0;

  /// Appends a batch of at least one record, all or nothing, if `head().sequence` is still
  /// `expected_sequence` and `leader_epoch` is the latest claimed. Returns the new head once the
  /// batch is durable, after one sync. Fails, having changed nothing, with
  /// - `conflict`: the sequence differs, a newer leader has taken over, or a blob id is already
  /// used;
  /// - `no_space`, or `unavailable` when a stranger has the file locked: the same call may be
  /// repeated;
  /// - `invalid`: the batch is empty or over `batch_records_limit` or `batch_bytes_limit`;
  /// and with `io` when nobody can know (see above).
  virtual Result<Head> append(std::uint64_t expected_sequence, std::uint64_t leader_epoch,
                              const Batch&) = 0;

  /// Housekeeping that takes a while now and then. Appending does it only when it is overdue, so
  /// call this when nobody waits.
  virtual void tidy() {}

  /// The durable records from sequence `from` (at least 1) on, in order, at most `limit` of them,
  /// or fewer that together have some 8 MiB; empty when there is none yet. Their hashes have been
  /// checked: `invalid` names the record that is not what was appended.
  virtual Result<std::vector<Record>> follow(std::uint64_t from, std::size_t limit) const = 0;

  /// The plain bytes of a blob; `not_found` when it never was or was deleted, `invalid` when
  /// damaged.
  virtual Result<std::string> read_blob(std::uint64_t id) const = 0;

  /// Destroys the key of a blob and the blob, durably. One that is not there is no failure. The id
  /// stays used up.
  virtual Result<void> delete_blob(std::uint64_t id) = 0;

  /// Stores a snapshot that includes the records up to `sequence`, which are durable: all of it or
  /// none. The two newest are kept. Fails with `no_space`, `io`, or `invalid` for a sequence after
  /// the head.
  virtual Result<void> write_snapshot(std::uint64_t sequence, std::string_view bytes) = 0;

  /// The newest undamaged snapshot that belongs to this chain, at or before the head; nullopt when
  /// there is none.
  virtual Result<std::optional<Snapshot>> read_snapshot() const = 0;

  /// Bytes that may still be written where the journal is, for the low-water mark.
  virtual Result<std::uint64_t> free_bytes() const = 0;
};

}  // namespace suan::journal
