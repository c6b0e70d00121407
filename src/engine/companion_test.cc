#include "engine/companion.h"

#include <mutex>

#include <gtest/gtest.h>
#include <signal.h>

#include "base/text.h"
#include "engine/process.h"
#include "testing/local_scene.h"

namespace suan::engine {
namespace {

using member::ExecEnd;
using member::ExecWish;
using member::first_key;
using member::LogStream;

/// Writes down what a command tells.
class Ear final : public member::ExecSink {
 public:
  void on_output(LogStream stream, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    (stream == LogStream::output ? output_ : error_) += bytes;
  }
  void on_taken(std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    taken_ += bytes;
  }
  void on_end(const ExecEnd& end) override {
    const std::lock_guard lock(mutex_);
    ends_.push_back(end);
  }

  std::string output() {
    const std::lock_guard lock(mutex_);
    return output_;
  }
  std::string error() {
    const std::lock_guard lock(mutex_);
    return error_;
  }
  std::size_t taken() {
    const std::lock_guard lock(mutex_);
    return taken_;
  }
  bool has_ended() {
    const std::lock_guard lock(mutex_);
    return !ends_.empty();
  }
  ExecEnd wait_end() {
    wait_until([this] { return has_ended(); });
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(ends_.size(), 1U);
    return ends_.empty() ? ExecEnd{.exit_code = -2, .reason = "it did not end"} : ends_.front();
  }

 private:
  std::mutex mutex_;
  std::string output_, error_;
  std::size_t taken_ = 0;
  std::vector<ExecEnd> ends_;
};

/// Both ways of keeping track of processes: by control groups where there are any, and without.
class Beside : public LocalScene, public testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    options_.cgroup_parent = GetParam();
    options_.report_every = minutes(1);
    open();
  }

  // Attempts outlive their engine, so they are ended by name.
  void TearDown() override {
    stop(AttemptEnd::cancelled, {});
    wait_for_end();
  }

  void launch_and_wait(const std::string& run = "while true; do sleep 0.1; done") {
    launch(run);
    wait_for(AttemptState::running);
  }

  std::unique_ptr<member::Exec> exec(std::vector<std::string> command, Ear& ear,
                                     ExecWish wish = {}) {
    wish.command = std::move(command);
    auto started = engine_->exec(first_key, wish, ear);
    EXPECT_TRUE(started) << started.error().text;
    return started ? *std::move(started) : nullptr;
  }

  static bool is_live(const std::string& pid) {
    const auto number = parse_integer(pid);
    const auto status = number ? read_process(static_cast<pid_t>(*number)) : std::nullopt;
    return status && status->is_live;
  }
};
INSTANTIATE_TEST_SUITE_P(local, Beside, testing::Values("", "none"));

TEST_P(Beside, a_command_has_the_directory_and_the_environment_of_the_job) {
  Payload payload;
  payload.run = "echo made by the job > note; while true; do sleep 0.1; done";
  payload.envs = {{"WHO", "you"}};
  engine_->launch(member::plain_launch(), payload);
  wait_for(AttemptState::running);
  Ear ear;
  const auto exec_ =
      exec({"bash", "-c",
            "until cat note 2>/dev/null; do sleep 0.01; done; echo $SUAN_JOB_ID $WHO "
            "${PWD##*/}; echo wrong >&2; exit 7"},
           ear);
  const ExecEnd end = ear.wait_end();
  EXPECT_EQ(end.exit_code, 7) << end.reason;
  EXPECT_EQ(ear.output(), "made by the job\njob-7 you work\n");
  EXPECT_EQ(ear.error(), "wrong\n");
  EXPECT_EQ(recorder_.latest(first_key).state, AttemptState::running);
}

