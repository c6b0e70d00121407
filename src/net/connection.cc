#include "net/connection.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "net/socket_session.h"

namespace suan::net {

namespace {

constexpr std::size_t read_bytes = 8U << 10U;
constexpr std::size_t copied_body_bytes_max = 16U << 10U;
constexpr Span linger_timeout = seconds(2);
constexpr std::size_t watched_bytes_max = 64U << 10U;
// What the system may hold of a stream: little, so that a slow client's progress shows in time.
constexpr int stream_socket_bytes = 128 << 10;

void append_number(std::string& out, std::size_t number, int base) {
  std::array<char, 20> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number, base).ptr;
  out.append(digits.data(), end);
}

// A line break in a field would let its writer forge further fields.
bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

bool is_bodyless(int status) {
  return status == 204 || status == 304;
}

}  // namespace

Connection::Connection(Loop& loop, Accepted accepted)
    : loop_(loop),
      channel_(loop.io(), accepted.fd, accepted.tls ? accepted.tls->accept(accepted.fd) : nullptr),
      slot_(loop.enlist(*this)),
      accepted_(std::move(accepted)) {
  accepted_.fd = -1;
}

Connection::~Connection() {
  loop_.strike(slot_);
}

void Connection::enter(Phase phase, Span timeout) {
  phase_ = phase;
  deadline_ = timeout.us == 0 ? Span{} : loop_.now() + timeout;
}

Task<void> Connection::sleep() {
  asio::use_awaitable_t<Executor> token;
  return asio::async_initiate<asio::use_awaitable_t<Executor>, void()>(
      [](auto handler, Connection* self) { self->waiter_.emplace(std::move(handler)); }, token,
      this);
}

// May end the connection's life: the caller touches nothing of it afterwards.
void Connection::resume() {
  if (!waiter_) return;
  Waiter waiter(std::move(*waiter_));
  waiter_.reset();
  std::move(waiter)();
}

Task<void> Connection::serve(std::shared_ptr<Connection> self) {
  bool goes_on = co_await begin(self);
  if (goes_on && self->accepted_.is_refused) {
    self->fault_ = {503, "too_many_connections", "the server has all the connections it takes"};
    goes_on = co_await answer(self);
  }
  while (goes_on) {
    const bool has_request = co_await read_request(self);
    if (self->is_cut_ || !has_request) break;
    goes_on = co_await answer(self);
  }
  if (self->must_linger_ && !self->is_cut_) co_await linger(self);
  self->channel_.close();
}

// The TLS handshake, if there is one. False when the client has gone or spoke something else.
Task<bool> Connection::begin(std::shared_ptr<Connection> self) {
  if (!self->accepted_.tls) co_return true;
  self->enter(Phase::handshake, self->loop_.options().header_timeout);
  const bool is_done = co_await self->channel_.shake_hands();
  co_return is_done && !self->is_cut_;
}

void Connection::begin_request() {
  parser_.emplace(loop_.options().header_bytes_max, loop_.options().body_bytes_max);
  fault_ = {};
  response_ = {};
  has_response_ = false;
  ticket_ = 0;
  const bool has_bytes = in_begin_ < in_end_;
  if (!has_bytes && in_.size() != read_bytes) std::string(read_bytes, '\0').swap(in_);
  if (is_first_ || has_bytes)
    enter(Phase::header, loop_.options().header_timeout);
  else
    enter(Phase::idle, loop_.options().idle_timeout);
  is_first_ = false;
}

