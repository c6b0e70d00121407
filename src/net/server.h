#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "base/time.h"
#include "net/http_message.h"

namespace suan::net {

/// Limits and places of a server. Times are at least 1 ms.
struct ServerOptions {
  std::string host = "127.0.0.1";      // A numeric address or "localhost"; "" = no TCP.
  std::uint16_t port = 0;              // 0 = any free one; `Server::port()` tells which.
  std::string unix_path{};             // Also listen on this socket (mode 0660); "" = none.
  std::string tls_certificate_file{};  // PEM, with the issuers' after it. Not "": TCP speaks TLS.
  std::string tls_key_file{};          // PEM, without a passphrase.
  int threads = 1;                     // I/O threads, 1 to 64; with more, routes run concurrently.

  std::size_t body_bytes_max = 1U << 20U;             // Past it: 413.
  std::size_t header_bytes_max = 16U << 10U;          // Request line and fields; past it: 431.
  std::size_t connections_max = 4096;                 // Past it: 503 with Retry-After.
  std::size_t stream_buffer_bytes_max = 256U << 10U;  // Unsent bytes of one stream; past it: cut.

  Span idle_timeout = seconds(75);    // Between requests; then closed without a word.
  Span header_timeout = seconds(10);  // First byte to last header byte; past it: 408.
  Span body_timeout = seconds(30);    // The whole body; past it: 408.
  Span write_timeout = seconds(30);   // One answer; of a stream, until the client takes more.
  Span answer_timeout = minutes(10);  // From the route's call to its answer; past it: 504.
};

struct StreamState;
struct Mailbox;
struct SocketListener;
struct SocketOptions;
class WebSocket;

/// The sending end of a streamed body (chunked). Every call may come from any thread. Writes never
/// block: what does not fit in the buffer of `stream_buffer_bytes_max` cuts the client off, so who
/// writes more than a little asks `has_room` first and goes at the client's pace. Dropping the
/// writer closes the stream in good order.
class StreamWriter {
 public:
  StreamWriter() = default;
  explicit StreamWriter(std::shared_ptr<StreamState> state) : state_(std::move(state)) {}
  StreamWriter(StreamWriter&&) = default;
  StreamWriter& operator=(StreamWriter&& other) noexcept;
  ~StreamWriter() { close(); }

  /// Queues `bytes`. False when the stream is closed, or when they did not fit in the buffer and it
  /// was therefore cut: the client then sees an unfinished body, not a short one.
  bool write(std::string_view bytes);

  /// Whether `bytes` (at most `stream_buffer_bytes_max`) fit in the buffer now. If not, and the
  /// stream is open, `on_room` is called once when the client has taken all that was queued.
  bool has_room(std::size_t bytes);

  /// What to call when there is room again, and when the client has gone. It runs on an I/O thread,
  /// also after the writer is gone, and must return soon. Before the first `has_room`.
  void on_room(Callback<void()> call);

  /// Ends the body after what is queued. Later calls do nothing.
  void close();

  /// False once closed, cut, or the client has gone.
  bool is_open() const;

 private:
  std::shared_ptr<StreamState> state_;
};

/// The right to answer one request, once, from any thread, also after the server is gone (then
/// nothing happens). Dropped unused it answers 500, so that no client waits for ever.
class Responder {
 public:
  Responder() = default;
  Responder(std::shared_ptr<Mailbox> mailbox, std::uint32_t slot, std::uint64_t ticket)
      : mailbox_(std::move(mailbox)), slot_(slot), ticket_(ticket) {}
  Responder(Responder&&) = default;
  Responder& operator=(Responder&& other) noexcept;
  ~Responder();

  /// Sends the answer. A second one is a bug.
  void respond(Response);

  /// Starts an answer whose body comes later, piece by piece. The connection closes after it.
  StreamWriter stream(int status, std::string content_type, Headers headers = {});

  /// Makes the connection a WebSocket (websocket.h), if `request`, the one to be answered, asks for
  /// that rightly; else it gets `refuse_upgrade`'s answer and `on_close` hears `refused`.
  WebSocket upgrade(const Request& request, SocketOptions, SocketListener);

  /// True until answered.
  explicit operator bool() const { return mailbox_ != nullptr; }

 private:
  std::shared_ptr<Mailbox> mailbox_;
  std::uint32_t slot_ = 0;
  std::uint64_t ticket_ = 0;
};

/// While one lives, what this thread answers and streams reaches the I/O threads without waking
/// them; it wakes them when it ends. For a thread that answers many at once and would else be
/// interrupted by the first.
class Burst {
 public:
  Burst();
  Burst(const Burst&) = delete;
  Burst& operator=(const Burst&) = delete;
  ~Burst();

 private:
  friend struct Mailbox;
  Burst* outer_;
  std::vector<std::shared_ptr<Mailbox>> silent_;  // Have something that nobody told them of.
};

/// Called on an I/O thread for every request; must return soon (answer later, from anywhere).
using Route = Callback<void(Request&&, Responder)>;

/// An HTTP/1.1 server: keep-alive, pipelined requests answered in order, chunked bodies both ways.
/// Its own errors are problem documents (RFC 9457). Methods it does not know are 501; `OPTIONS *`
/// is answered here, every other OPTIONS by the route.
class Server {
 public:
  /// Binds, listens and starts the I/O threads. `unavailable` when the address is taken, `invalid`,
  /// `not_found` or `io` otherwise, also for what is wrong with the TLS files. Raises the soft
  /// limit of open files if `connections_max` needs it. `routed` is called on an I/O thread after
  /// the routes of all requests that arrived together.
  static Result<std::unique_ptr<Server>> start(ServerOptions, Route, Callback<void()> routed = {});

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();  // stop(0)

  /// The TCP port in use; 0 without TCP.
  std::uint16_t port() const;

  /// Reads the TLS files again, for connections to come; those that are open stay. On a failure
  /// what was in force remains. `unsupported` without TLS. Any thread.
  Result<void> reload_tls();

  /// Connections open now. Any thread.
  std::size_t connections() const;

  /// Stops accepting, closes idle connections, ends streams, lets requests in flight be answered
  /// for up to `grace`, then cuts the rest and joins the threads. Not from an I/O thread.
  void stop(Span grace);

  /// Runs `job` on the first I/O thread. Any thread; dropped unrun if the server has stopped.
  void post(Callback<void()> job);

  /// Runs `job` on the first I/O thread every `period` (at least 1 ms), first after one period,
  /// until the server stops. A late one is not made up for. Any thread.
  void every(Span period, Callback<void()> job);

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace suan::net
