#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/socket.h>

#include "net/socket_protocol.h"
#include "net/url.h"

namespace suan::net {

namespace {

constexpr std::size_t refusal_bytes_max = 64U << 10U;

bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

// Only a name that must be looked up costs Asio's resolver, which has a thread for that.
bool needs_look_up(const Place& place) {
  const bool is_numeric = place.host.find_first_not_of("0123456789.") == std::string::npos ||
                          place.host.find(':') != std::string::npos;
  return place.unix_path.empty() && place.host != "localhost" && !is_numeric;
}

Task<Result<std::vector<Address>>> find(asio::io_context* io, const Place* place) {
  if (!needs_look_up(*place)) co_return resolve(*place);
  asio::ip::basic_resolver<asio::ip::tcp, Executor> resolver(*io);
  const auto [error, rows] =
      co_await resolver.async_resolve(place->host, std::to_string(place->port), as_result);
  if (error) {
    co_return failure(Failure::Kind::unavailable,
                      "the host name cannot be resolved: " + error.message(), place->host);
  }
  constexpr std::size_t addresses_max = 8;
  std::vector<Address> out;
  for (const auto& row : rows) {
    if (out.size() == addresses_max) break;
    Address address;
    address.size = static_cast<socklen_t>(row.endpoint().size());
    std::memcpy(&address.storage, row.endpoint().data(), address.size);
    out.push_back(address);
  }
  co_return out;
}

}  // namespace

void begin_dialled_socket(Loop& loop, Accepted place, DialOptions options,
                          std::shared_ptr<SocketState> state) {
  if (loop.is_stopping()) return;
  auto session = std::make_shared<SocketSession>(loop, std::move(place), std::move(state));
  asio::co_spawn(loop.io(), SocketSession::dial(std::move(session), std::move(options)),
                 asio::detached);
}

Result<DialTarget> parse_dial(const DialOptions& options) {
  for (const Header& header : options.headers) {
    if (header.name.empty() || !is_clean(header.name) || !is_clean(header.value)) {
      return failure(Failure::Kind::invalid, "a header field must not hold line ends", header.name);
    }
  }
  if (options.url.starts_with("unix:")) {
    SUAN_TRY(Place place, parse_place(options.url));
    SUAN_TRY(const Target checked, net::parse_target(options.target));
    return DialTarget{.place = std::move(place), .target = options.target};
  }
  const std::string_view text = options.url;
  const bool is_tls = text.starts_with("wss://");
  if (!is_tls && !text.starts_with("ws://")) {
    return failure(Failure::Kind::invalid,
                   "a WebSocket's address is wss://host, ws://host or unix:", options.url);
  }
  SUAN_TRY(Url url, parse_url((is_tls ? "https" : "http") + options.url.substr(is_tls ? 3 : 2)));
  return DialTarget{
      .place = {.host = url.host, .port = url.port, .authority = print_authority(url)},
      .target = url.target,
      .is_tls = is_tls};
}

Task<void> SocketSession::dial(std::shared_ptr<SocketSession> self, DialOptions options) {
  self->deadline_ = self->loop_.now() + options.timeout;
  const auto target = parse_dial(options);
  if (!target) {
    self->fail({.kind = SocketEnd::Kind::unreachable, .text = target.error().text});
    co_return;
  }
  const auto reached = co_await reach(self, &*target, &options.ca_file);
  if (!reached) {
    self->fail({.kind = SocketEnd::Kind::unreachable, .text = reached.error().text});
    co_return;
  }
  if (self->phase_ == Phase::over) co_return;
  self->make_stream();
  const bool is_open = co_await ask(self, &*target, &options.headers);
  if (is_open) co_await run(self);
}

// Leaves an open channel in `channel_`, TLS included.
Task<Result<void>> SocketSession::reach(std::shared_ptr<SocketSession> self,
                                        const DialTarget* target, const std::string* ca_file) {
  std::unique_ptr<TlsClient> tls;
  if (target->is_tls) {
    auto loaded = TlsClient::load(*ca_file);
    if (!loaded) co_return std::unexpected(std::move(loaded).error());
    tls = std::move(*loaded);
  }
  const auto addresses = co_await find(&self->loop_.io(), &target->place);
  if (!addresses) co_return std::unexpected(addresses.error());
  Result<void> tried = failure(Failure::Kind::unavailable, "the host has no address");
  for (const Address& address : *addresses) {
    if (self->phase_ == Phase::over) break;
    const int fd = open_connection(address);
    if (fd < 0) {
      tried = failure(Failure::Kind::unavailable, std::strerror(errno));
      continue;
    }
    auto session = tls ? tls->connect(fd, target->place.host) : nullptr;
    tried = co_await connect(self, std::move(session), fd);
    if (tried) break;
  }
  if (!tried) {
    tried.error().text = "cannot reach " + target->place.authority + ": " + tried.error().text;
  }
  co_return tried;
}

Task<Result<void>> SocketSession::connect(std::shared_ptr<SocketSession> self,
                                          std::unique_ptr<TlsSession> tls, int fd) {
  self->channel_.emplace(self->loop_.io(), fd, std::move(tls));
  Channel& channel = *self->channel_;
  const int error = co_await channel.finish_connecting();
  if (error != 0) co_return failure(Failure::Kind::unavailable, std::strerror(error));
  const bool is_done = co_await channel.shake_hands();
  if (!is_done) {
    co_return failure(Failure::Kind::unavailable, std::string(channel.tls_problem()));
  }
  co_return Result<void>{};
}

// True when the other side agrees.
Task<bool> SocketSession::ask(std::shared_ptr<SocketSession> self, const DialTarget* target,
                              const Headers* headers) {
  auto& stream = self->protocol_->stream;
  stream.set_option(
      websocket::stream_base::decorator([fields = *headers](websocket::request_type& request) {
        for (const Header& header : fields) request.insert(header.name, header.value);
      }));
  websocket::response_type answer;
  const auto [error] =
      co_await stream.async_handshake(answer, target->place.authority, target->target, as_result);
  if (!error) co_return true;
  const auto status = static_cast<int>(answer.result_int());
  if (error == websocket::error::upgrade_declined && status != 101) {
    std::string body = std::move(answer.body());
    body.resize(std::min(body.size(), refusal_bytes_max));
    self->fail({.kind = SocketEnd::Kind::refused,
                .http_status = status,
                .text = target->place.authority + " answered " + std::to_string(status) +
                        " and opened no WebSocket",
                .body = std::move(body)});
  } else {
    self->fail({.kind = SocketEnd::Kind::unreachable,
                .text = target->place.authority + " opened no WebSocket: " + error.message()});
  }
  co_return false;
}

}  // namespace suan::net
