#include "net/load.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <ctime>
#include <memory>
#include <utility>

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/place.h"
#include "net/response_parser.h"

namespace suan::net {

namespace {

constexpr Span connect_timeout = seconds(5);
constexpr std::uint64_t failures_in_a_row_max = 1000;

Span monotonic_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return seconds(now.tv_sec) + Span{now.tv_nsec / 1000};
}

// A connected socket, or -1.
int connect_to(const std::vector<Address>& addresses) {
  for (const Address& address : addresses) {
    const int fd = open_connection(address);
    if (fd < 0) continue;
    pollfd item{.fd = fd, .events = POLLOUT, .revents = 0};
    int error = 0;
    socklen_t size = sizeof error;
    const bool is_ready = ::poll(&item, 1, static_cast<int>(connect_timeout.us / 1000)) == 1;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    if (is_ready && error == 0) return fd;
    ::close(fd);
  }
  return -1;
}

struct Caller {
  int fd = -1;
  std::string wire;  // The request being sent.
  std::size_t sent = 0;
  Span begun;
  bool waits_to_write = false;
  ResponseParser parser{64U << 10U, 16U << 20U};
};

class LoadRun {
 public:
  LoadRun(LoadPlan& plan, std::vector<Address> addresses, const std::string& authority)
      : plan_(plan), addresses_(std::move(addresses)), callers_(plan.connections) {
    head_.append(print_method(plan.method)).append(" ").append(plan.target);
    head_.append(" HTTP/1.1\r\nHost: ").append(authority).append("\r\n");
    for (const Header& header : plan.headers) {
      head_.append(header.name).append(": ").append(header.value).append("\r\n");
    }
    head_ += "Content-Length: ";
  }
  LoadRun(const LoadRun&) = delete;
  LoadRun& operator=(const LoadRun&) = delete;
  ~LoadRun() {
    for (const Caller& caller : callers_) {
      if (caller.fd >= 0) ::close(caller.fd);
    }
    if (epoll_ >= 0) ::close(epoll_);
  }

  Result<LoadReport> run();

 private:
  bool open(Caller& caller);
  void fail(Caller& caller);
  void begin(Caller& caller);
  void write(Caller& caller);
  void read(Caller& caller);
  void finish(Caller& caller);
  void watch(Caller& caller, bool waits_to_write);

  LoadPlan& plan_;
  std::vector<Address> addresses_;
  std::vector<Caller> callers_;
  std::string head_;
  std::string body_;
  LoadReport report_;
  std::uint64_t failures_in_a_row_ = 0;
  int epoll_ = -1;
};

bool LoadRun::open(Caller& caller) {
  caller.fd = connect_to(addresses_);
  if (caller.fd < 0) return false;
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = static_cast<std::uint64_t>(&caller - callers_.data());
  caller.waits_to_write = false;
  return epoll_ctl(epoll_, EPOLL_CTL_ADD, caller.fd, &event) == 0;
}

void LoadRun::fail(Caller& caller) {
  ++report_.errors[0];
  ++failures_in_a_row_;
  if (caller.fd >= 0) ::close(std::exchange(caller.fd, -1));
  if (failures_in_a_row_ < failures_in_a_row_max && open(caller)) begin(caller);
}

void LoadRun::watch(Caller& caller, bool waits_to_write) {
  if (std::exchange(caller.waits_to_write, waits_to_write) == waits_to_write) return;
  epoll_event event{};
  event.events = waits_to_write ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.u64 = static_cast<std::uint64_t>(&caller - callers_.data());
  epoll_ctl(epoll_, EPOLL_CTL_MOD, caller.fd, &event);
}

void LoadRun::begin(Caller& caller) {
  body_.clear();
  if (plan_.make_body) plan_.make_body(body_);
  caller.wire = head_;
  caller.wire.append(std::to_string(body_.size())).append("\r\n");
  if (plan_.make_headers) plan_.make_headers(caller.wire);
  caller.wire.append("\r\n").append(body_);
  caller.sent = 0;
  caller.parser.start(plan_.method == Method::head);
  caller.begun = monotonic_now();
  write(caller);
}

void LoadRun::write(Caller& caller) {
  while (caller.sent < caller.wire.size()) {
    const ssize_t sent = ::send(caller.fd, caller.wire.data() + caller.sent,
                                caller.wire.size() - caller.sent, MSG_NOSIGNAL);
    if (sent >= 0) {
      caller.sent += static_cast<std::size_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return watch(caller, true);
    } else if (errno != EINTR) {
      break;  // The read side learns why.
    }
  }
  watch(caller, false);
}

void LoadRun::read(Caller& caller) {
  std::array<char, 16384> buffer;
  const ssize_t got = ::recv(caller.fd, buffer.data(), buffer.size(), 0);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) return;
  if (got < 0) return fail(caller);
  if (got == 0) {
    if (caller.parser.has_head() && caller.parser.finish()) return finish(caller);
    return fail(caller);
  }
  std::string_view bytes(buffer.data(), static_cast<std::size_t>(got));
  while (!bytes.empty() && !caller.parser.is_done()) {
    const auto taken = caller.parser.feed(bytes);
    if (!taken) return fail(caller);
    bytes.remove_prefix(*taken);
  }
  if (!bytes.empty()) return fail(caller);  // More than one answer to one request.
  if (caller.parser.is_done()) finish(caller);
}

