#include "engine/uploads.h"

#include <cerrno>
#include <ctime>

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace suan::engine {
namespace {

constexpr std::time_t kept_seconds = 24 * 3600;
constexpr std::uint64_t free_bytes_min = std::uint64_t{1} << 30U;

}  // namespace

Result<std::unique_ptr<Uploads>> Uploads::open(std::string directory) {
  SUAN_CHECK(make_directory(AT_FDCWD, directory));
  Fd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened) return system_failure("cannot open", directory);
  return std::unique_ptr<Uploads>(new Uploads(std::move(directory), std::move(opened)));
}

std::int64_t Uploads::size_of(const std::string& name) const {
  struct stat about{};
  if (::fstatat(opened_.get(), name.c_str(), &about, AT_SYMLINK_NOFOLLOW) != 0) return 0;
  return S_ISREG(about.st_mode) ? about.st_size : 0;
}

Result<std::int64_t> Uploads::append(const std::string& name, std::int64_t offset,
                                     std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  const std::int64_t size = size_of(name);
  if (offset != size)
    return failure(Failure::Kind::conflict,
                   "it has " + std::to_string(size) + " bytes: go on from there");
  if (size + static_cast<std::int64_t>(bytes.size()) > upload_bytes_max)
    return failure(Failure::Kind::no_space,
                   "an upload has at most " + std::to_string(upload_bytes_max) + " bytes");
  struct statvfs disk{};
  if (::fstatvfs(opened_.get(), &disk) == 0 &&
      disk.f_bavail * disk.f_frsize < free_bytes_min + bytes.size())
    return failure(Failure::Kind::no_space, "the disk of the domain is nearly full");
  const Fd file(::openat(opened_.get(), name.c_str(),
                         O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return system_failure("cannot write", directory_ + "/" + name);
  if (auto written = write_whole(file.get(), bytes); !written) {
    static_cast<void>(::ftruncate(file.get(), size));
    return std::unexpected(written.error());
  }
  return size + static_cast<std::int64_t>(bytes.size());
}

std::int64_t Uploads::size_of_all(std::string_view beginning) const {
  std::int64_t all = 0;
  for (const std::string& name : names_in(opened_.get(), "."))
    if (name.starts_with(beginning)) all += size_of(name);
  return all;
}

Result<std::string> Uploads::read(const std::string& name, std::int64_t offset,
                                  std::size_t bytes_max) const {
  const Fd file(::openat(opened_.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return system_failure("cannot read", name);
  std::string bytes(bytes_max, '\0');
  const ssize_t count = TEMP_FAILURE_RETRY(::pread(file.get(), bytes.data(), bytes.size(), offset));
  if (count < 0) return system_failure("cannot read", name);
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

void Uploads::remove(const std::string& name) {
  const std::lock_guard lock(mutex_);
  ::unlinkat(opened_.get(), name.c_str(), 0);
}

void Uploads::sweep(const std::set<std::string>& wanted) {
  const std::time_t now = ::time(nullptr);
  for (const std::string& name : names_in(opened_.get(), ".")) {
    struct stat about{};
    if (wanted.contains(name) || ::fstatat(opened_.get(), name.c_str(), &about, 0) != 0) continue;
    if (now - about.st_mtime > kept_seconds) remove(name);
  }
}

}  // namespace suan::engine
