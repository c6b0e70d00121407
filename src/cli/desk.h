#pragma once

#include <cstdlib>
#include <fstream>
#include <initializer_list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include "cli/cli.h"
#include "net/server.h"

/// Where the CLI is tried out: a home directory of its own, streams that can be read back, and an
/// HTTP server with prepared answers. Test code only.
namespace suan::cli {

/// What `suan` did.
struct Ended {
  int exit_code = 0;
  std::string out = {};
  std::string error = {};
};

class Desk {
 public:
  /// `home` is an empty directory; it becomes $HOME.
  explicit Desk(std::string home) : home_(std::move(home)) {
    for (const char* name : {"SUAN_URL", "SUAN_KEY", "XDG_CONFIG_HOME", "XDG_STATE_HOME"}) {
      ::unsetenv(name);
    }
    ::setenv("HOME", home_.c_str(), 1);
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  const std::string& home() const { return home_; }

  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = home() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  /// Runs `suan` with these words; `input` is its stdin.
  Ended suan(const std::vector<std::string>& words, const std::string& input = {}) const {
    const int in = memory(input);
    const int out = memory({});
    const int error = memory({});
    Ended result;
    result.exit_code = run(words, in, out, error);
    result.out = contents(out);
    result.error = contents(error);
    for (const int file : {in, out, error}) ::close(file);
    return result;
  }

  /// The same with a terminal for stdin and stderr, at which `keys` are typed.
  Ended suan_on_terminal(const std::vector<std::string>& words, const std::string& keys) const {
    const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
    EXPECT_TRUE(::grantpt(master) == 0 && ::unlockpt(master) == 0);
    const int slave = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
    EXPECT_EQ(::write(master, keys.data(), keys.size()), static_cast<ssize_t>(keys.size()));
    const int out = memory({});
    Ended result;
    result.exit_code = run(words, slave, out, slave);
    result.out = contents(out);
    result.error = terminal_text(master);
    for (const int file : {master, slave, out}) ::close(file);
    return result;
  }

 private:
  static int run(const std::vector<std::string>& words, int in, int out, int error) {
    std::vector<const char*> typed;
    for (const std::string& word : words) typed.push_back(word.c_str());
    Screen screen(in, out, error);
    return cli::main(typed, screen);
  }
  static int memory(const std::string& text) {
    const int file = ::memfd_create("stream", MFD_CLOEXEC);
    EXPECT_EQ(::write(file, text.data(), text.size()), static_cast<ssize_t>(text.size()));
    ::lseek(file, 0, SEEK_SET);
    return file;
  }
  static std::string terminal_text(int master) {
    ::fcntl(master, F_SETFL, O_NONBLOCK);
    std::string text;
    char piece[4096];
    for (ssize_t got = 0; (got = ::read(master, piece, sizeof piece)) > 0;) {
      text.append(piece, static_cast<std::size_t>(got));
    }
    return text;
  }
  static std::string contents(int file) {
    std::string text(static_cast<std::size_t>(::lseek(file, 0, SEEK_END)), '\0');
    EXPECT_EQ(::pread(file, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    return text;
  }

  std::string home_;
};

/// Answers "POST /v1/jobs", "GET /v1/jobs running" and the like with what was prepared; the last
/// answer of a target is repeated.
class PreparedServer {
 public:
  struct Answer {
    int status = 200;
    std::string body = {};
  };

  PreparedServer() {
    auto started = net::Server::start({}, [this](net::Request&& request, net::Responder responder) {
      take(std::move(request), std::move(responder));
    });
    EXPECT_TRUE(started);
    server_ = *std::move(started);
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }

  void prepare(const std::string& what, std::initializer_list<Answer> answers) {
    const std::lock_guard lock(mutex_);
    answers_[what] = answers;
  }

  /// The requests so far, in order.
  std::vector<net::Request> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }
  /// Those of one method and path.
  std::vector<net::Request> requests(const std::string& what) const {
    std::vector<net::Request> found;
    for (net::Request& each : requests()) {
      if (name(each) == what) found.push_back(std::move(each));
    }
    return found;
  }

 private:
  static std::string name(const net::Request& request) {
    std::string text = std::string(net::print_method(request.method)) + " " + request.path;
    for (const char* key : {"stream", "state"}) {
      if (const std::string* value = request.find_query(key)) text += " " + *value;
    }
    return text;
  }

  void take(net::Request&& request, net::Responder responder) {
    Answer answer{404, R"({"detail":"nothing is prepared for this"})"};
    {
      const std::lock_guard lock(mutex_);
      auto& left = answers_[name(request)];
      if (!left.empty()) answer = left.front();
      if (left.size() > 1) left.erase(left.begin());
      requests_.push_back(std::move(request));
    }
    net::Response response;
    response.status = answer.status;
    response.body = answer.body;
    responder.respond(std::move(response));
  }

  mutable std::mutex mutex_;
  std::map<std::string, std::vector<Answer>> answers_;
  std::vector<net::Request> requests_;
  std::unique_ptr<net::Server> server_;  // Last, so that it stops first.
};

}  // namespace suan::cli
