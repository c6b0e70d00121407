#include "engine/cgroup.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/cgroup_mounts.h"
#include "engine/process.h"
#include "testing/temporary_directory.h"

namespace suan::engine {
namespace {

TEST(Cgroup, own_groups_of_a_machine_with_version_2_only) {
  const OwnCgroups own = parse_own_cgroups(
      "24 30 0:22 / /proc rw - proc proc rw\n"
      "35 24 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n",
      "0::/system.slice/suan.service\n");
  EXPECT_EQ(own.v2, "/sys/fs/cgroup/system.slice/suan.service");
  EXPECT_EQ(own.v2_top, "/sys/fs/cgroup");
  EXPECT_EQ(own.v1_memory + own.v1_cpu + own.v1_cpuacct, "");
}

TEST(Cgroup, own_groups_of_a_machine_with_both_versions) {
  const OwnCgroups own = parse_own_cgroups(
      "35 24 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
      "36 24 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
      "37 24 0:32 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n",
      "4:memory:/a/b\n2:cpu,cpuacct:/\n0::/\n");
  EXPECT_EQ(own.v2, "/sys/fs/cgroup/unified");
  EXPECT_EQ(own.v1_memory, "/sys/fs/cgroup/memory/a/b");
  EXPECT_EQ(own.v1_cpu, "/sys/fs/cgroup/cpu,cpuacct");
  EXPECT_EQ(own.v1_cpuacct, "/sys/fs/cgroup/cpu,cpuacct");
}

TEST(Cgroup, own_groups_in_a_container_that_shows_a_part) {
  const OwnCgroups own = parse_own_cgroups(
      "36 24 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
      "4:memory:/docker/abc/inner\n2:cpu:/elsewhere\n");
  EXPECT_EQ(own.v1_memory, "/sys/fs/cgroup/memory/inner");
  EXPECT_EQ(own.v1_cpu, "");
  EXPECT_EQ(own.v2_top, "");
  const OwnCgroups other = parse_own_cgroups(
      "36 24 0:31 /docker/abc /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
      "4:memory:/docker/xyz\n");
  EXPECT_EQ(other.v1_memory, "");
}

TEST(Cgroup, none_can_be_asked_for) {
  const CgroupFinding finding = find_cgroups("none");
  EXPECT_EQ(finding.enforcement, Enforcement::none);
  EXPECT_NE(finding.sentence.find("not enforced"), std::string::npos);
  const Cgroup group(finding.roots, "x");
  EXPECT_FALSE(group.is_tracking());
  EXPECT_TRUE(group.processes().empty());
  EXPECT_TRUE(group.remove());
}

TEST(Cgroup, a_directory_that_is_no_group_enforces_nothing) {
  const TemporaryDirectory directory;
  const CgroupFinding finding = find_cgroups(directory.path());
  EXPECT_EQ(finding.enforcement, Enforcement::none);
  EXPECT_EQ(finding.roots.v2, "");
}

TEST(Cgroup, leaves_nothing_when_a_limit_is_refused) {
  const TemporaryDirectory directory;
  CgroupRoots roots;
  roots.v2 = directory.path();
  roots.v2_has_memory = true;
  Cgroup group(roots, "x");
  EXPECT_FALSE(group.make({.cpu_milli = 0, .memory_bytes = 1 << 20}));  // There is no memory.max.
  struct stat status{};
  EXPECT_NE(::stat((directory.path() + "/x").c_str(), &status), 0);
}

class RealCgroup : public testing::Test {
 protected:
  void SetUp() override {
    if (!Cgroup(finding_.roots, "x").is_tracking()) GTEST_SKIP() << finding_.sentence;
  }
  CgroupFinding finding_ = find_cgroups("");
  std::string name_ = "suan-test-" + std::to_string(::getpid());
};

// Forks a child that enters the group and forks another, both to stay until they are killed.
// Returns when both are there.
pid_t fork_into_group(const Cgroup& group) {
  auto entries = group.open_v1_entries();
  EXPECT_TRUE(entries);
  const Fd v2 = group.open_v2();
  const Fd v2_entry(v2 ? ::openat(v2.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC) : -1);
  const pid_t child = ::fork();
  if (child != 0) {
    const Span until = monotonic_now() + seconds(10);
    while (group.processes().size() < 2 && monotonic_now() < until) ::usleep(1000);
    EXPECT_EQ(group.processes().size(), 2U);
    return child;
  }
  for (const Fd& entry : *entries)
    if (::write(entry.get(), "0", 1) != 1) ::_exit(1);
  if (v2_entry && ::write(v2_entry.get(), "0", 1) != 1) ::_exit(1);
  ::fork();
  while (true) ::pause();
}

TEST_F(RealCgroup, holds_kills_and_counts_all_processes) {
  Cgroup group(finding_.roots, name_);
  ASSERT_TRUE(group.make({.cpu_milli = 500, .memory_bytes = 64 << 20}));
  const pid_t child = fork_into_group(group);
  EXPECT_TRUE(group.kill(seconds(5)));
  ::waitpid(child, nullptr, 0);
  const CgroupReading reading = group.read();
  EXPECT_GT(reading.cpu.value_or(seconds(1)), Span{});
  EXPECT_EQ(reading.oom_kills, 0);
  EXPECT_TRUE(group.remove());
  EXPECT_TRUE(group.remove());
}

TEST_F(RealCgroup, sweeps_what_is_left_but_not_what_is_kept) {
  Cgroup kept(finding_.roots, name_ + "-kept");
  Cgroup left(finding_.roots, name_ + "-left");
  ASSERT_TRUE(kept.make({}));
  ASSERT_TRUE(left.make({}));
  const pid_t child = fork_into_group(left);
  sweep_cgroups(finding_.roots, name_, {name_ + "-kept"});
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status));
  EXPECT_TRUE(left.processes().empty());
  struct stat there{};
  const CgroupRoots& roots = finding_.roots;
  for (const std::string& root : {roots.v2, roots.v1_memory}) {
    if (root.empty()) continue;
    EXPECT_EQ(::stat((root + "/" + name_ + "-kept").c_str(), &there), 0);
    EXPECT_NE(::stat((root + "/" + name_ + "-left").c_str(), &there), 0);
  }
  EXPECT_TRUE(kept.remove());
}

}  // namespace
}  // namespace suan::engine
