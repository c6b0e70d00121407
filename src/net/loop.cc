#include "net/loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <ctime>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connection.h"
#include "net/place.h"

namespace suan::net {

namespace {

using Timer = asio::basic_waitable_timer<std::chrono::steady_clock,
                                         asio::wait_traits<std::chrono::steady_clock>, Executor>;

constexpr std::size_t refused_max = 64;  // Connections being told that there are too many.
constexpr int accepts_in_a_row_max = 64;

Span monotonic_now() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return Span{std::chrono::duration_cast<std::chrono::microseconds>(since).count()};
}

// "Date: Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7), in no locale.
std::string print_date_line(std::int64_t unix_seconds) {
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const time_t when = unix_seconds;
  tm utc{};
  gmtime_r(&when, &utc);
  std::array<char, 64> line{};
  std::snprintf(line.data(), line.size(), "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n",
                days[static_cast<std::size_t>(utc.tm_wday)], utc.tm_mday,
                months[static_cast<std::size_t>(utc.tm_mon)], utc.tm_year + 1900, utc.tm_hour,
                utc.tm_min, utc.tm_sec);
  return line.data();
}

std::string name_peer(int fd) {
  Address address;
  address.size = sizeof address.storage;
  if (getpeername(fd, static_cast<sockaddr*>(static_cast<void*>(&address.storage)),
                  &address.size) != 0) {
    return {};
  }
  if (address.storage.ss_family != AF_UNIX) return print_address(address);
  ucred who{};
  socklen_t size = sizeof who;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return "unix:";
  return "unix:" + std::to_string(who.uid);
}

Span shortest_timeout(const ServerOptions& options) {
  return std::min({options.idle_timeout, options.header_timeout, options.body_timeout,
                   options.write_timeout, options.answer_timeout});
}

}  // namespace

void Census::leave() {
  if (connections.fetch_sub(1) != 1) return;
  const std::lock_guard lock(mutex);
  emptied.notify_all();
}

bool Census::wait_empty(Span span) {
  std::unique_lock lock(mutex);
  return emptied.wait_for(lock, std::chrono::microseconds(span.us),
                          [this] { return connections.load() == 0; });
}

Accepted::Accepted(Accepted&& other) noexcept
    : census(std::exchange(other.census, nullptr)),
      fd(std::exchange(other.fd, -1)),
      peer(std::move(other.peer)),
      is_refused(other.is_refused),
      tls(other.tls) {}

Accepted::~Accepted() {
  if (fd >= 0) ::close(fd);
  if (census) census->leave();
}

Loop::Loop(const ServerOptions& options, Routing& routing, Census& census)
    : options_(options),
      routing_(routing),
      census_(census),
      mailbox_(std::make_shared<Mailbox>()),
      now_(monotonic_now()),
      sweep_period_(std::clamp(shortest_timeout(options) / 4, milliseconds(1), milliseconds(250))),
      io_(1) {
  mailbox_->stream_bytes_max = options.stream_buffer_bytes_max;
  mailbox_->wake = [this] { asio::post(io_, [this] { drain(); }); };
}

Loop::~Loop() {
  mailbox_->close();
}

void Loop::run() {
  mailbox_->thread = std::this_thread::get_id();
  asio::co_spawn(io_, sweep_for_ever(this), asio::detached);
  io_.run();
}

Task<void> Loop::sweep_for_ever(Loop* self) {
  Timer timer(self->io_);
  while (true) {
    self->sweep();
    timer.expires_after(std::chrono::microseconds(self->sweep_period_.us));
    const auto [error] = co_await timer.async_wait(as_result);
    if (error) co_return;
  }
}

void Loop::sweep() {
  now_ = monotonic_now();
  const std::int64_t second = std::time(nullptr);
  if (second != date_second_) date_line_ = print_date_line(second);
  date_second_ = second;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i]) slots_[i]->check_deadline(now_);
  }
}

void Loop::every(Span period, Callback<void()> job) {
  asio::co_spawn(io_, tick(this, std::max(period, milliseconds(1)), std::move(job)),
                 asio::detached);
}

void Loop::after(Span delay, Callback<void()> job) {
  asio::co_spawn(io_, wait(this, delay, std::move(job)), asio::detached);
}

