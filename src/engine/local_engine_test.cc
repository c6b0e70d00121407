#include "engine/local_engine.h"

#include <algorithm>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/attempt_files.h"
#include "engine/process.h"
#include "testing/local_scene.h"

namespace suan::engine {
namespace {

using member::first_key;
using member::LogStream;
using member::plain_launch;

/// Both ways of keeping track of processes: by control groups where there are any, and without.
class Tracking : public LocalScene, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    options_.cgroup_parent = GetParam();
    open();
  }
};
INSTANTIATE_TEST_SUITE_P(local, Tracking, testing::Values("", "none"));

std::vector<pid_t> pids_in(const std::string& text) {
  std::vector<pid_t> pids;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    if (const auto pid = parse_integer(std::string_view(text).substr(at, end - at)))
      pids.push_back(static_cast<pid_t>(*pid));
    at = end + 1;
  }
  return pids;
}

bool is_live(pid_t pid) {
  const auto status = read_process(pid);
  return status && status->is_live;
}

TEST_P(Tracking, runs_in_its_own_directory_with_its_own_environment) {
  ::setenv("SUAN_TEST_SECRET", "x", 1);
  Launch launch = plain_launch();
  launch.tasks = 3;
  Payload payload;
  payload.setup = "export GREETING=hello; cd ..; cd work";
  payload.run =
      "echo $GREETING $SUAN_JOB_ID $SUAN_TASKS $WHO ${SUAN_TEST_SECRET-none} ${PWD##*/}\ncat";
  payload.envs = {{"WHO", "you"}};
  engine_->launch(launch, payload);
  EXPECT_EQ(wait_for_end().exit_code, 0);
  EXPECT_EQ(log(), "hello job-7 3 you none work\n");
}

TEST_P(Tracking, a_failing_pipe_or_command_fails_the_job) {
  EXPECT_EQ(run("false | true\necho not reached").exit_code, 1);
  EXPECT_EQ(log(), "");
  const Launch other = plain_launch({.job = {7}, .task = 0, .attempt = 2});
  EXPECT_EQ(run("echo one\nno-such-command\necho two", other).exit_code, 127);
  EXPECT_EQ(log(other.key), "one\n");
  EXPECT_NE(log(other.key, LogStream::error).find("run: line 2: no-such-command"),
            std::string::npos);
}

TEST_P(Tracking, a_failing_setup_keeps_run_from_running) {
  Payload payload;
  payload.setup = "echo setting up\nfalse";
  payload.run = "echo running";
  engine_->launch(plain_launch(), payload);
  EXPECT_EQ(wait_for_end().exit_code, 1);
  EXPECT_EQ(log(), "setting up\n");
}

TEST_P(Tracking, nothing_survives_the_end) {
  run("sleep 1000 & echo $!\nsetsid sleep 1000 & echo $!\n(setsid bash -c 'sleep 1000 & wait' &)\n"
      "trap '' TERM; (sleep 1000; true) & echo $!\nsleep 0.1");
  const auto pids = pids_in(log());
  ASSERT_EQ(pids.size(), 3U);
  for (const pid_t pid : pids) EXPECT_FALSE(is_live(pid)) << pid;
}

TEST_P(Tracking, a_stop_reaches_all_and_grace_ends_those_who_will_not) {
  launch(
      "trap '' TERM; echo $$; (trap '' TERM; sleep 1000) & echo $!; setsid sleep 1000 & echo $!\n"
      "echo ready; while true; do sleep 0.1; done");
  ASSERT_TRUE(wait_for_log("ready"));
  stop(AttemptEnd::cancelled, milliseconds(300));
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::cancelled);
  EXPECT_EQ(end.exit_code, 137);
  for (const pid_t pid : pids_in(log())) EXPECT_FALSE(is_live(pid)) << pid;
}

TEST_P(Tracking, a_job_may_end_well_within_its_grace) {
  launch("trap 'echo closing; exit 0' TERM; echo ready; while true; do sleep 0.05; done");
  ASSERT_TRUE(wait_for_log("ready"));
  stop(AttemptEnd::over_budget, seconds(10));
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::over_budget);
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(log(), "ready\nclosing\n");
}

TEST_P(Tracking, the_checkpoint_signal_comes_first_and_only_to_those_who_catch_it) {
  Launch launch = plain_launch();
  launch.checkpoint_signal = "USR1";
  launch.checkpoint_notice = seconds(10);
  this->launch(
      "bash -c 'trap \"echo saved; exit 0\" USR1; echo ready; "
      "while true; do sleep 0.05; done'\necho the shell lives",
      launch);
  ASSERT_TRUE(wait_for_log("ready"));
  stop(AttemptEnd::cancelled, seconds(10));
  EXPECT_EQ(wait_for_end().end, AttemptEnd::cancelled);
  EXPECT_EQ(log(), "ready\nsaved\nthe shell lives\n");
}

