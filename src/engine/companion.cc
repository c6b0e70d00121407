#include "engine/companion.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <tuple>
#include <vector>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/attempt_files.h"
#include "engine/process.h"
#include "engine/work.h"
#include "member/exec.h"
#include "wire/bytes.h"

namespace suan::engine {
namespace {

constexpr Span kill_pause = milliseconds(1);

// Nothing at the end, or when the other side is gone.
std::string receive(int control) {
  std::string packet(companion_packet_bytes_max, '\0');
  ssize_t got = 0;
  do got = ::recv(control, packet.data(), packet.size(), 0);
  while (got < 0 && errno == EINTR);
  packet.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return packet;
}

class Companion {
 public:
  explicit Companion(Fd control) : control_(std::move(control)) {
    for (int each = 0; each < 3; ++each) {
      streams_[static_cast<std::size_t>(each)] = Fd(::fcntl(each, F_DUPFD_CLOEXEC, 10));
      ::close(each);
    }
    for (int each = 0; each < 3; ++each) std::ignore = ::open("/dev/null", O_RDWR);
  }

  CompanionReport run(const std::string& directory, std::string_view attempt) {
    // First of all: closing a socket with something unread would take the report back.
    const auto wish = wire::decode<member::ExecWish>(receive(control_.get()));
    if (!wish || wish->command.empty()) return {.reason = "there is no command to run"};
    const auto key = parse_key(attempt);
    if (!key || ::chdir(directory.c_str()) != 0) return {.reason = "the job does not run any more"};
    const AttemptRecord record = read_record(AT_FDCWD, "record", *key);
    if (auto joined = join(record); !joined) return {.reason = joined.error().text};
    CompanionReport report = start(*wish, *record.launch);
    if (command_ > 0) report.exit_code = watch();
    end_rest();
    return report;
  }

  void tell(const CompanionReport& report) const {
    const std::string packet = wire::encode(report);
    std::ignore = ::send(control_.get(), packet.data(), packet.size(), MSG_NOSIGNAL);
  }

 private:
  // The attempt must be running after this process belongs to it: whoever ends it later ends this.
  static Result<void> join(const AttemptRecord& record) {
    const auto over = [] {
      return failure(Failure::Kind::conflict, "the job does not run any more");
    };
    if (!record.launch || !record.claim || !record.started || record.end) return over();
    if (record.claim->boot_id != read_boot_id()) return over();
    if (!record.launch->images.runtime.empty())
      return failure(
          Failure::Kind::unsupported,
          "this job runs inside an image, and commands beside it are not possible there");
    const Cgroup group(record.launch->roots, record.launch->group);
    if (auto entered = group.enter(); !entered) {
      return is_alive(record.started->work)
                 ? failure(Failure::Kind::io,
                           "the command could not enter the job's limits: " + entered.error().text)
                 : over();
    }
    if (!is_alive(record.started->work)) return over();
    return {};
  }

  // Leaves the pid in `command_`, or says why there is none.
  CompanionReport start(const member::ExecWish& wish, const LaunchRecord& record) {
    std::map<std::string, std::string> own;
    for (char** each = ::environ; *each != nullptr; ++each) {
      const std::string_view variable = *each;
      const std::size_t equals = variable.find('=');
      if (equals == std::string_view::npos) continue;
      own.emplace(variable.substr(0, equals), variable.substr(equals + 1));
    }
    auto all = work_environment(record, own);
    if (!wish.terminal.empty()) all["TERM"] = wish.terminal;
    std::vector<std::string> variables;
    for (const auto& [name, value] : all) variables.emplace_back(name + "=" + value);
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return {.reason = "there are no pipes left"};
    const Fd reports(ends[0]);
    Fd report(ends[1]);
    const pid_t parent = ::getpid();
    command_ = ::fork();
    if (command_ < 0) return {.reason = std::string("cannot fork: ") + ::strerrordesc_np(errno)};
    if (command_ == 0) become_command(wish, variables, parent, report.get());
    report.close();
    for (Fd& each : streams_)
      each.close();  // The other side must see when the command closes them.
    int error = 0;
    if (::read(reports.get(), &error, sizeof error) != sizeof error) return {};
    return {.reason = "cannot start " + wish.command.front() + ": " + ::strerrordesc_np(error)};
  }

