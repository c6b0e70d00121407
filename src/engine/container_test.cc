#include "engine/container.h"

#include <csignal>

#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/attempt_files.h"
#include "engine/process.h"
#include "testing/local_scene.h"
#include "testing/tar_bytes.h"
#include "testing/tiny_image.h"

namespace suan::engine {
namespace {

using member::first_key;
using member::LogStream;
using member::plain_launch;

AttemptKey key_of(std::uint32_t attempt) {
  return {.job = {7}, .task = 0, .attempt = attempt};
}

/// Images run by the real runtime of this machine; without one there is nothing to test.
class InImage : public LocalScene {
 protected:
  void SetUp() override {
    options_.images_directory = TinyImages::directory();
    ASSERT_FALSE(options_.images_directory.empty());
    open();
    if (!engine_->pools()[0].runs_images) GTEST_SKIP() << engine_->images_note();
  }

  void launch_in(const std::string& image, const std::string& run,
                 const Launch& launch = plain_launch()) {
    Payload payload;
    payload.run = run;
    payload.image = image;
    engine_->launch(launch, payload);
  }
  Progress run_in(const std::string& image, const std::string& run,
                  const Launch& launch = plain_launch()) {
    launch_in(image, run, launch);
    return wait_for_end(launch.key);
  }
  std::string attempt(const AttemptKey& key = first_key) {
    return options_.state_directory + "/" + directory_of(key);
  }
  bool is_there(const std::string& path) {
    struct stat about{};
    return ::lstat(path.c_str(), &about) == 0;
  }
  AttemptRecord record() { return read_record(AT_FDCWD, attempt() + "/record", first_key); }

