#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/callback.h"
#include "net/http_message.h"

/// How other threads reach an I/O thread. Inside the room only.
namespace suan::net {

struct Mailbox;

/// What producers and the connection share of one stream. `mutex` guards all that may change.
struct StreamState {
  std::shared_ptr<Mailbox> mailbox;
  std::uint32_t slot = 0;
  std::uint64_t ticket = 0;
  std::size_t bytes_max = 0;
  int status = 200;
  std::string content_type;
  Headers headers;

  mutable std::mutex mutex;
  std::string pending;
  std::size_t in_flight = 0;  // Bytes handed to the connection and not yet sent.
  bool is_closed = false;     // Ends when `pending` is sent.
  bool is_cut = false;        // Ends now, unfinished.
  bool is_signalled = false;  // The connection has been told and has not looked yet.
  bool wants_room = false;    // The producer waits for `on_room`.
  std::shared_ptr<Callback<void()>> on_room;

  /// Calls `on_room` if the producer waits for it and all is sent, or if the stream is cut. Without
  /// the mutex held.
  void tell_room();

  /// Ends the stream unfinished and frees what it holds. Any thread.
  void cut();
};

struct SocketState;

/// One message to the connection in `slot`, if it still works on the request `ticket`.
struct Delivery {
  enum class Kind : std::uint8_t { answer, stream, upgrade, wake };

  std::uint32_t slot = 0;
  std::uint64_t ticket = 0;
  Kind kind = Kind::answer;
  Response response{};
  std::shared_ptr<StreamState> stream{};
  std::shared_ptr<SocketState> socket{};

  /// Nobody is there to take it: ends what it would have begun.
  void discard();
};

/// The one queue into an I/O thread. A burst of deliveries costs one wake-up: only the first into
/// an empty box wakes. Outlives its loop; once closed it swallows what comes.
struct Mailbox : std::enable_shared_from_this<Mailbox> {
  std::mutex mutex;
  std::vector<Delivery> deliveries;
  std::vector<Callback<void()>> jobs;
  Callback<void()> wake;  // Called with the mutex held, so never after `close`.
  bool is_open = true;
  bool is_signalled = false;

  // Constant once the loop runs.
  std::thread::id thread;
  std::size_t stream_bytes_max = 0;

  // The loop's thread only: the request whose route is being called, and its answer given
  // meanwhile.
  std::uint64_t routing_ticket = 0;
  Delivery answered_at_once;

  /// False if the box is closed. Any thread.
  bool put(Delivery delivery);
  void put_job(Callback<void()> job);
  void close();

  /// Wakes the loop, or has the burst of this thread do it. With the mutex held.
  void signal();

  /// Moves everything out into the two (emptied) vectors.
  void take(std::vector<Delivery>& deliveries_out, std::vector<Callback<void()>>& jobs_out);
};

}  // namespace suan::net
