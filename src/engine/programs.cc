#include "engine/programs.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/process.h"

namespace suan::engine {
namespace {

[[noreturn]] void become(char* const* arguments, int output, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const bool is_ready = ::getppid() == parent && ::dup2(nothing, STDIN_FILENO) >= 0 &&
                        ::dup2(output, STDOUT_FILENO) >= 0 && ::dup2(output, STDERR_FILENO) >= 0;
  ::close_range(STDERR_FILENO + 1, ~0U, 0);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  if (is_ready) ::execv(arguments[0], arguments);
  ::_exit(127);
}

std::string last_line(std::string_view text) {
  while (text.ends_with('\n')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

// Whether there is something to read, or the end, before that moment.
bool says_more(int fd, Span until) {
  while (true) {
    const std::int64_t left = (until - monotonic_now()).us / 1000;
    if (left <= 0) return false;
    pollfd wait{fd, POLLIN, 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(std::min<std::int64_t>(left, INT32_MAX)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

}  // namespace

std::string find_program(std::string_view name) {
  std::string_view rest = standard_path;
  while (!rest.empty()) {
    const std::string_view directory = rest.substr(0, rest.find(':'));
    rest.remove_prefix(std::min(rest.size(), directory.size() + 1));
    std::string path = std::string(directory) + "/" + std::string(name);
    if (::access(path.c_str(), X_OK) == 0) return path;
  }
  return {};
}

Result<pid_t> start_program(const std::vector<std::string>& words, int output) {
  std::vector<std::string> own = words;
  std::vector<char*> arguments;
  arguments.reserve(own.size() + 1);
  for (std::string& each : own) arguments.push_back(each.data());
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child == 0) become(arguments.data(), output, parent);
  if (child < 0) return system_failure("cannot fork", words.front());
  return child;
}

Result<std::string> ask_program(const std::vector<std::string>& words, std::size_t bytes_max,
                                Span within) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("cannot make a pipe", {});
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  SUAN_TRY(const pid_t child, start_program(words, writing.get()));
  writing.close();
  std::string said;
  std::array<char, 4096> piece{};
  const Span until = monotonic_now() + within;
  bool is_late = false;
  while (said.size() <= bytes_max) {
    is_late = within > Span{} && !says_more(reading.get(), until);
    if (is_late) break;
    const ssize_t count = TEMP_FAILURE_RETRY(::read(reading.get(), piece.data(), piece.size()));
    if (count <= 0) break;
    said.append(piece.data(), static_cast<std::size_t>(count));
  }
  if (said.size() > bytes_max || is_late) ::kill(child, SIGKILL);
  int status = 0;
  TEMP_FAILURE_RETRY(::waitpid(child, &status, 0));
  if (is_late) return failure(Failure::Kind::unavailable, "it takes too long", words.front());
  if (said.size() > bytes_max)
    return failure(Failure::Kind::no_space, "it says too much", words.front());
  if (status != 0) return failure(Failure::Kind::io, last_line(said), words.front());
  return said;
}

}  // namespace suan::engine
