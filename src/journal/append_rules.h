#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "journal/chain.h"
#include "journal/journal.h"

/// What every backend asks before it appends, in one place, so that they refuse alike.
namespace suan::journal {

constexpr std::size_t follow_bytes_max = 8U << 20U;  // Of records in one answer, then it ends.
constexpr std::size_t snapshots_kept = 2;

/// What `Journal::follow` gathers.
struct FollowAnswer {
  std::uint64_t from = 1;
  std::size_t limit = 0;
  std::size_t bytes = 0;
  std::vector<Record> records = {};

  bool is_full() const { return records.size() == limit || bytes >= follow_bytes_max; }

  /// Takes from a batch that begins at `first` the records that were asked for and have room.
  void take(std::uint64_t first, std::span<const RecordView> batch);
};

/// Who may append where: after which record, and under which leader.
struct Turn {
  std::uint64_t sequence = 0;
  std::uint64_t leader_epoch = 0;
};

/// `invalid` unless the batch has a record and keeps the limits of a batch.
Result<void> check_batch(const Batch&);

/// `conflict` unless it is the caller's turn.
Result<void> check_turn(Turn caller, Turn present);

/// Reads a batch that follows `before` and checks that the chain arrives at `after`; `invalid`,
/// with the records in its text, when it does not.
Result<std::vector<RecordView>> read_chained(const Head& before, std::string_view encoded,
                                             std::uint64_t count, const Digest& after);

/// The hash of record `sequence`, which is in a batch of `records` that follows `before`.
Digest hash_through(const Head& before, std::span<const RecordView> records,
                    std::uint64_t sequence);

}  // namespace suan::journal
