#include "net/client.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <utility>

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/place.h"
#include "net/response_parser.h"
#include "net/tls.h"
#include "net/url.h"

namespace suan::net {

namespace {

constexpr Span pause = milliseconds(500);

Span monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return seconds(now.tv_sec) + Span{now.tv_nsec / 1000};
}

int poll_ms(Span span) {
  constexpr std::int64_t hour_ms = 3'600'000;
  return static_cast<int>(std::clamp<std::int64_t>((span.us + 999) / 1000, 0, hour_ms));
}

bool is_repeatable(Method method) {
  return method != Method::post && method != Method::patch;
}

Failure unreachable(const std::string& place, int error) {
  std::string text;
  if (error == ECONNREFUSED || error == ENOENT) {
    text = "nobody listens at " + place + ": is `suan serve` running?";
  } else if (error == ETIMEDOUT) {
    text = "no answer from " + place + " in time";
  } else {
    text = "cannot reach " + place + ": " + std::strerror(error);
  }
  return {.kind = Failure::Kind::unavailable, .text = std::move(text), .place = place};
}

// A line break in a field would let its writer forge further fields.
bool is_clean(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

Result<std::string> print_request(const Request& request, const std::string& authority) {
  std::string target = request.target;
  if (target.empty()) {
    target = request.path.empty() ? "/" : encode_path(request.path);
    if (!request.query.empty()) target += "?" + print_query(request.query);
  }
  if (!target.starts_with('/') || !is_clean(target) || target.find(' ') != target.npos) {
    return failure(Failure::Kind::invalid, "a request target must be an encoded path", target);
  }
  std::string wire;
  wire.reserve(target.size() + request.body.size() + 512);
  wire += print_method(request.method);
  wire.append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(authority).append("\r\n");
  for (const Header& header : request.headers) {
    if (header.name.empty() || !is_clean(header.name) || !is_clean(header.value)) {
      return failure(Failure::Kind::invalid, "a header field must not hold line ends", header.name);
    }
    wire.append(header.name).append(": ").append(header.value).append("\r\n");
  }
  if (!request.body.empty() || !is_repeatable(request.method) || request.method == Method::put) {
    wire.append("Content-Length: ").append(std::to_string(request.body.size())).append("\r\n");
  }
  wire += "\r\n";
  wire += request.body;
  return wire;
}

// Bytes or the end waiting on an idle connection mean that the server has let go of it.
bool is_stale(int socket) {
  pollfd item{.fd = socket, .events = POLLIN, .revents = 0};
  return ::poll(&item, 1, 0) != 0;
}

}  // namespace

struct Client::Exchange {
  StreamReader* reader;
  ResponseParser parser;
  Span deadline;            // 0 = none.
  bool has_bytes = false;   // Something of the answer has arrived.
  bool is_spent = false;    // The two sides no longer agree where a message begins.
  bool is_stopped = false;  // The reader wants no more.
  bool is_ended = false;    // The server sends no more.
  short wishes = POLLIN;    // What a read or write waits for.

