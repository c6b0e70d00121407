#include "runtime/core_thread.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

namespace suan::runtime {

namespace {

constexpr auto space_measured_every = std::chrono::seconds(1);
constexpr auto stuck_retry_after = std::chrono::milliseconds(200);

}  // namespace

Moment SystemClock::now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

CoreThread::CoreThread(Core& core, std::size_t inbox_max, Callback<void(const Failure&)> on_fatal)
    : core_(core),
      inbox_max_(inbox_max),
      on_fatal_(std::move(on_fatal)),
      thread_([this] { run(); }) {}

CoreThread::~CoreThread() {
  stop();
}

bool CoreThread::put(Request& request) {
  bool was_empty = false;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || inbox_.size() >= inbox_max_) return false;
    was_empty = inbox_.empty();
    inbox_.push_back(std::move(request));
  }
  if (was_empty) has_work_.notify_one();
  return true;
}

void CoreThread::put_waiting(Request request) {
  {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [&] { return is_stopping_ || inbox_.size() < inbox_max_; });
    if (is_stopping_) return;  // The member repeats it after the restart.
    inbox_.push_back(std::move(request));
  }
  has_work_.notify_one();
}

std::size_t CoreThread::inbox_size() const {
  const std::lock_guard lock(mutex_);
  return inbox_.size();
}

CoreCounts CoreThread::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void CoreThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  has_work_.notify_all();
  has_room_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// Waits until there are requests, something is due, or space is to be measured. False at the end.
bool CoreThread::wait_for_work() {
  auto deadline = std::chrono::steady_clock::now() + space_measured_every;
  if (core_.is_stuck()) {
    deadline = std::chrono::steady_clock::now() + stuck_retry_after;
  } else if (const auto next = core_.next_step()) {
    SystemClock clock;
    const auto due = std::chrono::microseconds(std::max<std::int64_t>((*next - clock.now()).us, 0));
    deadline = std::min(deadline, std::chrono::steady_clock::now() + due);
  }
  std::unique_lock lock(mutex_);
  const bool has_leftover = !taken_.empty() && !core_.is_stuck();
  if (!has_leftover)
    has_work_.wait_until(lock, deadline, [&] { return !inbox_.empty() || is_stopping_; });
  if (is_stopping_ && inbox_.empty() && taken_.empty()) return false;
  if (taken_.empty()) {
    taken_.swap(inbox_);
  } else if (!core_.is_stuck()) {
    std::move(inbox_.begin(), inbox_.end(), std::back_inserter(taken_));
    inbox_.clear();
  }
  lock.unlock();
  has_room_.notify_all();
  return true;
}

void CoreThread::run() {
  auto measured = std::chrono::steady_clock::now();
  while (wait_for_work()) {
    if (std::chrono::steady_clock::now() - measured >= space_measured_every) {
      measured = std::chrono::steady_clock::now();
      core_.measure_space();
    }
    if (const auto stepped = core_.step(taken_); !stepped) {
      on_fatal_(stepped.error());
      return;
    }
    const std::lock_guard lock(mutex_);
    counts_ = core_.counts();
    if (core_.is_stuck() && is_stopping_) return;  // What is not durable was never answered.
  }
}

}  // namespace suan::runtime
