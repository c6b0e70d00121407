#include "net/server.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ensure.h"
#include "net/loop.h"
#include "net/place.h"
#include "net/tls.h"

namespace suan::net {

namespace {

constexpr std::size_t spare_files = 256;  // For all that is not a connection.
constexpr Span cut_wait = seconds(2);

Failure refused_by_system(const std::string& what, int error) {
  const auto kind = error == EADDRINUSE ? Failure::Kind::unavailable : Failure::Kind::io;
  return {.kind = kind,
          .text = "cannot listen at " + what + ": " + std::strerror(error),
          .place = what};
}

// A socket that listens, or the failure. `mode` is for Unix sockets.
Result<int> open_listener(const Address& address, const std::string& what, const char* unix_path) {
  const int fd = open_socket(address.storage.ss_family);
  if (fd < 0) return std::unexpected(refused_by_system(what, errno));
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool is_bound = bind(fd, address.get(), address.size) == 0;
  // Nobody can connect before `listen`, so the mode is in force from the start.
  const bool has_mode = is_bound && (!unix_path || chmod(unix_path, 0660) == 0);
  if (!has_mode || listen(fd, SOMAXCONN) != 0) {
    const int error = errno;
    close(fd);
    return std::unexpected(refused_by_system(what, error));
  }
  return fd;
}

Result<int> listen_tcp(const std::string& host, std::uint16_t port) {
  const std::string what = host + ":" + std::to_string(port);
  const bool is_numeric = host == "localhost" ||
                          host.find_first_not_of("0123456789.") == host.npos ||
                          host.find(':') != host.npos;
  if (!is_numeric) {
    return failure(Failure::Kind::invalid, "listen at a numeric address, for instance 0.0.0.0",
                   host);
  }
  SUAN_TRY(const auto addresses, resolve({.host = host, .port = port}));
  return open_listener(addresses.front(), what, nullptr);
}

Result<int> listen_unix(const std::string& path) {
  SUAN_TRY(const auto addresses, resolve({.unix_path = path, .port = 0}));
  // A file left by a server that died must go; one that somebody answers at must stay.
  const int probe = open_connection(addresses.front());
  const int error = errno;
  if (probe >= 0) {
    close(probe);
    return failure(Failure::Kind::unavailable, "another server listens at " + path, path);
  }
  struct stat found{};
  if (error == ECONNREFUSED && lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode)) {
    unlink(path.c_str());
  }
  return open_listener(addresses.front(), path, path.c_str());
}

std::uint16_t port_of(int fd) {
  Address address;
  address.size = sizeof address.storage;
  getsockname(fd, static_cast<sockaddr*>(static_cast<void*>(&address.storage)), &address.size);
  const std::string text = print_address(address);
  const std::size_t colon = text.rfind(':');
  return colon == text.npos
             ? std::uint16_t{0}
             : static_cast<std::uint16_t>(std::strtoul(&text[colon + 1], nullptr, 10));
}

void allow_files(std::size_t count) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= count) return;
  limit.rlim_cur = std::min<rlim_t>(count, limit.rlim_max);
  setrlimit(RLIMIT_NOFILE, &limit);
}

Result<void> check(const ServerOptions& options) {
  const auto bad = [](const char* text) { return failure(Failure::Kind::invalid, text); };
  if (options.host.empty() && options.unix_path.empty()) return bad("a server needs a place");
  if (options.threads < 1 || options.threads > 64) return bad("threads must be from 1 to 64");
  if (options.header_bytes_max < 256 || options.header_bytes_max > (1U << 20U)) {
    return bad("header_bytes_max must be from 256 B to 1 MiB");
  }
  if (options.tls_certificate_file.empty() != options.tls_key_file.empty()) {
    return bad("TLS needs both a certificate file and a key file");
  }
  if (options.connections_max < 1) return bad("connections_max must be at least 1");
  for (const Span span : {options.idle_timeout, options.header_timeout, options.body_timeout,
                          options.write_timeout, options.answer_timeout}) {
    if (span < milliseconds(1)) return bad("a timeout must be at least 1 ms");
  }
  return {};
}

}  // namespace

struct Server::Parts {
  ServerOptions options;
  Routing routing;
  Census census;
  std::unique_ptr<TlsServer> tls;  // Null = none.
  std::vector<std::unique_ptr<Loop>> loops;
  std::vector<std::thread> threads;
  std::uint16_t port = 0;
  bool has_unix_file = false;
  bool is_stopped = false;
};

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Result<std::unique_ptr<Server>> Server::start(ServerOptions options, Route route,
                                              Callback<void()> routed) {
  SUAN_CHECK(check(options));
  allow_files(options.connections_max + spare_files);
  auto parts = std::make_unique<Parts>();
  parts->options = std::move(options);
  parts->routing = {std::move(route), std::move(routed)};
  if (!parts->options.tls_certificate_file.empty()) {
    SUAN_TRY(parts->tls,
             TlsServer::load(parts->options.tls_certificate_file, parts->options.tls_key_file));
  }
  for (int i = 0; i < parts->options.threads; ++i) {
    parts->loops.push_back(std::make_unique<Loop>(parts->options, parts->routing, parts->census));
  }
  Loop& first = *parts->loops.front();
  if (!parts->options.host.empty()) {
    SUAN_TRY(const int fd, listen_tcp(parts->options.host, parts->options.port));
    parts->port = port_of(fd);
    first.listen(fd, parts->loops, parts->tls.get());
  }
  if (!parts->options.unix_path.empty()) {
    SUAN_TRY(const int fd, listen_unix(parts->options.unix_path));
    parts->has_unix_file = true;
    first.listen(fd, parts->loops, nullptr);
  }
  for (const auto& loop : parts->loops) {
    parts->threads.emplace_back([loop = loop.get()] { loop->run(); });
  }
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Server::~Server() {
  stop({});
}

std::uint16_t Server::port() const {
  return parts_->port;
}

Result<void> Server::reload_tls() {
  if (!parts_->tls) {
    return failure(Failure::Kind::unsupported, "this server has no TLS certificate to read again");
  }
  return parts_->tls->reload();
}

std::size_t Server::connections() const {
  return parts_->census.connections.load();
}

void Server::stop(Span grace) {
  if (std::exchange(parts_->is_stopped, true)) return;
  for (const std::thread& thread : parts_->threads) {
    ensure(thread.get_id() != std::this_thread::get_id());
  }
  Census& census = parts_->census;
  for (const auto& loop : parts_->loops) {
    census.connections.fetch_add(1);  // A place held until the loop takes no new ones.
    loop->mailbox()->put_job([loop = loop.get(), &census] {
      loop->begin_stop();
      census.leave();
    });
  }
  if (!census.wait_empty(grace)) {
    for (const auto& loop : parts_->loops) {
      loop->mailbox()->put_job([loop = loop.get()] { loop->cut_all(); });
    }
    census.wait_empty(cut_wait);
  }
  for (const auto& loop : parts_->loops) {
    loop->mailbox()->close();
    loop->io().stop();
  }
  for (std::thread& thread : parts_->threads) thread.join();
  if (parts_->has_unix_file) unlink(parts_->options.unix_path.c_str());
}

void Server::post(Callback<void()> job) {
  parts_->loops.front()->mailbox()->put_job(std::move(job));
}

void Server::every(Span period, Callback<void()> job) {
  Loop* const loop = parts_->loops.front().get();
  post([loop, period, held = std::move(job)]() mutable { loop->every(period, std::move(held)); });
}

}  // namespace suan::net
