#include "net/socket_session.h"

#include <algorithm>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "base/ensure.h"
#include "net/socket_protocol.h"

namespace suan::net {

namespace http = boost::beast::http;

void begin_accepted_socket(Loop& loop, Channel channel, Accepted accepted,
                           std::shared_ptr<SocketState> state) {
  auto session = std::make_shared<SocketSession>(loop, std::move(accepted), std::move(state));
  asio::co_spawn(loop.io(), SocketSession::accept(std::move(session), std::move(channel)),
                 asio::detached);
}

SocketSession::SocketSession(Loop& loop, Accepted accepted, std::shared_ptr<SocketState> state)
    : loop_(loop),
      accepted_(std::move(accepted)),
      state_(std::move(state)),
      slot_(loop.enlist(*this)),
      last_heard_(loop.now()) {
  state_->session = this;
  deadline_ = loop.now() + loop.options().header_timeout;
}

SocketSession::~SocketSession() {
  loop_.strike(slot_);
  state_->session = nullptr;
  state_->end({.kind = SocketEnd::Kind::broken, .text = "the server or dialler has stopped"});
}

Channel* SocketSession::channel() {
  if (protocol_) return &protocol_->stream.next_layer();
  return channel_ ? &*channel_ : nullptr;
}

void SocketSession::make_stream() {
  protocol_ = std::make_unique<Protocol>(std::move(*channel_));
  channel_.reset();
  auto& stream = protocol_->stream;
  stream.binary(true);
  stream.auto_fragment(false);
  stream.write_buffer_bytes(16U << 10U);
  stream.read_message_max(state_->options.message_bytes_max);
}

Task<void> SocketSession::accept(std::shared_ptr<SocketSession> self, Channel channel) {
  self->channel_.emplace(std::move(channel));
  self->make_stream();
  // What refuse_upgrade has checked, in Beast's words.
  const Request& request = self->state_->request;
  http::request<http::empty_body> asked(http::verb::get, request.target, 11);
  for (const Header& header : request.headers) asked.insert(header.name, header.value);
  const auto [error] = co_await self->protocol_->stream.async_accept(asked, as_result);
  if (error) {
    self->fail({.kind = SocketEnd::Kind::violated, .code = 1002, .text = error.message()});
    co_return;
  }
  co_await run(self);
}

Task<void> SocketSession::run(std::shared_ptr<SocketSession> self) {
  if (self->phase_ != Phase::opening) co_return;
  self->phase_ = Phase::open;
  self->deadline_ = {};
  self->last_heard_ = self->loop_.now();
  if (self->state_->listener.on_open) self->state_->listener.on_open();
  asio::co_spawn(self->loop_.io(), write(self), asio::detached);
  self->look();  // It may have been closed meanwhile.
  co_await read(self);
}

Task<void> SocketSession::read(std::shared_ptr<SocketSession> self) {
  auto& stream = self->protocol_->stream;
  while (self->phase_ != Phase::over) {
    if (self->is_held()) {
      co_await sleep(&self->reader_);
      continue;
    }
    std::string message;
    auto buffer = asio::dynamic_buffer(message);
    const auto [error, count] = co_await stream.async_read(buffer, as_result);
    if (self->phase_ == Phase::over) co_return;
    if (error) {
      self->fail(self->explain(error));
      co_return;
    }
    if (!stream.got_binary()) {
      if (self->phase_ == Phase::closing) continue;
      self->is_refusing_ = true;
      co_await close(self, 1003, "only binary messages are understood here");
      self->fail({.kind = SocketEnd::Kind::violated,
                  .code = 1003,
                  .text = "the peer sent a text message"});
      co_return;
    }
    message.resize(count);
    if (self->state_->listener.on_message) self->state_->listener.on_message(std::move(message));
  }
}

// True when there is a message in `outgoing_`.
bool SocketSession::take_message() {
  const std::lock_guard lock(state_->mutex);
  if (state_->queue.empty()) return false;
  outgoing_ = std::move(state_->queue.front());
  state_->queue.pop_front();
  return true;
}

bool SocketSession::take_close(int& code, std::string& reason) {
  const std::lock_guard lock(state_->mutex);
  code = state_->close_code;
  reason = state_->close_reason;
  return code != 0;
}

bool SocketSession::is_held() {
  const std::lock_guard lock(state_->mutex);
  return state_->is_held;
}

void SocketSession::give_room() {
  {
    const std::lock_guard lock(state_->mutex);
    const bool is_due = state_->wants_room && state_->queued_bytes == 0;
    if (!is_due) return;
    state_->wants_room = false;
  }
  if (state_->listener.on_room) state_->listener.on_room();
}

Task<void> SocketSession::write(std::shared_ptr<SocketSession> self) {
  auto& stream = self->protocol_->stream;
  while (self->phase_ != Phase::over && !self->is_refusing_) {
    int code = 0;
    std::string reason;
    if (self->take_message()) {
      const auto [error, count] =
          co_await stream.async_write(asio::buffer(self->outgoing_), as_result);
      if (self->phase_ == Phase::over) co_return;
      if (error) {
        // Whoever reads finds out why, unless nobody does.
        if (self->reader_) self->fail(self->explain(error));
        co_return;
      }
      const std::lock_guard lock(self->state_->mutex);
      self->state_->queued_bytes -= self->outgoing_.size() + SocketState::message_cost;
    } else if (self->take_close(code, reason)) {
      self->has_closed_ = true;
      const Error failed = co_await close(self, code, reason);
      self->fail(failed ? self->explain(failed)
                        : SocketEnd{.kind = SocketEnd::Kind::closed,
                                    .code = code,
                                    .text = std::move(reason)});
      co_return;
    } else {
      self->give_room();
      co_await sleep(&self->writer_);
    }
  }
}

// The closing handshake, or the end of the connection if the peer takes no part in it.
Task<Error> SocketSession::close(std::shared_ptr<SocketSession> self, int code,
                                 std::string reason) {
  if (self->phase_ == Phase::open) {
    self->phase_ = Phase::closing;
    const Span until = self->loop_.now() + self->state_->options.close_timeout;
    if (self->deadline_.us == 0) self->deadline_ = until;
  }
  websocket::close_reason why(static_cast<websocket::close_code>(code));
  why.reason.assign(reason.data(), std::min(reason.size(), why.reason.max_size()));
  const auto [error] = co_await self->protocol_->stream.async_close(why, as_result);
  co_return error;
}

Task<void> SocketSession::ping(std::shared_ptr<SocketSession> self) {
  co_await self->protocol_->stream.async_ping({}, as_result);
  self->is_pinging_ = false;
}

Task<void> SocketSession::sleep(std::optional<Waiter>* waiter) {
  asio::use_awaitable_t<Executor> token;
  return asio::async_initiate<asio::use_awaitable_t<Executor>, void()>(
      [](auto handler, std::optional<Waiter>* to) { to->emplace(std::move(handler)); }, token,
      waiter);
}

void SocketSession::resume(std::optional<Waiter>& waiter) {
  if (!waiter) return;
  Waiter held(std::move(*waiter));
  waiter.reset();
  std::move(held)();
}

void SocketSession::look() {
  const auto keep = state_;  // Resuming may end this session's life.
  bool is_cut = false;
  bool is_held = false;
  bool is_closing = false;
  {
    const std::lock_guard lock(keep->mutex);
    is_cut = keep->is_cut;
    is_held = keep->is_held;
    is_closing = keep->close_code != 0;
  }
  if (is_cut) return fail({.kind = SocketEnd::Kind::broken, .text = "it was cut here"});
  if (is_closing && phase_ == Phase::open && deadline_.us == 0) {
    deadline_ = loop_.now() + keep->options.close_timeout;
  }
  if (!is_held) resume(reader_);
  if (keep->session) resume(writer_);
}

void SocketSession::check_deadline(Span now) {
  if (phase_ == Phase::over) return;
  if (deadline_.us != 0 && now >= deadline_) {
    if (phase_ == Phase::opening) {
      return fail({.kind = SocketEnd::Kind::unreachable, .text = "no answer in time"});
    }
    // Whoever waits for the peer now finds out.
    is_late_ = true;
    deadline_ = {};
    return channel()->close();
  }
  if (phase_ != Phase::open) return;
  if (!protocol_->stream.is_open() && deadline_.us == 0) {
    // The peer has closed or was told of its fault, and should now end the connection.
    deadline_ = now + state_->options.close_timeout;
  }
  const std::uint64_t bytes = channel()->bytes_received();
  if (std::exchange(bytes_heard_, bytes) != bytes || reader_) last_heard_ = now;
  const Span silence = now - last_heard_;
  const Span limit = state_->options.silence_timeout;
  if (silence >= limit) {
    return fail({.kind = SocketEnd::Kind::silent, .text = "the peer has gone silent"});
  }
  if (silence * 2 >= limit && !std::exchange(is_pinging_, true)) {
    asio::co_spawn(loop_.io(), ping(shared_from_this()), asio::detached);
  }
}

void SocketSession::begin_stop() {
  if (phase_ == Phase::opening) {
    return fail({.kind = SocketEnd::Kind::unreachable, .text = "this side is about to stop"});
  }
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->close_code == 0) {
      state_->close_code = 1001;
      state_->close_reason = "this side is about to stop";
    }
  }
  look();
}