// False when the client has gone; else there is a request or a fault.
Task<bool> Connection::read_request(std::shared_ptr<Connection> self) {
  self->begin_request();
  RequestParser& parser = *self->parser_;
  const ServerOptions& options = self->loop_.options();
  while (!self->parse()) {
    if (parser.is_header_done()) {
      const bool is_entering = self->phase_ != Phase::body;
      if (is_entering && parser.expects_continue()) {
        self->out_ = "HTTP/1.1 100 Continue\r\n\r\n";
        const bool is_sent = co_await send(self);
        if (!is_sent) co_return false;
      }
      if (is_entering) self->enter(Phase::body, options.body_timeout);
    } else if (self->phase_ == Phase::idle && parser.got_some()) {
      self->enter(Phase::header, options.header_timeout);
    }
    if (!self->make_room()) {
      self->fault_ = {431, "line_too_large", "a line of the request is over the limit"};
      co_return true;
    }
    const auto room =
        asio::buffer(self->in_.data() + self->in_end_, self->in_.size() - self->in_end_);
    const auto [error, count] = co_await self->channel_.read(room, as_result);
    if (self->fault_.status != 0) co_return true;  // Too late, whatever came.
    if (error) co_return false;
    self->in_end_ += count;
  }
  co_return true;
}

// True when the request is complete or refused.
bool Connection::parse() {
  while (in_begin_ < in_end_ && !parser_->is_complete()) {
    const std::string_view bytes(in_.data() + in_begin_, in_end_ - in_begin_);
    const std::size_t taken = parser_->take(bytes);
    in_begin_ += taken;
    if (parser_->fault().status != 0) return true;
    if (taken == 0) break;
  }
  if (in_begin_ == in_end_) in_begin_ = in_end_ = 0;
  return parser_->is_complete();
}

// False when what must be parsed in one piece is longer than any header may be.
bool Connection::make_room() {
  if (in_end_ < in_.size()) return true;
  if (in_begin_ > 0) {
    std::memmove(in_.data(), in_.data() + in_begin_, in_end_ - in_begin_);
    in_end_ -= std::exchange(in_begin_, 0);
    return true;
  }
  const std::size_t bytes_max = loop_.options().header_bytes_max + read_bytes;
  if (in_.size() >= bytes_max) return false;
  in_.resize(std::min(in_.size() * 2, bytes_max));
  return true;
}

// Turns a refused request into its answer.
bool Connection::take_fault() {
  const RequestFault fault = fault_.status != 0 || !parser_ ? fault_ : parser_->fault();
  if (fault.status == 0) return false;
  response_ = make_problem(fault.status, fault.code, fault.detail);
  if (fault.status == 503) response_.headers.add("Retry-After", "1");
  has_response_ = true;
  keeps_alive_ = false;
  must_linger_ = true;
  return true;
}