TEST_P(Beside, bytes_go_both_ways_within_their_windows) {
  launch_and_wait();
  Ear ear;
  const auto cat = exec({"cat"}, ear);
  std::string sent;
  for (std::size_t i = 0; sent.size() < 3'000'000; ++i) sent += std::to_string(i) + "\n";
  std::size_t allowed = member::exec_window_bytes;
  for (std::size_t at = 0; at < sent.size();) {
    const std::size_t size = std::min<std::size_t>(30'000, sent.size() - at);
    cat->write(std::string_view(sent).substr(at, size));
    at += size;
    ASSERT_TRUE(wait_until([&] {
      return ear.taken() + member::exec_window_bytes >= at + 30'000 ||
             ear.output().size() >= allowed;
    }));
    const std::size_t heard = ear.output().size();
    EXPECT_LE(heard, allowed);
    cat->allow(heard + member::exec_window_bytes - allowed);
    allowed = heard + member::exec_window_bytes;
    ASSERT_TRUE(wait_until([&] { return ear.taken() + member::exec_window_bytes >= at + 30'000; }));
  }
  cat->end_input();
  ASSERT_TRUE(wait_until([&] {
    const std::size_t heard = ear.output().size();
    cat->allow(heard + member::exec_window_bytes - allowed);
    allowed = heard + member::exec_window_bytes;
    return ear.has_ended();
  }));
  EXPECT_EQ(ear.wait_end().exit_code, 0);
  EXPECT_TRUE(ear.output() == sent);
}

TEST_P(Beside, output_waits_until_it_is_allowed) {
  launch_and_wait();
  Ear ear;
  const auto yes = exec({"bash", "-c", "yes | head -c 1000000; echo -n end"}, ear);
  ASSERT_TRUE(wait_until([&] { return ear.output().size() == member::exec_window_bytes; }));
  pause(milliseconds(100));
  EXPECT_EQ(ear.output().size(), member::exec_window_bytes);
  EXPECT_FALSE(ear.has_ended());
  for (int i = 0; i < 5; ++i) {
    const std::size_t before = ear.output().size();
    yes->allow(member::exec_window_bytes);
    wait_until([&] {
      return ear.has_ended() || ear.output().size() == before + member::exec_window_bytes;
    });
  }
  EXPECT_EQ(ear.wait_end().exit_code, 0);
  EXPECT_EQ(ear.output().size(), 1'000'003U);
}

TEST_P(Beside, more_input_than_the_window_ends_it) {
  launch_and_wait();
  Ear ear;
  const auto sleep = exec({"sleep", "100"}, ear);
  sleep->write(std::string(member::exec_window_bytes + 70'000, 'x'));
  sleep->write(std::string(member::exec_window_bytes, 'x'));
  const ExecEnd end = ear.wait_end();
  EXPECT_EQ(end.exit_code, -1);
  EXPECT_NE(end.reason.find("more input came"), std::string::npos) << end.reason;
}

TEST_P(Beside, a_terminal_has_a_size_and_takes_control_characters) {
  launch_and_wait();
  Ear ear;
  const auto shell = exec(
      {"bash", "--norc", "-c",
       "tty >/dev/null && stty size; echo $TERM; "
       "trap 'echo caught; exit 3' INT; trap 'stty size' WINCH; echo ready; "
       "while true; do sleep 0.05; done"},
      ear,
      {.command = {}, .has_terminal = true, .rows = 33, .columns = 99, .terminal = "xterm-test"});
  ASSERT_TRUE(wait_until([&] { return ear.output().find("ready") != std::string::npos; }));
  EXPECT_TRUE(ear.output().starts_with("33 99\r\nxterm-test\r\n")) << ear.output();
  shell->resize(44, 55);
  ASSERT_TRUE(wait_until([&] { return ear.output().find("44 55") != std::string::npos; }));
  shell->write("\x03");
  EXPECT_EQ(ear.wait_end().exit_code, 3);
  EXPECT_NE(ear.output().find("caught"), std::string::npos);
}

TEST_P(Beside, the_end_of_input_on_a_terminal_is_control_d) {
  launch_and_wait();
  Ear ear;
  const auto cat = exec({"cat"}, ear, {.command = {}, .has_terminal = true, .terminal = {}});
  cat->write("hello\n");
  cat->end_input();
  EXPECT_EQ(ear.wait_end().exit_code, 0);
  EXPECT_EQ(ear.output(), "hello\r\nhello\r\n");
}

TEST_P(Beside, signals_reach_the_command) {
  launch_and_wait();
  Ear ear;
  const auto sleep = exec({"bash", "-c", "echo ready; sleep 100"}, ear);
  ASSERT_TRUE(wait_until([&] { return ear.output() == "ready\n"; }));
  sleep->send_signal(SIGINT);
  EXPECT_EQ(ear.wait_end().exit_code, 128 + SIGINT);
}

TEST_P(Beside, a_command_that_cannot_start_says_why) {
  launch_and_wait();
  Ear missing;
  const auto none = exec({"no-such-command"}, missing);
  EXPECT_EQ(missing.wait_end().reason, "cannot start no-such-command: No such file or directory");
  Ear ear;
  EXPECT_FALSE(engine_->exec(first_key, {.command = {}}, ear));
  EXPECT_FALSE(engine_->exec(first_key, {.command = {std::string("a\0b", 3)}}, ear));
  EXPECT_FALSE(engine_->exec(first_key, {.command = {"x", std::string(70'000, 'x')}}, ear));
  Ear nowhere;
  auto other =
      engine_->exec({.job = {99}, .task = 0, .attempt = 1}, {.command = {"true"}}, nowhere);
  ASSERT_TRUE(other);
  EXPECT_EQ(nowhere.wait_end().reason, "the job does not run any more");
}

TEST_P(Beside, nothing_is_left_of_a_command) {
  launch_and_wait();
  Ear ear;
  auto command =
      exec({"bash", "-c", "setsid sleep 100 & echo $!; exec >&- 2>&-; sleep 100 & wait"}, ear);
  ASSERT_TRUE(wait_until([&] { return ear.output().ends_with("\n"); }));
  std::string pid = ear.output();
  pid.pop_back();
  EXPECT_TRUE(is_live(pid));
  command.reset();
  EXPECT_TRUE(wait_until([&] { return !is_live(pid); }));
  EXPECT_FALSE(ear.has_ended());  // Who left hears no more.
  Ear second;
  const auto leaves = exec({"bash", "-c", "sleep 100 & echo $!"}, second);
  EXPECT_EQ(second.wait_end().exit_code, 0);
  pid = second.output();
  pid.pop_back();
  EXPECT_FALSE(is_live(pid));
  EXPECT_EQ(recorder_.latest(first_key).state, AttemptState::running);
}

TEST_P(Beside, a_command_ends_with_the_attempt_and_never_the_attempt_with_it) {
  launch_and_wait("until [ -e stop ]; do sleep 0.02; done");
  Ear ear;
  const auto sleep =
      exec({"bash", "-c", "trap '' TERM; echo $$; while true; do sleep 0.1; done"}, ear);
  ASSERT_TRUE(wait_until([&] { return ear.output().ends_with("\n"); }));
  std::string pid = ear.output();
  pid.pop_back();
  Ear stopper;
  const auto touch = exec({"touch", "stop"}, stopper);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.exit_code, 0);
  EXPECT_EQ(end.end, AttemptEnd::exited);
  const ExecEnd over = ear.wait_end();
  EXPECT_EQ(over.exit_code, -1);
  EXPECT_EQ(over.reason, "the job has ended, and the command with it");
  EXPECT_TRUE(wait_until([&] { return !is_live(pid); }));
  Ear late;
  const auto refused = exec({"true"}, late);
  EXPECT_EQ(late.wait_end().reason, "the job does not run any more");
}

TEST_P(Beside, a_command_ends_with_the_engine_and_the_attempt_goes_on) {
  launch_and_wait();
  Ear ear;
  auto sleep = exec({"bash", "-c", "echo $$; sleep 100"}, ear);
  ASSERT_TRUE(wait_until([&] { return ear.output().ends_with("\n"); }));
  std::string pid = ear.output();
  pid.pop_back();
  sleep.reset();
  close();
  EXPECT_TRUE(wait_until([&] { return !is_live(pid); }));
  open();
  Ear again;
  const auto echo = exec({"echo", "still here"}, again);
  EXPECT_EQ(again.wait_end().exit_code, 0);
  EXPECT_EQ(again.output(), "still here\n");
}

TEST_P(Beside, many_run_at_once_and_no_more_than_the_limit) {
  launch_and_wait();
  constexpr std::size_t limit = 64;
  std::vector<std::unique_ptr<Ear>> ears;
  std::vector<std::unique_ptr<member::Exec>> all;
  for (std::size_t i = 0; i < limit; ++i) {
    ears.push_back(std::make_unique<Ear>());
    all.push_back(exec({"cat"}, *ears.back()));
    all.back()->write(std::to_string(i));
  }
  Ear ear;
  const auto refused = engine_->exec(first_key, {.command = {"true"}}, ear);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, Failure::Kind::no_space);
  for (const auto& each : all) each->end_input();
  for (std::size_t i = 0; i < limit; ++i) {
    EXPECT_EQ(ears[i]->wait_end().exit_code, 0);
    EXPECT_EQ(ears[i]->output(), std::to_string(i));
  }
  EXPECT_TRUE(
      wait_until([&] { return engine_->exec(first_key, {.command = {"true"}}, ear).has_value(); }));
}

TEST(Limits, hold_for_commands_beside_an_attempt) {
  const CgroupFinding found = find_cgroups("");
  if (found.enforcement != Enforcement::cpu_and_memory &&
      found.enforcement != Enforcement::memory_only)
    GTEST_SKIP() << "no memory limits here: " << found.sentence;
  LocalEngineOptions options;
  const TemporaryDirectory directory;
  options.state_directory = directory.path() + "/state";
  const auto engine = *LocalEngine::open(options);
  member::ProgressRecorder recorder;
  engine->attach(recorder);
  Launch launch = member::plain_launch();
  launch.grant.memory_bytes = 64 << 20U;
  Payload payload;
  payload.run = "sleep 100";
  engine->launch(launch, payload);
  ASSERT_TRUE(
      wait_until([&] { return recorder.latest(first_key).state == AttemptState::running; }));
  Ear ear;
  const auto greedy = engine->exec(
      first_key,
      {.command = {"bash", "-c", "head -c 200000000 /dev/zero | tail -c 199999999 | wc -c"}}, ear);
  ASSERT_TRUE(greedy);
  const ExecEnd end = ear.wait_end();
  EXPECT_EQ(ear.output().find("199999999"), std::string::npos) << ear.output();
  engine->stop({.key = first_key, .why = AttemptEnd::cancelled, .grace = {}});
  wait_until([&] { return recorder.latest(first_key).state == AttemptState::ended; });
  engine->detach();
}

}  // namespace
}  // namespace suan::engine
