#include "server/keeper.h"

#include <chrono>
#include <cstdio>
#include <utility>

#include "runtime/codec.h"
#include "runtime/core_thread.h"

namespace suan::server {

namespace {

constexpr std::uint64_t records_between_snapshots = 100'000;
constexpr std::uint64_t records_worth_a_last_snapshot = 1'000;
constexpr auto heads_looked_at_every = std::chrono::seconds(5);

void complain(const char* what, const Failure& failure) {
  std::fprintf(stderr, "suan serve: %s: %s\n", what, failure.text.c_str());
}

}  // namespace

/// Counts records, and hands a fork over when enough have gone by.
class Keeper::Watch : public runtime::Watcher {
 public:
  explicit Watch(Keeper& keeper) : keeper_(keeper) {}
  void on_record(const runtime::DurableRecord& record, const runtime::View& view) override {
    if (record.sequence % 1024 == 0) keeper_.offer(view.state);
  }

 private:
  Keeper& keeper_;
};

Keeper::Keeper(journal::Journal& journal, std::unique_ptr<journal::HeadWriter> heads,
               std::uint64_t snapshot_sequence)
    : journal_(journal),
      heads_(std::move(heads)),
      snapshot_sequence_(snapshot_sequence),
      thread_([this] { run(); }) {}

Keeper::~Keeper() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  has_work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::unique_ptr<runtime::Watcher> Keeper::watcher() {
  return std::make_unique<Watch>(*this);
}

void Keeper::offer(const domain::State& state) {
  {
    const std::lock_guard lock(mutex_);
    if (state.essence().sequence < snapshot_sequence_ + records_between_snapshots) return;
    snapshot_sequence_ = state.essence().sequence;
    due_ = state;
  }
  has_work_.notify_one();
}

void Keeper::write_snapshot(const domain::State& state) {
  const auto written =
      journal_.write_snapshot(state.essence().sequence, runtime::encode_state(state));
  if (!written)
    complain("the snapshot was not written; the next start will take longer", written.error());
}

void Keeper::write_head(bool is_last) {
  runtime::SystemClock clock;
  const auto written =
      is_last ? heads_->write(journal_.head()) : heads_->write_if_due(journal_.head(), clock.now());
  if (!written) complain("a signed head was not written", written.error());
}

void Keeper::run() {
  while (true) {
    std::optional<domain::State> due;
    {
      std::unique_lock lock(mutex_);
      has_work_.wait_for(lock, heads_looked_at_every,
                         [&] { return is_stopping_ || due_.has_value(); });
      if (is_stopping_) return;
      due.swap(due_);
    }
    if (due) write_snapshot(*due);
    write_head(false);
  }
}

void Keeper::stop(const domain::State& state) {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  has_work_.notify_all();
  if (thread_.joinable()) thread_.join();
  if (state.essence().sequence >= snapshot_sequence_ + records_worth_a_last_snapshot)
    write_snapshot(state);
  write_head(true);
}

}  // namespace suan::server