  [[noreturn]] void become_command(const member::ExecWish& wish,
                                   std::vector<std::string>& variables, pid_t parent, int report) {
    std::vector<char*> environment;
    for (std::string& each : variables) environment.push_back(each.data());
    environment.push_back(nullptr);
    std::vector<std::string> words = wish.command;
    std::vector<char*> arguments;
    for (std::string& each : words) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(126);
    const bool is_ready = ::setsid() >= 0 &&
                          (!wish.has_terminal || ::ioctl(streams_[0].get(), TIOCSCTTY, 0) == 0) &&
                          ::dup2(streams_[0].get(), 0) >= 0 && ::dup2(streams_[1].get(), 1) >= 0 &&
                          ::dup2(streams_[2].get(), 2) >= 0 && ::chdir("work") == 0;
    if (is_ready) {
      sigset_t none;
      sigemptyset(&none);
      ::sigprocmask(SIG_SETMASK, &none, nullptr);
      ::environ = environment.data();
      ::execvp(arguments.front(), arguments.data());
    }
    const int error = errno;
    std::ignore = ::write(report, &error, sizeof error);
    ::_exit(error == ENOENT ? 127 : 126);
  }

  // Until the command has ended; ends it when nobody listens any more. Its exit code.
  int watch() {
    sigset_t child;
    sigemptyset(&child);
    sigaddset(&child, SIGCHLD);
    const Fd deaths(::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK));
    while (true) {
      int status = 0;
      pid_t pid = 0;
      while ((pid = ::waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid != command_) continue;
        return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
      }
      if (pid < 0 && errno == ECHILD) return -1;
      std::array<pollfd, 2> waits{pollfd{deaths.get(), POLLIN, 0},
                                  pollfd{control_.get(), POLLIN, 0}};
      ::poll(waits.data(), waits.size(), -1);
      signalfd_siginfo signal{};
      while (::read(deaths.get(), &signal, sizeof signal) == sizeof signal) {
      }
      if (waits[1].revents == 0) continue;
      const std::string packet = receive(control_.get());
      if (packet.empty()) return -1;
      ::kill(-command_, static_cast<unsigned char>(packet.front()));
    }
  }

  // All that came of the command; what left its session became a child of this process.
  static void end_rest() {
    while (true) {
      for (const pid_t pid : descendants_of(::getpid())) ::kill(pid, SIGKILL);
      pid_t pid = 0;
      while ((pid = ::waitpid(-1, nullptr, WNOHANG)) > 0) {
      }
      if (pid < 0 && errno == ECHILD) return;
      ::usleep(static_cast<useconds_t>(kill_pause.us));
    }
  }

  Fd control_;
  std::array<Fd, 3> streams_;
  pid_t command_ = 0;
};

}  // namespace

std::optional<CompanionReport> parse_companion_report(std::string_view packet) {
  auto report = wire::decode<CompanionReport>(packet);
  if (!report || report->exit_code < -1 || report->exit_code > 255) return std::nullopt;
  return *std::move(report);
}

int accompany(const char* state_directory, const char* attempt) {
  ::prctl(PR_SET_NAME, "suan-exec");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  // Nothing but a kill ends it before the command: it has to say how that ended.
  sigset_t all;
  sigfillset(&all);
  ::sigprocmask(SIG_SETMASK, &all, nullptr);
  Companion companion{Fd(::fcntl(companion_control_fd, F_DUPFD_CLOEXEC, 10))};
  ::close(companion_control_fd);
  companion.tell(companion.run(std::string(state_directory) + "/attempts/" + attempt, attempt));
  return 0;
}

}  // namespace suan::engine
