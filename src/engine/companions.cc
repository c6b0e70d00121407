#include "engine/companions.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <tuple>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/attempt_files.h"
#include "engine/companion.h"
#include "wire/bytes.h"

namespace suan::engine {
namespace {

constexpr std::size_t running_max = 64;
constexpr std::size_t wish_bytes_max = 64U << 10U;
constexpr std::size_t piece_bytes_max = 32U << 10U;
constexpr int reap_pause_ms = 5;  // Until a companion that has let go of its socket is gone.
constexpr char end_of_transmission = 4;
constexpr const char* over_with_job = "the job has ended, and the command with it";

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK || error == EINTR;
}

Result<void> check(const member::ExecWish& wish) {
  std::size_t bytes = wish.terminal.size();
  bool has_zero = wish.terminal.find('\0') != std::string::npos;
  for (const std::string& word : wish.command) {
    bytes += word.size() + 8;
    has_zero = has_zero || word.find('\0') != std::string::npos;
  }
  if (wish.command.empty() || wish.command.front().empty())
    return failure(Failure::Kind::invalid, "there is no command to run");
  if (has_zero) return failure(Failure::Kind::invalid, "a command may not hold a zero byte");
  if (bytes > wish_bytes_max)
    return failure(Failure::Kind::invalid, "a command is at most 64 KiB long");
  return {};
}

}  // namespace

/// The companion's ends and ours.
struct Companions::Streams {
  std::array<Fd, 3> theirs;
  Fd their_control;
  Fd input, output, error, control;  // With a terminal input and output are the same.
};

/// One command. `mutex` guards what both the handle and the thread touch.
struct Companions::Running {
  AttemptKey key;
  bool has_terminal = false;

  std::mutex mutex;
  std::string input;
  std::size_t allowed = member::exec_window_bytes;
  std::string signals;
  bool is_input_ended = false;
  std::string cancelled;  // Why it must end now; "" = it need not.
  Fd window;              // The terminal, for its size.

  std::mutex sink_mutex;  // Held while the sink is called.
  member::ExecSink* sink = nullptr;

  // The thread's alone.
  pid_t companion = 0;
  Fd input_fd, output_fd, error_fd, control;
  bool is_reported = false;
  member::ExecEnd end{.exit_code = -1, .reason = over_with_job};
  std::array<pollfd, 4> waits{};

  template <class Call>
  void tell(Call call) {
    const std::lock_guard lock(sink_mutex);
    if (sink != nullptr) call(*sink);
  }

  void prepare_waits();
  void take_input();
  void give_output(Fd& fd, member::LogStream stream);
  void take_report();
  void send_signals();
  bool has_ended();
};

/// What the caller holds.
class Companions::Handle final : public member::Exec {
 public:
  Handle(Companions& all, std::shared_ptr<Running> running)
      : all_(all), running_(std::move(running)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() override {
    {
      const std::lock_guard lock(running_->sink_mutex);
      running_->sink = nullptr;
    }
    change([](Running& running) { running.cancelled = "nobody listens any more"; });
  }

  void write(std::string_view bytes) override {
    change([&](Running& running) {
      if (running.is_input_ended) return;
      running.input += bytes;
      if (running.input.size() > member::exec_window_bytes)
        running.cancelled = "more input came than may be under way";
    });
  }
  void end_input() override {
    change([](Running& running) { running.is_input_ended = true; });
  }
  void allow(std::size_t bytes) override {
    change([bytes](Running& running) {
      running.allowed = std::min(running.allowed + bytes, member::exec_window_bytes);
    });
  }
  void resize(std::uint16_t rows, std::uint16_t columns) override {
    const std::lock_guard lock(running_->mutex);
    const winsize size{.ws_row = rows, .ws_col = columns, .ws_xpixel = 0, .ws_ypixel = 0};
    if (running_->window) ::ioctl(running_->window.get(), TIOCSWINSZ, &size);
  }
  void send_signal(int number) override {
    change([number](Running& running) {
      constexpr std::size_t signals_max = 64;
      if (running.signals.size() < signals_max)
        running.signals.push_back(static_cast<char>(number));
    });
  }

 private:
  template <class Change>
  void change(Change change) {
    {
      const std::lock_guard lock(running_->mutex);
      change(*running_);
    }
    all_.wake();
  }

  Companions& all_;
  std::shared_ptr<Running> running_;
};

Companions::Companions(std::string executable, std::string state_directory)
    : executable_(std::move(executable)),
      state_directory_(std::move(state_directory)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Companions::~Companions() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  wake();
  if (thread_.joinable()) thread_.join();
}

void Companions::wake() const {
  const std::uint64_t one = 1;
  std::ignore = ::write(wake_.get(), &one, sizeof one);
}

Result<std::unique_ptr<member::Exec>> Companions::start(const AttemptKey& key,
                                                        const member::ExecWish& wish,
                                                        member::ExecSink& sink) {
  SUAN_CHECK(check(wish));
  auto running = std::make_shared<Running>();
  running->key = key;
  running->has_terminal = wish.has_terminal;
  running->sink = &sink;
  SUAN_TRY(Streams streams, open_streams(wish));
  const std::string packet = wire::encode(wish);
  if (::send(streams.control.get(), packet.data(), packet.size(), MSG_NOSIGNAL) < 0)
    return system_failure("cannot tell the command", {});
  {
    const std::lock_guard lock(mutex_);
    if (is_over_ || running_.size() >= running_max)
      return failure(Failure::Kind::no_space, "too many commands run beside jobs; try again later");
    SUAN_CHECK(spawn(*running, streams));
    running->window = wish.has_terminal ? Fd(::dup(streams.output.get())) : Fd();
    running->input_fd = std::move(streams.input);
    running->output_fd = std::move(streams.output);
    running->error_fd = std::move(streams.error);
    running->control = std::move(streams.control);
    running_.push_back(running);
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  }
  wake();
  return std::make_unique<Handle>(*this, std::move(running));
}

void Companions::end_all(const AttemptKey& key) {
  bool is_any = false;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& each : running_) {
      if (each->key != key) continue;
      const std::lock_guard inner(each->mutex);
      each->cancelled = over_with_job;
      is_any = true;
    }
  }
  if (is_any) wake();
}