Task<void> Loop::wait(Loop* self, Span delay, Callback<void()> job) {
  Timer timer(self->io_);
  timer.expires_after(std::chrono::microseconds(std::max(delay, Span{}).us));
  const auto [error] = co_await timer.async_wait(as_result);
  if (!error && !self->is_stopping_) job();
}

Task<void> Loop::tick(Loop* self, Span period, Callback<void()> job) {
  Timer timer(self->io_);
  const std::chrono::microseconds step(period.us);
  auto next = std::chrono::steady_clock::now() + step;
  while (!self->is_stopping_) {
    timer.expires_at(next);
    const auto [error] = co_await timer.async_wait(as_result);
    if (error || self->is_stopping_) co_return;
    job();
    next = std::max(next + step, std::chrono::steady_clock::now());
  }
}

void Loop::listen(int fd, const std::vector<std::unique_ptr<Loop>>& loops, TlsServer* tls) {
  loops_ = &loops;
  listeners_.push_back(std::make_unique<Listener>(
      Listener{.socket = asio::posix::basic_stream_descriptor<Executor>(io_, fd), .tls = tls}));
  asio::co_spawn(io_, accept_for_ever(this, listeners_.back().get()), asio::detached);
}

Task<void> Loop::accept_for_ever(Loop* self, Listener* listener) {
  Timer timer(self->io_);
  while (!self->is_stopping_) {
    const auto [error] =
        co_await listener->socket.async_wait(asio::posix::descriptor_base::wait_read, as_result);
    if (error || self->is_stopping_) co_return;
    if (self->accept_some(*listener)) continue;
    timer.expires_after(std::chrono::milliseconds(100));
    const auto [timer_error] = co_await timer.async_wait(as_result);
    if (timer_error) co_return;
  }
}

// False when the system is out of files or memory, which only time can cure.
bool Loop::accept_some(Listener& listener) {
  for (int i = 0; i < accepts_in_a_row_max; ++i) {
    const int fd =
        accept4(listener.socket.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      hand_out(fd, listener.tls);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      return false;
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return true;
    }
  }
  return true;
}

void Loop::hand_out(int fd, TlsServer* tls) {
  const std::size_t count = census_.connections.fetch_add(1) + 1;
  Accepted accepted(census_, fd, name_peer(fd), count > options_.connections_max);
  accepted.tls = tls;
  if (count > options_.connections_max + refused_max) return;
  Loop* const loop = (*loops_)[next_loop_++ % loops_->size()].get();
  if (loop == this) {
    adopt(std::move(accepted));
  } else {
    loop->mailbox_->put_job(
        [loop, held = std::move(accepted)]() mutable { loop->adopt(std::move(held)); });
  }
}

void Loop::adopt(Accepted accepted) {
  if (is_stopping_) return;
  auto connection = std::make_shared<Connection>(*this, std::move(accepted));
  asio::co_spawn(io_, Connection::serve(std::move(connection)), asio::detached);
}

std::uint32_t Loop::enlist(Resident& resident) {
  if (free_slots_.empty()) {
    slots_.push_back(&resident);
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t slot = free_slots_.back();
  free_slots_.pop_back();
  slots_[slot] = &resident;
  return slot;
}

void Loop::strike(std::uint32_t slot) {
  slots_[slot] = nullptr;
  free_slots_.push_back(slot);
}

// What is posted now runs after the requests that are already here.
void Loop::route(Request&& request, Responder responder) {
  if (routing_.routed && !std::exchange(will_tell_routed_, true)) {
    asio::post(io_, [this] {
      will_tell_routed_ = false;
      routing_.routed();
    });
  }
  routing_.route(std::move(request), std::move(responder));
}

void Loop::begin_stop() {
  is_stopping_ = true;
  boost::system::error_code ignored;
  for (const auto& listener : listeners_) listener->socket.close(ignored);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i]) slots_[i]->begin_stop();
  }
}

void Loop::cut_all() {
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    if (slots_[i]) slots_[i]->cut();
  }
}

void Loop::drain() {
  mailbox_->take(drained_deliveries_, drained_jobs_);
  for (Delivery& delivery : drained_deliveries_) {
    Resident* const resident = delivery.slot < slots_.size() ? slots_[delivery.slot] : nullptr;
    if (resident)
      resident->deliver(std::move(delivery));
    else
      delivery.discard();
  }
  drained_deliveries_.clear();
  for (Callback<void()>& job : drained_jobs_) job();
  drained_jobs_.clear();
}

}  // namespace suan::net