  /// Directories of control groups of this engine's attempts, in every hierarchy of the machine.
  std::vector<std::string> groups() {
    const auto instance = read_file(AT_FDCWD, options_.state_directory + "/instance", 100);
    std::vector<std::string> found;
    FILE* lines = ::popen(
        ("find /sys/fs/cgroup -type d -name 'suan-" + instance.value_or("?") + "-*'").c_str(), "r");
    std::array<char, 512> line{};
    while (::fgets(line.data(), line.size(), lines) != nullptr) found.emplace_back(line.data());
    ::pclose(lines);
    return found;
  }
};

TEST_F(InImage, sees_the_image_and_what_is_the_attempts) {
  Launch launch = plain_launch();
  launch.tasks = 3;
  Payload payload;
  payload.image = "tiny";
  payload.setup = "export GREETING=hello; cd ..; cd work";
  payload.run =
      "cat /etc/os-release\n"
      "echo $GREETING $SUAN_JOB_ID $SUAN_TASKS $WHO $PWD $HOME ${USER-none}\n"
      "cat /proc/sys/kernel/hostname; echo made > made; (( $$ < 100 )); no-such-command";
  payload.envs = {{"WHO", "you"}};
  engine_->launch(launch, payload);
  EXPECT_EQ(wait_for_end().exit_code, 127);
  EXPECT_EQ(log(), "NAME=tiny\nhello job-7 3 you /suan/work /root none\njob-7-0\n");
  EXPECT_EQ(log(first_key, LogStream::error),
            "../run: line 3: no-such-command: command not found\n");
  EXPECT_EQ(read_file(AT_FDCWD, attempt() + "/work/made", 100).value_or(""), "made\n");
}

TEST_F(InImage, archives_are_unpacked_once) {
  EXPECT_EQ(run_in("tiny.tar", "cat /etc/os-release").exit_code, 0)
      << recorder_.latest(first_key).reason;
  EXPECT_EQ(log(), "NAME=tiny\n");
  const Launch second = plain_launch(key_of(2));
  EXPECT_EQ(run_in("tiny.tar.gz", "cat /etc/os-release", second).exit_code, 0);
  const Launch third = plain_launch(key_of(3));
  const Progress end = run_in("tiny.tar", "exit 3", third);
  EXPECT_EQ(end.exit_code, 3);
  EXPECT_GT(end.usage.wall, Span{});  // Also what ends before the runtime says that it runs.
  EXPECT_LT(end.usage.wall, seconds(5));
  int entries = 0;
  for (const std::string& name : names_in(AT_FDCWD, options_.state_directory + "/images"))
    entries += parse_digest(name).has_value();
  EXPECT_EQ(entries, 2);
}

TEST_F(InImage, tells_the_true_signal) {
  const Progress killed = run_in("tiny", "kill -KILL $$");
  EXPECT_EQ(killed.end, AttemptEnd::signalled);
  EXPECT_EQ(killed.exit_code, 137);
  const Progress segv = run_in("tiny", "kill -SEGV $$", plain_launch(key_of(2)));
  EXPECT_EQ(segv.end, AttemptEnd::signalled);
  EXPECT_EQ(segv.exit_code, 139);
}

TEST_F(InImage, what_is_written_is_gone_after_the_end_and_nobody_elses) {
  launch_in("tiny",
            "echo mine > /etc/os-release; echo ready; while [ ! -e stop ]; do sleep 0.02; done");
  ASSERT_TRUE(wait_for_log("ready"));
  EXPECT_EQ(
      run_in("tiny", "cat /etc/os-release; rm /etc/passwd", plain_launch(key_of(2))).exit_code, 0);
  EXPECT_EQ(log(key_of(2)), "NAME=tiny\n");
  ASSERT_TRUE(replace_file(AT_FDCWD, attempt() + "/work/stop", ""));
  EXPECT_EQ(wait_for_end().exit_code, 0);
  EXPECT_FALSE(is_there(attempt() + "/container"));
  EXPECT_TRUE(
      wait_until([&] { return names_in(AT_FDCWD, options_.state_directory + "/trash").empty(); }));
  EXPECT_TRUE(is_there(TinyImages::directory() + "/tiny/etc/passwd"));
  EXPECT_EQ(groups(), std::vector<std::string>());
}

TEST_F(InImage, nothing_survives_the_end) {
  launch_in("tiny",
            "sleep 1000 & (trap '' TERM HUP; sleep 1000; true) & echo ready\n"
            "while [ ! -e stop ]; do sleep 0.02; done");
  ASSERT_TRUE(wait_for_log("ready"));
  ASSERT_TRUE(wait_until([&] { return record().started.has_value(); }));
  std::vector<pid_t> all;
  ASSERT_TRUE(wait_until([&] {
    all = descendants_of(record().claim->supervisor.pid);
    return all.size() >= 5;
  }));
  ASSERT_TRUE(replace_file(AT_FDCWD, attempt() + "/work/stop", ""));
  EXPECT_EQ(wait_for_end().exit_code, 0);
  for (const pid_t pid : all) {
    const auto status = read_process(pid);
    EXPECT_TRUE(!status || !status->is_live) << pid;
  }
  EXPECT_EQ(groups(), std::vector<std::string>());
}

TEST_F(InImage, a_stop_reaches_all_and_grace_ends_those_who_will_not) {
  launch_in("tiny",
            "trap 'echo closing; exit 4' TERM; echo ready; while true; do sleep 0.02; done");
  ASSERT_TRUE(wait_for_log("ready"));
  stop(AttemptEnd::cancelled, seconds(10));
  Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::cancelled);
  EXPECT_EQ(end.exit_code, 4);
  EXPECT_EQ(log(), "ready\nclosing\n");
  // The first process of a namespace would ignore it; the work is none.
  launch_in("tiny", "echo ready; while true; do :; done", plain_launch(key_of(2)));
  ASSERT_TRUE(wait_until([&] { return log(key_of(2)) == "ready\n"; }));
  stop(AttemptEnd::cancelled, seconds(30), key_of(2));
  EXPECT_EQ(wait_for_end(key_of(2)).exit_code, 143);
  launch_in("tiny", "trap '' TERM; echo ready; while true; do sleep 0.02; done",
            plain_launch(key_of(3)));
  ASSERT_TRUE(wait_until([&] { return log(key_of(3)) == "ready\n"; }));
  stop(AttemptEnd::over_budget, milliseconds(200), key_of(3));
  end = wait_for_end(key_of(3));
  EXPECT_EQ(end.end, AttemptEnd::over_budget);
  EXPECT_EQ(end.exit_code, 137);
}

TEST_F(InImage, the_checkpoint_signal_comes_to_those_who_catch_it) {
  Launch launch = plain_launch();
  launch.checkpoint_signal = "USR1";
  launch.checkpoint_notice = seconds(10);
  launch_in("tiny",
            "bash -c 'trap \"echo saved; exit 0\" USR1; echo ready; "
            "while true; do sleep 0.02; done'\necho the shell lives",
            launch);
  ASSERT_TRUE(wait_for_log("ready"));
  stop(AttemptEnd::cancelled, seconds(10));
  EXPECT_EQ(wait_for_end().end, AttemptEnd::cancelled);
  EXPECT_EQ(log(), "ready\nsaved\nthe shell lives\n");
}

TEST_F(InImage, limits_hold) {
  const Enforcement enforcement = engine_->enforcement();
  if (enforcement != Enforcement::cpu_and_memory) GTEST_SKIP() << engine_->enforcement_note();
  Launch memory = plain_launch();
  memory.grant.memory_bytes = 64 << 20;
  const Progress full =
      run_in("tiny", "x=$(head -c 300000000 /dev/zero | tr '\\0' x); echo survived", memory);
  EXPECT_EQ(full.end, AttemptEnd::out_of_memory) << full.reason;
  EXPECT_EQ(log(), "");
  Launch shared = plain_launch(key_of(2));  // What lies in /dev/shm is memory, too.
  shared.grant.memory_bytes = 64 << 20;
  EXPECT_NE(run_in("tiny", "head -c 80000000 /dev/zero > /dev/shm/x", shared).exit_code, 0);
  Launch slow = plain_launch(key_of(3));
  slow.grant.cpu_milli = 100;
  slow.max_duration = milliseconds(1500);
  slow.grace = {};
  const Progress end = run_in("tiny", "while true; do :; done", slow);
  EXPECT_EQ(end.end, AttemptEnd::timed_out);
  EXPECT_GT(end.usage.cpu, milliseconds(20));
  EXPECT_LT(end.usage.cpu, end.usage.wall / 3);
}

TEST_F(InImage, without_control_groups_the_rest_holds) {
  options_.cgroup_parent = "none";
  open();
  launch_in("tiny", "trap 'echo closing; exit 4' TERM; sleep 1000 & echo ready; wait");
  ASSERT_TRUE(wait_for_log("ready"));
  ASSERT_TRUE(wait_until([&] { return record().started.has_value(); }));
  const auto all = descendants_of(record().claim->supervisor.pid);
  EXPECT_GE(all.size(), 3U);
  stop(AttemptEnd::cancelled, seconds(10));
  EXPECT_EQ(wait_for_end().exit_code, 4);
  EXPECT_EQ(log(), "ready\nclosing\n");
  launch_in("tiny", "(trap '' TERM HUP; sleep 1000; true) & echo ready; sleep 1000",
            plain_launch(key_of(2)));
  ASSERT_TRUE(wait_until([&] { return log(key_of(2)) == "ready\n"; }));
  const std::string path = attempt(key_of(2)) + "/record";
  ASSERT_TRUE(
      wait_until([&] { return read_record(AT_FDCWD, path, key_of(2)).started.has_value(); }));
  const ProcessId supervisor = read_record(AT_FDCWD, path, key_of(2)).claim->supervisor;
  auto others = descendants_of(supervisor.pid);
  ::kill(supervisor.pid, SIGKILL);
  EXPECT_EQ(wait_for_end(key_of(2)).end, AttemptEnd::lost);
  others.insert(others.end(), all.begin(), all.end());
  for (const pid_t pid : others) {
    const auto status = read_process(pid);
    EXPECT_TRUE(!status || !status->is_live) << pid;
  }
  EXPECT_EQ(groups(), std::vector<std::string>());
}

TEST_F(InImage, has_few_rights) {
  run_in("tiny",
         "grep -E 'NoNewPrivs|CapEff|CapBnd' /proc/self/status\n"
         "mount -t tmpfs none /tmp 2> /dev/null || echo no mount\n"
         "touch /sys/x 2> /dev/null || echo no sys\n"
         "{ echo 1 > /proc/sys/kernel/panic; } 2> /dev/null || echo no proc\n"
         "cat /proc/kcore /proc/keys /proc/timer_list 2> /dev/null | head -c 1 | grep -q . || "
         "echo no secrets\n"
         "ls /dev | grep -cE '^(vda|sda|mem|nvidia0)' || true");
  EXPECT_EQ(
      log(),
      "CapEff:\t00000000800405fb\nCapBnd:\t00000000800405fb\nNoNewPrivs:\t1\nno mount\nno sys\n"
      "no proc\nno secrets\n0\n");
}

TEST_F(InImage, the_configuration_of_an_image_is_honoured) {
  ASSERT_TRUE(TinyImages::change(
      "mkdir -p saved && cp tiny.tar saved/layer.tar && "
      "echo '{\"config\":{\"User\":\"app\",\"WorkingDir\":\"/srv\",\"Entrypoint\":[\"false\"],"
      "\"Env\":[\"PATH=/bin:/usr/bin\",\"FLAVOUR=sweet\",\"WHO=image\"]}}' > saved/config.json && "
      "echo '[{\"Config\":\"config.json\",\"Layers\":[\"layer.tar\"]}]' > saved/manifest.json && "
      "tar -cf saved.tar -C saved manifest.json config.json layer.tar"));
  Payload payload;
  payload.image = "saved.tar";
  payload.setup = "test -r ../setup";
  payload.run = "id -u; id -g; echo $FLAVOUR $WHO $HOME $PWD $SUAN_IMAGE_WORKDIR $PATH; echo x > x";
  payload.envs = {{"WHO", "job"}};
  engine_->launch(plain_launch(), payload);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::exited) << end.reason;
  EXPECT_EQ(end.exit_code, 0) << log(first_key, LogStream::error);
  EXPECT_EQ(log(), "1234\n1235\nsweet job /home/app /suan/work /srv /bin:/usr/bin\n");
}

