#include "engine/cgroup.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <csignal>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/cgroup_mounts.h"
#include "engine/process.h"

namespace suan::engine {
namespace {

constexpr std::size_t control_bytes_max = 16 << 20U;
constexpr std::int64_t cpu_period_us = 100'000;
constexpr std::int64_t cpu_quota_us_min = 1'000;  // The kernel refuses less.

std::string below(const std::string& root, const std::string& name) {
  return root.empty() ? "" : root + "/" + name;
}

// The number behind `key` in "key number" lines, or the first number for key "".
std::optional<std::int64_t> read_number(const std::string& path, std::string_view key) {
  const auto text = read_file(AT_FDCWD, path, control_bytes_max);
  if (!text) return std::nullopt;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (key.empty()) return parse_integer(line);
    if (line.size() > key.size() && line.starts_with(key) && line[key.size()] == ' ')
      return parse_integer(line.substr(key.size() + 1));
  }
  return std::nullopt;
}

bool make_group(const std::string& directory) {
  return directory.empty() || ::mkdir(directory.c_str(), 0755) == 0 || errno == EEXIST;
}

bool set_cpu(const std::string& v2, const std::string& v1, std::int64_t cpu_milli) {
  const std::int64_t quota = std::max(cpu_milli * cpu_period_us / 1000, cpu_quota_us_min);
  if (!v2.empty())
    return write_control(v2 + "/cpu.max",
                         std::to_string(quota) + " " + std::to_string(cpu_period_us));
  return write_control(v1 + "/cpu.cfs_period_us", std::to_string(cpu_period_us)) &&
         write_control(v1 + "/cpu.cfs_quota_us", std::to_string(quota));
}

// A job at its limit must not go on in swap, so swap is closed where the kernel has the switch.
bool set_memory(const std::string& v2, const std::string& v1, std::int64_t memory_bytes) {
  const std::string bytes = std::to_string(memory_bytes);
  if (!v2.empty()) {
    write_control(v2 + "/memory.swap.max", "0");
    return write_control(v2 + "/memory.max", bytes);
  }
  if (!write_control(v1 + "/memory.limit_in_bytes", bytes)) return false;
  write_control(v1 + "/memory.memsw.limit_in_bytes", bytes);
  return true;
}

void append_processes(const std::string& path, std::vector<pid_t>& pids) {
  const auto text = read_file(AT_FDCWD, path, control_bytes_max);
  if (!text) return;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (const auto pid = parse_integer(rest.substr(0, end)))
      pids.push_back(static_cast<pid_t>(*pid));
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
}

}  // namespace

Cgroup::Cgroup(const CgroupRoots& roots, const std::string& name)
    : name_(name),
      v2_(below(roots.v2, name)),
      v1_memory_(roots.v2_has_memory ? "" : below(roots.v1_memory, name)),
      v1_cpu_(roots.v2_has_cpu ? "" : below(roots.v1_cpu, name)),
      v1_cpuacct_(roots.v2.empty() ? below(roots.v1_cpuacct, name) : ""),
      v2_has_memory_(roots.v2_has_memory),
      v2_has_cpu_(roots.v2_has_cpu) {
  for (const std::string* each : {&v2_, &v1_memory_, &v1_cpuacct_, &v1_cpu_})
    if (tracker_.empty()) tracker_ = *each;
}

Result<void> Cgroup::make(const CgroupLimits& limits) {
  // Without a limit on CPU the version 1 group for it has no use, unless nothing else tracks.
  if (limits.cpu_milli == 0 && tracker_ != v1_cpu_) v1_cpu_.clear();
  for (const std::string* directory : {&v2_, &v1_memory_, &v1_cpu_, &v1_cpuacct_}) {
    if (make_group(*directory)) continue;
    auto refused = system_failure("cannot make the control group", *directory);
    remove();
    return refused;
  }
  const bool has_memory = v2_has_memory_ || !v1_memory_.empty();
  const bool has_cpu = v2_has_cpu_ || !v1_cpu_.empty();
  const bool is_limited =
      (limits.memory_bytes == 0 || !has_memory ||
       set_memory(v2_has_memory_ ? v2_ : "", v1_memory_, limits.memory_bytes)) &&
      (limits.cpu_milli == 0 || !has_cpu ||
       set_cpu(v2_has_cpu_ ? v2_ : "", v1_cpu_, limits.cpu_milli));
  if (is_limited) return {};
  auto refused = system_failure("cannot limit the control group", name_);
  remove();
  return refused;
}

