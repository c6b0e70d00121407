#include "journal/directory_lock.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>
#include <system_error>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"

namespace suan::journal {

using Kind = Failure::Kind;

namespace {

// Who holds the lock, as it wrote itself; for people.
std::string holder_of(int file) {
  std::array<char, 32> text;
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  const std::string_view digits(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
  const auto process = parse_integer(digits.substr(0, digits.find('\n')));
  return process ? " (process " + std::to_string(*process) + ")" : "";
}

}  // namespace

std::unexpected<Failure> os_failure(const std::string& what, const std::string& path) {
  const int code = errno;
  const Kind kind = code == ENOSPC || code == EDQUOT ? Kind::no_space
                    : code == ENOENT                 ? Kind::not_found
                                                     : Kind::io;
  return failure(kind, what + ": " + std::generic_category().message(code), path);
}

Result<std::unique_ptr<DirectoryLock>> DirectoryLock::take(const std::string& directory) {
  std::error_code error;
  const std::filesystem::path path(directory);
  if (path.has_parent_path()) std::filesystem::create_directories(path.parent_path(), error);
  if (!error && ::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
    return os_failure("cannot create the journal's directory", directory);
  if (error)
    return failure(Kind::io, "cannot create the journal's directory: " + error.message(),
                   directory);
  const std::string lock = directory + "/lock";
  // Close-on-exec: a job started by this process must not keep the journal locked.
  const int file = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return os_failure("cannot open the lock", lock);
  std::unique_ptr<DirectoryLock> taken(new DirectoryLock(file));
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return os_failure("cannot lock", lock);
    return failure(Kind::conflict, "another process serves this journal" + holder_of(file), lock);
  }
  const std::string process = std::to_string(::getpid()) + "\n";
  // A lock without its holder's name still locks.
  if (::ftruncate(file, 0) == 0 && ::pwrite(file, process.data(), process.size(), 0) < 0) errno = 0;
  return taken;
}

DirectoryLock::~DirectoryLock() {
  ::close(file_);
}

Result<void> sync_directory(const std::string& directory) {
  const int file = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return os_failure("cannot open the directory", directory);
  const bool is_synced = ::fsync(file) == 0;
  const int code = errno;
  ::close(file);
  errno = code;
  if (!is_synced) return os_failure("cannot sync the directory", directory);
  return {};
}

Result<void> create_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return os_failure("cannot create", path);
  ::close(file);
  return {};
}

}  // namespace suan::journal
