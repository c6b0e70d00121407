#include "cli/exec_link.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/session.h"
#include "net/websocket.h"
#include "wire/json.h"

namespace suan::cli {

namespace {

using api::ExecKind;
using api::ExecMessage;

constexpr std::uint32_t allowed_in_one = 64U << 10U;  // Bytes of output taken before it is said.
constexpr Span part_span = seconds(1);                // To say good-bye in order.

// "ws://…" of "http://…"; "unix:/…" stays.
std::string socket_url(const Settings& settings, const std::string& target) {
  if (settings.url.starts_with("unix:")) return settings.url;
  return "ws" + settings.url.substr(4) + target;
}

/// Signals as a file to wait for, until the end of its life.
class Signals {
 public:
  explicit Signals(bool has_terminal) {
    sigemptyset(&signals_);
    // A raw terminal sends Ctrl-C as a character.
    sigaddset(&signals_, has_terminal ? SIGWINCH : SIGINT);
    sigaddset(&signals_, SIGTERM);
    sigaddset(&signals_, SIGHUP);
    ::pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    file_ = ::signalfd(-1, &signals_, SFD_CLOEXEC | SFD_NONBLOCK);
  }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;
  ~Signals() {
    ::close(file_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

  int file() const { return file_; }

  /// The next one, or 0.
  int take() const {
    signalfd_siginfo signal{};
    const bool is_there = ::read(file_, &signal, sizeof signal) == sizeof signal;
    return is_there ? static_cast<int>(signal.ssi_signo) : 0;
  }

 private:
  sigset_t signals_{};
  sigset_t before_{};
  int file_ = -1;
};

/// What the socket's thread hands over.
class Inbox {
 public:
  Inbox() : wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  ~Inbox() { ::close(wake_); }

  net::SocketListener listener() {
    return {.on_message =
                [this](std::string&& message) {
                  change([&] { messages_.push_back(std::move(message)); });
                },
            .on_room = [this] { change([] {}); },
            .on_close = [this](const net::SocketEnd& end) { change([&] { end_ = end; }); }};
  }

  int file() const { return wake_; }

  std::optional<net::SocketEnd> take(std::deque<std::string>& messages) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wake_, &count, sizeof count);
    const std::lock_guard lock(mutex_);
    messages.swap(messages_);
    return end_;
  }

 private:
  template <class Change>
  void change(Change change) {
    const std::lock_guard lock(mutex_);
    change();
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto put = ::write(wake_, &one, sizeof one);
  }

  const int wake_;
  std::mutex mutex_;
  std::deque<std::string> messages_;  // Bounded by the window.
  std::optional<net::SocketEnd> end_;
};

/// One command from its first message to its last.
class Link {
 public:
  Link(ExecPipes& pipes, Inbox& inbox, const Signals& signals, net::WebSocket& socket)
      : pipes_(pipes), inbox_(inbox), signals_(signals), socket_(socket) {}

  Outcome<int> run(const api::ExecBegin& begin) {
    say({.kind = ExecKind::begin, .bytes = wire::to_json(begin)});
    if (pipes_.input < 0) end_input();
    while (true) {
      const bool reads = has_input_ && window_ > 0 && socket_.has_room(api::exec_piece_bytes_max);
      std::array<pollfd, 3> waits{pollfd{inbox_.file(), POLLIN, 0},
                                  pollfd{signals_.file(), POLLIN, 0},
                                  pollfd{reads ? pipes_.input : -1, POLLIN, 0}};
      ::poll(waits.data(), waits.size(), -1);
      if (waits[2].revents != 0) SUAN_CHECK(read_input());
      while (const int signal = waits[1].revents == 0 ? 0 : signals_.take()) {
        if (is_to_end(signal)) return 128 + signal;
      }
      std::deque<std::string> messages;
      const auto end = inbox_.take(messages);
      for (const std::string& each : messages) {
        SUAN_TRY(const std::optional<int> code, hear(each));
        if (code) return *code;
      }
      if (end) return std::unexpected(explain(*end));
    }
  }

 private:
  void say(const ExecMessage& message) { socket_.send(api::print_exec(message)); }

  void end_input() {
    has_input_ = false;
    say({.kind = ExecKind::end_input});
  }

