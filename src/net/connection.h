#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_completion_handler.hpp>

#include "net/channel.h"
#include "net/loop.h"
#include "net/request_parser.h"

namespace suan::net {

/// One client's connection: a coroutine that reads a request, waits for its answer, sends it, and
/// begins again. Belongs to its loop's thread. Kept alive by its coroutines only.
class Connection final : public Resident {
 public:
  Connection(Loop& loop, Accepted accepted);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  static Task<void> serve(std::shared_ptr<Connection> self);

  /// Hands over what a Responder or StreamWriter sent, if it is for the request at hand.
  void deliver(Delivery delivery) override;

  /// Acts on a deadline that has passed.
  void check_deadline(Span now) override;

  /// Ends the connection if nobody would miss it; a stream ends after what is queued.
  void begin_stop() override;

  /// Ends the connection now.
  void cut() override;

 private:
  // Asio 1.26 cannot move-assign one, only move-construct.
  using Waiter = asio::any_completion_handler<void()>;

  enum class Phase : std::uint8_t { handshake, idle, header, body, route, write, stream, linger };

  static Task<bool> begin(std::shared_ptr<Connection> self);
  static Task<bool> read_request(std::shared_ptr<Connection> self);
  static Task<bool> answer(std::shared_ptr<Connection> self);
  static Task<bool> send(std::shared_ptr<Connection> self);
  static Task<void> send_stream(std::shared_ptr<Connection> self);
  static Task<void> watch(std::shared_ptr<Connection> self);
  static Task<void> linger(std::shared_ptr<Connection> self);
  Task<void> sleep();

  void begin_request();
  bool parse();
  bool make_room();
  bool take_fault();
  bool become_socket();
  void call_route();
  void enter(Phase phase, Span timeout);
  void resume();
  void print_head(const Response& response, bool is_stream);
  bool take_batch(bool& is_last);

  Loop& loop_;
  Channel channel_;
  std::optional<Waiter> waiter_;  // The sleeping coroutine.
  std::uint32_t slot_ = 0;
  std::uint64_t ticket_ = 0;  // Of the request being answered; 0 = none.
  Span deadline_;             // 0 = none.
  Phase phase_ = Phase::idle;
  std::optional<RequestParser> parser_;
  std::string in_;  // Received; [in_begin_, in_end_) is not parsed yet.
  std::size_t in_begin_ = 0;
  std::size_t in_end_ = 0;
  std::string out_;
  Response response_;
  std::shared_ptr<StreamState> stream_;
  std::shared_ptr<SocketState> socket_;  // What the connection is to become.
  Accepted accepted_;
  RequestFault fault_;  // Found here and not by the parser.
  bool has_response_ = false;
  bool is_first_ = true;  // No request has been answered yet.
  bool is_cut_ = false;
  bool is_head_ = false;
  bool is_version_1_0_ = false;
  bool keeps_alive_ = false;
  bool must_linger_ = false;  // The client may still be sending what nobody will read.
};

}  // namespace suan::net
