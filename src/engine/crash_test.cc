#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/attempt_files.h"
#include "engine/process.h"
#include "engine/supervisor.h"
#include "testing/local_scene.h"

namespace suan::engine {
namespace {

using member::first_key;
using member::plain_launch;

class Crash : public LocalScene, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override { options_.cgroup_parent = GetParam(); }

  std::string record_path() {
    return options_.state_directory + "/" + directory_of(first_key) + "/record";
  }
  AttemptRecord record() { return read_record(AT_FDCWD, record_path(), first_key); }

  /// The work runs, and may even have written, a moment before this is on record.
  ProcessId started_work() {
    EXPECT_TRUE(wait_until([&] { return record().started.has_value(); }));
    return record().started.value().work;
  }

  /// Another process that opens the engine, launches the script and waits: the server.
  void start_host(const std::string& script) {
    std::string name = "host";
    std::string state = options_.state_directory;
    std::string parent = options_.cgroup_parent;
    std::string text = script;
    std::array<char*, 6> arguments{name.data(),   name.data(), state.data(),
                                   parent.data(), text.data(), nullptr};
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    ASSERT_EQ(
        ::posix_spawn(&host_, "/proc/self/exe", nullptr, &attributes, arguments.data(), ::environ),
        0);
    ::posix_spawnattr_destroy(&attributes);
    ASSERT_TRUE(wait_until([&] { return record().started.has_value(); }));
  }
  void end_host(int signal) {
    ::kill(-host_, signal);
    int status = 0;
    ASSERT_EQ(::waitpid(host_, &status, 0), host_);
    EXPECT_TRUE(WIFSIGNALED(status));
  }

  pid_t host_ = 0;
};
INSTANTIATE_TEST_SUITE_P(local, Crash, testing::Values("", "none"));

TEST_P(Crash, work_goes_on_without_the_server_and_is_found_again) {
  start_host("echo once; sleep 1.5; exit 6");
  end_host(SIGKILL);
  EXPECT_TRUE(is_alive(record().claim->supervisor));
  open();
  EXPECT_EQ(wait_for(AttemptState::running).state, AttemptState::running);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::exited);
  EXPECT_EQ(end.exit_code, 6);
  EXPECT_GE(end.usage.wall, milliseconds(1500));
  EXPECT_EQ(log(), "once\n");
}

TEST_P(Crash, an_interrupt_of_the_server_does_not_reach_the_work) {
  start_host("trap 'echo interrupted' INT; sleep 1; exit 0");
  end_host(SIGINT);
  open();
  EXPECT_EQ(wait_for_end().exit_code, 0);
  EXPECT_EQ(log(), "");
}

TEST_P(Crash, what_ended_meanwhile_tells_its_true_end) {
  start_host("echo last words; exit 9");
  end_host(SIGKILL);
  ASSERT_TRUE(wait_until([&] { return record().end.has_value(); }));
  open();
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::exited);
  EXPECT_EQ(end.exit_code, 9);
  EXPECT_EQ(log(), "last words\n");
}

TEST_P(Crash, what_is_found_again_can_be_stopped_and_renewed) {
  start_host("echo ready; sleep 1000");
  end_host(SIGKILL);
  open();
  engine_->renew({.key = first_key, .run_for = milliseconds(700)});
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lapsed);
}

TEST_P(Crash, a_vanished_supervisor_means_lost_and_nothing_survives) {
  open();
  launch("sleep 1000 & (trap '' TERM HUP; sleep 1000) & echo ready; sleep 1000");
  ASSERT_TRUE(wait_for_log("ready"));
  const ProcessId work = started_work();
  std::vector<pid_t> all;  // It says that it is ready before it has forked the last of them.
  ASSERT_TRUE(wait_until([&] {
    all = processes_in_session(work.pid);
    return all.size() >= 4;
  }));
  ::kill(record().claim->supervisor.pid, SIGKILL);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::lost);
  EXPECT_FALSE(end.reason.empty());
  for (const pid_t pid : all) {
    const auto status = read_process(pid);
    EXPECT_TRUE(!status || !status->is_live) << pid;
  }
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lost);
}

TEST_P(Crash, a_supervisor_that_vanished_while_nobody_looked_means_lost) {
  start_host("echo ready; sleep 1000");
  const ProcessId work = started_work();
  end_host(SIGKILL);
  ::kill(record().claim->supervisor.pid, SIGKILL);
  ASSERT_TRUE(wait_until([&] { return !is_alive(record().claim->supervisor); }));
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lost);
  EXPECT_FALSE(is_alive(work));
}

