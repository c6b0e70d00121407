#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/callback.h"
#include "engine/stores.h"
#include "model/transfer.h"

/// Looks how much the inputs of a job hold before it is there, by rclone.
namespace suan::engine {

/// Blocks, at most for `within` if that is not 0.
SourceFound survey_source(const StoreHouse&, const Origin&, const std::string& source, Span within);

/// Answers questions on threads that may wait for the answer, a few at a time.
class Surveyor {
 public:
  explicit Surveyor(StoreHouse house) : house_(std::move(house)) {}

  /// What has not been answered is answered with a problem.
  ~Surveyor();
  Surveyor(const Surveyor&) = delete;
  Surveyor& operator=(const Surveyor&) = delete;

  /// `done` is called once, on any thread.
  void ask(DataQuestion, Callback<void(DataAnswer)> done);

 private:
  struct Errand {
    DataQuestion question;
    Callback<void(DataAnswer)> done;
  };

  void run();
  DataAnswer answer(const DataQuestion&) const;

  const StoreHouse house_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<Errand> waiting_;
  std::size_t under_way_ = 0;
  bool is_over_ = false;
  std::vector<std::thread> threads_;  // Started as questions come.
};

}  // namespace suan::engine
