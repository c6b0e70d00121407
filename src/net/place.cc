#include "net/place.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/url.h"

namespace suan::net {

namespace {

template <class Sockaddr>
Address make_address(const Sockaddr& from) {
  Address address;
  std::memcpy(&address.storage, &from, sizeof from);
  address.size = sizeof from;
  return address;
}

bool append_numeric(const std::string& host, std::uint16_t port, std::vector<Address>& out) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, host.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    out.push_back(make_address(v4));
    return true;
  }
  if (inet_pton(AF_INET6, host.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(port);
    out.push_back(make_address(v6));
    return true;
  }
  return false;
}

Result<Address> unix_address(const std::string& path) {
  sockaddr_un address{};
  if (path.size() >= sizeof address.sun_path) {
    return failure(Failure::Kind::invalid, "the socket's path is longer than 107 bytes", path);
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  return make_address(address);
}

}  // namespace

const sockaddr* Address::get() const {
  return static_cast<const sockaddr*>(static_cast<const void*>(&storage));
}

Result<Place> parse_place(std::string_view text) {
  Place place;
  if (text.starts_with("unix:")) {
    place.unix_path = text.substr(5);
    place.authority = "localhost";
    if (!place.unix_path.starts_with('/') || place.unix_path.find('\0') != std::string::npos) {
      return failure(Failure::Kind::invalid, "a socket is named unix:/absolute/path",
                     std::string(text));
    }
    return place;
  }
  auto url = parse_url(text);
  if (!url) {
    url.error().place = text;
    return std::unexpected(std::move(url).error());
  }
  if (url->target != "/") {
    return failure(Failure::Kind::invalid, "a server's address has no path: http://host:port",
                   std::string(text));
  }
  place.host = url->host;
  place.port = url->port;
  place.authority = print_authority(*url);
  place.is_tls = url->scheme == "https";
  return place;
}

Result<std::vector<Address>> resolve(const Place& place) {
  std::vector<Address> out;
  if (!place.unix_path.empty()) {
    SUAN_TRY(const Address address, unix_address(place.unix_path));
    out.push_back(address);
    return out;
  }
  if (place.host == "localhost") {
    append_numeric("127.0.0.1", place.port, out);
    append_numeric("::1", place.port, out);
    return out;
  }
  if (append_numeric(place.host, place.port, out)) return out;
  addrinfo wish{};
  wish.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error =
      getaddrinfo(place.host.c_str(), std::to_string(place.port).c_str(), &wish, &found);
  if (error != 0) {
    return failure(Failure::Kind::unavailable,
                   "the host name cannot be resolved: " + std::string(gai_strerror(error)),
                   place.host);
  }
  constexpr std::size_t addresses_max = 8;
  for (const addrinfo* row = found; row && out.size() < addresses_max; row = row->ai_next) {
    Address address;
    std::memcpy(&address.storage, row->ai_addr, row->ai_addrlen);
    address.size = row->ai_addrlen;
    out.push_back(address);
  }
  freeaddrinfo(found);
  return out;
}

std::string print_address(const Address& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof v4);
    inet_ntop(AF_INET, &v4.sin_addr, text.data(), text.size());
    return std::string(text.data()) + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof v6);
    inet_ntop(AF_INET6, &v6.sin6_addr, text.data(), text.size());
    return "[" + std::string(text.data()) + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return "unix";
}

int open_socket(int family) {
  const int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd >= 0 && family != AF_UNIX) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  return fd;
}

int open_connection(const Address& address) {
  const int fd = open_socket(address.storage.ss_family);
  if (fd < 0) return -1;
  errno = 0;
  if (connect(fd, address.get(), address.size) == 0 || errno == EINPROGRESS) return fd;
  const int error = errno;
  close(fd);
  errno = error;
  return -1;
}

}  // namespace suan::net
