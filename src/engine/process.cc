#include "engine/process.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <map>
#include <set>

#include <fcntl.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/text.h"

namespace suan::engine {
namespace {

constexpr std::size_t proc_file_bytes_max = 64 << 10U;

std::optional<std::int64_t> next_number(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const std::size_t end = std::min(text.find(' '), text.size());
  std::int64_t value = 0;
  const std::string_view digits = text.substr(0, end);
  const auto [stop, error] = std::from_chars(digits.begin(), digits.end(), value);
  if (error != std::errc() && error != std::errc::result_out_of_range) return std::nullopt;
  text.remove_prefix(end);
  return value;
}

Span of_ticks(std::int64_t ticks) {
  static const std::int64_t per_second = ::sysconf(_SC_CLK_TCK);
  return {ticks * 1'000'000 / per_second};
}

Span read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return seconds(now.tv_sec) + microseconds(now.tv_nsec / 1000);
}

std::vector<pid_t> all_processes() {
  std::vector<pid_t> pids;
  for (const std::string& name : names_in(AT_FDCWD, "/proc")) {
    const auto pid = parse_integer(name);
    if (pid) pids.push_back(static_cast<pid_t>(*pid));
  }
  return pids;
}

}  // namespace

std::optional<ProcessStatus> read_process(pid_t pid) {
  const auto file =
      read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/stat", proc_file_bytes_max);
  if (!file) return std::nullopt;
  // The command name may hold anything, even ") ", so the fields start behind the last one.
  const std::size_t name_end = file->rfind(") ");
  if (name_end == std::string::npos || name_end + 3 >= file->size()) return std::nullopt;
  ProcessStatus status;
  const char state = (*file)[name_end + 2];
  std::string_view rest = std::string_view(*file).substr(name_end + 3);
  std::array<std::int64_t, 19> fields{};  // 4 (ppid) to 22 (starttime).
  for (std::int64_t& field : fields) {
    const auto value = next_number(rest);
    if (!value) return std::nullopt;
    field = *value;
  }
  // The first thread of a live process may have ended, which shows as 'Z' too; field 20 counts
  // them.
  status.is_live = (state != 'Z' && state != 'X') || fields[16] > 1;
  status.parent = static_cast<pid_t>(fields[0]);
  status.session = static_cast<pid_t>(fields[2]);
  status.cpu = of_ticks(fields[10] + fields[11]);
  status.children_cpu = of_ticks(fields[12] + fields[13]);
  status.start_ticks = static_cast<std::uint64_t>(fields[18]);
  return status;
}

ProcessId this_process() {
  return identify(::getpid());
}

ProcessId identify(pid_t pid) {
  const auto status = read_process(pid);
  if (!status) return {};
  return {pid, status->start_ticks};
}

bool is_alive(const ProcessId& process) {
  if (process.pid <= 0) return false;
  const auto status = read_process(process.pid);
  return status && status->is_live && status->start_ticks == process.start_ticks;
}

Fd watch_process(const ProcessId& process) {
  if (process.pid <= 0) return {};
  Fd watch(static_cast<int>(::syscall(SYS_pidfd_open, process.pid, 0)));
  // Checked after opening: from here on the descriptor names this one process for good.
  if (!watch || !is_alive(process)) return {};
  return watch;
}

std::string read_boot_id() {
  auto id = read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", proc_file_bytes_max);
  if (!id) return {};
  while (!id->empty() && id->back() == '\n') id->pop_back();
  return *std::move(id);
}

Span monotonic_now() {
  return read_clock(CLOCK_MONOTONIC);
}
Span boottime_now() {
  return read_clock(CLOCK_BOOTTIME);
}

Span boottime_of(std::uint64_t start_ticks) {
  return of_ticks(static_cast<std::int64_t>(start_ticks));
}

std::vector<pid_t> descendants_of(pid_t ancestor) {
  std::multimap<pid_t, pid_t> children;
  for (const pid_t pid : all_processes()) {
    const auto status = read_process(pid);
    if (status && status->is_live) children.emplace(status->parent, pid);
  }
  std::vector<pid_t> found;
  std::set<pid_t> seen{ancestor};
  std::vector<pid_t> todo{ancestor};
  while (!todo.empty()) {
    const pid_t parent = todo.back();
    todo.pop_back();
    const auto [first, last] = children.equal_range(parent);
    for (auto at = first; at != last; ++at) {
      if (!seen.insert(at->second).second) continue;
      found.push_back(at->second);
      todo.push_back(at->second);
    }
  }
  return found;
}

std::vector<pid_t> processes_in_session(pid_t leader) {
  std::vector<pid_t> found;
  for (const pid_t pid : all_processes()) {
    const auto status = read_process(pid);
    if (status && status->is_live && status->session == leader) found.push_back(pid);
  }
  return found;
}

bool catches(pid_t pid, int signal) {
  const auto file =
      read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/status", proc_file_bytes_max);
  if (!file || signal < 1 || signal > 64) return false;
  const std::size_t line = file->find("\nSigCgt:\t");
  if (line == std::string::npos) return false;
  std::uint64_t mask = 0;
  const char* first = file->data() + line + 9;
  std::from_chars(first, file->data() + file->size(), mask, 16);
  return (mask >> static_cast<unsigned>(signal - 1) & 1U) != 0;
}

std::optional<int> parse_signal(std::string_view name) {
  if (name.starts_with("SIG")) name.remove_prefix(3);
  int number = 0;
  if (const auto written = parse_integer(name)) {
    if (*written < 1 || *written > 64) return std::nullopt;
    number = static_cast<int>(*written);
  } else {
    for (int each = 1; each < 32 && number == 0; ++each) {
      const char* known = ::sigabbrev_np(each);
      if (known != nullptr && name == known) number = each;
    }
  }
  if (number == 0 || number == SIGKILL || number == SIGSTOP) return std::nullopt;
  return number;
}

}  // namespace suan::engine