TEST_F(InImage, says_why_an_image_cannot_be_run) {
  ASSERT_TRUE(TinyImages::change("echo nonsense > nonsense.tar"));
  std::uint32_t attempt = 0;
  const auto reason = [&](const std::string& image) {
    const Progress end = run_in(image, "true", plain_launch(key_of(++attempt)));
    EXPECT_EQ(end.end, AttemptEnd::launch_failed) << image;
    return end.reason;
  };
  EXPECT_NE(reason("bare").find("has no bash"), std::string::npos);
  ASSERT_TRUE(
      TinyImages::change("cp -a tiny linked && ln -s /proc/self/fd/7 linked/suan && "
                         "cp -a tiny inner && mkdir inner/suan && ln -s / inner/suan/work"));
  EXPECT_NE(reason("linked").find("at /suan,"), std::string::npos);
  EXPECT_NE(reason("inner").find("at /suan/work,"), std::string::npos);
  EXPECT_NE(reason("ubuntu:24.04").find("podman save"), std::string::npos);
  EXPECT_NE(reason("nonsense.tar").find("no tar archive"), std::string::npos);
  EXPECT_NE(reason("/etc").find("not below"), std::string::npos);
  EXPECT_NE(reason("../elsewhere").find("leads out"), std::string::npos);
  EXPECT_EQ(groups(), std::vector<std::string>());
  options_.images_directory.clear();
  open();
  EXPECT_NE(reason("tiny").find("--images"), std::string::npos);
}

