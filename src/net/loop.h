#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "base/time.h"
#include "net/mailbox.h"
#include "net/server.h"

/// One I/O thread's event loop. Inside the room only.
namespace suan::net {

namespace asio = boost::asio;
using Executor = asio::io_context::executor_type;
template <class T>
using Task = asio::awaitable<T, Executor>;

/// Completes as a tuple that begins with the error code, so nothing throws.
inline constexpr auto as_result = asio::as_tuple(asio::use_awaitable_t<Executor>{});

class TlsServer;

/// What lives on a loop, a connection or a WebSocket. The loop's thread.
class Resident {
 public:
  virtual ~Resident() = default;
  virtual void deliver(Delivery) = 0;
  virtual void check_deadline(Span now) = 0;
  virtual void begin_stop() = 0;
  virtual void cut() = 0;
};

/// How many connections all loops hold; `stop` waits for none. Any thread.
struct Census {
  std::atomic<std::size_t> connections = 0;
  std::mutex mutex;
  std::condition_variable emptied;

  void leave();

  /// True when there was no connection left before `span` had passed.
  bool wait_empty(Span span);
};

/// A connection that counts in the census, from its acceptance to its end.
struct Accepted {
  Accepted(Census& of, int socket, std::string from, bool is_too_many)
      : census(&of), fd(socket), peer(std::move(from)), is_refused(is_too_many) {}
  Accepted(Accepted&& other) noexcept;
  Accepted& operator=(Accepted&&) = delete;
  ~Accepted();

  Census* census;  // Null once moved from.
  int fd;          // Closed at the end, unless taken: then -1.
  std::string peer;
  bool is_refused;           // One too many: only told to come back later.
  TlsServer* tls = nullptr;  // Speaks TLS with this certificate.
};

/// What becomes of requests; see Server::start.
struct Routing {
  Route route;
  Callback<void()> routed;
};

/// Owns an io_context and knows the connections that live on it. Every function belongs to the
/// loop's thread, but the constructor, `mailbox`, and `run`, which makes the calling thread that.
class Loop {
 public:
  Loop(const ServerOptions& options, Routing& routing, Census& census);
  ~Loop();

  void run();
  std::shared_ptr<Mailbox> mailbox() const { return mailbox_; }
  asio::io_context& io() { return io_; }

  void adopt(Accepted accepted);

  /// Accepts from a listening socket and gives the connections to `loops` in turn. They speak TLS
  /// if there is a certificate.
  void listen(int fd, const std::vector<std::unique_ptr<Loop>>& loops, TlsServer* tls);

  void every(Span period, Callback<void()> job);
  void after(Span delay, Callback<void()> job);

  void begin_stop();  // No new connections; idle ones and streams end.
  void cut_all();     // Whatever is left ends now.

  // For residents.
  const ServerOptions& options() const { return options_; }
  void route(Request&&, Responder);
  Span now() const { return now_; }  // Monotonic, as of the last sweep.
  std::string_view date_line() const { return date_line_; }
  bool is_stopping() const { return is_stopping_; }
  std::uint64_t next_ticket() { return ++last_ticket_; }
  std::uint32_t enlist(Resident&);
  void strike(std::uint32_t slot);

 private:
  struct Listener {
    asio::posix::basic_stream_descriptor<Executor> socket;
    TlsServer* tls;
  };

  static Task<void> sweep_for_ever(Loop* self);
  static Task<void> tick(Loop* self, Span period, Callback<void()> job);
  static Task<void> wait(Loop* self, Span delay, Callback<void()> job);
  static Task<void> accept_for_ever(Loop* self, Listener* listener);
  bool accept_some(Listener& listener);
  void hand_out(int fd, TlsServer* tls);
  void sweep();
  void drain();

  ServerOptions options_;
  Routing& routing_;
  Census& census_;
  std::shared_ptr<Mailbox> mailbox_;
  std::vector<Resident*> slots_;  // Null where free.
  std::vector<std::uint32_t> free_slots_;
  std::vector<Delivery> drained_deliveries_;
  std::vector<Callback<void()>> drained_jobs_;
  std::vector<std::unique_ptr<Loop>> const* loops_ = nullptr;
  std::size_t next_loop_ = 0;
  std::uint64_t last_ticket_ = 0;
  Span now_;
  Span sweep_period_;
  std::string date_line_;
  std::int64_t date_second_ = 0;
  bool will_tell_routed_ = false;
  bool is_stopping_ = false;
  asio::io_context io_;
  std::vector<std::unique_ptr<Listener>> listeners_;
};

}  // namespace suan::net