  Outcome<void> read_input() {
    std::string bytes(std::min<std::uint64_t>(
                          {api::exec_piece_bytes_max, window_, pipes_.input_bytes_max - sent_}),
                      '\0');
    const ssize_t got = bytes.empty() ? 0 : ::read(pipes_.input, bytes.data(), bytes.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return {};
    if (got < 0) return fault(Exit::failure, "cannot read the input of the command");
    if (got == 0) {
      end_input();
      return {};
    }
    bytes.resize(static_cast<std::size_t>(got));
    window_ -= bytes.size();
    sent_ += bytes.size();
    say({.kind = ExecKind::input, .bytes = std::move(bytes)});
    if (pipes_.on_sent) pipes_.on_sent(sent_);
    return {};
  }

  bool is_to_end(int signal) {
    if (signal == SIGWINCH) {
      api::ExecBegin size;
      read_size(pipes_.terminal, size);
      say({.kind = ExecKind::resize,
           .rows = static_cast<std::uint16_t>(size.rows),
           .columns = static_cast<std::uint16_t>(size.columns)});
      return false;
    }
    if (signal != SIGINT || std::exchange(is_interrupted_, true)) return true;
    say({.kind = ExecKind::signal, .number = SIGINT});
    return false;
  }

  // The exit code, once there is one.
  Outcome<std::optional<int>> hear(const std::string& text) {
    const auto message = api::parse_exec(text);
    if (!message) return fault(Exit::failure, "the server's answer is none that suan knows");
    const auto give = [&](Callback<bool(std::string_view)>& to) -> Outcome<std::optional<int>> {
      if (to && !to(message->bytes)) return fault(Exit::failure, "");
      unsaid_ += static_cast<std::uint32_t>(message->bytes.size());
      if (unsaid_ < allowed_in_one) return std::nullopt;
      say({.kind = ExecKind::allow, .number = std::exchange(unsaid_, 0)});
      return std::nullopt;
    };
    switch (message->kind) {
      case ExecKind::output:
        return give(pipes_.on_output);
      case ExecKind::error:
        return give(pipes_.on_error);
      case ExecKind::taken:
        window_ = std::min<std::size_t>(window_ + message->number, api::exec_window_bytes);
        return std::nullopt;
      case ExecKind::end:
        if (message->exit_code < 0) return fault(Exit::refused, message->bytes);
        if (!message->bytes.empty() && pipes_.on_error)
          pipes_.on_error("suan exec: " + message->bytes + "\n");
        return message->exit_code;
      default:
        return fault(Exit::failure, "the server's answer is none that suan knows");
    }
  }

  static Fault explain(const net::SocketEnd& end) {
    using Kind = net::SocketEnd::Kind;
    if (end.kind == Kind::refused)
      return to_fault(net::Response{.status = end.http_status, .body = end.body});
    if (end.kind == Kind::unreachable) return {.exit = Exit::unreachable, .text = end.text};
    if (end.kind == Kind::closed)
      return {.exit = Exit::refused, .text = "the server ended the command: " + end.text};
    return {.exit = Exit::unreachable,
            .text = "the connection to the server was lost, and the command ended with it (" +
                    end.text + ")"};
  }

  ExecPipes& pipes_;
  Inbox& inbox_;
  const Signals& signals_;
  net::WebSocket& socket_;
  std::size_t window_ = api::exec_window_bytes;
  std::uint64_t sent_ = 0;
  std::uint32_t unsaid_ = 0;
  bool has_input_ = true;
  bool is_interrupted_ = false;
};

}  // namespace

void read_size(int terminal, api::ExecBegin& begin) {
  winsize size{};
  if (terminal < 0 || ::ioctl(terminal, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return;
  begin.rows = size.ws_row;
  begin.columns = size.ws_col;
}

Outcome<int> run_beside(const Settings& settings, const std::string& job, std::int64_t task,
                        const api::ExecBegin& begin, ExecPipes& pipes) {
  const std::string target = "/v1/jobs/" + job + "/exec?task=" + std::to_string(task);
  net::DialOptions dial{.url = socket_url(settings, target),
                        .target = target,
                        .ca_file = settings.ca_file,
                        .socket = {.message_bytes_max = api::exec_message_bytes_max}};
  if (!settings.key.empty()) dial.headers.add("Authorization", "Bearer " + settings.key);
  const Signals signals(pipes.terminal >= 0);  // Blocked before there is another thread.
  Inbox inbox;
  auto dialler = net::Dialler::start();
  if (!dialler) return std::unexpected(to_fault(dialler.error()));
  net::WebSocket socket = (*dialler)->dial(std::move(dial), inbox.listener());
  auto ended = Link(pipes, inbox, signals, socket).run(begin);
  socket.close();
  (*dialler)->stop(part_span);
  return ended;
}

}  // namespace suan::cli