TEST_F(InImage, can_be_stopped_while_the_image_is_unpacked) {
  run_in("tiny.tar", "true");
  std::string digest;
  for (const std::string& name : names_in(AT_FDCWD, options_.state_directory + "/images"))
    if (parse_digest(name)) digest = name;
  // Somebody else unpacks it, and does not come to an end.
  const std::string entry = options_.state_directory + "/images/" + digest;
  const Fd lock(::open((entry + ".lock").c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::flock(lock.get(), LOCK_EX | LOCK_NB), 0);
  launch_in("tiny.tar", "true", plain_launch(key_of(2)));
  pause(milliseconds(200));
  EXPECT_EQ(recorder_.latest(key_of(2)).state, AttemptState::staging);
  stop(AttemptEnd::cancelled, seconds(30), key_of(2));
  const Progress end = wait_for_end(key_of(2));
  EXPECT_EQ(end.end, AttemptEnd::cancelled);
  EXPECT_EQ(end.usage.wall, Span{});
  Launch lapsing = plain_launch(key_of(3));
  lapsing.run_for = milliseconds(300);
  EXPECT_EQ(run_in("tiny.tar", "true", lapsing).end, AttemptEnd::lapsed);
}

TEST_F(InImage, a_vanished_supervisor_means_lost_and_nothing_survives) {
  launch_in("tiny.tar", "sleep 1000 & (trap '' TERM HUP; sleep 1000) & echo ready; sleep 1000");
  ASSERT_TRUE(wait_for_log("ready"));
  ASSERT_TRUE(wait_until([&] { return record().started.has_value(); }));
  const ProcessId work = record().started->work;
  ::kill(record().claim->supervisor.pid, SIGKILL);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::lost);
  EXPECT_FALSE(is_alive(work));
  EXPECT_EQ(groups(), std::vector<std::string>());
  EXPECT_FALSE(is_there(attempt() + "/container"));
}