TEST_P(Tracking, the_checkpoint_signal_comes_ahead_of_max_duration) {
  Launch launch = plain_launch();
  launch.checkpoint_signal = "USR1";
  launch.checkpoint_notice = milliseconds(500);
  launch.max_duration = milliseconds(1000);
  launch.grace = milliseconds(200);
  const Progress end =
      run("trap 'echo saved' USR1; trap 'echo asked; exit 3' TERM; while true; do sleep 0.05; done",
          launch);
  EXPECT_EQ(end.end, AttemptEnd::timed_out);
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_GE(end.usage.wall, milliseconds(1000));
  EXPECT_EQ(log(), "saved\nasked\n");
}

TEST_P(Tracking, meters_what_was_used) {
  const Progress end =
      run("end=$((SECONDS+1)); x=$(head -c 30000000 /dev/zero | tr '\\0' x)\n"
          "while [ $SECONDS -lt $end ]; do :; done");
  EXPECT_EQ(end.end, AttemptEnd::exited);
  EXPECT_GE(end.usage.wall, milliseconds(100));
  EXPECT_GT(end.usage.cpu, milliseconds(20));
  EXPECT_LT(end.usage.cpu, end.usage.wall * 4);
  EXPECT_GT(end.usage.memory_peak_bytes, 25'000'000);
  EXPECT_LE(end.usage.memory_peak_bytes, 260 << 20);
}

TEST_P(Tracking, reports_usage_while_it_runs) {
  launch("while true; do :; done");
  wait_for(AttemptState::running);
  EXPECT_TRUE(wait_until([&] {
    const Usage usage = recorder_.latest(first_key).usage;
    return usage.cpu > milliseconds(50) && usage.wall > milliseconds(50);
  }));
  stop(AttemptEnd::cancelled, {});
  wait_for_end();
}

TEST_P(Tracking, two_hundred_at_once) {
  for (std::uint32_t task = 0; task < 200; ++task)
    launch("true", plain_launch({.job = {9}, .task = task, .attempt = 1}));
  ASSERT_TRUE(wait_until([&] { return recorder_.ended() == 200; }));
  for (std::uint32_t task = 0; task < 200; ++task) {
    const Progress end = recorder_.latest({.job = {9}, .task = task, .attempt = 1});
    EXPECT_EQ(end.end, AttemptEnd::exited);
    EXPECT_EQ(end.exit_code, 0);
  }
}

TEST_P(Tracking, directories_are_used_again_without_a_trace) {
  for (std::uint32_t attempt = 1; attempt <= 20; ++attempt) {
    const AttemptKey key{.job = {9}, .task = 0, .attempt = attempt};
    Payload payload;
    payload.run = "exit " + std::to_string(attempt) + " # secret" + std::string(attempt % 7, 'x');
    engine_->launch(plain_launch(key), payload);
    EXPECT_EQ(wait_for_end(key).exit_code, static_cast<int>(attempt));
    const auto script =
        read_file(AT_FDCWD, options_.state_directory + "/" + directory_of(key) + "/run", 1000);
    ASSERT_TRUE(script);
    EXPECT_EQ(*script, "");
    engine_->forget({.key = key});
  }
}

class LocalEngineTest : public LocalScene {};

TEST_F(LocalEngineTest, carries_ten_megabytes_of_output) {
  open();
  run("head -c 10485760 /dev/zero | tr '\\0' 'a'; echo -n end");
  const std::string text = log();
  ASSERT_EQ(text.size(), 10'485'763U);
  EXPECT_EQ(text.find_first_not_of('a'), 10'485'760U);
  EXPECT_EQ(text.substr(10'485'760), "end");
}

