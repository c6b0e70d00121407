#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <utility>

#include <boost/beast/websocket/stream.hpp>

#include "net/socket_session.h"

/// Beast's WebSocket over a Channel. Slow to compile, so for two files only.
namespace suan::net {

/// Reads and drops what the peer still sends, up to its end: a socket closed with bytes unread is
/// reset, and the peer could lose our last words.
struct Draining {
  static constexpr std::size_t bytes_max = 256U << 10U;

  Channel* channel;
  std::unique_ptr<std::array<char, 4096>> scratch = std::make_unique<std::array<char, 4096>>();
  std::size_t total = 0;
  bool has_begun = false;

  template <class Self>
  void operator()(Self& self, Error error = {}, std::size_t count = 0) {
    total += count;
    if (error || total > bytes_max) return self.complete(Error{});
    if (!std::exchange(has_begun, true)) channel->end_sending();
    const auto room = asio::buffer(*scratch);
    channel->async_read_some(room, std::move(self));
  }
};

/// Beast calls these two when the closing handshake is over, or has failed.
template <class Token>
void async_teardown(boost::beast::role_type, Channel& channel, Token&& token) {
  asio::async_compose<Token, void(Error)>(Draining{&channel}, token, channel);
}

inline void teardown(boost::beast::role_type, Channel& channel, Error& error) {
  error = {};
  channel.end_sending();
}

inline void beast_close_socket(Channel& channel) {
  channel.close();
}

namespace websocket = boost::beast::websocket;

struct SocketSession::Protocol {
  explicit Protocol(Channel&& channel) : stream(std::move(channel)) {}

  websocket::stream<Channel, false> stream;
};

}  // namespace suan::net