TEST_F(InImage, goes_on_without_the_server_and_is_found_again) {
  close();
  std::array<std::string, 6> words{"host",
                                   "host",
                                   options_.state_directory,
                                   "",
                                   "echo once; echo x > /tmp/x; sleep 1.5; exit 6",
                                   options_.images_directory};
  std::array<char*, 7> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  pid_t host = 0;
  ASSERT_EQ(::posix_spawn(&host, "/proc/self/exe", nullptr, nullptr, arguments.data(), ::environ),
            0);
  ASSERT_TRUE(wait_until([&] { return record().started.has_value(); }));
  ::kill(host, SIGKILL);
  ASSERT_EQ(::waitpid(host, nullptr, 0), host);
  EXPECT_TRUE(is_alive(record().claim->supervisor));
  open();
  EXPECT_EQ(wait_for(AttemptState::running).state, AttemptState::running);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::exited);
  EXPECT_EQ(end.exit_code, 6);
  EXPECT_EQ(log(), "once\n");
  EXPECT_FALSE(is_there(attempt() + "/container"));
  EXPECT_EQ(groups(), std::vector<std::string>());
}

TEST_F(InImage, a_killed_first_process_ends_the_work) {
  launch_in("tiny", "echo ready; sleep 1000");
  ASSERT_TRUE(wait_for_log("ready"));
  ASSERT_TRUE(wait_until([&] { return record().started.has_value(); }));
  const auto pid = read_file(AT_FDCWD, attempt() + "/container/bundle/config.json", 1 << 20U);
  ASSERT_TRUE(pid);
  EXPECT_EQ(pid->find("SUAN_"), std::string::npos);  // What the job is told is in no file.
  for (const pid_t each : descendants_of(record().claim->supervisor.pid)) {
    const auto line = read_file(AT_FDCWD, "/proc/" + std::to_string(each) + "/cmdline", 4096);
    if (line && line->find("while read") != std::string::npos) ::kill(each, SIGKILL);
  }
  EXPECT_EQ(wait_for_end().exit_code, 137);
}

/// A state directory where no overlay can be, as it is on one itself.
class InImageCopied : public InImage {
 protected:
  void SetUp() override {
    const std::string place = directory_.path();
    for (const char* each : {"/lower", "/upper", "/scratch", "/joined"})
      ASSERT_TRUE(make_directory(AT_FDCWD, place + each));
    const std::string options =
        "lowerdir=" + place + "/lower,upperdir=" + place + "/upper,workdir=" + place + "/scratch";
    is_mounted_ =
        ::mount("overlay", (place + "/joined").c_str(), "overlay", 0, options.c_str()) == 0;
    if (!is_mounted_) GTEST_SKIP() << "this process cannot mount";
    options_.state_directory = place + "/joined/state";
    InImage::SetUp();
  }
  void TearDown() override {
    close();
    // What goes on in the background may need the directory a moment longer.
    EXPECT_TRUE(!is_mounted_ ||
                wait_until([&] { return ::umount((directory_.path() + "/joined").c_str()) == 0; }));
  }

  bool is_mounted_ = false;
};

TEST_F(InImageCopied, without_an_overlay_the_attempt_gets_a_copy) {
  EXPECT_EQ(run_in("tiny.tar", "cat /etc/os-release; echo x > /etc/os-release; ls /tmp").exit_code,
            0)
      << recorder_.latest(first_key).reason;
  EXPECT_EQ(run_in("tiny.tar", "cat /etc/os-release", plain_launch(key_of(2))).exit_code, 0);
  EXPECT_EQ(log(), "NAME=tiny\n");
  EXPECT_EQ(log(key_of(2)), "NAME=tiny\n");
  EXPECT_FALSE(is_there(attempt() + "/container"));
}

TEST(ContainerBash, is_looked_for_inside_the_image) {
  const TemporaryDirectory root;
  EXPECT_EQ(find_bash(root.path()), "");
  EXPECT_TRUE(make_directory(AT_FDCWD, root.path() + "/bin"));
  ASSERT_EQ(::symlink("/bin/true", (root.path() + "/bin/bash").c_str()), 0);
  EXPECT_EQ(find_bash(root.path()), "");  // The link leads to the image's own /bin/true.
  EXPECT_TRUE(replace_file(AT_FDCWD, root.path() + "/bin/true", ""));
  EXPECT_EQ(find_bash(root.path()), "");  // Nobody may execute it.
  ASSERT_EQ(::chmod((root.path() + "/bin/true").c_str(), 0755), 0);
  EXPECT_EQ(find_bash(root.path()), "/bin/bash");
}

}  // namespace
}  // namespace suan::engine
