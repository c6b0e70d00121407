#include "engine/spawner_link.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace suan::engine {
namespace {

// Enough to keep the spawner busy, and few enough that their bytes always fit the socket.
constexpr std::size_t asked_max = 32;
constexpr std::size_t name_bytes_max = 64;

int spawn(const std::string& executable, const std::string& state_directory, int socket,
          pid_t& process) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, socket, STDIN_FILENO);
  // Not the server's own: whoever reads those waits until the last process has closed them.
  ::posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  // A session of its own: a SIGINT to the server's process group must not reach any attempt.
  ::posix_spawnattr_setflags(&attributes,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t all;
  sigfillset(&all);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  std::string name = "suan";
  std::string verb = "supervise";
  std::string directory = state_directory;
  std::array<char*, 4> arguments{name.data(), verb.data(), directory.data(), nullptr};
  const int error = ::posix_spawn(&process, executable.c_str(), &actions, &attributes,
                                  arguments.data(), ::environ);
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  return error;
}

}  // namespace

SpawnerLink::SpawnerLink(std::string executable, std::string state_directory)
    : executable_(std::move(executable)), state_directory_(std::move(state_directory)) {}

SpawnerLink::~SpawnerLink() {
  end();
}

void SpawnerLink::end() {
  socket_.close();
  if (process_ > 0) ::waitpid(process_, nullptr, 0);
  process_ = 0;
}

Result<void> SpawnerLink::start() {
  end();
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return system_failure("cannot make a socket", {});
  socket_ = Fd(ends[0]);
  const Fd theirs(ends[1]);
  const int error = spawn(executable_, state_directory_, theirs.get(), process_);
  if (error != 0) {
    process_ = 0;
    is_broken_ = true;
    errno = error;
    return system_failure("cannot start the spawner", executable_);
  }
  is_broken_ = false;
  waiting_.insert(waiting_.begin(), asked_.begin(), asked_.end());
  asked_.clear();
  send_waiting();
  return {};
}

void SpawnerLink::ask(const std::string& name) {
  waiting_.push_back(name);
  send_waiting();
}

void SpawnerLink::send_waiting() {
  while (!is_broken_ && !waiting_.empty() && asked_.size() < asked_max) {
    const std::string& name = waiting_.front();
    if (::send(socket_.get(), name.data(), name.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
      is_broken_ = errno != EAGAIN && errno != EINTR;
      return;
    }
    asked_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
}

std::optional<SpawnerLink::Answer> SpawnerLink::receive() {
  if (is_broken_) return std::nullopt;
  std::array<char, name_bytes_max> bytes{};
  iovec to{bytes.data(), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &to;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t got = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0 && (errno == EAGAIN || errno == EINTR)) return std::nullopt;
  if (got <= 0) {
    is_broken_ = true;
    return std::nullopt;
  }
  Answer answer;
  answer.name.assign(bytes.data(), static_cast<std::size_t>(got));
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  if (header != nullptr && header->cmsg_type == SCM_RIGHTS) {
    int fd = -1;
    std::memcpy(&fd, CMSG_DATA(header), sizeof fd);
    answer.supervisor = Fd(fd);
  }
  const auto at = std::ranges::find(asked_, answer.name);
  if (at != asked_.end()) asked_.erase(at);
  send_waiting();
  return answer;
}

}  // namespace suan::engine
