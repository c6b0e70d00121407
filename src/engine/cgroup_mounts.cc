#include "engine/cgroup_mounts.h"

#include <algorithm>
#include <cerrno>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "engine/cgroup.h"
#include "engine/file.h"

namespace suan::engine {
namespace {

constexpr std::size_t proc_file_bytes_max = 4 << 20U;

std::vector<std::string_view> split(std::string_view text, char by) {
  std::vector<std::string_view> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(by), text.size());
    if (end > 0) parts.push_back(text.substr(0, end));
    text.remove_prefix(std::min(text.size(), end + 1));
  }
  return parts;
}

bool has(const std::vector<std::string_view>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

// A line of mountinfo; `type` is empty if it is none.
struct Mount {
  std::string_view root, point, type;
  std::vector<std::string_view> options;  // Of the file system.
};

Mount parse_mount(std::string_view line) {
  const std::size_t dash = line.find(" - ");
  if (dash == std::string_view::npos) return {};
  const auto mount = split(line.substr(0, dash), ' ');
  const auto source = split(line.substr(dash + 3), ' ');
  if (mount.size() < 5 || source.size() < 3) return {};
  return {mount[3], mount[4], source[0], split(source[2], ',')};
}

// "hierarchy:controllers:path" lines; the controllers of version 2 are "".
std::string_view own_path(std::string_view cgroup, std::string_view controller) {
  for (const std::string_view line : split(cgroup, '\n')) {
    const std::size_t first = line.find(':');
    const std::size_t second = line.find(':', first + 1);
    if (first == std::string_view::npos || second == std::string_view::npos) continue;
    const std::string_view controllers = line.substr(first + 1, second - first - 1);
    if (controller.empty() ? controllers.empty() : has(split(controllers, ','), controller))
      return line.substr(second + 1);
  }
  return {};
}

// A mount may show only a part of the hierarchy, as it does in a container.
std::string join(std::string_view mount_point, std::string_view mount_root, std::string_view path) {
  if (path.empty()) return {};
  if (mount_root != "/") {
    if (!path.starts_with(mount_root)) return {};
    path.remove_prefix(mount_root.size());
  }
  while (path.ends_with('/')) path.remove_suffix(1);
  return std::string(mount_point) + std::string(path);
}

bool is_writable_group(const std::string& parent, const char* needed_file) {
  const std::string probe = parent + "/suan-probe-" + std::to_string(::getpid());
  if (::mkdir(probe.c_str(), 0755) != 0 && errno != EEXIST) return false;
  const bool has_file =
      *needed_file == '\0' || ::access((probe + "/" + needed_file).c_str(), W_OK) == 0;
  ::rmdir(probe.c_str());
  return has_file;
}

bool offers(const std::string& file, std::string_view controller) {
  auto text = read_file(AT_FDCWD, file, proc_file_bytes_max);
  if (!text) return false;
  std::ranges::replace(*text, '\n', ' ');
  return has(split(*text, ' '), controller);
}

// Version 2 lets a group have processes, or children with controllers, but not both.
bool enable_controller(const std::string& group, const char* controller) {
  const std::string control = group + "/cgroup.subtree_control";
  if (offers(control, controller)) return true;
  if (!offers(group + "/cgroup.controllers", controller)) return false;
  const std::string word = std::string("+") + controller;
  if (write_control(control, word)) return true;
  if (errno != EBUSY) return false;
  const auto processes = read_file(AT_FDCWD, group + "/cgroup.procs", proc_file_bytes_max);
  const std::string own = std::to_string(::getpid());
  if (!processes || *processes != own + "\n") return false;  // Others are not ours to move.
  const std::string leaf = group + "/suan-serve";
  if (::mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) return false;
  return write_control(leaf + "/cgroup.procs", own) && write_control(control, word);
}

void find_v2(const std::string& group, CgroupRoots& roots) {
  if (group.empty() || !is_writable_group(group, "cgroup.procs")) return;
  roots.v2 = group;
  roots.v2_has_memory =
      enable_controller(group, "memory") && is_writable_group(group, "memory.max");
  roots.v2_has_cpu = enable_controller(group, "cpu") && is_writable_group(group, "cpu.max");
}

// At the very top of version 2, where only root may write, a group of our own beside those of the
// services: its attempts then outlive the service that this process is. "" where that cannot be.
std::string find_top_group(const std::string& top) {
  // Only the real top, not that of a container, lacks a type.
  if (top.empty() || ::access((top + "/cgroup.type").c_str(), F_OK) == 0) return {};
  if (!offers(top + "/cgroup.controllers", "memory")) return {};
  enable_controller(top, "memory");
  enable_controller(top, "cpu");
  std::string group = top + "/suan";
  if (::mkdir(group.c_str(), 0755) != 0 && errno != EEXIST) return {};
  return group;
}

std::string print_finding(const CgroupRoots& roots, Enforcement enforcement) {
  const std::string where = roots.v2_has_memory || roots.v2_has_cpu
                                ? "control groups version 2 below " + roots.v2
                                : "control groups version 1 below " +
                                      (roots.v1_memory.empty() ? roots.v1_cpu : roots.v1_memory);
  switch (enforcement) {
    case Enforcement::cpu_and_memory:
      return "CPU and memory limits are enforced by " + where + ".";
    case Enforcement::memory_only:
      return "Memory limits are enforced by " + where + "; CPU limits are not enforced.";
    case Enforcement::cpu_only:
      return "CPU limits are enforced by " + where + "; memory limits are not enforced.";
    case Enforcement::none:
      break;
  }
  return "CPU and memory limits are not enforced: this process may make no control groups with the "
         "controllers cpu and memory; run it as root or with a delegated group.";
}

}  // namespace

