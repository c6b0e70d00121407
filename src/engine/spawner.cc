#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/file.h"
#include "engine/supervisor.h"

namespace suan::engine {
namespace {

constexpr std::size_t name_bytes_max = 64;

// The name back, with the descriptor if there is one.
void answer(std::string_view name, const Fd& supervisor) {
  iovec bytes{const_cast<char*>(name.data()), name.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &bytes;
  message.msg_iovlen = 1;
  if (supervisor) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    const int fd = supervisor.get();
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  ::sendmsg(STDIN_FILENO, &message, MSG_NOSIGNAL);
}

// Returns in the child only, with true.
bool fork_supervisor(const std::string& name) {
  const pid_t child = ::fork();
  if (child == 0) return true;
  // The child stays a zombie until this process waits for it, so the pid is still its own.
  const Fd watch(child < 0 ? -1 : static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  answer(name, watch);
  return false;
}

int become_supervisor(const std::string& name) {
  // Else the engine would not see this socket close when the spawner dies.
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  if (nothing < 0 || ::dup2(nothing, STDIN_FILENO) < 0) return 1;
  ::close(nothing);
  return supervise_attempt(name.c_str());
}

}  // namespace

namespace {

void block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  // USR1 is for the supervisors, from their first moment; the others must not end what outlives
  // servers, wherever they come from.
  for (const int signal : {SIGCHLD, SIGUSR1, SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, signal);
  ::sigprocmask(SIG_SETMASK, &signals, nullptr);
}

void collect_dead(const Fd& deaths) {
  signalfd_siginfo death{};
  while (::read(deaths.get(), &death, sizeof death) > 0) continue;
  while (::waitpid(-1, nullptr, WNOHANG) > 0) continue;
}

// The next name asked for; empty when the engine has gone.
std::string wait_for_name(const Fd& deaths) {
  std::array<char, name_bytes_max> bytes{};
  std::array<pollfd, 2> waits{pollfd{STDIN_FILENO, POLLIN, 0}, pollfd{deaths.get(), POLLIN, 0}};
  while (true) {
    if (::poll(waits.data(), waits.size(), -1) < 0 && errno != EINTR) return {};
    if (waits[1].revents != 0) collect_dead(deaths);
    if (waits[0].revents == 0) continue;
    const ssize_t got = TEMP_FAILURE_RETRY(::recv(STDIN_FILENO, bytes.data(), bytes.size(), 0));
    return got > 0 ? std::string(bytes.data(), static_cast<std::size_t>(got)) : std::string();
  }
}

}  // namespace

int supervise(const char* state_directory) {
  if (::chdir(state_directory) != 0) return 1;
  ::prctl(PR_SET_NAME, "suan-spawner");
  block_signals();
  sigset_t children;
  sigemptyset(&children);
  sigaddset(&children, SIGCHLD);
  Fd deaths(::signalfd(-1, &children, SFD_CLOEXEC | SFD_NONBLOCK));
  while (true) {
    const std::string name = wait_for_name(deaths);
    if (name.empty()) return 0;
    if (!fork_supervisor(name)) continue;
    deaths.close();
    return become_supervisor(name);
  }
}

}  // namespace suan::engine
