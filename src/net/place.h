#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "base/result.h"

/// Where a server listens, and plain sockets to it.
namespace suan::net {

struct Place {
  std::string unix_path{};  // Empty for TCP.
  std::string host{};
  std::uint16_t port = 0;
  std::string authority{};  // The Host field's value.
  bool is_tls = false;
};

/// "http://host[:port]", "https://host[:port]" or "unix:/absolute/path".
Result<Place> parse_place(std::string_view text);

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;

  const sockaddr* get() const;
};

/// The addresses to try, in order. Numeric hosts and "localhost" cost no look-up.
Result<std::vector<Address>> resolve(const Place&);

/// "127.0.0.1:80", "[::1]:80", or "unix" for any other family.
std::string print_address(const Address&);

/// A non-blocking, close-on-exec stream socket, with Nagle's delay off where it has one. -1 and
/// errno when the system has none to give.
int open_socket(int family);

/// Starts to connect. The socket is connected, or connecting when errno is EINPROGRESS; else -1.
int open_connection(const Address&);

}  // namespace suan::net
