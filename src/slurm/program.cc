#include "slurm/program.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/file.h"
#include "engine/process.h"

namespace suan::slurm {
namespace {

using engine::Fd;

struct Pipe {
  Fd read, write;
};

Result<Pipe> make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return engine::system_failure("cannot make a pipe", {});
  return Pipe{Fd(ends[0]), Fd(ends[1])};
}

class Environment {
 public:
  explicit Environment(const std::vector<std::string>& variables) {
    const auto name = [](std::string_view text) { return text.substr(0, text.find('=')); };
    for (char** each = ::environ; *each != nullptr; ++each)
      if (std::ranges::none_of(variables,
                               [&](const std::string& set) { return name(set) == name(*each); }))
        texts_.emplace_back(*each);
    texts_.insert(texts_.end(), variables.begin(), variables.end());
    for (std::string& text : texts_) pointers_.push_back(text.data());
    pointers_.push_back(nullptr);
  }
  char** get() { return pointers_.data(); }

 private:
  std::vector<std::string> texts_;
  std::vector<char*> pointers_;
};

struct Child {
  pid_t pid = 0;
  Pipe input, output, error;

  Result<void> start(const std::vector<std::string>& words, Environment& environment) {
    SUAN_TRY(input, make_pipe());
    SUAN_TRY(output, make_pipe());
    SUAN_TRY(error, make_pipe());
    std::vector<std::string> texts = words;
    std::vector<char*> arguments;
    for (std::string& text : texts) arguments.push_back(text.data());
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, input.read.get(), 0);
    ::posix_spawn_file_actions_adddup2(&actions, output.write.get(), 1);
    ::posix_spawn_file_actions_adddup2(&actions, error.write.get(), 2);
    // The server blocks signals and ignores SIGPIPE; a program of the cluster must not inherit
    // that.
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    sigset_t none, pipe;
    sigemptyset(&none);
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &pipe);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    const int refused = ::posix_spawnp(&pid, arguments.front(), &actions, &attributes,
                                       arguments.data(), environment.get());
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (refused == ENOENT)
      return failure(Failure::Kind::unsupported,
                     "there is no program " + words.front() + " on this machine", words.front());
    if (refused != 0) {
      errno = refused;
      return engine::system_failure("cannot start " + words.front(), words.front());
    }
    input.read.close();
    output.write.close();
    error.write.close();
    for (const Fd* end : {&input.write, &output.read, &error.read})
      ::fcntl(end->get(), F_SETFL, O_NONBLOCK);
    return {};
  }
};

// Takes what there is to read; closes the descriptor at its end.
void drain(Fd& fd, std::string& into) {
  std::array<char, 16384> room{};
  while (fd) {
    const ssize_t got = ::read(fd.get(), room.data(), room.size());
    if (got > 0) {
      into.append(room.data(), static_cast<std::size_t>(got));
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      fd.close();
    } else {
      return;
    }
  }
}

void feed(Fd& fd, const std::string& input, std::size_t& sent) {
  while (fd && sent < input.size()) {
    const ssize_t put = ::write(fd.get(), input.data() + sent, input.size() - sent);
    if (put < 0 && errno != EAGAIN && errno != EINTR) fd.close();
    if (put <= 0) return;
    sent += static_cast<std::size_t>(put);
  }
  fd.close();
}

}  // namespace

Result<ProgramEnd> run_program(const std::vector<std::string>& words, const std::string& input,
                               const std::vector<std::string>& variables, Span limit,
                               std::size_t bytes_max) {
  Environment environment(variables);
  Child child;
  SUAN_CHECK(child.start(words, environment));
  ProgramEnd end;
  std::size_t sent = 0;
  const Span until = engine::monotonic_now() + limit;
  const char* trouble = nullptr;
  while (trouble == nullptr && (child.output.read || child.error.read)) {
    const Span left = until - engine::monotonic_now();
    if (left <= Span{}) trouble = "has not answered in time";
    if (end.output.size() + end.error.size() > bytes_max) trouble = "says too much";
    std::array<pollfd, 3> waits{pollfd{child.output.read.get(), POLLIN, 0},
                                pollfd{child.error.read.get(), POLLIN, 0},
                                pollfd{child.input.write.get(), POLLOUT, 0}};
    ::poll(waits.data(), waits.size(),
           static_cast<int>(std::min<std::int64_t>(left.us / 1000, 1000)));
    feed(child.input.write, input, sent);
    drain(child.output.read, end.output);
    drain(child.error.read, end.error);
  }
  if (trouble != nullptr) ::kill(child.pid, SIGKILL);
  int status = 0;
  while (::waitpid(child.pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (trouble != nullptr)
    return failure(end.output.size() + end.error.size() > bytes_max ? Failure::Kind::no_space
                                                                    : Failure::Kind::unavailable,
                   words.front() + " " + trouble);
  end.exit_code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return end;
}

bool has_program(const std::string& name) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    if (::access((std::string(rest.substr(0, colon)) + "/" + name).c_str(), X_OK) == 0) return true;
    rest.remove_prefix(std::min(rest.size(), colon + 1));
  }
  return false;
}

}  // namespace suan::slurm
