#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/callback.h"
#include "base/result.h"
#include "base/time.h"
#include "net/http_message.h"

/// WebSockets (RFC 6455): binary messages both ways over one connection, which a client opens with
/// an HTTP request. Nothing is compressed; text messages are refused with code 1003.
namespace suan::net {

/// Limits of one socket. The two sides may have different ones.
struct SocketOptions {
  std::size_t message_bytes_max = 1U << 20U;  // 125 B to 1 GiB. A larger one received ends the
                                              // socket with code 1009; to send one is a bug.
  std::size_t queue_bytes_max = 4U << 20U;    // Unsent messages, with 64 bytes more for each.
  Span silence_timeout = seconds(30);         // A peer that sends no byte for so long is dead; it
                                              // is pinged after half of that. 10 ms to 1 h.
  Span close_timeout = seconds(5);            // From `close` to the peer's answer to it.
};

/// How a socket ended.
struct SocketEnd {
  enum class Kind : std::uint8_t {
    closed,       // In good order, by either side: `code` and `text` are what was given for it.
    refused,      // Dialled: the other side answered with `http_status` and `body` instead.
    unreachable,  // Dialled: no connection, no TLS or no answer; `text` says why.
    silent,       // The peer said nothing for `silence_timeout`.
    broken,       // The connection ended without a word.
    violated,     // The peer broke the protocol or a limit; it was told so with `code`.
  };

  Kind kind = Kind::broken;
  int code = 0;         // RFC 6455 §7.4: 1000 normal, 1001 going away, 4000 to 4999 free for all;
                        // 1005 = none given, 0 = not closed in order.
  int http_status = 0;  // Of a refusal.
  std::string text{};   // One sentence for people, or the peer's reason as it came.
  std::string body{};   // Of a refusal, at most 64 KiB: most often a problem document.
};

/// What a socket calls: one call at a time, on its I/O thread, each soon to return. A call may use
/// the socket. Missing ones are not called. All are destroyed after `on_close`, so that they may
/// hold what holds the socket.
struct SocketListener {
  /// Both sides have agreed; before every message.
  Callback<void()> on_open{};

  /// The next message, in the order of sending. There is nothing that holds messages back but
  /// `hold`: who cannot take all that may come agrees on windows with the peer.
  Callback<void(std::string&& message)> on_message{};

  /// All that was queued has been handed to the system, after `has_room` or `send` said no.
  Callback<void()> on_room{};

  /// Once, as the last of all, however the socket ends; when its server or dialler is being
  /// destroyed, possibly on the thread that does it.
  Callback<void(const SocketEnd&)> on_close{};
};

struct SocketState;

/// The sending end of a WebSocket. Copies share it; when the last is gone the socket closes with
/// code 1000. Every call may come from any thread and never blocks.
class WebSocket {
 public:
  /// `full` and `over` leave nothing queued.
  enum class Sent : std::uint8_t { queued, full, over };

  WebSocket() = default;
  explicit WebSocket(std::shared_ptr<SocketState> state);

  /// Queues one message, also before the socket is open. `full` when it does not fit beside those
  /// that wait: `on_room` is then called once they are gone. One message always fits into an empty
  /// queue. `over` after `close` and at the end.
  Sent send(std::string message);

  /// Whether a message of `bytes` could be queued now. If not, and the socket is not over,
  /// `on_room` is called later.
  bool has_room(std::size_t bytes);

  /// Unsent bytes, for those who measure.
  std::size_t queued_bytes() const;

  /// True: no further message is read until it is called with false; what comes waits in the peer.
  /// Meant for moments: meanwhile a peer's ping is not answered, and its silence not noticed.
  void hold(bool is_held);

  /// Sends what is queued, then ends the socket with a code (1000, 1001, 1011 or 3000 to 4999) and
  /// a reason of at most 123 bytes, cut off after that; past `close_timeout` it is cut. Later calls
  /// do nothing.
  void close(int code = 1000, std::string_view reason = {});

  /// Ends it now, without a word: `broken`.
  void cut();

  /// False after `close`, at the end, and for one that was default-made.
  bool is_usable() const;

 private:
  struct Handle;
  std::shared_ptr<Handle> handle_;
};

/// The answer to a request that asks for no WebSocket, or not as RFC 6455 §4.2.1 says: 400, 405 or
/// 426. Nothing if it is right. `Responder::upgrade` refuses by itself what this refuses.
std::optional<Response> refuse_upgrade(const Request&);

/// Where to dial, and how.
struct DialOptions {
  std::string url;             // ws:// or wss://host[:port]/path?query, or "unix:/socket".
  std::string target = "/";    // With "unix:" only: path and query.
  Headers headers{};           // Further fields of the request, "Authorization" for instance.
  std::string ca_file{};       // For wss: PEM file of the CAs to trust; "" = the system's.
  Span timeout = seconds(10);  // From the call to the open socket; then `unreachable`.
  SocketOptions socket{};
};

/// Opens WebSockets to other servers and runs them on a thread of its own. Any thread.
class Dialler {
 public:
  /// `io` when the system has no thread to give.
  static Result<std::unique_ptr<Dialler>> start();
  Dialler(const Dialler&) = delete;
  Dialler& operator=(const Dialler&) = delete;
  ~Dialler();  // stop(0)

  /// Begins to dial and returns at once. Whatever goes wrong, a malformed URL included, is told
  /// through `on_close`. It dials once: who wants to come again dials again, for instance from
  /// `after`.
  WebSocket dial(DialOptions, SocketListener);

  /// Runs `job` on the dialler's thread; dropped unrun after `stop`.
  void post(Callback<void()> job);

  /// The same, not before `delay` has passed.
  void after(Span delay, Callback<void()> job);

  /// Runs `job` on the dialler's thread every `period` (at least 1 ms) until `stop`.
  void every(Span period, Callback<void()> job);

  /// Closes every socket with code 1001, for at most `grace`; then cuts what is left and joins the
  /// thread. Not from that thread.
  void stop(Span grace);

  /// Sockets that are not over.
  std::size_t sockets() const;

 private:
  struct Parts;
  explicit Dialler(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace suan::net
