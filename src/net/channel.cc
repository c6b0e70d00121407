#include "net/channel.h"

#include <cerrno>

#include <sys/socket.h>

namespace suan::net {

Channel::Channel(asio::io_context& io, int socket, std::unique_ptr<TlsSession> tls)
    : socket_(io), tls_(std::move(tls)) {
  Error ignored;
  socket_.assign(asio::generic::stream_protocol(AF_INET, 0), socket, ignored);
  socket_.non_blocking(true, ignored);
}

Task<int> Channel::finish_connecting() {
  const auto [error] = co_await socket_.async_wait(Socket::wait_write, as_result);
  if (error) co_return error.value();
  int problem = 0;
  socklen_t size = sizeof problem;
  const bool is_known =
      getsockopt(socket_.native_handle(), SOL_SOCKET, SO_ERROR, &problem, &size) == 0;
  co_return is_known ? problem : errno;
}

Task<bool> Channel::shake_hands() {
  while (tls_) {
    if (!socket_.is_open()) co_return false;
    const TlsSession::Step step = tls_->shake_hands();
    if (step.need == TlsSession::Need::nothing) break;
    if (step.need == TlsSession::Need::failed) co_return false;
    waits_to_write_ = step.need == TlsSession::Need::writable;
    const auto [error] = co_await wait(as_result);
    if (error) co_return false;
  }
  co_return true;
}

std::size_t Channel::take(TlsSession::Step step, bool is_read, Error& error) {
  switch (step.need) {
    case TlsSession::Need::nothing:
      error = {};
      if (is_read && step.bytes == 0) error = asio::error::eof;
      break;
    case TlsSession::Need::readable:
    case TlsSession::Need::writable:
      waits_to_write_ = step.need == TlsSession::Need::writable;
      error = asio::error::would_block;
      break;
    case TlsSession::Need::failed:
      error = asio::error::connection_reset;
      break;
  }
  return step.bytes;
}

std::size_t Channel::read_now(asio::mutable_buffer to, Error& error) {
  error = asio::error::operation_aborted;
  if (!socket_.is_open()) return 0;
  std::size_t count = 0;
  if (tls_) {
    count = take(tls_->read(static_cast<char*>(to.data()), to.size()), true, error);
  } else {
    waits_to_write_ = false;
    count = socket_.read_some(asio::buffer(to), error);
  }
  bytes_received_ += count;
  return count;
}

std::size_t Channel::write_now(asio::const_buffer from, Error& error) {
  error = asio::error::operation_aborted;
  if (!socket_.is_open()) return 0;
  if (tls_) {
    const std::string_view bytes(static_cast<const char*>(from.data()), from.size());
    return take(tls_->write(bytes), false, error);
  }
  waits_to_write_ = true;
  return socket_.write_some(asio::buffer(from), error);
}

void Channel::cancel() {
  Error ignored;
  socket_.cancel(ignored);
}

void Channel::end_sending() {
  Error ignored;
  if (tls_) tls_->end();
  socket_.shutdown(asio::socket_base::shutdown_send, ignored);
}

void Channel::close() {
  if (!socket_.is_open()) return;
  Error ignored;
  if (tls_) {
    tls_->end();
    tls_->forget_socket();
  }
  socket_.close(ignored);
}

void Channel::set_send_buffer(int bytes) {
  Error ignored;
  socket_.set_option(asio::socket_base::send_buffer_size(bytes), ignored);
}

}  // namespace suan::net
