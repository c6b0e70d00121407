#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "journal/journal.h"
#include "model/attempt.h"
#include "runtime/core.h"

/// What a Core stands on while it is measured: nothing here costs time that is not the core's.
namespace suan::bench {

/// Moves only when told.
class StillClock : public runtime::Clock {
 public:
  Moment now() override { return now_; }
  Moment steady() override { return now_; }
  void pass(Span span) { now_ = now_ + span; }

 private:
  Moment now_{1'790'000'000'000'000};
};

/// A journal whose append costs nothing; on demand it keeps the records or computes the hash chain.
class FreeJournal : public journal::Journal {
 public:
  bool keeps_records = false;
  bool chains_hashes = false;

  const std::vector<journal::Record>& records() const { return records_; }
  std::uint64_t bytes() const { return bytes_; }

  journal::Head head() const override { return head_; }
  Result<std::uint64_t> claim_leadership() override { return std::uint64_t{1}; }
  Result<journal::Head> append(std::uint64_t expected_sequence, std::uint64_t leader_epoch,
                               const journal::Batch&) override;
  Result<std::vector<journal::Record>> follow(std::uint64_t from, std::size_t limit) const override;
  Result<std::string> read_blob(std::uint64_t id) const override;
  Result<void> delete_blob(std::uint64_t) override { return {}; }
  Result<void> write_snapshot(std::uint64_t, std::string_view) override { return {}; }
  Result<std::optional<journal::Snapshot>> read_snapshot() const override { return std::nullopt; }
  Result<std::uint64_t> free_bytes() const override { return std::uint64_t{1} << 40U; }

 private:
  journal::Head head_;
  std::vector<journal::Record> records_;
  std::uint64_t bytes_ = 0;
};

/// Takes what leaves the core, as the engines of a centre would: what runs, and what is to stop.
class Centre : public runtime::Outlet {
 public:
  void on_effect(const domain::Effect&) override;
  void on_durable(std::shared_ptr<const runtime::DurableBatch>) override;

  std::vector<AttemptKey> running;
  std::deque<AttemptKey> stopping;
  std::uint64_t events = 0;
  std::uint64_t launched = 0;
};

}  // namespace suan::bench