  bool is_streaming() { return reader && parser.has_head() && parser.response().status / 100 == 2; }
};

Client::Client(std::string place, ClientOptions options)
    : place_(std::move(place)), options_(std::move(options)) {}

Client::Client(Client&& other) noexcept
    : place_(std::move(other.place_)),
      options_(std::move(other.options_)),
      authority_(std::move(other.authority_)),
      socket_(std::exchange(other.socket_, -1)),
      trust_(std::move(other.trust_)),
      tls_(std::move(other.tls_)) {}

Client::~Client() {
  disconnect();
}

void Client::disconnect() {
  if (tls_) tls_->end();
  tls_.reset();
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool Client::has_input() {
  return tls_ ? tls_->has_input() : is_stale(socket_);
}

Result<Response> Client::send(const Request& request) {
  return perform(request, nullptr);
}

Result<Response> Client::stream(const Request& request, StreamReader reader) {
  return perform(request, &reader);
}

Result<Response> Client::perform(const Request& request, StreamReader* reader) {
  if (authority_.empty()) {
    SUAN_TRY(const Place place, parse_place(place_));
    authority_ = place.authority;
  }
  SUAN_TRY(const std::string wire, print_request(request, authority_));
  if (socket_ >= 0 && has_input()) disconnect();
  while (true) {
    const bool is_kept = socket_ >= 0;
    if (!is_kept) SUAN_CHECK(connect());
    Exchange now{.reader = reader,
                 .parser = {options_.header_bytes_max, options_.body_bytes_max},
                 .deadline = monotonic_now() + options_.answer_timeout};
    now.parser.start(request.method == Method::head);
    auto done = exchange(wire, now);
    if (!done || now.is_stopped || now.is_spent || !now.parser.keeps_alive()) disconnect();
    if (done) return std::move(now.parser.response());
    const bool may_repeat = is_kept && !now.has_bytes && is_repeatable(request.method) &&
                            monotonic_now() < now.deadline;
    if (!may_repeat) return std::unexpected(std::move(done).error());
  }
}

Result<void> Client::connect() {
  SUAN_TRY(const Place place, parse_place(place_));
  SUAN_TRY(const auto addresses, resolve(place));
  const Span deadline = monotonic_now() + options_.connect_timeout;
  int error = EADDRNOTAVAIL;
  for (const Address& address : addresses) {
    const int fd = open_connection(address);
    error = errno;
    if (fd < 0) continue;
    if (error == EINPROGRESS) {
      pollfd item{.fd = fd, .events = POLLOUT, .revents = 0};
      int ready = 0;
      do {
        ready = ::poll(&item, 1, poll_ms(deadline - monotonic_now()));
      } while (ready < 0 && errno == EINTR);
      socklen_t size = sizeof error;
      if (ready == 0)
        error = ETIMEDOUT;
      else
        getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (error == 0) {
      socket_ = fd;
      if (!place.is_tls) return {};
      auto secured = connect_tls(place.host, deadline);
      if (!secured) disconnect();
      return secured;
    }
    ::close(fd);
  }
  return std::unexpected(unreachable(place_, error));
}

Result<void> Client::connect_tls(const std::string& host, Span deadline) {
  if (!trust_) {
    SUAN_TRY(trust_, TlsClient::load(options_.ca_file));
  }
  tls_ = trust_->connect(socket_, host);
  while (true) {
    const TlsSession::Step step = tls_->shake_hands();
    if (step.need == TlsSession::Need::nothing) return {};
    if (step.need == TlsSession::Need::failed) {
      return failure(Failure::Kind::unsupported,
                     "no safe connection to " + place_ + ": " + tls_->problem(), place_);
    }
    const short events = step.need == TlsSession::Need::writable ? POLLOUT : POLLIN;
    pollfd item{.fd = socket_, .events = events, .revents = 0};
    const Span left = deadline - monotonic_now();
    if (left.us <= 0) return std::unexpected(unreachable(place_, ETIMEDOUT));
    ::poll(&item, 1, poll_ms(left));
  }
}

Result<void> Client::exchange(std::string_view wire, Exchange& now) {
  SUAN_CHECK(send_all(wire, now));
  now.wishes = POLLIN;
  while (!now.parser.is_done()) {
    // TLS may hold bytes that no poll would show.
    if (!tls_) SUAN_CHECK(wait(now));
    if (now.is_stopped) break;
    SUAN_CHECK(receive(now));
    if (now.is_stopped) break;
  }
  return {};
}

// Sends some; 0 when that must wait for `now.wishes` or the server takes no more: `now.is_spent`.
Result<std::size_t> Client::send_some(std::string_view wire, Exchange& now) {
  if (tls_) {
    const TlsSession::Step step = tls_->write(wire);
    now.wishes = step.need == TlsSession::Need::readable ? POLLIN : POLLOUT | POLLIN;
    now.is_spent = step.need == TlsSession::Need::failed;
    return step.bytes;
  }
  const ssize_t sent = ::send(socket_, wire.data(), wire.size(), MSG_NOSIGNAL);
  if (sent >= 0) return static_cast<std::size_t>(sent);
  now.wishes = POLLOUT | POLLIN;
  now.is_spent = errno == EPIPE || errno == ECONNRESET;
  const bool is_waiting = errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
  if (!now.is_spent && !is_waiting) return std::unexpected(unreachable(place_, errno));
  return std::size_t{0};
}

Result<void> Client::send_all(std::string_view wire, Exchange& now) {
  while (!wire.empty() && !now.is_stopped) {
    SUAN_TRY(const std::size_t sent, send_some(wire, now));
    wire.remove_prefix(sent);
    if (now.is_spent) return {};  // What the server said before it closed may still be readable.
    if (sent > 0) continue;
    SUAN_CHECK(wait(now));
    // An answer before the end of the request is a refusal: the rest would be thrown away.
    now.is_spent = has_input();
    if (now.is_spent) return {};
  }
  return {};
}

// Receives some; 0 when that must wait for `now.wishes`, or at the end: then `now.is_ended`.
Result<std::size_t> Client::receive_some(char* to, std::size_t bytes_max, Exchange& now) {
  now.wishes = POLLIN;
  if (tls_) {
    const TlsSession::Step step = tls_->read(to, bytes_max);
    if (step.need == TlsSession::Need::failed) {
      return failure(Failure::Kind::unavailable, place_ + " broke the connection", place_);
    }
    if (step.need == TlsSession::Need::writable) now.wishes = POLLOUT;
    now.is_ended = step.need == TlsSession::Need::nothing && step.bytes == 0;
    return step.bytes;
  }
  const ssize_t got = ::recv(socket_, to, bytes_max, 0);
  now.is_ended = got == 0;
  if (got >= 0) return static_cast<std::size_t>(got);
  if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::size_t{0};
  return failure(Failure::Kind::unavailable, place_ + " broke the connection", place_);
}

Result<void> Client::receive(Exchange& now) {
  std::array<char, 16384> buffer;
  SUAN_TRY(const std::size_t size, receive_some(buffer.data(), buffer.size(), now));
  if (size == 0) {
    if (!now.is_ended) return wait(now);
    if (!now.has_bytes) {
      return failure(Failure::Kind::unavailable, place_ + " closed without an answer", place_);
    }
    return now.parser.finish();
  }
  now.has_bytes = true;
  std::size_t taken = 0;
  while (taken < size && !now.parser.is_done()) {
    SUAN_TRY(const std::size_t step,
             now.parser.feed(std::string_view(buffer.data() + taken, size - taken)));
    taken += step;
  }
  if (taken < size) now.is_spent = true;
  if (!now.is_streaming()) return {};
  std::string& body = now.parser.response().body;
  if (!body.empty() && !now.reader->on_bytes(body)) now.is_stopped = true;
  body.clear();
  const bool is_bounded = options_.silence_timeout.us > 0;
  now.deadline = is_bounded ? monotonic_now() + options_.silence_timeout : Span{};
  return {};
}

// Returns when one of the wishes is there or the reader has stopped the exchange.
Result<void> Client::wait(Exchange& now) {
  while (true) {
    const bool is_bounded = now.deadline.us > 0;
    const Span left = now.deadline - monotonic_now();
    if (is_bounded && left.us <= 0) return std::unexpected(unreachable(place_, ETIMEDOUT));
    Span span = is_bounded ? left : hours(1);
    const bool asks = now.reader && now.reader->on_pause;
    if (asks) span = std::min(span, pause);
    pollfd item{.fd = socket_, .events = now.wishes, .revents = 0};
    const int ready = ::poll(&item, 1, poll_ms(span));
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return std::unexpected(unreachable(place_, errno));
    if (asks && !now.reader->on_pause()) {
      now.is_stopped = true;
      return {};
    }
  }
}

}  // namespace suan::net
