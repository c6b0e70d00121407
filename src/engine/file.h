#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

/// Files and descriptors of the operating system, as far as this room needs them.
namespace suan::engine {

/// Owns a file descriptor; -1 owns nothing.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { close(); }

  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  void close();

 private:
  int fd_ = -1;
};

/// What the last system call said: "what: the system's words", kind by errno (ENOENT not_found,
/// EEXIST conflict, ENOSPC and EDQUOT no_space, else io).
std::unexpected<Failure> system_failure(std::string_view what, std::string place);

/// A file's bytes. `invalid` if it holds more than `bytes_max`.
Result<std::string> read_file(int directory, const std::string& path, std::size_t bytes_max);

/// Writes all of `bytes` at the descriptor's position.
Result<void> write_whole(int fd, std::string_view bytes);

/// Replaces or makes a file (mode 0600): a reader sees the old bytes or the new. Not durable.
Result<void> replace_file(int directory, const std::string& path, std::string_view bytes);

/// Makes a directory (mode 0700) unless it is there.
Result<void> make_directory(int directory, const std::string& path);

/// Writes a short text to an existing control file of the kernel. Returns false, with errno, if the
/// kernel refuses.
bool write_control(const std::string& path, std::string_view text);

/// The names in a directory, ascending, without "." and "..". Empty if it cannot be read.
std::vector<std::string> names_in(int directory, const std::string& path);

/// Deletes a file or a directory with all it holds, without following links or crossing into other
/// file systems. Returns false if something is left.
bool remove_tree(int directory, const std::string& path);

}  // namespace suan::engine
