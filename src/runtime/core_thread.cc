#include "runtime/core_thread.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

namespace suan::runtime {

namespace {

constexpr auto space_measured_every = std::chrono::seconds(1);
constexpr auto stuck_retry_after = std::chrono::milliseconds(200);
constexpr auto patience = std::chrono::milliseconds(10);

}  // namespace

Moment SystemClock::now() {
  const auto since = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

Moment SystemClock::steady() {
  timespec time{};
  ::clock_gettime(CLOCK_BOOTTIME, &time);
  return {std::int64_t{time.tv_sec} * 1'000'000 + time.tv_nsec / 1000 + 1};
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
  if (!put_silently(request)) return false;
  wake();
  return true;
}

bool CoreThread::put_silently(Request& request) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_ || inbox_.size() >= inbox_max_) return false;
  if (!request.caller.is_process()) ++clients_;
  inbox_.push_back(std::move(request));
  return true;
}

void CoreThread::wake() {
  has_work_.notify_one();
}

void CoreThread::push_waiting(Request&& request, bool is_patient) {
  {
    std::unique_lock lock(mutex_);
    has_room_.wait(lock, [&] { return is_stopping_ || inbox_.size() < inbox_max_; });
    if (is_stopping_) return;  // The member repeats it after the restart.
    if (!request.caller.is_process()) ++clients_;
    if (is_patient && patient_++ == 0) patient_until_ = Steady::now() + patience;
    inbox_.push_back(std::move(request));
  }
  has_work_.notify_one();
}

void CoreThread::put_waiting(Request request) {
  push_waiting(std::move(request), false);
}

void CoreThread::put_patiently(Request request) {
  push_waiting(std::move(request), true);
}

void CoreThread::put_reading(PoolId pool, PoolReading reading, Span age) {
  {
    const std::lock_guard lock(mutex_);
    readings_[pool] = {std::move(reading), age};
  }
  has_work_.notify_one();
}

void CoreThread::put_link(SiteId from, SiteId to, const Rtt& rtt) {
  {
    const std::lock_guard lock(mutex_);
    links_[network::LinkKey::between(from, to)] = rtt;
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

bool CoreThread::is_stuck() const {
  const std::lock_guard lock(mutex_);
  return is_stuck_;
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
  auto deadline = Steady::now() + space_measured_every;
  if (core_.is_stuck()) {
    deadline = retry_at_;
  } else if (const auto next = core_.next_step()) {
    SystemClock clock;
    const auto due = std::chrono::microseconds(std::max<std::int64_t>((*next - clock.now()).us, 0));
    deadline = std::min(deadline, Steady::now() + due);
  }
  std::unique_lock lock(mutex_);
  const bool has_leftover = !taken_.empty() && !core_.is_stuck();
  const auto has_some = [&] {
    if (core_.is_stuck()) return is_stopping_ || clients_ > 0;
    return is_stopping_ || inbox_.size() > patient_ || !readings_.empty() || !links_.empty();
  };
  while (!has_leftover && !has_some()) {
    const bool has_patient = patient_ > 0 && !core_.is_stuck();
    const auto until = has_patient ? std::min(deadline, patient_until_) : deadline;
    if (has_work_.wait_until(lock, until) == std::cv_status::timeout) break;
  }
  if (is_stopping_ && inbox_.empty() && taken_.empty()) return false;
  take_inbox();
  lock.unlock();
  has_room_.notify_all();
  return true;
}

// While the core is stuck what the process itself has to say stays in the inbox, so that it is
// bounded; clients need not wait for their turn.
void CoreThread::take_inbox() {
  clients_ = 0;
  const bool takes_all = !core_.is_stuck();
  if (takes_all) patient_ = 0;
  if (takes_all && taken_.empty()) return taken_.swap(inbox_);
  std::erase_if(inbox_, [&](Request& request) {
    if (!takes_all && request.caller.is_process()) return false;
    taken_.push_back(std::move(request));
    return true;
  });
}

// A core that is stuck takes them later: what was seen then is what counts.
void CoreThread::take_readings() {
  std::map<PoolId, std::pair<PoolReading, Span>> readings;
  std::map<network::LinkKey, Rtt> links;
  {
    const std::lock_guard lock(mutex_);
    readings.swap(readings_);
    links.swap(links_);
  }
  for (const auto& [pool, each] : readings) core_.observe(pool, each.first, each.second);
  for (const auto& [key, rtt] : links) core_.observe_link(key.from, key.to, rtt);
}

// One turn of the thread with what it has taken. False when the process must end.
bool CoreThread::step() {
  const auto now = Steady::now();
  if (now - measured_ >= space_measured_every) {
    measured_ = now;
    core_.measure_space();
  }
  if (!core_.is_stuck()) take_readings();
  if (!core_.is_stuck() || now >= retry_at_) {
    if (const auto stepped = core_.step(taken_); !stepped) {
      on_fatal_(stepped.error());
      return false;
    }
    retry_at_ = now + stuck_retry_after;
  }
  if (!core_.is_stuck()) {
    stuck_since_.reset();
    return true;
  }
  core_.turn_away(taken_);
  if (!stuck_since_) stuck_since_ = now;
  if (now - *stuck_since_ >= outcome_told_after) core_.tell_unknown();
  return true;
}

void CoreThread::run() {
  while (wait_for_work()) {
    if (!step()) return;
    const std::lock_guard lock(mutex_);
    counts_ = core_.counts();
    is_stuck_ = core_.is_stuck();
    if (is_stuck_ && is_stopping_) break;
  }
  if (!core_.is_stuck()) return;
  {
    const std::lock_guard lock(mutex_);
    take_inbox();
  }
  core_.turn_away(taken_);
  core_.tell_unknown();
}

}  // namespace suan::runtime
