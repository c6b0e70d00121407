#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <thread>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/place.h"
#include "net/response_parser.h"

/// Both ends of a connection as a test needs them: byte by byte, rude where it must be. Test code
/// only.
namespace suan::net {

/// How long a test waits for what must come, in milliseconds: a busy machine may stand still.
constexpr int patience_ms = 60'000;

/// A client that says exactly what it is told.
class WirePeer {
 public:
  explicit WirePeer(std::uint16_t port) : WirePeer(Place{.host = "127.0.0.1", .port = port}) {}
  explicit WirePeer(const Place& place) : WirePeer(place, 0) {}
  /// With a small `receive_bytes` the system takes little that the test has not read; 0 leaves it.
  WirePeer(const Place& place, int receive_bytes) {
    const Address address = resolve(place)->front();
    fd_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_bytes > 0) {
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_bytes, sizeof receive_bytes);
    }
    is_connected_ = ::connect(fd_, address.get(), address.size) == 0;
  }
  explicit WirePeer(int fd) : fd_(fd), is_connected_(true) {}
  WirePeer(const WirePeer&) = delete;
  WirePeer& operator=(const WirePeer&) = delete;
  ~WirePeer() { close(); }

  bool is_connected() const { return is_connected_; }
  int fd() const { return fd_; }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

  /// False when the other side does not take it all.
  bool say(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  void end() { ::shutdown(fd_, SHUT_WR); }

  /// Some bytes; "" at the end or when `wait_ms` pass without any.
  std::string hear_some(int wait_ms = patience_ms) {
    pollfd item{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&item, 1, wait_ms) != 1) return {};
    std::string bytes(65536, '\0');
    const ssize_t got = ::recv(fd_, bytes.data(), bytes.size(), 0);
    bytes.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return bytes;
  }

  /// Everything up to the end, or to a silence of `wait_ms`.
  std::string hear_all(int wait_ms = patience_ms) {
    std::string all;
    while (true) {
      const std::string some = hear_some(wait_ms);
      if (some.empty()) return all;
      all += some;
    }
  }

  /// True when the other side closes within `wait_ms`; drops what it says before.
  bool is_closed(int wait_ms = patience_ms) {
    pollfd item{.fd = fd_, .events = POLLIN, .revents = 0};
    while (::poll(&item, 1, wait_ms) == 1) {
      std::string bytes(65536, '\0');
      if (::recv(fd_, bytes.data(), bytes.size(), 0) <= 0) return true;
    }
    return false;
  }

  /// The next answer; status 0 when none comes whole. Keeps what follows it for the next call.
  Response hear(bool is_head = false) {
    ResponseParser parser(1U << 20U, 1U << 24U);
    parser.start(is_head);
    while (!parser.is_done()) {
      if (held_.empty()) held_ = hear_some();
      if (held_.empty()) {
        if (parser.has_head() && parser.finish()) break;
        return {.status = 0, .content_type = ""};
      }
      const auto taken = parser.feed(held_);
      if (!taken) return {.status = 0, .content_type = taken.error().text};
      held_.erase(0, *taken);
    }
    return parser.response();
  }

  Response ask(std::string_view bytes) {
    say(bytes);
    return hear();
  }

 private:
  int fd_ = -1;
  bool is_connected_ = false;
  std::string held_;
};

/// A listening socket whose connections a test answers by hand.
class WireListener {
 public:
  WireListener() {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ::bind(fd_, static_cast<sockaddr*>(static_cast<void*>(&address)), sizeof address);
    ::listen(fd_, 16);
    socklen_t size = sizeof address;
    ::getsockname(fd_, static_cast<sockaddr*>(static_cast<void*>(&address)), &size);
    port_ = ntohs(address.sin_port);
  }
  WireListener(const WireListener&) = delete;
  WireListener& operator=(const WireListener&) = delete;
  ~WireListener() { ::close(fd_); }

  std::uint16_t port() const { return port_; }
  std::string place() const { return "http://127.0.0.1:" + std::to_string(port_); }
  int accept() { return ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }

 private:
  int fd_ = -1;
  std::uint16_t port_ = 0;
};

/// Waits for something to become true.
template <class Condition>
bool becomes_true(Condition condition) {
  for (int waited_ms = 0; waited_ms < patience_ms; waited_ms += 5) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return condition();
}

}  // namespace suan::net
