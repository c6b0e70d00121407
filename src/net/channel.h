#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>

#include "net/loop.h"
#include "net/tls.h"

namespace suan::net {

using Error = boost::system::error_code;

/// A connected socket on a loop, with or without TLS. What Asio calls an asynchronous stream, so
/// that Beast can run over it; at most one read and one write at a time, on the loop's thread.
/// After `close` nothing touches the socket, whatever was under way.
class Channel {
 public:
  using executor_type = Executor;
  using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Executor>;

  /// Takes over the socket. Without a session the bytes go as they are.
  Channel(asio::io_context& io, int socket, std::unique_ptr<TlsSession> tls);

  /// With no read or write under way.
  Channel(Channel&&) = default;

  Executor get_executor() { return socket_.get_executor(); }

  /// Of a socket that is connecting: 0 when it is connected, else errno.
  Task<int> finish_connecting();

  /// False when that failed; `tls_problem` then says why. At once without TLS.
  Task<bool> shake_hands();
  std::string_view tls_problem() const {
    return tls_ ? std::string_view(tls_->problem()) : std::string_view();
  }

  /// What fits now: `would_block` when nothing does, and then `wait` as long as that takes. For
  /// TLS only the first buffer that is not empty goes.
  template <class Buffers>
  std::size_t write_some(const Buffers& buffers, Error& error);

  /// Completes when a write or read that would block may be tried again.
  template <class Token>
  auto wait(Token&& token) {
    return socket_.async_wait(waits_to_write_ ? Socket::wait_write : Socket::wait_read,
                              std::forward<Token>(token));
  }

  template <class Buffers, class Token>
  auto async_read_some(const Buffers& buffers, Token&& token);
  template <class Buffers, class Token>
  auto async_write_some(const Buffers& buffers, Token&& token);

  /// async_read_some by the shortest way; counts no bytes without TLS.
  template <class Buffers, class Token>
  auto read(const Buffers& buffers, Token&& token) {
    if (!tls_) return socket_.async_read_some(buffers, std::forward<Token>(token));
    return async_read_some(buffers, std::forward<Token>(token));
  }

  bool is_open() const { return socket_.is_open(); }

  /// Wakes the read and write under way with an error.
  void cancel();

  /// Says that nothing follows; what the peer still sends can be read.
  void end_sending();

  /// Ends it now; with TLS the peer is told so, if there is room.
  void close();

  void set_send_buffer(int bytes);

  /// Grows with every byte received, so that a silent peer can be told from one that speaks.
  std::uint64_t bytes_received() const { return bytes_received_; }

 private:
  struct Reading;
  struct Writing;

  std::size_t read_now(asio::mutable_buffer to, Error& error);
  std::size_t write_now(asio::const_buffer from, Error& error);
  std::size_t take(TlsSession::Step step, bool is_read, Error& error);

  Socket socket_;
  std::unique_ptr<TlsSession> tls_;
  std::uint64_t bytes_received_ = 0;
  bool waits_to_write_ = false;  // For the last of the calls that would block.
};

namespace channel {

template <class Buffer, class Buffers>
Buffer first_of(const Buffers& buffers) {
  const auto end = asio::buffer_sequence_end(buffers);
  for (auto it = asio::buffer_sequence_begin(buffers); it != end; ++it) {
    if (Buffer(*it).size() > 0) return Buffer(*it);
  }
  return {};
}

}  // namespace channel

/// A read over TLS as a composed operation of Asio: tries, waits, tries again.
struct Channel::Reading {
  Channel* channel;
  asio::mutable_buffer to;
  bool has_waited = false;
  std::optional<std::pair<Error, std::size_t>> done{};

  template <class Self>
  void operator()(Self& self, Error error = {}) {
    if (done) return self.complete(done->first, done->second);
    std::size_t count = 0;
    if (!error) count = channel->read_now(to, error);
    if (error == asio::error::would_block) {
      has_waited = true;
      channel->wait(std::move(self));
      return;
    }
    if (has_waited) return self.complete(error, count);
    // Never from within the call that began it: the caller may hold what its handler needs.
    done.emplace(error, count);
    asio::post(channel->get_executor(), std::move(self));
  }
};

struct Channel::Writing {
  Channel* channel;
  asio::const_buffer from;
  bool has_waited = false;
  std::optional<std::pair<Error, std::size_t>> done{};

  template <class Self>
  void operator()(Self& self, Error error = {}) {
    if (done) return self.complete(done->first, done->second);
    std::size_t count = 0;
    if (!error) count = channel->write_now(from, error);
    if (error == asio::error::would_block) {
      has_waited = true;
      channel->wait(std::move(self));
      return;
    }
    if (has_waited) return self.complete(error, count);
    done.emplace(error, count);
    asio::post(channel->get_executor(), std::move(self));
  }
};

template <class Buffers>
std::size_t Channel::write_some(const Buffers& buffers, Error& error) {
  if (tls_) return write_now(channel::first_of<asio::const_buffer>(buffers), error);
  waits_to_write_ = true;
  return socket_.write_some(buffers, error);
}

template <class Buffers, class Token>
auto Channel::async_read_some(const Buffers& buffers, Token&& token) {
  return asio::async_compose<Token, void(Error, std::size_t)>(
      Reading{this, channel::first_of<asio::mutable_buffer>(buffers)}, token, socket_);
}

template <class Buffers, class Token>
auto Channel::async_write_some(const Buffers& buffers, Token&& token) {
  return asio::async_compose<Token, void(Error, std::size_t)>(
      Writing{this, channel::first_of<asio::const_buffer>(buffers)}, token, socket_);
}

}  // namespace suan::net
