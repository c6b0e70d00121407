#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "member/reach.h"
#include "net/server.h"
#include "net/websocket.h"

namespace suan::uplink {

/// One command beside an attempt at the other end of a WebSocket, whose messages api/exec.h has.
/// The command ends when the socket does. Kept alive by the socket. Any thread.
class ExecSession final : public member::ExecSink,
                          public std::enable_shared_from_this<ExecSession> {
 public:
  /// `reach` outlives the socket.
  ExecSession(member::Reach& reach, const member::AttemptPlace& place)
      : reach_(reach), place_(place) {}

  /// For whoever has asked; once.
  void open(const net::Request&, net::Responder);

  /// For the parent that waits for this connection; once.
  void open(net::Dialler&, net::DialOptions);

  void close(int code, std::string_view reason) { socket().close(code, reason); }
  bool is_over() const { return is_over_; }

  void on_output(member::LogStream, std::string_view bytes) override;
  void on_taken(std::size_t bytes) override;
  void on_end(const member::ExecEnd&) override;

 private:
  net::SocketListener listener();
  net::WebSocket socket() {
    const std::lock_guard lock(mutex_);
    return socket_;
  }
  void say(const std::string& message);
  void hear(std::string&& text);
  void begin(std::string_view text);
  void leave();

  member::Reach& reach_;
  const member::AttemptPlace place_;
  std::unique_ptr<member::Exec> exec_;  // The socket's I/O thread alone.
  std::atomic<bool> is_over_ = false;
  std::mutex mutex_;
  net::WebSocket socket_;
};

}  // namespace suan::uplink
