#include "server/secrets.h"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/ensure.h"

namespace suan::server {

namespace {

constexpr std::size_t secret_bytes_max = 4096;

/// An open file; closes itself.
struct File {
  int number = -1;
  explicit File(int opened) : number(opened) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (number >= 0) ::close(number);
  }
};

std::unexpected<Failure> io_failure(const std::string& path) {
  return failure(Failure::Kind::io, path + ": " + std::strerror(errno), path);
}

Result<void> sync_directory_of(const std::string& path) {
  const File directory(
      ::open(path.substr(0, path.rfind('/')).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.number < 0 || ::fsync(directory.number) != 0) return io_failure(path);
  return {};
}

Result<void> make(const std::string& path, const std::string& content) {
  const std::string fresh = path + ".new";
  const File file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (file.number < 0) return io_failure(fresh);
  const auto size = static_cast<ssize_t>(content.size());
  if (::write(file.number, content.data(), content.size()) != size || ::fsync(file.number) != 0)
    return io_failure(fresh);
  if (::rename(fresh.c_str(), path.c_str()) != 0) return io_failure(path);
  return sync_directory_of(path);
}

}  // namespace

std::string random_bytes(std::size_t bytes) {
  std::string out(bytes, '\0');
  ensure(::getrandom(out.data(), out.size(), 0) == static_cast<ssize_t>(bytes));
  return out;
}

Result<std::string> read_or_make_secret(const std::string& path, const std::string& fresh) {
  if (::access(path.c_str(), F_OK) != 0) SUAN_CHECK(make(path, fresh));
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.number < 0) return io_failure(path);
  struct stat about{};
  if (::fstat(file.number, &about) != 0) return io_failure(path);
  if ((about.st_mode & 077U) != 0) {
    return failure(
        Failure::Kind::invalid,
        path +
            " can be read by others: whoever did must be assumed to have it; make it 0600 and "
            "change the keys",
        path);
  }
  std::string content(secret_bytes_max, '\0');
  const ssize_t got = ::read(file.number, content.data(), content.size());
  if (got < 0) return io_failure(path);
  content.resize(static_cast<std::size_t>(got));
  return content;
}

}  // namespace suan::server
