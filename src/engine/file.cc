#include "engine/file.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace suan::engine {

void Fd::close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::unexpected<Failure> system_failure(std::string_view what, std::string place) {
  const int error = errno;
  char words[128];
  const char* said = ::strerror_r(error, words, sizeof words);
  Failure::Kind kind = Failure::Kind::io;
  if (error == ENOENT) kind = Failure::Kind::not_found;
  if (error == EEXIST) kind = Failure::Kind::conflict;
  if (error == ENOSPC || error == EDQUOT) kind = Failure::Kind::no_space;
  return failure(kind, std::string(what) + ": " + said, std::move(place));
}

Result<std::string> read_file(int directory, const std::string& path, std::size_t bytes_max) {
  const Fd file(::openat(directory, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_failure("cannot open", path);
  std::string bytes;
  std::size_t filled = 0;
  ssize_t got = 1;
  while (got != 0) {
    if (filled > bytes_max) return failure(Failure::Kind::invalid, "the file is too long", path);
    if (filled == bytes.size()) bytes.resize(filled < 2048 ? 4096 : filled * 2);
    got = TEMP_FAILURE_RETRY(::read(file.get(), bytes.data() + filled, bytes.size() - filled));
    if (got < 0) return system_failure("cannot read", path);
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

Result<void> write_whole(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return system_failure("cannot write", {});
    bytes.remove_prefix(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> replace_file(int directory, const std::string& path, std::string_view bytes) {
  const std::string next = path + ".next";
  const Fd file(::openat(directory, next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return system_failure("cannot create", next);
  SUAN_CHECK(write_whole(file.get(), bytes));
  if (::renameat(directory, next.c_str(), directory, path.c_str()) != 0)
    return system_failure("cannot rename", path);
  return {};
}

Result<void> make_directory(int directory, const std::string& path) {
  if (::mkdirat(directory, path.c_str(), 0700) != 0 && errno != EEXIST)
    return system_failure("cannot make the directory", path);
  return {};
}

bool write_control(const std::string& path, std::string_view text) {
  const Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == std::ssize(text);
}

std::vector<std::string> names_in(int directory, const std::string& path) {
  std::vector<std::string> names;
  const int fd = ::openat(directory, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return names;
  DIR* entries = ::fdopendir(fd);
  if (entries == nullptr) {
    ::close(fd);
    return names;
  }
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(entries);
  std::ranges::sort(names);
  return names;
}

namespace {

// Bounded: a deeper tree is left behind, and its attempt's name stays in the trash.
constexpr int tree_depth_max = 512;

bool remove_below(int directory, const char* path, dev_t device, int depth) {
  if (::unlinkat(directory, path, 0) == 0 || errno == ENOENT) return true;
  if (errno != EISDIR && errno != EPERM) return false;
  if (depth > tree_depth_max) return false;
  const int fd = ::openat(directory, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) return false;
  struct stat status{};
  if (::fstat(fd, &status) != 0 || status.st_dev != device) {
    ::close(fd);
    return false;
  }
  DIR* entries = ::fdopendir(fd);
  if (entries == nullptr) {
    ::close(fd);
    return false;
  }
  bool is_done = true;
  while (const dirent* entry = ::readdir(entries)) {
    const std::string_view name = entry->d_name;
    if (name == "." || name == "..") continue;
    is_done = remove_below(fd, entry->d_name, device, depth + 1) && is_done;
  }
  ::closedir(entries);
  return is_done && ::unlinkat(directory, path, AT_REMOVEDIR) == 0;
}

}  // namespace

bool remove_tree(int directory, const std::string& path) {
  struct stat status{};
  if (::fstatat(directory, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) return errno == ENOENT;
  return remove_below(directory, path.c_str(), status.st_dev, 0);
}

}  // namespace suan::engine