void LoadRun::finish(Caller& caller) {
  const int status = caller.parser.response().status;
  const bool is_expected =
      plan_.expect_status == 0 ? status / 100 == 2 : status == plan_.expect_status;
  failures_in_a_row_ = 0;
  if (is_expected) {
    ++report_.requests;
    report_.latency.record(monotonic_now() - caller.begun);
  } else {
    ++report_.errors[status];
  }
  if (!caller.parser.keeps_alive()) {
    ::close(std::exchange(caller.fd, -1));
    if (!open(caller)) return fail(caller);
  }
  begin(caller);
}

Result<LoadReport> LoadRun::run() {
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  if (epoll_ < 0) return failure(Failure::Kind::io, "the system has no epoll instance to give");
  for (Caller& caller : callers_) {
    if (!open(caller)) {
      return failure(Failure::Kind::unavailable, "cannot open a connection to " + plan_.place,
                     plan_.place);
    }
  }
  const Span begun = monotonic_now();
  const Span end = begun + plan_.duration;
  for (Caller& caller : callers_) begin(caller);
  std::array<epoll_event, 256> events;
  while (failures_in_a_row_ < failures_in_a_row_max) {
    const Span left = end - monotonic_now();
    if (left.us <= 0) break;
    const int count =
        epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                   static_cast<int>(std::min<std::int64_t>(left.us / 1000 + 1, 1000)));
    for (int i = 0; i < count; ++i) {
      const epoll_event& event = events[static_cast<std::size_t>(i)];
      Caller& caller = callers_[event.data.u64];
      if ((event.events & EPOLLOUT) != 0) write(caller);
      if ((event.events & ~static_cast<std::uint32_t>(EPOLLOUT)) != 0) read(caller);
    }
  }
  report_.elapsed = monotonic_now() - begun;
  return std::move(report_);
}

}  // namespace

std::size_t Histogram::bucket_of(std::uint64_t us) {
  // Exact below 2^sub_bits; above, each power of two has 2^(sub_bits - 1) buckets of equal width.
  constexpr std::uint64_t us_max = (std::uint64_t{1} << 32U) - 1;
  us = std::min(us, us_max);
  const auto width = static_cast<std::size_t>(std::bit_width(us));
  if (width <= sub_bits) return static_cast<std::size_t>(us);
  const std::size_t shift = width - sub_bits;
  return (shift << (sub_bits - 1)) + static_cast<std::size_t>(us >> shift);
}

std::uint64_t Histogram::upper_edge_us(std::size_t bucket) {
  constexpr std::size_t half = std::size_t{1} << (sub_bits - 1);
  if (bucket < 2 * half) return bucket;
  const std::size_t shift = bucket / half - 1;
  const std::uint64_t lead = bucket % half + half;
  return ((lead + 1) << shift) - 1;
}

void Histogram::record(Span latency) {
  ++counts_[bucket_of(static_cast<std::uint64_t>(std::max<std::int64_t>(latency.us, 0)))];
  ++count_;
  max_ = std::max(max_, latency);
}

Span Histogram::quantile(double fraction) const {
  const auto rank =
      static_cast<std::uint64_t>(std::clamp(fraction, 0.0, 1.0) * static_cast<double>(count_));
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (counts_[i] != 0 && (seen > rank || seen == count_)) {
      return std::min(max_, Span{static_cast<std::int64_t>(upper_edge_us(i))});
    }
  }
  return {};
}

Result<LoadReport> run_load(LoadPlan& plan) {
  constexpr std::size_t connections_max = 10'000;
  if (plan.connections < 1 || plan.connections > connections_max) {
    return failure(Failure::Kind::invalid, "connections must be from 1 to 10,000");
  }
  SUAN_TRY(const Place place, parse_place(plan.place));
  if (place.is_tls) {
    return failure(Failure::Kind::unsupported, "load is made over http:// and unix: only",
                   plan.place);
  }
  SUAN_TRY(auto addresses, resolve(place));
  LoadRun run(plan, std::move(addresses), place.authority);
  return run.run();
}

std::string print_report(const LoadReport& report) {
  const double elapsed = static_cast<double>(report.elapsed.us) / 1e6;
  const double per_second = elapsed > 0 ? static_cast<double>(report.requests) / elapsed : 0;
  const auto ms = [](Span span) { return static_cast<double>(span.us) / 1000; };
  std::array<char, 320> text{};
  std::snprintf(text.data(), text.size(),
                R"({"requests": %llu, "seconds": %.3f, "per_second": %.1f, "p50_ms": %.3f, )"
                R"("p99_ms": %.3f, "p999_ms": %.3f, "max_ms": %.3f, "errors": {)",
                static_cast<unsigned long long>(report.requests), elapsed, per_second,
                ms(report.latency.quantile(0.5)), ms(report.latency.quantile(0.99)),
                ms(report.latency.quantile(0.999)), ms(report.latency.max()));
  std::string out = text.data();
  bool is_first = true;
  for (const auto& [status, count] : report.errors) {
    if (!std::exchange(is_first, false)) out += ", ";
    out += "\"" + std::to_string(status) + "\": " + std::to_string(count);
  }
  return out + "}}";
}

}  // namespace suan::net
