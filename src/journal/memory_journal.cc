#include "journal/memory_journal.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/ensure.h"
#include "journal/append_rules.h"
#include "journal/chain.h"

namespace suan::journal {

using Kind = Failure::Kind;

Head MemoryDisk::head_at(std::size_t batches) const {
  return batches == 0 ? Head{} : batches_[batches - 1].after;
}

bool MemoryDisk::is_blob_used(std::uint64_t id) const {
  if (blobs_.contains(id)) return true;
  for (std::size_t i = durable_; i < batches_.size(); ++i) {
    for (const Batch::Blob& blob : batches_[i].blobs)
      if (blob.id == id) return true;
  }
  return false;
}

void MemoryDisk::make_durable(std::size_t batches) {
  for (; durable_ < batches; ++durable_) {
    for (Batch::Blob& blob : batches_[durable_].blobs)
      blobs_.emplace(blob.id, std::move(blob.bytes));
    batches_[durable_].blobs.clear();
  }
}

std::size_t MemoryDisk::batch_of(std::uint64_t sequence) const {
  const auto end = batches_.begin() + static_cast<std::ptrdiff_t>(durable_);
  const auto above = std::upper_bound(
      batches_.begin(), end, sequence,
      [](std::uint64_t s, const StoredBatch& batch) { return s < batch.first_sequence; });
  ensure(above != batches_.begin());
  return static_cast<std::size_t>(above - batches_.begin()) - 1;
}

void MemoryDisk::crash(Random& random) {
  const std::lock_guard lock(mutex_);
  const std::size_t unsynced = batches_.size() - durable_;
  make_durable(durable_ + random.below(unsynced + 1));
  batches_.resize(durable_);
  ++boots_;
}

void MemoryDisk::fail_next_append(AppendFault fault) {
  const std::lock_guard lock(mutex_);
  next_fault_ = fault;
}

void MemoryDisk::set_sync_by_hand(bool by_hand) {
  const std::lock_guard lock(mutex_);
  sync_by_hand_ = by_hand;
}

void MemoryDisk::sync() {
  const std::lock_guard lock(mutex_);
  make_durable(batches_.size());
}

void MemoryDisk::set_free_bytes(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  free_bytes_ = bytes;
}

void MemoryDisk::flip_bit(std::uint64_t sequence, Random& random) {
  const std::lock_guard lock(mutex_);
  StoredBatch& batch = batches_[batch_of(sequence)];
  const auto records = read_batch(batch.encoded, batch.count);
  ensure(records.has_value());
  const std::string_view record = (*records)[sequence - batch.first_sequence].encoded;
  const auto start = static_cast<std::size_t>(record.data() - batch.encoded.data());
  char& byte = batch.encoded[start + random.below(record.size())];
  byte = static_cast<char>(static_cast<unsigned char>(byte) ^ (1U << random.below(8U)));
}

MemoryJournal::MemoryJournal(MemoryDisk& disk) : disk_(disk) {
  const std::lock_guard lock(disk_.mutex_);
  disk_.make_durable(disk_.batches_.size());
  boot_ = disk_.boots_;
}

Result<void> MemoryJournal::check_alive() const {
  if (boot_ != disk_.boots_) return failure(Kind::io, "the machine stopped");
  if (is_uncertain_) return failure(Kind::io, "an earlier append is uncertain");
  return {};
}

Head MemoryJournal::head() const {
  const std::lock_guard lock(disk_.mutex_);
  return disk_.head_at(is_uncertain_ ? disk_.durable_ : disk_.batches_.size());
}

Result<std::uint64_t> MemoryJournal::claim_leadership() {
  const std::lock_guard lock(disk_.mutex_);
  SUAN_CHECK(check_alive());
  return ++disk_.epoch_;
}

Result<void> MemoryJournal::check_append(std::uint64_t expected_sequence,
                                         std::uint64_t leader_epoch, const Batch& batch) const {
  SUAN_CHECK(check_alive());
  const Head head = disk_.head_at(disk_.batches_.size());
  SUAN_CHECK(check_batch(batch));
  SUAN_CHECK(check_turn({expected_sequence, leader_epoch}, {head.sequence, disk_.epoch_}));
  std::set<std::uint64_t> ids;
  for (const Batch::Blob& blob : batch.blobs()) {
    if (disk_.is_blob_used(blob.id) || !ids.insert(blob.id).second)
      return failure(Kind::conflict, "blob " + std::to_string(blob.id) + " was stored before");
  }
  return {};
}

Result<Head> MemoryJournal::append(std::uint64_t expected_sequence, std::uint64_t leader_epoch,
                                   const Batch& batch) {
  const std::lock_guard lock(disk_.mutex_);
  SUAN_CHECK(check_append(expected_sequence, leader_epoch, batch));
  const AppendFault fault = std::exchange(disk_.next_fault_, AppendFault::none);
  if (fault == AppendFault::no_space) return failure(Kind::no_space, "the disk is full");
  if (fault == AppendFault::crash_before) {
    ++disk_.boots_;
    disk_.batches_.resize(disk_.durable_);
    return failure(Kind::io, "the machine stopped");
  }
  const Head before = disk_.head_at(disk_.batches_.size());
  const Head after = extend(before, batch.encoded());
  disk_.batches_.push_back({.first_sequence = before.sequence + 1,
                            .count = batch.size(),
                            .encoded = std::string(batch.encoded()),
                            .blobs = batch.blobs(),
                            .after = after});
  if (fault == AppendFault::io) {
    is_uncertain_ = true;
    return failure(Kind::io, "the sync failed");
  }
  if (fault == AppendFault::crash_after) {
    disk_.make_durable(disk_.batches_.size());
    ++disk_.boots_;
    return failure(Kind::io, "the machine stopped");
  }
  if (!disk_.sync_by_hand_) disk_.make_durable(disk_.batches_.size());
  return after;
}

Result<std::vector<Record>> MemoryJournal::follow(std::uint64_t from, std::size_t limit) const {
  ensure(from > 0);
  const std::lock_guard lock(disk_.mutex_);
  SUAN_CHECK(check_alive());
  FollowAnswer answer{.from = from, .limit = limit};
  if (from > disk_.head_at(disk_.durable_).sequence) return answer.records;
  for (std::size_t i = disk_.batch_of(from); i < disk_.durable_ && !answer.is_full(); ++i) {
    const MemoryDisk::StoredBatch& batch = disk_.batches_[i];
    SUAN_TRY(const auto records,
             read_chained(disk_.head_at(i), batch.encoded, batch.count, batch.after.hash));
    answer.take(batch.first_sequence, records);
  }
  return std::move(answer.records);
}

Result<std::string> MemoryJournal::read_blob(std::uint64_t id) const {
  const std::lock_guard lock(disk_.mutex_);
  SUAN_CHECK(check_alive());
  const auto found = disk_.blobs_.find(id);
  if (found != disk_.blobs_.end()) {
    if (const auto& bytes = found->second) return *bytes;
  }
  return failure(Kind::not_found, "no blob " + std::to_string(id));
}

Result<void> MemoryJournal::delete_blob(std::uint64_t id) {
  const std::lock_guard lock(disk_.mutex_);
  SUAN_CHECK(check_alive());
  const auto found = disk_.blobs_.find(id);
  if (found != disk_.blobs_.end()) found->second.reset();
  return {};
}

Result<void> MemoryJournal::write_snapshot(std::uint64_t sequence, std::string_view bytes) {
  const std::lock_guard lock(disk_.mutex_);
  SUAN_CHECK(check_alive());
  if (sequence > disk_.head_at(disk_.durable_).sequence)
    return failure(Kind::invalid, "record " + std::to_string(sequence) + " is not there yet");
  disk_.snapshots_.insert_or_assign(sequence, std::string(bytes));
  while (disk_.snapshots_.size() > snapshots_kept) disk_.snapshots_.erase(disk_.snapshots_.begin());
  return {};
}

Result<std::optional<Snapshot>> MemoryJournal::read_snapshot() const {
  const std::lock_guard lock(disk_.mutex_);
  SUAN_CHECK(check_alive());
  if (disk_.snapshots_.empty()) return std::nullopt;
  const auto& [sequence, bytes] = *disk_.snapshots_.rbegin();
  return Snapshot{sequence, bytes};
}

Result<std::uint64_t> MemoryJournal::free_bytes() const {
  const std::lock_guard lock(disk_.mutex_);
  SUAN_CHECK(check_alive());
  return disk_.free_bytes_;
}

}  // namespace suan::journal
