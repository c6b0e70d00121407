#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "base/callback.h"
#include "history/history.h"

namespace suan::http {

/// Reads the history on a thread of its own, so that neither its disk nor its lag delays anybody
/// else. What is asked waits a while for the history to come as far as the asker has seen.
class Lookups {
 public:
  using Look = Callback<void(history::History&)>;

  explicit Lookups(history::History&);
  ~Lookups();

  Lookups(const Lookups&) = delete;
  Lookups& operator=(const Lookups&) = delete;

  /// Runs `look` on the thread once the history has `sequence`, or when it has not within
  /// `history_waits`. False if too many wait.
  bool put(Look look, std::uint64_t sequence);

  /// Runs what waits and ends the thread.
  void stop();

  static constexpr auto history_waits = std::chrono::milliseconds(500);

 private:
  struct Wish {
    Look look;
    std::uint64_t sequence = 0;
    std::chrono::steady_clock::time_point give_up;
  };

  void run();
  void wait(const std::vector<Wish>&);

  history::History& history_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::vector<Wish> new_wishes_;
  std::size_t wishes_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace suan::http