namespace {

void take_v1(std::string& own, const Mount& mount, std::string_view controller,
             std::string_view cgroup) {
  if (mount.type == "cgroup" && has(mount.options, controller))
    own = join(mount.point, mount.root, own_path(cgroup, controller));
}

}  // namespace

OwnCgroups parse_own_cgroups(std::string_view mountinfo, std::string_view cgroup) {
  OwnCgroups own;
  for (const std::string_view line : split(mountinfo, '\n')) {
    const Mount mount = parse_mount(line);
    take_v1(own.v1_memory, mount, "memory", cgroup);
    take_v1(own.v1_cpu, mount, "cpu", cgroup);
    take_v1(own.v1_cpuacct, mount, "cpuacct", cgroup);
    if (mount.type != "cgroup2" || !own.v2.empty()) continue;
    own.v2 = join(mount.point, mount.root, own_path(cgroup, ""));
    if (mount.root == "/") own.v2_top = mount.point;
  }
  return own;
}

OwnCgroups read_own_cgroups() {
  const auto mounts = read_file(AT_FDCWD, "/proc/self/mountinfo", proc_file_bytes_max);
  const auto groups = read_file(AT_FDCWD, "/proc/self/cgroup", proc_file_bytes_max);
  if (!mounts || !groups) return {};
  return parse_own_cgroups(*mounts, *groups);
}

namespace {

std::string usable(const std::string& group, const char* needed_file) {
  return !group.empty() && is_writable_group(group, needed_file) ? group : "";
}

CgroupRoots find_own_roots() {
  const OwnCgroups own = read_own_cgroups();
  CgroupRoots roots;
  find_v2(find_top_group(own.v2_top), roots);
  if (!roots.v2_has_memory && !roots.v2_has_cpu) {
    roots = {};
    find_v2(own.v2, roots);
  }
  if (!roots.v2_has_memory) roots.v1_memory = usable(own.v1_memory, "memory.limit_in_bytes");
  if (!roots.v2_has_cpu) roots.v1_cpu = usable(own.v1_cpu, "cpu.cfs_quota_us");
  if (roots.v2.empty()) roots.v1_cpuacct = usable(own.v1_cpuacct, "cpuacct.usage");
  return roots;
}

Enforcement enforcement_by(const CgroupRoots& roots) {
  const bool has_memory = roots.v2_has_memory || !roots.v1_memory.empty();
  const bool has_cpu = roots.v2_has_cpu || !roots.v1_cpu.empty();
  if (has_memory) return has_cpu ? Enforcement::cpu_and_memory : Enforcement::memory_only;
  return has_cpu ? Enforcement::cpu_only : Enforcement::none;
}

}  // namespace

CgroupFinding find_cgroups(const std::string& parent) {
  CgroupFinding finding;
  if (parent == "none") {
    finding.sentence = "CPU and memory limits are not enforced: control groups are turned off.";
    return finding;
  }
  if (parent.empty())
    finding.roots = find_own_roots();
  else
    find_v2(parent, finding.roots);
  finding.enforcement = enforcement_by(finding.roots);
  finding.sentence = print_finding(finding.roots, finding.enforcement);
  return finding;
}

}  // namespace suan::engine