Fd Cgroup::open_v2() const {
  return Fd(v2_.empty() ? -1 : ::open(v2_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

Result<std::vector<Fd>> Cgroup::open_v1_entries() const {
  std::vector<Fd> entries;
  for (const std::string* directory : {&v1_memory_, &v1_cpu_, &v1_cpuacct_}) {
    if (directory->empty()) continue;
    const std::string path = *directory + "/tasks";
    Fd entry(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (!entry) return system_failure("cannot enter the control group", path);
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<void> Cgroup::enter() const {
  if (!v2_.empty() && !write_control(v2_ + "/cgroup.procs", "0"))
    return system_failure("cannot enter the control group", v2_);
  for (const std::string* directory : {&v1_memory_, &v1_cpu_, &v1_cpuacct_}) {
    if (directory->empty() || write_control(*directory + "/tasks", "0")) continue;
    // Without a limit on CPU there is none for that (see make).
    const bool is_optional = directory == &v1_cpu_ && tracker_ != v1_cpu_ && errno == ENOENT;
    if (!is_optional) return system_failure("cannot enter the control group", *directory);
  }
  return {};
}

std::vector<pid_t> Cgroup::processes() const {
  std::vector<pid_t> pids;
  // In every directory, as a process may be caught between entering one and the next.
  for (const std::string* directory : {&v2_, &v1_memory_, &v1_cpu_, &v1_cpuacct_})
    if (!directory->empty()) append_processes(*directory + "/cgroup.procs", pids);
  std::ranges::sort(pids);
  const auto repeated = std::ranges::unique(pids);
  pids.erase(repeated.begin(), repeated.end());
  return pids;
}

bool Cgroup::holds(pid_t pid) const {
  for (const std::string* directory : {&v2_, &v1_memory_, &v1_cpu_, &v1_cpuacct_}) {
    if (directory->empty()) continue;
    std::vector<pid_t> pids;
    append_processes(*directory + "/cgroup.procs", pids);
    if (std::ranges::find(pids, pid) == pids.end()) return false;
  }
  return true;
}

CgroupReading Cgroup::read() const {
  CgroupReading reading;
  if (!v2_.empty()) {
    if (const auto us = read_number(v2_ + "/cpu.stat", "usage_usec")) reading.cpu = Span{*us};
  } else if (!v1_cpuacct_.empty()) {
    if (const auto ns = read_number(v1_cpuacct_ + "/cpuacct.usage", ""))
      reading.cpu = Span{*ns / 1000};
  }
  if (v2_has_memory_) {
    reading.memory_peak_bytes = read_number(v2_ + "/memory.peak", "");
    reading.oom_kills = read_number(v2_ + "/memory.events", "oom_kill").value_or(0);
  } else if (!v1_memory_.empty()) {
    reading.memory_peak_bytes = read_number(v1_memory_ + "/memory.max_usage_in_bytes", "");
    reading.oom_kills = read_number(v1_memory_ + "/memory.oom_control", "oom_kill").value_or(0);
  }
  return reading;
}

bool Cgroup::kill(Span patience) const {
  const Span until = monotonic_now() + patience;
  Span pause = microseconds(200);
  while (true) {
    // cgroup.kill (Linux 5.14) also takes what forks meanwhile; the loop does so elsewhere.
    if (!v2_.empty()) write_control(v2_ + "/cgroup.kill", "1");
    const std::vector<pid_t> left = processes();
    bool is_any_live = false;
    for (const pid_t pid : left) {
      const auto status = read_process(pid);
      if (!status || !status->is_live) continue;
      is_any_live = true;
      ::kill(pid, SIGKILL);
    }
    if (!is_any_live) return true;
    if (monotonic_now() >= until) return false;
    ::usleep(static_cast<useconds_t>(pause.us));
    pause = std::min(pause * 2, milliseconds(20));
  }
}

bool Cgroup::remove() const {
  // A process that was just waited for may count for a moment longer.
  constexpr int tries_max = 20;
  bool is_gone = true;
  for (const std::string* directory : {&v2_, &v1_memory_, &v1_cpu_, &v1_cpuacct_}) {
    if (directory->empty()) continue;
    int tries = 0;
    while (::rmdir(directory->c_str()) != 0 && errno == EBUSY && ++tries < tries_max) ::usleep(500);
    is_gone = is_gone && tries < tries_max;
  }
  return is_gone;
}

void sweep_cgroups(const CgroupRoots& roots, const std::string& prefix,
                   const std::vector<std::string>& keep) {
  for (const std::string& root : {roots.v2, roots.v1_memory, roots.v1_cpu, roots.v1_cpuacct}) {
    if (root.empty()) continue;
    for (const std::string& name : names_in(AT_FDCWD, root)) {
      if (!name.starts_with(prefix) || std::ranges::binary_search(keep, name)) continue;
      const Cgroup group(roots, name);
      group.kill(seconds(2));
      group.remove();
    }
  }
}

}  // namespace suan::engine
