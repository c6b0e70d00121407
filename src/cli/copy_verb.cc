#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <utility>

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/amounts.h"
#include "cli/call.h"
#include "cli/exec_link.h"

namespace suan::cli {

namespace {

constexpr std::size_t complaint_bytes_max = 4096;
constexpr std::size_t head_bytes_max = 64;

// Takes a file beside its destination first. $1 to, $2 name, $3 bytes, $4 mode.
constexpr const char* put_file = R"sh(set -e; to=$1
if [ -d "$to" ]; then to=${to%/}/$2; fi
if [ -d "$to" ]; then echo "$to is a directory" >&2; exit 1; fi
draft=$(mktemp -p "$(dirname -- "$to")" --suffix=.suan-cp)
trap 'rm -f -- "$draft"' EXIT
cat > "$draft"
if [ "$(stat -c %s -- "$draft")" != "$3" ]; then echo "only a part of it arrived" >&2; exit 1; fi
chmod "$4" -- "$draft"
mv -fT -- "$draft" "$to"
)sh";

// The same for a directory, as two tar archives: the second, a mark, says that the first was whole.
constexpr const char* put_tree = R"sh(set -e; to=$1
if [ -d "$to" ]; then to=${to%/}/$2; fi
if [ -e "$to" ]; then echo "$to is there already" >&2; exit 1; fi
draft=$(mktemp -d -p "$(dirname -- "$to")" --suffix=.suan-cp)
trap 'rm -rf -- "$draft"' EXIT
tar -xif - -C "$draft" --no-same-owner
if [ ! -e "$draft/.suan-cp-whole" ]; then echo "only a part of it arrived" >&2; exit 1; fi
mv -T -- "$draft/$2" "$to"
)sh";

// First a line with the mode and the size.
constexpr const char* get_file = R"sh(set -e
if [ -d "$1" ]; then echo "$1 is a directory; add -r" >&2; exit 1; fi
stat -Lc '%a %s' -- "$1"
exec cat -- "$1"
)sh";

// The line names what the archive holds, which is not plain for "." or "..".
constexpr const char* get_tree = R"sh(set -e
path=$(realpath -e -- "$1")
if [ ! -d "$path" ]; then echo "$1 is no directory; leave out -r" >&2; exit 1; fi
exec tar -cf - -C "$path" .
)sh";

/// One side of a copy: a path here, or in the working directory of a job.
struct Side {
  std::string job;  // "" = here.
  std::string path;
};

Outcome<Side> read_side(const std::string& word) {
  const std::size_t colon = word.find(':');
  const std::size_t slash = word.find('/');
  if (colon == word.npos || slash < colon) return Side{.job = {}, .path = word};
  SUAN_TRY(std::string job, job_name(word.substr(0, colon)));
  const std::string path = word.substr(colon + 1);
  return Side{.job = std::move(job), .path = path.empty() ? "." : path};
}

std::string name_of(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? path : path.substr(slash + 1);
}

std::string folder_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  return slash == path.npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
}

bool is_directory(const std::string& path) {
  struct stat found{};
  return ::stat(path.c_str(), &found) == 0 && S_ISDIR(found.st_mode);
}

std::unexpected<Fault> system_fault(const std::string& what) {
  return fault(Exit::failure, what + ": " + std::strerror(errno));
}

/// An open file that is closed at the end.
struct File {
  int fd = -1;
  explicit File(int given) : fd(given) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() { close(); }
  bool close() { return fd < 0 || ::close(std::exchange(fd, -1)) == 0; }
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return false;
    if (written > 0) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

/// A program of this machine with one end of a pipe as its input or output.
class Helper {
 public:
  Helper(std::vector<std::string> words, bool reads) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) return;
    const int theirs = reads ? ends[0] : ends[1];
    pipe_.fd = reads ? ends[1] : ends[0];
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, theirs, reads ? 0 : 1);
    std::vector<char*> arguments;
    for (std::string& each : words) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    if (::posix_spawnp(&process_, words.front().c_str(), &actions, nullptr, arguments.data(),
                       ::environ) != 0)
      process_ = -1;
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(theirs);
  }
  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;
  ~Helper() { end(); }

  int pipe() const { return pipe_.fd; }

  /// Closes the pipe and waits; true if it went well.
  bool end() {
    pipe_.close();
    if (process_ <= 0) return false;
    int status = 0;
    const bool is_known = ::waitpid(std::exchange(process_, -1), &status, 0) > 0;
    return is_known && WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  File pipe_{-1};
  pid_t process_ = -1;
};

