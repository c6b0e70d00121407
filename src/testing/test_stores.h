#pragma once

#include <csignal>
#include <fstream>
#include <string>

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "engine/file.h"
#include "engine/programs.h"

namespace suan::engine {

/// Two stores that are directories of this machine, `bucket` with the project `lab` and a public
/// `hub`, and a web server that shows them: rclone itself, as slow as a test wants it. Test code
/// only.
class TestStores {
 public:
  explicit TestStores(std::string top) : top_(std::move(top)) {
    EXPECT_TRUE(shell("mkdir -p " + top_ + "/bucket/lab/corpus/deep " + top_ + "/hub/llama"));
    write("bucket/lab/corpus/a", "one\n");
    write("bucket/lab/corpus/deep/b", "two\n");
    write("hub/llama/8b", "weights\n");
    write("stores.conf", "[bucket]\ntype = alias\nremote = " + top_ +
                             "/bucket\n[hub]\ntype = alias\nremote = " + top_ +
                             "/hub\nsuan_access = public\n");
  }
  ~TestStores() {
    if (server_ <= 0) return;
    ::kill(server_, SIGKILL);
    ::waitpid(server_, nullptr, 0);
  }
  TestStores(const TestStores&) = delete;
  TestStores& operator=(const TestStores&) = delete;

  static bool shell(const std::string& line) {
    return ::system(("bash -c '" + line + "'").c_str()) == 0;
  }

  std::string configuration() const { return path("stores.conf"); }
  std::string path(const std::string& name) const { return top_ + "/" + name; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
  }
  std::string read(const std::string& name) const {
    return read_file(AT_FDCWD, path(name), 1 << 20U).value_or("none");
  }
  bool has(const std::string& name) const { return ::access(path(name).c_str(), F_OK) == 0; }
  /// A file of so many bytes that do not compress.
  void write_random(const std::string& name, std::size_t bytes) const {
    EXPECT_TRUE(shell("head -c " + std::to_string(bytes) + " /dev/urandom > " + path(name)));
  }

  /// Serves everything over HTTP at so many bytes a second ("100k"), and returns the URL.
  std::string serve(const std::string& limit = "off") {
    const int port = free_port();
    const std::string address = "127.0.0.1:" + std::to_string(port);
    server_ = *start_program({find_program("rclone"), "serve", "http", top_, "--addr", address,
                              "--bwlimit", limit, "--config", ""},
                             STDERR_FILENO);
    for (int i = 0; i < 2000 && !is_listening(port); ++i) {
      const timespec pause{.tv_sec = 0, .tv_nsec = 10'000'000};
      ::nanosleep(&pause, nullptr);
    }
    EXPECT_TRUE(is_listening(port));
    return "http://" + address;
  }

 private:
  static sockaddr_in address_of(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static int free_port() {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = address_of(0);
    socklen_t size = sizeof address;
    auto* any = reinterpret_cast<sockaddr*>(&address);  // NOLINT: the interface is C's.
    EXPECT_EQ(::bind(socket.get(), any, size), 0);
    EXPECT_EQ(::getsockname(socket.get(), any, &size), 0);
    return ntohs(address.sin_port);
  }
  static bool is_listening(int port) {
    const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = address_of(port);
    return ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address),  // NOLINT
                     sizeof address) == 0;
  }

  std::string top_;
  pid_t server_ = 0;
};

}  // namespace suan::engine
