#pragma once

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "base/callback.h"

namespace suan::uplink {

/// One thread that does one thing after another. What is posted comes from any thread.
class Worker {
 public:
  Worker() : thread_([this] { run(); }) {}
  ~Worker() { stop(); }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  void post(Callback<void()> job) {
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) return;
      jobs_.push_back(std::move(job));
    }
    has_work_.notify_one();
  }

  /// Drops what has not begun and joins the thread. Not from it.
  void stop() {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    has_work_.notify_one();
    if (thread_.joinable()) thread_.join();
    jobs_.clear();
  }

 private:
  void run() {
    std::vector<Callback<void()>> jobs;
    while (true) {
      {
        std::unique_lock lock(mutex_);
        has_work_.wait(lock, [this] { return is_stopping_ || !jobs_.empty(); });
        if (is_stopping_) return;
        jobs.swap(jobs_);
      }
      for (auto& job : jobs) job();
      jobs.clear();
    }
  }

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::vector<Callback<void()>> jobs_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace suan::uplink
