#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "net/mailbox.h"
#include "net/websocket.h"

namespace suan::net {

class SocketSession;

/// What the handles of a WebSocket and its session share. Inside the room only. `mutex` guards all
/// that may change but the session, which only the loop's thread sees.
struct SocketState : std::enable_shared_from_this<SocketState> {
  SocketState(std::shared_ptr<Mailbox> box, SocketOptions limits, SocketListener calls);

  static constexpr std::size_t message_cost = 64;  // Beside its bytes.

  const std::shared_ptr<Mailbox> mailbox;
  const SocketOptions options;
  Request request{};  // Of an upgrade: its head.

  std::mutex mutex;
  std::deque<std::string> queue;
  std::size_t queued_bytes = 0;  // Of the queue and of what is being sent.
  int close_code = 0;            // Not 0 = to be closed once the queue is sent.
  std::string close_reason;
  bool is_cut = false;
  bool is_over = false;
  bool is_held = false;
  bool is_signalled = false;  // The session will look.
  bool wants_room = false;

  SocketSession* session = nullptr;
  SocketListener listener;

  /// Has the session look at all of this soon. Any thread, without the mutex.
  void wake();

  /// Called by whoever ends it, on the loop's thread or when that is gone: the first call tells the
  /// listener and lets go of it.
  void end(const SocketEnd&);
};

}  // namespace suan::net
