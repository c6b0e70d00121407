#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "net/websocket.h"

namespace suan::net {

/// Writes down what a WebSocket tells, so that a test can wait for it. Outlives the socket. Test
/// code only.
class SocketWitness {
 public:
  SocketListener listener() {
    return {.on_open = [this] { note([this] { ++opened_; }); },
            .on_message =
                [this](std::string&& message) {
                  note([&] { messages_.push_back(std::move(message)); });
                },
            .on_room = [this] { note([this] { ++rooms_; }); },
            .on_close = [this](const SocketEnd& end) { note([&] { ends_.push_back(end); }); }};
  }

  bool wait_open() {
    return wait([this] { return opened_ == 1; });
  }
  bool wait_messages(std::size_t count) {
    return wait([this, count] { return messages_.size() >= count; });
  }
  bool wait_rooms(int count) {
    return wait([this, count] { return rooms_ >= count; });
  }

  /// How it ended; a kind of `broken` with the text "still open" if it did not.
  SocketEnd wait_end() {
    const bool is_over = wait([this] { return !ends_.empty(); });
    const std::lock_guard lock(mutex_);
    return is_over ? ends_.front() : SocketEnd{.text = "still open"};
  }

  std::vector<std::string> messages() {
    const std::lock_guard lock(mutex_);
    return messages_;
  }
  std::size_t ends() {
    const std::lock_guard lock(mutex_);
    return ends_.size();
  }
  int opened() {
    const std::lock_guard lock(mutex_);
    return opened_;
  }

 private:
  template <class Change>
  void note(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    changed_.notify_all();
  }

  template <class Condition>
  bool wait(Condition condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(60), condition);
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  int opened_ = 0;
  int rooms_ = 0;
  std::vector<std::string> messages_;
  std::vector<SocketEnd> ends_;
};

}  // namespace suan::net
