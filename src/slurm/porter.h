#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/callback.h"
#include "engine/file.h"
#include "engine/mover.h"

/// Moves the data of attempts on threads that may wait for it, a few at a time.
namespace suan::slurm {

/// Bring the inputs of an attempt, or keep its outputs.
struct MoveErrand {
  AttemptKey key;
  bool is_out = false;
  bool is_success = false;  // Of outputs: the work exited with code 0.
  Launch launch;
  Payload data;           // Its inputs and outputs.
  std::string directory;  // Of the attempt.
};

struct Moved {
  AttemptKey key;
  bool is_out = false;
  Result<void> outcome;
};

class Porter {
 public:
  /// `deliver` is called on a thread of the porter with each answer.
  Porter(engine::StoreHouse, Callback<void(Moved)> deliver);

  /// Ends what is under way; nothing is delivered of it.
  ~Porter();
  Porter(const Porter&) = delete;
  Porter& operator=(const Porter&) = delete;

  /// Any thread.
  void send(MoveErrand);

  /// Gives up what is under way or waits for this attempt. It is answered all the same, unless it
  /// had not begun.
  void stop(const AttemptKey&);

 private:
  void run();
  Result<void> perform(const MoveErrand&, int stop) const;

  engine::StoreHouse house_;
  std::mutex delivery_mutex_;
  Callback<void(Moved)> deliver_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<MoveErrand> waiting_;
  std::map<AttemptKey, engine::Fd> under_way_;  // An eventfd that stops it.
  bool is_over_ = false;
  std::vector<std::thread> threads_;  // Started with the first errand.
};

}  // namespace suan::slurm
