#pragma once

#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "slurm/command_cluster.h"
#include "slurm/program.h"
#include "slurm/rest_cluster.h"
#include "testing/temporary_directory.h"
#include "wire/json.h"

/// A real Slurm for tests, started by tests/slurm/centre.py. Test code only.
namespace suan::slurm {

/// What the script says when its Slurm is up.
struct CentrePlaces {
  std::string configuration;
  std::string rest;
  std::string socket;
  std::string jwt_key;
  std::string user;

  static void fields(auto&& visit, auto& self) {
    visit(1, "configuration", self.configuration);
    visit(2, "rest", self.rest);
    visit(3, "socket", self.socket);
    visit(4, "jwt_key", self.jwt_key);
    visit(5, "user", self.user);
  }
};

/// One Slurm for all tests of a program: starting it takes seconds.
class SlurmCentre {
 public:
  /// Starts it at the first call; it ends with the program, however that ends. A test that calls
  /// this where Slurm is not installed fails with a sentence that says so.
  static SlurmCentre& get() {
    static SlurmCentre centre;
    return centre;
  }

  const CentrePlaces& places() const { return places_; }

  std::unique_ptr<Cluster> rest_cluster() const {
    return make_rest_cluster(
        {.place = places_.rest, .token = {.user = places_.user, .key_file = places_.jwt_key}});
  }
  std::unique_ptr<Cluster> command_cluster() const {
    return make_command_cluster({.configuration = places_.configuration});
  }

  /// Ends slurmctld with SIGKILL, or starts it again.
  void kill_controller() { obey("kill\n"); }
  void start_controller() { obey("start\n"); }

  /// Runs a command of Slurm as an administrator would; returns what it printed.
  std::string ask(const std::vector<std::string>& words, const std::string& input = {}) const {
    const auto end =
        run_program(words, input, {"SLURM_CONF=" + places_.configuration}, seconds(60), 1 << 20U);
    EXPECT_TRUE(end) << end.error().text;
    if (!end) return {};
    EXPECT_EQ(end->exit_code, 0) << words.front() << ": " << end->error;
    return end->output;
  }

  SlurmCentre(const SlurmCentre&) = delete;
  SlurmCentre& operator=(const SlurmCentre&) = delete;

 private:
  SlurmCentre() {
    const std::string here = __FILE__;
    const std::string script = here.substr(0, here.rfind("src/testing/")) + "tests/slurm/centre.py";
    int to[2], from[2];
    if (::pipe2(to, O_CLOEXEC) != 0 || ::pipe2(from, O_CLOEXEC) != 0) ::abort();
    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, to[0], 0);
    ::posix_spawn_file_actions_adddup2(&actions, from[1], 1);
    std::string python = "python3", path = script, directory = directory_.path();
    char* arguments[] = {python.data(), path.data(), directory.data(), nullptr};
    ::posix_spawnp(&pid_, "python3", &actions, nullptr, arguments, ::environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::close(to[0]);
    ::close(from[1]);
    to_ = to[1];
    from_ = from[0];
    auto places = wire::from_json<CentrePlaces>(read_line());
    if (places) places_ = *std::move(places);
    EXPECT_FALSE(places_.rest.empty())
        << "no Slurm could be started, see the lines above: these tests need a real one, of the "
           "packages that tools/door/packages.sh lists";
  }
  ~SlurmCentre() {
    ::close(to_);
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }

  std::string read_line() {
    std::string line;
    for (char c = 0; ::read(from_, &c, 1) == 1 && c != '\n';) line += c;
    return line;
  }
  void obey(std::string_view word) {
    ASSERT_EQ(::write(to_, word.data(), word.size()), static_cast<ssize_t>(word.size()));
    EXPECT_EQ(read_line(), "done");
  }

  TemporaryDirectory directory_;
  CentrePlaces places_;
  pid_t pid_ = 0;
  int to_ = -1, from_ = -1;
};

}  // namespace suan::slurm