/// A file or directory beside the destination, which takes its place at the end or is removed.
class Draft {
 public:
  explicit Draft(const std::string& to) : path_(folder_of(to) + "/.suan-cp-") {
    path_.append(6, 'X');  // For mkstemp(3) to fill in.
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (!is_made_) return;
    if (is_directory(path_))
      Helper({"rm", "-rf", "--", path_}, true).end();
    else
      ::unlink(path_.c_str());
  }

  const std::string& path() const { return path_; }
  int make_file() {
    const int fd = ::mkostemp(path_.data(), O_CLOEXEC);
    is_made_ = fd >= 0;
    return fd;
  }
  bool make_directory() {
    is_made_ = ::mkdtemp(path_.data()) != nullptr;
    return is_made_;
  }
  bool become(const std::string& to) {
    const bool is_done = std::rename(path_.c_str(), to.c_str()) == 0;
    is_made_ = is_made_ && !is_done;
    return is_done;
  }

 private:
  std::string path_;
  bool is_made_ = false;
};

/// A copy that is under way.
class Copy {
 public:
  Copy(Call& call, Side remote, std::int64_t task)
      : call_(call), remote_(std::move(remote)), task_(task) {
    pipes_.on_error = [this](std::string_view bytes) {
      complaint_ +=
          bytes.substr(0, complaint_bytes_max - std::min(complaint_bytes_max, complaint_.size()));
      return true;
    };
  }