TEST_F(LocalEngineTest, cuts_the_log_of_work_that_talks_too_much) {
  options_.logs.stream_bytes_max = 64 << 10U;
  open();
  launch("head -c 4000001 /dev/zero; sleep 1000");
  const std::string path = options_.state_directory + "/" + directory_of(first_key) + "/stdout";
  EXPECT_TRUE(wait_until([&] {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 && status.st_size > 4'000'000 &&
           status.st_blocks * 512 < 200'000;
  }));
  stop(AttemptEnd::cancelled, {});
  wait_for_end();
  const std::string text = log();
  EXPECT_LT(text.size(), 66'000U);
  EXPECT_NE(text.find("[log cut"), std::string::npos);
}

TEST_F(LocalEngineTest, a_memory_limit_ends_what_exceeds_it) {
  open();
  const Enforcement enforcement = engine_->enforcement();
  if (enforcement != Enforcement::cpu_and_memory && enforcement != Enforcement::memory_only)
    GTEST_SKIP() << engine_->enforcement_note();
  Launch launch = plain_launch();
  launch.grant.memory_bytes = 64 << 20;
  const Progress end = run("x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo survived", launch);
  EXPECT_EQ(end.end, AttemptEnd::out_of_memory);
  EXPECT_EQ(end.exit_code, 137);
  EXPECT_LE(end.usage.memory_peak_bytes, 64 << 20);
  EXPECT_FALSE(end.reason.empty());
  EXPECT_EQ(log(), "");
}

TEST_F(LocalEngineTest, a_cpu_limit_slows_what_exceeds_it) {
  open();
  const Enforcement enforcement = engine_->enforcement();
  if (enforcement != Enforcement::cpu_and_memory && enforcement != Enforcement::cpu_only)
    GTEST_SKIP() << engine_->enforcement_note();
  Launch launch = plain_launch();
  launch.grant.cpu_milli = 100;
  launch.max_duration = milliseconds(1500);
  launch.grace = {};
  const Progress end = run("while true; do :; done", launch);
  EXPECT_EQ(end.end, AttemptEnd::timed_out);
  EXPECT_GT(end.usage.cpu, milliseconds(20));
  EXPECT_LT(end.usage.cpu, end.usage.wall / 4);
}

TEST_F(LocalEngineTest, control_groups_are_gone_after_the_end) {
  open();
  const CgroupRoots roots = find_cgroups("").roots;
  if (!Cgroup(roots, "x").is_tracking()) GTEST_SKIP() << engine_->enforcement_note();
  const auto instance = read_file(AT_FDCWD, options_.state_directory + "/instance", 100);
  ASSERT_TRUE(instance);
  const auto groups = [&] {
    int count = 0;
    for (const std::string& root : {roots.v2, roots.v1_memory, roots.v1_cpu, roots.v1_cpuacct})
      if (!root.empty())
        for (const std::string& name : names_in(AT_FDCWD, root))
          count += name.starts_with("suan-" + *instance);
    return count;
  };
  launch("sleep 1000");
  wait_for(AttemptState::running);
  EXPECT_GT(groups(), 0);
  stop(AttemptEnd::cancelled, seconds(5));
  wait_for_end();
  EXPECT_EQ(groups(), 0);
}

TEST_F(LocalEngineTest, one_engine_per_state_directory) {
  open();
  const auto second = LocalEngine::open(options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Failure::Kind::conflict);
  close();
  EXPECT_TRUE(LocalEngine::open(options_));
}

TEST_F(LocalEngineTest, refuses_what_it_cannot_do_with_a_reason) {
  open();
  Payload image;
  image.run = "true";
  image.image = "ubuntu:24.04";
  engine_->launch(plain_launch(), image);
  EXPECT_EQ(wait_for_end().end, AttemptEnd::launch_failed);
  EXPECT_NE(recorder_.latest(first_key).reason.find("image"), std::string::npos);
  Launch cards = plain_launch({.job = {7}, .task = 0, .attempt = 2});
  cards.grant.cards = {1000};
  EXPECT_EQ(run("true", cards).end, AttemptEnd::launch_failed);
  Launch memory = plain_launch({.job = {7}, .task = 0, .attempt = 3});
  memory.grant.memory_bytes = INT64_MAX;
  EXPECT_EQ(run("true", memory).end, AttemptEnd::launch_failed);
}

TEST_F(LocalEngineTest, an_environment_too_large_for_the_kernel_is_a_failed_launch) {
  open();
  Payload payload;
  payload.run = "true";
  payload.envs = {{"BIG", std::string(3 << 20U, 'x')}};
  engine_->launch(plain_launch(), payload);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::launch_failed);
  EXPECT_NE(end.reason.find("bash"), std::string::npos) << end.reason;
}

TEST_F(LocalEngineTest, a_program_that_forks_no_supervisors_fails_launches_in_the_end) {
  options_.executable = "/bin/true";
  open();
  launch("true");
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::launch_failed);
  EXPECT_FALSE(end.reason.empty());
}

TEST_F(LocalEngineTest, says_what_is_wrong_with_its_options) {
  options_.executable = "/no/such/program";
  EXPECT_FALSE(LocalEngine::open(options_));
  options_.executable = "/proc/self/exe";
  options_.report_every = milliseconds(1);
  EXPECT_EQ(LocalEngine::open(options_).error().kind, Failure::Kind::invalid);
  options_.report_every = seconds(1);
  options_.state_directory = "/proc/no/such/place";
  EXPECT_FALSE(LocalEngine::open(options_));
}

TEST_F(LocalEngineTest, offers_what_it_is_told_to) {
  member::OfferedPool pool;
  pool.name = "test";
  pool.chip = "H20";
  pool.cards_per_node = 2;
  pool.cpu_milli_per_node = 1000;
  pool.memory_bytes_per_node = 1 << 30;
  options_.offered = pool;
  open();
  ASSERT_EQ(engine_->pools().size(), 1U);
  EXPECT_EQ(engine_->pools()[0].name, "test");
  Launch launch = plain_launch();
  launch.grant.cards = {1};
  launch.grant.card_milli = 1000;
  EXPECT_EQ(run("echo $CUDA_VISIBLE_DEVICES", launch).exit_code, 0);
  EXPECT_EQ(log(), "1\n");
  const Launch without = plain_launch({.job = {7}, .task = 0, .attempt = 2});
  run("echo \"<$CUDA_VISIBLE_DEVICES>\"", without);
  EXPECT_EQ(log(without.key), "<>\n");
  EXPECT_NE(isolation_note().find("not enforced"), std::string::npos);
}

}  // namespace
}  // namespace suan::engine
