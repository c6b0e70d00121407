#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/core.h"

namespace suan::runtime {

/// Runs a Core on a thread of its own, behind a bounded inbox. Any thread may put requests in.
class CoreThread {
 public:
  /// `on_fatal` is called on the core's thread when the journal's state is uncertain; it must end
  /// the process without letting anything more leave.
  CoreThread(Core& core, std::size_t inbox_max, Callback<void(const Failure&)> on_fatal);
  ~CoreThread();

  CoreThread(const CoreThread&) = delete;
  CoreThread& operator=(const CoreThread&) = delete;

  /// Puts a request in the inbox. False if it is full or the thread is stopping: then `request` is
  /// unchanged and its reply will not be called.
  bool put(Request& request);

  /// The same, but the thread, if it sleeps, may do so until `wake` is called: whoever has many
  /// requests is not interrupted by the first.
  bool put_silently(Request& request);
  void wake();

  /// The same, but reports of members wait for room: they may not be lost.
  void put_waiting(Request request);

  /// The same for what nobody waits for: taken with what comes next, at the latest 10 ms later. A
  /// sync of its own would cost more than it is worth.
  void put_patiently(Request request);

  /// Hands over a reading of a pool. One that was not taken yet is replaced: the newest wins.
  void put_reading(PoolId, PoolReading, Span age = {});

  /// Hands over what a round trip between two sites was measured to take, in the same way.
  void put_link(SiteId from, SiteId to, const Rtt&);

  /// Takes no more requests, finishes those in the inbox, makes them durable and ends the thread.
  void stop();

  std::size_t inbox_size() const;

  /// What the core had done after its last step. Any thread.
  CoreCounts counts() const;

  /// Whether the disk takes nothing: requests of clients are then answered without being decided,
  /// and those decided already are told so after `outcome_told_after`. Any thread.
  bool is_stuck() const;

  static constexpr auto outcome_told_after = std::chrono::seconds(2);

 private:
  using Steady = std::chrono::steady_clock;

  void run();
  void push_waiting(Request&& request, bool is_patient);
  bool wait_for_work();
  bool step();
  void take_inbox();
  void take_readings();

  Core& core_;
  const std::size_t inbox_max_;
  Callback<void(const Failure&)> on_fatal_;

  mutable std::mutex mutex_;
  std::condition_variable has_work_;
  std::condition_variable has_room_;
  std::vector<Request> inbox_;
  std::size_t clients_ = 0;  // How many of the inbox are not of the process itself.
  std::size_t patient_ = 0;  // How many of the inbox nobody waits for.
  Steady::time_point patient_until_;
  std::map<PoolId, std::pair<PoolReading, Span>> readings_;  // With their ages.
  std::map<network::LinkKey, Rtt> links_;
  bool is_stopping_ = false;
  CoreCounts counts_;
  bool is_stuck_ = false;

  // The thread's own.
  std::vector<Request> taken_;  // Not decided yet.
  Steady::time_point measured_ = Steady::now();
  std::optional<Steady::time_point> stuck_since_;
  Steady::time_point retry_at_;
  std::thread thread_;
};

/// The clocks of the machine.
class SystemClock : public Clock {
 public:
  Moment now() override;
  Moment steady() override;
};

}  // namespace suan::runtime
