#include "uplink/pipe.h"

#include <utility>

namespace suan::uplink {

namespace {

constexpr std::size_t unheard_bytes_max = 8U << 20U;  // Then the peer waits,
constexpr std::size_t unheard_bytes_low = 1U << 20U;  // until so few are left.
constexpr std::size_t message_weighs = 256;           // Beside its bytes.
constexpr std::size_t unsent_bytes_max = 256U << 20U;

constexpr net::SocketOptions limits{.message_bytes_max = frame_bytes_max,
                                    .queue_bytes_max = 2 * frame_bytes_max};

}  // namespace

net::SocketListener Pipe::socket_listener() {
  const auto self = shared_from_this();
  return {.on_open =
              [self] {
                self->worker_.post([self] {
                  if (!self->is_over_ && self->listener_.on_open) self->listener_.on_open();
                });
              },
          .on_message = [self](std::string&& message) { self->arrive(std::move(message)); },
          .on_room = [self] { self->worker_.post([self] { self->flush(); }); },
          .on_close =
              [self](const net::SocketEnd& end) {
                self->worker_.post([self, end] { self->end(end); });
              }};
}

void Pipe::accept(const net::Request& request, net::Responder responder) {
  const std::lock_guard lock(mutex_);
  socket_ = responder.upgrade(request, limits, socket_listener());
}

void Pipe::dial(net::Dialler& dialler, net::DialOptions options) {
  options.socket = limits;
  const std::lock_guard lock(mutex_);
  socket_ = dialler.dial(std::move(options), socket_listener());
}

// On the socket's thread.
void Pipe::arrive(std::string&& message) {
  {
    const std::lock_guard lock(mutex_);
    unheard_ += message.size() + message_weighs;
    if (unheard_ >= unheard_bytes_max && !std::exchange(is_full_, true)) socket_.hold(true);
  }
  worker_.post([self = shared_from_this(), message = std::move(message)]() mutable {
    if (self->is_over_) return;
    self->heard_.push_back(std::move(message));
    self->hear_waiting();
  });
}

void Pipe::hear_waiting() {
  while (!is_held_ && !is_over_ && !heard_.empty()) {
    const std::string message = std::move(heard_.front());
    heard_.pop_front();
    note_heard(message.size() + message_weighs);
    auto frame = parse_frame(message);
    if (!frame) return close(CloseCode::bad_frame, frame.error().text);
    listener_.on_frame(std::move(*frame));
  }
}

void Pipe::note_heard(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  unheard_ -= bytes;
  if (unheard_ <= unheard_bytes_low && std::exchange(is_full_, false)) socket_.hold(false);
}

void Pipe::hold(bool is_held) {
  is_held_ = is_held;
  if (is_held_ || heard_.empty()) return;
  worker_.post([self = shared_from_this()] { self->hear_waiting(); });
}

void Pipe::send(const Frame& frame) {
  if (is_over_) return;
  std::string message = print_frame(frame);
  if (unsent_.empty() && socket().send(message) == net::WebSocket::Sent::queued) return;
  unsent_bytes_ += message.size();
  unsent_.push_back(std::move(message));
  if (unsent_bytes_ > unsent_bytes_max) return cut();
  flush();
}

void Pipe::flush() {
  while (!is_over_ && !unsent_.empty()) {
    if (socket().send(unsent_.front()) != net::WebSocket::Sent::queued) return;
    unsent_bytes_ -= unsent_.front().size();
    unsent_.pop_front();
  }
}

void Pipe::close(CloseCode code, std::string_view reason) {
  close(static_cast<int>(code), reason);
}

void Pipe::close(int code, std::string_view reason) {
  socket().close(code, reason);
  heard_.clear();
  is_held_ = true;
}

void Pipe::cut() {
  socket().cut();
}

void Pipe::end(const net::SocketEnd& end) {
  if (std::exchange(is_over_, true)) return;
  unsent_.clear();
  heard_.clear();
  if (listener_.on_end) listener_.on_end(end);
  listener_ = {};
}

}  // namespace suan::uplink