void SocketSession::cut() {
  fail({.kind = SocketEnd::Kind::broken, .text = "the server or dialler has stopped"});
}

// Ends it, for the first reason that there is. May end the session's life.
void SocketSession::fail(SocketEnd how) {
  if (std::exchange(phase_, Phase::over) == Phase::over) return;
  const auto keep = shared_from_this();
  deadline_ = {};
  if (Channel* const now = channel()) now->close();
  state_->end(how);
  resume(reader_);
  resume(writer_);
}

SocketEnd SocketSession::explain(const Error& error) {
  if (is_late_ && error == asio::error::operation_aborted) {
    return {.kind = SocketEnd::Kind::broken,
            .text = "the peer did not take part in closing the connection"};
  }
  if (error == websocket::error::closed) {
    const auto& reason = protocol_->stream.reason();
    int code = reason.code == 0 ? 1005 : reason.code;
    std::string text(reason.reason.data(), reason.reason.size());
    if (has_closed_) take_close(code, text);
    return {.kind = SocketEnd::Kind::closed, .code = code, .text = std::move(text)};
  }
  if (error == websocket::error::message_too_big) {
    return {.kind = SocketEnd::Kind::violated,
            .code = 1009,
            .text = "the peer sent a message over the limit"};
  }
  if (error == websocket::condition::protocol_violation) {
    return {.kind = SocketEnd::Kind::violated,
            .code = 1002,
            .text = "the peer broke the protocol: " + error.message()};
  }
  return {.kind = SocketEnd::Kind::broken, .text = "the connection broke: " + error.message()};
}

}  // namespace suan::net
