#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "net/server.h"
#include "net/websocket.h"
#include "uplink/frames.h"
#include "uplink/worker.h"

namespace suan::uplink {

/// One connection as the worker sees it: frames one after another, and room for all that is said.
/// Everything but what its socket calls runs on the worker.
class Pipe : public std::enable_shared_from_this<Pipe> {
 public:
  /// All are called on the worker; `on_end` once, and nothing after it. Who has the pipe is not to
  /// be held by them: a worker that stops never comes to the end.
  struct Listener {
    Callback<void()> on_open{};
    Callback<void(Frame&&)> on_frame{};
    Callback<void(const net::SocketEnd&)> on_end{};
  };

  Pipe(Worker& worker, Listener listener) : worker_(worker), listener_(std::move(listener)) {}

  void accept(const net::Request&, net::Responder);
  void dial(net::Dialler&, net::DialOptions);

  /// What does not go out at once waits here; a peer that lets too much wait is cut off.
  void send(const Frame&);

  /// Nothing that comes is heard until `is_held` is false again; it waits here or in the peer.
  void hold(bool is_held);

  void close(CloseCode, std::string_view reason);
  void close(int code, std::string_view reason);
  void cut();

  bool is_over() const { return is_over_; }

 private:
  net::SocketListener socket_listener();
  void arrive(std::string&& message);
  void hear_waiting();
  void note_heard(std::size_t bytes);
  void flush();
  void end(const net::SocketEnd&);
  net::WebSocket socket() {
    const std::lock_guard lock(mutex_);
    return socket_;
  }

  Worker& worker_;
  Listener listener_;
  bool is_over_ = false;
  bool is_held_ = false;
  std::deque<std::string> heard_;   // Waits for `hold(false)`.
  std::deque<std::string> unsent_;  // Waits for room.
  std::size_t unsent_bytes_ = 0;

  std::mutex mutex_;
  net::WebSocket socket_;
  std::size_t unheard_ = 0;  // Bytes of messages that have come and wait for the worker.
  bool is_full_ = false;     // So many that the socket is held.
};

}  // namespace suan::uplink