TEST_P(Crash, a_killed_spawner_is_replaced) {
  open();
  EXPECT_EQ(run("exit 1").exit_code, 1);
  const auto find_spawner = [] {
    for (const pid_t pid : descendants_of(::getpid())) {
      const auto name = read_file(AT_FDCWD, "/proc/" + std::to_string(pid) + "/comm", 100);
      if (name && *name == "suan-spawner\n") return pid;
    }
    return 0;
  };
  const pid_t spawner = find_spawner();
  ASSERT_GT(spawner, 0);
  ::kill(spawner, SIGKILL);
  const Launch next = plain_launch({.job = {7}, .task = 0, .attempt = 2});
  EXPECT_EQ(run("exit 2", next).exit_code, 2);
}

/// A record as an earlier server left it.
class Remains : public LocalScene {
 protected:
  Remains() {
    entry_.launch.emplace();
    entry_.launch->launch = plain_launch();
    entry_.launch->payload.run = "echo ran >> " + marks_;
    entry_.launch->boot_id = read_boot_id();
    entry_.launch->received = boottime_now();
    for (const char* each : {"", "/attempts"})
      EXPECT_TRUE(make_directory(AT_FDCWD, options_.state_directory + each));
    EXPECT_TRUE(make_directory(AT_FDCWD, attempt_));
  }
  void write() { ASSERT_TRUE(begin_record(AT_FDCWD, attempt_ + "/record", entry_)); }
  std::string marks() { return read_file(AT_FDCWD, marks_, 1000).value_or(""); }

  RecordEntry entry_;
  std::string marks_ = directory_.path() + "/marks";
  std::string attempt_ = options_.state_directory + "/" + directory_of(first_key);
};

TEST_F(Remains, a_launch_that_no_supervisor_claimed_is_run) {
  write();
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::exited);
  EXPECT_EQ(marks(), "ran\n");
}

TEST_F(Remains, a_launch_that_lapsed_meanwhile_never_starts) {
  entry_.launch->launch.run_for = seconds(10);
  entry_.launch->received = boottime_now() - seconds(11);
  write();
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lapsed);
  EXPECT_EQ(marks(), "");
}

TEST_F(Remains, another_boot_means_lost) {
  entry_.launch->boot_id = "an-earlier-boot";
  write();
  RecordEntry claim;
  claim.claim = ClaimRecord{.boot_id = "an-earlier-boot", .supervisor = this_process()};
  ASSERT_TRUE(append_record(AT_FDCWD, attempt_ + "/record", claim));
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lost);
  EXPECT_EQ(marks(), "");
}

TEST_F(Remains, a_recycled_pid_is_not_taken_for_the_supervisor) {
  write();
  RecordEntry claim;
  claim.claim = ClaimRecord{.boot_id = read_boot_id(), .supervisor = this_process()};
  claim.claim->supervisor.start_ticks -= 1;
  ASSERT_TRUE(append_record(AT_FDCWD, attempt_ + "/record", claim));
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lost);
  EXPECT_EQ(marks(), "");
}

TEST_F(Remains, a_damaged_record_means_lost) {
  ASSERT_TRUE(replace_file(AT_FDCWD, attempt_ + "/record", "no record at all"));
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lost);
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lost);
}

TEST_F(Remains, a_torn_end_means_lost_and_is_written_again) {
  write();
  RecordEntry claim;
  claim.claim = ClaimRecord{.boot_id = read_boot_id(), .supervisor = {.pid = 1, .start_ticks = 1}};
  ASSERT_TRUE(append_record(AT_FDCWD, attempt_ + "/record", claim));
  const Fd file(::open((attempt_ + "/record").c_str(), O_WRONLY | O_APPEND));
  ASSERT_TRUE(write_whole(file.get(), std::string_view("\x40\0\0\0half", 8)));
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::lost);
  const AttemptRecord record = read_record(AT_FDCWD, attempt_ + "/record", first_key);
  EXPECT_TRUE(record.end);
  EXPECT_FALSE(record.is_torn);
}

TEST_F(Remains, two_supervisors_start_the_work_once) {
  write();
  constexpr int supervisors = 8;
  for (int i = 0; i < supervisors; ++i) {
    if (::fork() != 0) continue;
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGUSR1);
    ::sigprocmask(SIG_BLOCK, &signals, nullptr);
    const bool is_there = ::chdir(options_.state_directory.c_str()) == 0;
    ::_exit(is_there ? supervise_attempt(print_key(first_key).c_str()) : 1);
  }
  for (int i = 0; i < supervisors; ++i) {
    int status = 0;
    ASSERT_GT(::wait(&status), 0);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  EXPECT_EQ(marks(), "ran\n");
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::exited);
}

TEST_F(Remains, strangers_in_the_state_directory_do_not_disturb) {
  write();
  ASSERT_TRUE(make_directory(AT_FDCWD, options_.state_directory + "/attempts/not a key"));
  open();
  EXPECT_EQ(wait_for_end().end, AttemptEnd::exited);
}

}  // namespace
}  // namespace suan::engine