void Connection::call_route() {
  Request& request = parser_->request();
  is_head_ = parser_->is_head();
  is_version_1_0_ = parser_->is_version_1_0();
  keeps_alive_ = parser_->keep_alive();
  if (parser_->is_asterisk()) {
    response_ = {.status = 204, .content_type = ""};
    response_.headers.add("Allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
    has_response_ = true;
    return;
  }
  request.peer = accepted_.peer;
  const auto mailbox = loop_.mailbox();
  ticket_ = loop_.next_ticket();
  mailbox->routing_ticket = ticket_;
  enter(Phase::route, loop_.options().answer_timeout);
  loop_.route(std::move(request), Responder(mailbox, slot_, ticket_));
  const bool is_answered = mailbox->routing_ticket == 0;
  mailbox->routing_ticket = 0;
  if (is_answered) deliver(std::move(mailbox->answered_at_once));
}

// Gives the channel to a WebSocket. False when the request allows none: then there is an answer.
bool Connection::become_socket() {
  const auto state = std::exchange(socket_, nullptr);
  const char* fault = nullptr;
  if (is_version_1_0_) fault = "a WebSocket needs HTTP/1.1";
  if (in_begin_ < in_end_) fault = "nothing may follow the request before its answer";
  if (fault == nullptr && !loop_.is_stopping()) {
    begin_accepted_socket(loop_, std::move(channel_), std::move(accepted_), state);
    return true;
  }
  response_ = fault ? make_problem(400, "bad_upgrade", fault)
                    : make_problem(503, "stopping", "the server is about to stop");
  has_response_ = true;
  keeps_alive_ = false;
  must_linger_ = true;
  state->end({.kind = SocketEnd::Kind::refused,
              .http_status = response_.status,
              .text = fault ? fault : "the server is about to stop"});
  return false;
}

// True when the connection goes on to the next request.
Task<bool> Connection::answer(std::shared_ptr<Connection> self) {
  if (!self->take_fault()) self->call_route();
  while (!self->has_response_ && !self->stream_ && !self->socket_ && !self->is_cut_) {
    co_await self->sleep();
  }
  if (self->is_cut_) co_return false;
  if (self->socket_ && self->become_socket()) co_return false;
  if (self->loop_.is_stopping()) self->keeps_alive_ = false;
  if (self->stream_) {
    co_await send_stream(self);
    co_return false;
  }
  self->print_head(self->response_, false);
  std::string& body = self->response_.body;
  if (self->is_head_ || is_bodyless(self->response_.status)) body.clear();
  if (body.size() <= copied_body_bytes_max) {
    self->out_ += body;
    body.clear();
  }
  const bool is_sent = co_await send(self);
  if (!self->keeps_alive_ && self->in_begin_ < self->in_end_) self->must_linger_ = true;
  co_return is_sent && self->keeps_alive_;
}

void Connection::print_head(const Response& response, bool is_stream) {
  out_ = "HTTP/1.1 ";
  append_number(out_, static_cast<std::size_t>(response.status), 10);
  out_.append(" ").append(reason_phrase(response.status)).append("\r\n");
  out_ += loop_.date_line();
  const bool has_type = !response.content_type.empty() && is_clean(response.content_type);
  if (has_type && !is_bodyless(response.status)) {
    out_.append("Content-Type: ").append(response.content_type).append("\r\n");
  }
  if (is_stream) {
    if (!is_version_1_0_) out_ += "Transfer-Encoding: chunked\r\n";
  } else if (!is_bodyless(response.status)) {
    out_ += "Content-Length: ";
    append_number(out_, response.body.size(), 10);
    out_ += "\r\n";
  }
  if (!keeps_alive_)
    out_ += "Connection: close\r\n";
  else if (is_version_1_0_)
    out_ += "Connection: keep-alive\r\n";
  for (const Header& header : response.headers) {
    if (!is_clean(header.name) || !is_clean(header.value)) continue;
    out_.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  out_ += "\r\n";
}

// Sends `out_` and the response's body. False when that failed or took too long.
Task<bool> Connection::send(std::shared_ptr<Connection> self) {
  self->enter(Phase::write, self->loop_.options().write_timeout);
  const std::string& head = self->out_;
  const std::string& body = self->response_.body;
  std::size_t done = 0;
  while (done < head.size() + body.size()) {
    const std::size_t head_done = std::min(done, head.size());
    const std::size_t body_done = done - head_done;
    const std::array<asio::const_buffer, 2> rest{
        asio::const_buffer(head.data() + head_done, head.size() - head_done),
        asio::const_buffer(body.data() + body_done, body.size() - body_done)};
    Error error;
    const std::size_t sent = self->channel_.write_some(rest, error);
    done += sent;
    if (sent > 0 && self->stream_) self->enter(Phase::write, self->loop_.options().write_timeout);
    if (error == asio::error::would_block || error == asio::error::try_again) {
      const auto [wait_error] = co_await self->channel_.wait(as_result);
      if (wait_error) co_return false;
    } else if (error) {
      co_return false;
    }
  }
  co_return true;
}

// Fills `out_` with all that is queued, as one chunk. False when nothing is.
bool Connection::take_batch(bool& is_last) {
  const std::lock_guard lock(stream_->mutex);
  stream_->is_signalled = false;
  stream_->in_flight = stream_->pending.size();
  is_last = stream_->is_closed || loop_.is_stopping();
  if (stream_->is_cut) is_cut_ = true;
  out_.clear();
  if (stream_->pending.empty()) return false;
  if (!is_version_1_0_) {
    append_number(out_, stream_->pending.size(), 16);
    out_ += "\r\n";
  }
  out_ += stream_->pending;
  if (!is_version_1_0_) out_ += "\r\n";
  stream_->pending.clear();
  return true;
}

Task<void> Connection::send_stream(std::shared_ptr<Connection> self) {
  const std::shared_ptr<StreamState> stream = self->stream_;
  self->keeps_alive_ = false;
  self->response_ = {.status = stream->status,
                     .content_type = std::move(stream->content_type),
                     .headers = std::move(stream->headers)};
  self->print_head(self->response_, true);
  self->channel_.set_send_buffer(stream_socket_bytes);
  bool is_sent = co_await send(self);
  bool is_ended = self->is_head_;
  if (is_sent && !is_ended) {
    asio::co_spawn(self->loop_.io(), watch(self), asio::detached);
  }
  while (is_sent && !is_ended && !self->is_cut_) {
    const bool has_bytes = self->take_batch(is_ended);
    if (self->is_cut_) break;
    if (!has_bytes) stream->tell_room();
    if (!has_bytes && !is_ended) {
      self->enter(Phase::stream, {});
      co_await self->sleep();
      continue;
    }
    if (is_ended && !self->is_version_1_0_) self->out_ += "0\r\n\r\n";
    is_sent = co_await send(self);
  }
  stream->cut();
  stream->tell_room();
}

// Notices that the client of a stream has gone although nothing is being written.
Task<void> Connection::watch(std::shared_ptr<Connection> self) {
  std::array<char, 512> scratch;
  std::size_t total = 0;
  while (total < watched_bytes_max) {
    const auto [error, count] = co_await self->channel_.read(asio::buffer(scratch), as_result);
    if (error) break;
    total += count;
  }
  self->cut();
}

// Closing with unread bytes would make the system reset the connection, and the client could lose
// the answer; so what it still sends is read for a while (RFC 9112 §9.6).
Task<void> Connection::linger(std::shared_ptr<Connection> self) {
  self->channel_.end_sending();
  self->enter(Phase::linger, linger_timeout);
  bool is_open = true;
  while (is_open) {
    const auto [error, count] = co_await self->channel_.read(asio::buffer(self->in_), as_result);
    is_open = !error;
  }
}

void Connection::deliver(Delivery delivery) {
  if (delivery.ticket != ticket_) return delivery.discard();
  if (delivery.kind == Delivery::Kind::answer) {
    ticket_ = 0;
    response_ = std::move(delivery.response);
    has_response_ = true;
  } else if (delivery.kind == Delivery::Kind::stream) {
    stream_ = std::move(delivery.stream);
  } else if (delivery.kind == Delivery::Kind::upgrade) {
    ticket_ = 0;
    socket_ = std::move(delivery.socket);
  } else if (stream_) {
    bool is_over = false;
    {
      const std::lock_guard lock(stream_->mutex);
      is_over = stream_->is_cut;
    }
    if (is_over) return cut();  // Now, although a write may be waiting for the client.
  }
  resume();
}

void Connection::check_deadline(Span now) {
  if (deadline_.us == 0 || now < deadline_) return;
  deadline_ = {};
  switch (phase_) {
    case Phase::header:
    case Phase::body:
      if (!parser_->got_some()) return cut();  // Opened and never used: nobody waits for words.
      fault_ = {408, "request_too_slow", "the request did not arrive in time"};
      channel_.cancel();
      break;
    case Phase::route:
      ticket_ = 0;
      response_ =
          make_problem(504, "answer_too_late", "the server did not find its answer in time");
      has_response_ = true;
      resume();
      break;
    case Phase::handshake:
    case Phase::idle:
    case Phase::write:
    case Phase::linger:
      cut();
      break;
    case Phase::stream:
      break;
  }
}

void Connection::begin_stop() {
  const bool is_idle = phase_ == Phase::handshake || phase_ == Phase::idle ||
                       (phase_ == Phase::header && !parser_->got_some());
  if (is_idle) return cut();
  if (stream_) resume();
}

void Connection::cut() {
  is_cut_ = true;
  channel_.close();
  if (stream_) stream_->cut();
  resume();
}

}  // namespace suan::net