// Numbers of 10 and more, so that none is in the way of 0 to 3 in the companion.
Result<Companions::Streams> Companions::open_streams(const member::ExecWish& wish) {
  const auto keep = [](int fd) {
    const int kept = fd < 0 ? -1 : ::fcntl(fd, F_DUPFD_CLOEXEC, 10);
    if (fd >= 0) ::close(fd);
    return Fd(kept);
  };
  Streams streams;
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return system_failure("cannot make a socket", {});
  streams.control = keep(ends[0]);
  streams.their_control = keep(ends[1]);
  if (wish.has_terminal) {
    streams.output = keep(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
    std::array<char, 64> name{};
    const int master = streams.output.get();
    if (master < 0 || ::grantpt(master) != 0 || ::unlockpt(master) != 0 ||
        ::ptsname_r(master, name.data(), name.size()) != 0)
      return system_failure("cannot open a terminal", {});
    const winsize size{.ws_row = wish.rows, .ws_col = wish.columns, .ws_xpixel = 0, .ws_ypixel = 0};
    ::ioctl(master, TIOCSWINSZ, &size);
    streams.theirs[0] = keep(::open(name.data(), O_RDWR | O_NOCTTY | O_CLOEXEC));
    for (const std::size_t each : {1U, 2U})
      streams.theirs[each] = keep(::dup(streams.theirs[0].get()));
    streams.input = keep(::dup(master));
  } else {
    for (std::size_t each = 0; each < 3; ++each) {
      if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("cannot make a pipe", {});
      Fd& ours = each == 0 ? streams.input : each == 1 ? streams.output : streams.error;
      streams.theirs[each] = keep(ends[each == 0 ? 0 : 1]);
      ours = keep(ends[each == 0 ? 1 : 0]);
    }
  }
  for (const Fd* each : {&streams.input, &streams.output, &streams.error}) {
    if (*each) ::fcntl(each->get(), F_SETFL, ::fcntl(each->get(), F_GETFL) | O_NONBLOCK);
  }
  for (const Fd& each : streams.theirs)
    if (!each) return system_failure("cannot open the command's streams", {});
  return streams;
}

Result<void> Companions::spawn(Running& running, const Streams& streams) const {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  for (int each = 0; each < 3; ++each) {
    const int from = streams.theirs[static_cast<std::size_t>(each)].get();
    ::posix_spawn_file_actions_adddup2(&actions, from, each);
  }
  ::posix_spawn_file_actions_adddup2(&actions, streams.their_control.get(), companion_control_fd);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, companion_control_fd + 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t signals;
  sigemptyset(&signals);
  ::posix_spawnattr_setsigmask(&attributes, &signals);
  sigfillset(&signals);
  ::posix_spawnattr_setsigdefault(&attributes, &signals);
  std::string name = "suan";
  std::string verb = "accompany";
  std::string directory = state_directory_;
  std::string attempt = print_key(running.key);
  std::array<char*, 5> arguments{name.data(), verb.data(), directory.data(), attempt.data(),
                                 nullptr};
  const int error = ::posix_spawn(&running.companion, executable_.c_str(), &actions, &attributes,
                                  arguments.data(), ::environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return {};
  running.companion = 0;
  errno = error;
  return system_failure("cannot start the command's companion", executable_);
}

void Companions::Running::prepare_waits() {
  const std::lock_guard lock(mutex);
  if (!cancelled.empty()) {
    // The companion sees the end of its socket and ends the command.
    for (Fd* each : {&control, &input_fd, &output_fd, &error_fd, &window}) each->close();
    if (!is_reported) end = {.exit_code = -1, .reason = cancelled};
    is_reported = true;
  }
  const bool may_end_input = input_fd && is_input_ended && input.empty();
  if (may_end_input && !has_terminal) input_fd.close();
  if (may_end_input && has_terminal) {
    input.push_back(end_of_transmission);
    is_input_ended = false;
  }
  const auto wait = [](const Fd& fd, bool is_wanted, short events) {
    return pollfd{.fd = is_wanted ? fd.get() : -1, .events = events, .revents = 0};
  };
  waits = {wait(input_fd, !input.empty(), POLLOUT), wait(output_fd, allowed > 0, POLLIN),
           wait(error_fd, allowed > 0, POLLIN), wait(control, true, POLLIN)};
}

void Companions::Running::take_input() {
  std::size_t taken = 0;
  {
    const std::lock_guard lock(mutex);
    if (input.empty()) return;
    const ssize_t written = ::write(input_fd.get(), input.data(), input.size());
    if (written < 0 && would_block(errno)) return;
    // What a command that reads no more does not take is gone, as with any pipe.
    taken = written < 0 ? input.size() : static_cast<std::size_t>(written);
    input.erase(0, taken);
    if (written < 0) input_fd.close();
  }
  tell([taken](member::ExecSink& to) { to.on_taken(taken); });
}

void Companions::Running::give_output(Fd& fd, member::LogStream stream) {
  std::array<char, piece_bytes_max> piece;
  std::size_t most = 0;
  {
    const std::lock_guard lock(mutex);
    most = std::min(allowed, piece.size());
  }
  const ssize_t got = ::read(fd.get(), piece.data(), most);
  if (got < 0 && would_block(errno)) return;
  if (got <= 0) return fd.close();  // A terminal whose last user has gone reads as EIO.
  const auto size = static_cast<std::size_t>(got);
  {
    const std::lock_guard lock(mutex);
    allowed -= size;
  }
  tell([&](member::ExecSink& to) { to.on_output(stream, {piece.data(), size}); });
}

void Companions::Running::take_report() {
  std::array<char, 4096> packet{};
  const ssize_t got = ::recv(control.get(), packet.data(), packet.size(), MSG_DONTWAIT);
  if (got < 0 && would_block(errno)) return;
  if (got <= 0) return control.close();
  const auto report = parse_companion_report({packet.data(), static_cast<std::size_t>(got)});
  if (report) end = {.exit_code = report->exit_code, .reason = report->reason};
  is_reported = true;
}

void Companions::Running::send_signals() {
  const std::lock_guard lock(mutex);
  for (const char each : signals) {
    if (control) std::ignore = ::send(control.get(), &each, 1, MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  signals.clear();
}

// Once the companion is gone and all output has been told.
bool Companions::Running::has_ended() {
  if (companion > 0 && !control && ::waitpid(companion, nullptr, WNOHANG) != 0) companion = 0;
  return companion == 0 && !output_fd && !error_fd;
}

void Companions::run() {
  std::vector<std::shared_ptr<Running>> all;
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      all = running_;
      if (is_over_ && all.empty()) return;
      for (const auto& each : all) {
        const std::lock_guard inner(each->mutex);
        if (is_over_) each->cancelled = "the server is about to stop";
      }
    }
    turn(all);
  }
}

void Companions::turn(std::vector<std::shared_ptr<Running>>& all) {
  std::vector<pollfd> waits{{.fd = wake_.get(), .events = POLLIN, .revents = 0}};
  int pause_ms = -1;
  for (const auto& each : all) {
    each->prepare_waits();
    each->send_signals();
    waits.insert(waits.end(), each->waits.begin(), each->waits.end());
    if (!each->control && each->companion > 0) pause_ms = reap_pause_ms;
  }
  ::poll(waits.data(), waits.size(), pause_ms);
  std::uint64_t count = 0;
  if (waits[0].revents != 0) std::ignore = ::read(wake_.get(), &count, sizeof count);
  std::vector<std::shared_ptr<Running>> ended;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Running& each = *all[i];
    const pollfd* const events = &waits[1 + 4 * i];
    if (events[0].revents != 0) each.take_input();
    if (events[1].revents != 0) each.give_output(each.output_fd, member::LogStream::output);
    if (events[2].revents != 0) each.give_output(each.error_fd, member::LogStream::error);
    if (events[3].revents != 0) each.take_report();
    if (each.has_ended()) ended.push_back(all[i]);
  }
  for (const auto& each : ended) {
    {
      const std::lock_guard lock(mutex_);
      std::erase(running_, each);
    }
    each->tell([&](member::ExecSink& to) { to.on_end(each->end); });
  }
}

}  // namespace suan::engine
