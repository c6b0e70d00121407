#include "engine/process.h"

#include <algorithm>
#include <csignal>

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "testing/local_scene.h"

namespace suan::engine {
namespace {

TEST(Process, is_named_by_pid_and_start) {
  const ProcessId self = this_process();
  EXPECT_EQ(self.pid, ::getpid());
  EXPECT_GT(self.start_ticks, 0U);
  EXPECT_TRUE(is_alive(self));
  EXPECT_FALSE(is_alive({.pid = self.pid, .start_ticks = self.start_ticks + 1}));
  EXPECT_FALSE(is_alive({}));
  EXPECT_FALSE(watch_process({.pid = self.pid, .start_ticks = self.start_ticks + 1}));
}

TEST(Process, a_name_full_of_brackets_is_read_past) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::prctl(PR_SET_NAME, "a) Z 1 (b");
    ::pause();
  }
  ASSERT_TRUE(wait_until([&] {
    const auto status = read_process(child);
    return status && status->parent == ::getpid() && status->is_live;
  }));
  EXPECT_GT(read_process(child)->start_ticks, 0U);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(Process, a_zombie_is_dead_and_its_watch_is_readable) {
  const pid_t child = ::fork();
  if (child == 0) ::pause();
  const ProcessId process = identify(child);
  const Fd watch = watch_process(process);
  ASSERT_TRUE(watch);
  pollfd wait{watch.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&wait, 1, 0), 0);
  ::kill(child, SIGKILL);
  EXPECT_EQ(::poll(&wait, 1, 10'000), 1);
  EXPECT_TRUE(wait_until([&] { return !is_alive(process); }));
  EXPECT_FALSE(watch_process(process));
  ::waitpid(child, nullptr, 0);
  EXPECT_FALSE(is_alive(process));
}

TEST(Process, descendants_and_sessions_are_found) {
  const pid_t child = ::fork();
  if (child == 0) {
    ::setsid();
    if (::fork() == 0) ::pause();
    ::pause();
  }
  EXPECT_TRUE(wait_until([&] { return processes_in_session(child).size() == 2; }));
  const auto below = descendants_of(::getpid());
  for (const pid_t pid : processes_in_session(child)) {
    EXPECT_NE(std::ranges::find(below, pid), below.end());
    ::kill(pid, SIGKILL);
  }
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(wait_until([&] { return processes_in_session(child).empty(); }));
}

TEST(Process, tells_who_catches_a_signal) {
  const auto before = ::signal(SIGUSR2, SIG_DFL);
  EXPECT_FALSE(catches(::getpid(), SIGUSR2));
  ::signal(SIGUSR2, SIG_IGN);
  EXPECT_FALSE(catches(::getpid(), SIGUSR2));
  ::signal(SIGUSR2, [](int) {});
  EXPECT_TRUE(catches(::getpid(), SIGUSR2));
  ::signal(SIGUSR2, before);
}

TEST(Process, signals_have_names) {
  EXPECT_EQ(parse_signal("USR1"), SIGUSR1);
  EXPECT_EQ(parse_signal("SIGTERM"), SIGTERM);
  EXPECT_EQ(parse_signal("10"), 10);
  for (const char* wrong : {"", "KILL", "STOP", "9", "19", "0", "65", "-1", "usr1", "NOPE"})
    EXPECT_FALSE(parse_signal(wrong)) << wrong;
}

TEST(Process, clocks_and_the_boot_are_the_machines) {
  const Span age = boottime_now() - boottime_of(this_process().start_ticks);
  EXPECT_GE(age, Span{});
  EXPECT_LT(age, hours(1));
  EXPECT_EQ(read_boot_id().size(), 36U);
  const Span before = monotonic_now();
  pause(milliseconds(20));
  EXPECT_GE(monotonic_now() - before, milliseconds(20));
  EXPECT_GE(boottime_now() + milliseconds(1), monotonic_now());
}

}  // namespace
}  // namespace suan::engine
