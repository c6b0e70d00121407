#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "domain/state.h"
#include "journal/heads.h"
#include "journal/journal.h"
#include "runtime/follower.h"

namespace suan::server {

/// Keeps snapshots and signed heads up to date, on a thread of its own: at times while the server
/// runs, and once at the end.
class Keeper {
 public:
  Keeper(journal::Journal& journal, std::unique_ptr<journal::HeadWriter> heads,
         std::uint64_t snapshot_sequence);
  ~Keeper();

  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

  /// What to hang on the follower: it hands a fork of the state over when a snapshot is due.
  std::unique_ptr<runtime::Watcher> watcher();

  /// Writes the last head, and a snapshot of `state` if much has happened since the last one.
  void stop(const domain::State& state);

 private:
  class Watch;

  void run();
  void offer(const domain::State&);
  void write_snapshot(const domain::State&);
  void write_head(bool is_last);

  journal::Journal& journal_;
  std::unique_ptr<journal::HeadWriter> heads_;

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::optional<domain::State> due_;  // Waits to be written.
  std::uint64_t snapshot_sequence_;   // Of the last one written or under way.
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace suan::server
