#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>

#include "net/channel.h"
#include "net/place.h"
#include "net/socket_state.h"

namespace suan::net {

/// Makes a connection whose upgrade request has been checked a WebSocket. The loop's thread.
void begin_accepted_socket(Loop& loop, Channel channel, Accepted accepted,
                           std::shared_ptr<SocketState> state);

/// Begins to dial. `place` counts the socket in the dialler's census. The loop's thread.
void begin_dialled_socket(Loop& loop, Accepted place, DialOptions options,
                          std::shared_ptr<SocketState> state);

/// What a URL to dial means.
struct DialTarget {
  Place place;
  std::string target;  // Path and query, encoded.
  bool is_tls = false;
};

/// `invalid` when the URL or target is malformed or a header holds a line end.
Result<DialTarget> parse_dial(const DialOptions& options);

/// One WebSocket on its loop: a coroutine that opens it and reads, one that writes, and a sweep
/// that pings and ends what is dead. Belongs to the loop's thread and is kept alive by its
/// coroutines; whoever ends it, the listener hears of it at once and never again.
class SocketSession final : public Resident, public std::enable_shared_from_this<SocketSession> {
 public:
  SocketSession(Loop& loop, Accepted accepted, std::shared_ptr<SocketState> state);
  SocketSession(const SocketSession&) = delete;
  SocketSession& operator=(const SocketSession&) = delete;
  ~SocketSession() override;

  static Task<void> accept(std::shared_ptr<SocketSession> self, Channel channel);
  static Task<void> dial(std::shared_ptr<SocketSession> self, DialOptions options);

  /// The state has changed.
  void look();

  void deliver(Delivery delivery) override { delivery.discard(); }
  void check_deadline(Span now) override;
  void begin_stop() override;
  void cut() override;

 private:
  struct Protocol;  // Beast's side.
  using Waiter = asio::any_completion_handler<void()>;
  enum class Phase : std::uint8_t { opening, open, closing, over };

  static Task<Result<void>> reach(std::shared_ptr<SocketSession> self, const DialTarget* target,
                                  const std::string* ca_file);
  static Task<Result<void>> connect(std::shared_ptr<SocketSession> self,
                                    std::unique_ptr<TlsSession> tls, int fd);
  static Task<bool> ask(std::shared_ptr<SocketSession> self, const DialTarget* target,
                        const Headers* headers);
  static Task<void> run(std::shared_ptr<SocketSession> self);
  static Task<void> read(std::shared_ptr<SocketSession> self);
  static Task<void> write(std::shared_ptr<SocketSession> self);
  static Task<void> ping(std::shared_ptr<SocketSession> self);
  static Task<Error> close(std::shared_ptr<SocketSession> self, int code, std::string reason);
  static Task<void> sleep(std::optional<Waiter>* waiter);
  static void resume(std::optional<Waiter>& waiter);

  Channel* channel();
  void make_stream();
  bool take_message();
  bool take_close(int& code, std::string& reason);
  void give_room();
  bool is_held();
  void fail(SocketEnd how);
  SocketEnd explain(const Error& error);

  Loop& loop_;
  Accepted accepted_;
  std::shared_ptr<SocketState> state_;
  std::uint32_t slot_;
  std::optional<Channel> channel_;      // While it opens,
  std::unique_ptr<Protocol> protocol_;  // and then in here.
  std::optional<Waiter> writer_;        // Asleep: nothing to send.
  std::optional<Waiter> reader_;        // Asleep: held.
  std::string outgoing_;                // Being sent.
  Phase phase_ = Phase::opening;
  Span deadline_;    // Of opening and closing.
  Span last_heard_;  // As of the sweep that saw it.
  std::uint64_t bytes_heard_ = 0;
  bool is_pinging_ = false;
  bool has_closed_ = false;   // We were the first to end it.
  bool is_refusing_ = false;  // A text message.
  bool is_late_ = false;      // The peer did not close in time.
};

}  // namespace suan::net