  Outcome<int> put(const std::string& from) {
    const File file(::open(from.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat found{};
    if (file.fd < 0 || ::fstat(file.fd, &found) != 0) return system_fault("cannot read " + from);
    if (S_ISDIR(found.st_mode)) return fault(Exit::usage, from + " is a directory", "suan cp -r");
    if (!S_ISREG(found.st_mode)) return fault(Exit::usage, from + " is no file");
    const auto size = static_cast<std::uint64_t>(found.st_size);
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%o", found.st_mode & 0777U);
    pipes_.input = file.fd;
    pipes_.input_bytes_max = size;
    pipes_.on_sent = [this, size](std::uint64_t sent) { show(sent, size); };
    return run(put_file, {remote_.path, name_of(from), std::to_string(size), mode.data()});
  }

  Outcome<int> put_directory(const std::string& from) {
    if (!is_directory(from)) return fault(Exit::usage, from + " is no directory; leave out -r");
    std::unique_ptr<char, decltype(&std::free)> whole(::realpath(from.c_str(), nullptr), std::free);
    if (!whole) return system_fault("cannot read " + from);
    const std::string path = whole.get();
    // The mark comes in an archive of its own, and only behind a whole one.
    Helper tar({"bash", "-c",
                "tar -cf - -C \"$1\" -- \"$2\" && d=$(mktemp -d) && touch \"$d/.suan-cp-whole\" && "
                "tar -cf - -C \"$d\" .suan-cp-whole; s=$?; rm -rf -- \"$d\"; exit $s",
                "suan-cp", folder_of(path), name_of(path)},
               false);
    pipes_.input = tar.pipe();
    pipes_.on_sent = [this](std::uint64_t sent) { show(sent, 0); };
    auto code = run(put_tree, {remote_.path, name_of(path)});
    const bool is_read = tar.end();
    if (code && *code == 0 && !is_read) return fault(Exit::failure, "cannot read all of " + from);
    return code;
  }

  Outcome<int> get(std::string to) {
    if (is_directory(to)) to += "/" + name_of(remote_.path);
    Draft draft(to);
    File file(draft.make_file());
    if (file.fd < 0) return system_fault("cannot write beside " + to);
    std::string head;
    std::uint64_t size = 0;
    std::uint64_t taken = 0;
    bool is_head = true;
    pipes_.on_output = [&](std::string_view bytes) {
      while (is_head && !bytes.empty() && head.size() < head_bytes_max) {
        is_head = bytes.front() != '\n';
        if (is_head) head.push_back(bytes.front());
        bytes.remove_prefix(1);
        if (!is_head) size = read_head(head, file.fd);
      }
      taken += bytes.size();
      show(taken, size);
      return write_all(file.fd, bytes);
    };
    auto code = run(get_file, {remote_.path});
    if (!code && code.error().text.empty()) return system_fault("cannot write " + to);
    if (!code || *code != 0) return code;
    if (is_head || !file.close() || !draft.become(to)) return system_fault("cannot write " + to);
    return 0;
  }

  Outcome<int> get_directory(std::string to) {
    const bool is_named = name_of(remote_.path).find_first_not_of('.') != std::string::npos;
    if (is_directory(to) && is_named) to += "/" + name_of(remote_.path);
    if (::access(to.c_str(), F_OK) == 0) return fault(Exit::failure, to + " is there already");
    Draft draft(to);
    if (!draft.make_directory()) return system_fault("cannot write beside " + to);
    Helper tar({"tar", "-xf", "-", "-C", draft.path(), "--no-same-owner", "--no-same-permissions"},
               true);
    std::uint64_t taken = 0;
    pipes_.on_output = [&](std::string_view bytes) {
      taken += bytes.size();
      show(taken, 0);
      return write_all(tar.pipe(), bytes);
    };
    auto code = run(get_tree, {remote_.path});
    const bool is_written = tar.end();
    if (!code && code.error().text.empty()) return fault(Exit::failure, "cannot write " + to);
    if (!code || *code != 0) return code;
    if (!is_written) return fault(Exit::failure, "cannot write all of " + to);
    ::chmod(draft.path().c_str(), 0755);
    if (!draft.become(to)) return system_fault("cannot write " + to);
    return 0;
  }

 private:
  static std::uint64_t read_head(const std::string& head, int file) {
    const std::size_t space = std::min(head.find(' '), head.size());
    const auto mode = std::strtoul(head.substr(0, space).c_str(), nullptr, 8);
    ::fchmod(file, static_cast<mode_t>(mode & 0777U));
    const auto size = parse_integer(head.substr(std::min(space + 1, head.size())));
    return size && *size > 0 ? static_cast<std::uint64_t>(*size) : 0;
  }

  void show(std::uint64_t done, std::uint64_t all) {
    const std::int64_t now = wall_clock_us();
    if (now - shown_us_ < 200'000) return;
    shown_us_ = now;
    std::string line = print_size(static_cast<std::int64_t>(done));
    if (all > 0) line += " of " + print_size(static_cast<std::int64_t>(all));
    call_.screen.show_progress(line);
  }

  Outcome<int> run(const char* script, std::vector<std::string> words) {
    api::ExecBegin begin{.command = {"bash", "-c", script, "suan-cp"}};
    begin.command.insert(begin.command.end(), words.begin(), words.end());
    // A helper that ends early must not end this program.
    struct sigaction ignore{};
    struct sigaction before{};
    ignore.sa_handler = SIG_IGN;
    ::sigaction(SIGPIPE, &ignore, &before);
    auto code = run_beside(call_.session.settings(), remote_.job, task_, begin, pipes_);
    ::sigaction(SIGPIPE, &before, nullptr);
    call_.screen.show_progress("");
    if (!code || *code == 0 || *code > 128) return code;
    while (!complaint_.empty() && complaint_.back() == '\n') complaint_.pop_back();
    return fault(Exit::failure, complaint_.empty() ? "the copy failed in the job" : complaint_);
  }

  Call& call_;
  Side remote_;
  std::int64_t task_;
  ExecPipes pipes_;
  std::string complaint_;
  std::int64_t shown_us_ = 0;
};

}  // namespace

Outcome<int> copy(Call& call) {
  const Arguments& arguments = call.arguments;
  SUAN_TRY(Side from, read_side(arguments.words[0]));
  SUAN_TRY(Side to, read_side(arguments.words[1]));
  SUAN_TRY(const std::int64_t task, number_of(arguments, "task", 0, 0, UINT32_MAX));
  if (from.job.empty() == to.job.empty())
    return fault(Exit::usage, "one side is a file here and the other JOB:PATH",
                 "suan cp data.csv job-42:data.csv");
  if (arguments.has("curl"))
    return fault(Exit::usage, "curl has no command that does the same: cp is a WebSocket");
  const bool is_tree = arguments.has("recursive");
  if (from.job.empty()) {
    Copy copy(call, std::move(to), task);
    return is_tree ? copy.put_directory(from.path) : copy.put(from.path);
  }
  Copy copy(call, std::move(from), task);
  return is_tree ? copy.get_directory(to.path) : copy.get(to.path);
}

}  // namespace suan::cli
