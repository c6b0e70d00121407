#include "engine/image_tree.h"

#include <algorithm>
#include <array>
#include <cerrno>

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace suan::engine {
namespace {

constexpr std::size_t path_bytes_max = 4095;
constexpr std::size_t name_bytes_max = 255;
constexpr std::size_t depth_max = 256;  // remove_tree goes deeper than that.
constexpr std::string_view whiteout_prefix = ".wh.";
constexpr std::string_view opaque_mark = ".wh..wh..opq";
constexpr std::string_view aufs_prefix = ".wh..wh.";

std::string join(const std::string& parent, const std::string& name) {
  return parent.empty() ? name : parent + "/" + name;
}

Result<Fd> open_resolved(int root, const std::string& path, std::uint64_t flags,
                         std::uint64_t resolve) {
  open_how how{};
  how.flags = flags | O_CLOEXEC;
  how.resolve = resolve | RESOLVE_NO_MAGICLINKS;
  long fd = -1;
  do fd = ::syscall(SYS_openat2, root, path.empty() ? "." : path.c_str(), &how, sizeof how);
  while (fd < 0 && (errno == EINTR || errno == EAGAIN));
  if (fd < 0 && errno == ENOSYS)
    return failure(Failure::Kind::unsupported, "images need Linux 5.6 or newer (openat2)");
  if (fd < 0 && errno == EXDEV)
    return failure(Failure::Kind::invalid, "this path leads out of its directory", path);
  if (fd < 0) return system_failure("cannot open", path);
  return Fd(static_cast<int>(fd));
}

// Everything below `directory`, at `path` of the tree, that is not in `made`.
bool clear_except(int directory, const std::string& path,
                  const std::unordered_set<std::string>& made) {
  for (const std::string& name : names_in(directory, ".")) {
    const std::string child = join(path, name);
    if (!made.contains(child)) {
      if (!remove_tree(directory, name)) return false;
      continue;
    }
    const Fd below(
        ::openat(directory, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (below && !clear_except(below.get(), child, made)) return false;
  }
  return true;
}

// Only root may give files away.
bool give_to(int directory, const char* name, int fd, const ArchiveEntry& entry) {
  if (::geteuid() != 0) return true;
  const auto user = static_cast<uid_t>(entry.user);
  const auto group = static_cast<gid_t>(entry.group);
  if (fd >= 0) return ::fchown(fd, user, group) == 0;
  return ::fchownat(directory, name, user, group, AT_SYMLINK_NOFOLLOW) == 0;
}

}  // namespace

Result<std::vector<std::string>> parse_archive_path(std::string_view path) {
  const auto refuse = [&](std::string text) {
    return failure(Failure::Kind::invalid, std::move(text), std::string(path.substr(0, 200)));
  };
  if (path.size() > path_bytes_max) return refuse("a path in the archive is too long");
  if (path.find('\0') != std::string_view::npos)
    return refuse("a path in the archive has a zero byte");
  std::vector<std::string> parts;
  while (!path.empty()) {
    const std::size_t end = std::min(path.find('/'), path.size());
    const std::string_view part = path.substr(0, end);
    path.remove_prefix(std::min(path.size(), end + 1));
    if (part.empty() || part == ".") continue;
    if (part == "..") return refuse("a path in the archive leads upwards by `..`");
    if (part.size() > name_bytes_max) return refuse("a name in the archive is too long");
    parts.emplace_back(part);
  }
  if (parts.size() > depth_max) return refuse("a path in the archive is too deep");
  return parts;
}

Result<Fd> open_in_root(int root, const std::string& path, std::uint64_t flags) {
  return open_resolved(root, path, flags, RESOLVE_IN_ROOT);
}

Result<Fd> open_beneath(int root, const std::string& path, std::uint64_t flags) {
  return open_resolved(root, path, flags, RESOLVE_BENEATH);
}

Result<void> ImageTree::write(ArchiveReader& archive) {
  parent_path_ = "\n";
  ArchiveEntry entry;
  while (true) {
    SUAN_TRY(const bool has_entry, archive.next(entry));
    if (!has_entry) return {};
    auto written = write(archive, entry);
    if (written) continue;
    Failure failed = std::move(written).error();
    if (failed.place.empty()) failed.place = entry.path.substr(0, 200);
    return std::unexpected(std::move(failed));
  }
}

Result<void> ImageTree::write(ArchiveReader& archive, const ArchiveEntry& entry) {
  if (++entries_ > bounds_.entries_max)
    return failure(Failure::Kind::no_space,
                   "the image has more than " + std::to_string(bounds_.entries_max) + " entries");
  SUAN_TRY(std::vector<std::string> parts, parse_archive_path(entry.path));
  if (parts.empty()) return {};  // The directory itself.
  const std::string name = std::move(parts.back());
  parts.pop_back();
  std::string parent;
  SUAN_CHECK(enter(parts, parent));
  if (name.starts_with(whiteout_prefix)) return hide(name, parent);
  SUAN_CHECK(write_entry(archive, entry, name));
  made_.insert(join(parent, name));
  return {};
}

// Opens the directory of an entry, and makes it where it is missing.
Result<void> ImageTree::enter(const std::vector<std::string>& parts, std::string& path) {
  for (const std::string& each : parts) path = join(path, each);
  if (path == parent_path_) return {};
  constexpr std::uint64_t flags = O_PATH | O_DIRECTORY;
  parent_path_ = "\n";
  auto found = open_in_root(root_, path, flags);
  if (!found && found.error().kind == Failure::Kind::not_found) {
    std::string so_far;
    SUAN_TRY(Fd at, open_in_root(root_, "", flags));
    for (const std::string& each : parts) {
      so_far = join(so_far, each);
      auto next = open_in_root(root_, so_far, flags);
      if (!next && ::mkdirat(at.get(), each.c_str(), 0755) == 0)
        next = open_in_root(root_, so_far, flags);
      if (!next) return std::unexpected(std::move(next).error());
      at = *std::move(next);
    }
    found = std::move(at);
  }
  if (!found) return std::unexpected(std::move(found).error());
  std::string above;
  for (const std::string& each : parts) made_.insert(above = join(above, each));
  parent_ = *std::move(found);
  parent_path_ = path;
  return {};
}

Result<void> ImageTree::hide(const std::string& whiteout, const std::string& parent) {
  if (whiteout == opaque_mark) {
    const Fd directory(::openat(parent_.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory && clear_except(directory.get(), parent, made_)) return {};
    return failure(Failure::Kind::io, "cannot clear the directory", parent);
  }
  if (whiteout.starts_with(aufs_prefix)) return {};  // Notes of AUFS to itself.
  const std::string name = whiteout.substr(whiteout_prefix.size());
  if (name.empty() || name == "." || name == "..")
    return failure(Failure::Kind::invalid, "a whiteout in the archive names no file", whiteout);
  parent_path_ = "\n";  // It may be the directory of the next entry that goes.
  if (remove_tree(parent_.get(), name)) return {};
  return failure(Failure::Kind::io, "cannot remove", join(parent, name));
}

// What is already there goes; a directory stays for a directory.
Result<void> ImageTree::make_way(const std::string& name, bool for_directory) {
  struct stat there{};
  if (::fstatat(parent_.get(), name.c_str(), &there, AT_SYMLINK_NOFOLLOW) != 0) return {};
  if (for_directory && S_ISDIR(there.st_mode)) return {};
  // The path to the next entry may lead through it.
  if (!S_ISREG(there.st_mode)) parent_path_ = "\n";
  if (remove_tree(parent_.get(), name)) return {};
  return failure(Failure::Kind::io, "cannot replace", name);
}

Result<void> ImageTree::write_entry(ArchiveReader& archive, const ArchiveEntry& entry,
                                    const std::string& name) {
  const char* at = name.c_str();
  const int parent = parent_.get();
  if (entry.kind == ArchiveEntry::Kind::hard_link) return write_hard_link(entry, name);
  if (entry.kind == ArchiveEntry::Kind::other) return {};
  SUAN_CHECK(make_way(name, entry.kind == ArchiveEntry::Kind::directory));
  bool is_made = false;
  switch (entry.kind) {
    case ArchiveEntry::Kind::file:
      return write_file(archive, entry, name);
    case ArchiveEntry::Kind::symbolic_link:
      is_made =
          ::symlinkat(entry.target.c_str(), parent, at) == 0 && give_to(parent, at, -1, entry);
      break;
    case ArchiveEntry::Kind::pipe:
      is_made = ::mkfifoat(parent, at, 0600) == 0 && give_to(parent, at, -1, entry) &&
                ::fchmodat(parent, at, entry.mode, 0) == 0;
      break;
    case ArchiveEntry::Kind::directory: {
      // Whoever is not root could write nothing into a directory without the right to.
      const mode_t mode = ::geteuid() == 0 ? entry.mode : entry.mode | 0700U;
      is_made = (::mkdirat(parent, at, 0700) == 0 || errno == EEXIST) &&
                give_to(parent, at, -1, entry) && ::fchmodat(parent, at, mode, 0) == 0;
      break;
    }
    case ArchiveEntry::Kind::hard_link:
    case ArchiveEntry::Kind::other:
      is_made = true;
      break;
  }
  if (!is_made) return system_failure("cannot make", entry.path.substr(0, 200));
  return {};
}

Result<void> ImageTree::write_file(ArchiveReader& archive, const ArchiveEntry& entry,
                                   const std::string& name) {
  if (entry.bytes > bounds_.bytes_max - bytes_)
    return failure(Failure::Kind::no_space, "the image is larger than " +
                                                std::to_string(bounds_.bytes_max) +
                                                " bytes when it is unpacked");
  bytes_ += entry.bytes;
  const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
  const Fd file(::openat(parent_.get(), name.c_str(), flags, 0600));
  if (!file) return system_failure("cannot create", entry.path.substr(0, 200));
  SUAN_CHECK(archive.copy_to(file.get()));
  const timespec modified{.tv_sec = entry.modified_s, .tv_nsec = 0};
  const std::array<timespec, 2> times{modified, modified};
  // The owner first: a new owner takes the set-user-ID bit away.
  if (!give_to(-1, "", file.get(), entry) || ::fchmod(file.get(), entry.mode) != 0)
    return system_failure("cannot set the owner and mode", entry.path.substr(0, 200));
  ::futimens(file.get(), times.data());
  return {};
}

Result<void> ImageTree::write_hard_link(const ArchiveEntry& entry, const std::string& name) {
  SUAN_TRY(std::vector<std::string> parts, parse_archive_path(entry.target));
  if (parts.empty())
    return failure(Failure::Kind::invalid, "a hard link in the archive names no file", entry.path);
  const std::string target = std::move(parts.back());
  parts.pop_back();
  std::string path;
  for (const std::string& each : parts) path = join(path, each);
  SUAN_TRY(const Fd directory, open_in_root(root_, path, O_PATH | O_DIRECTORY));
  struct stat from{};
  struct stat to{};
  if (::fstatat(directory.get(), target.c_str(), &from, AT_SYMLINK_NOFOLLOW) != 0 ||
      S_ISDIR(from.st_mode))
    return failure(Failure::Kind::invalid, "a hard link in the archive leads to no file",
                   entry.target.substr(0, 200));
  if (::fstatat(parent_.get(), name.c_str(), &to, AT_SYMLINK_NOFOLLOW) == 0 &&
      from.st_dev == to.st_dev && from.st_ino == to.st_ino)
    return {};
  SUAN_CHECK(make_way(name, false));
  if (::linkat(directory.get(), target.c_str(), parent_.get(), name.c_str(), 0) != 0)
    return system_failure("cannot link", entry.path.substr(0, 200));
  return {};
}

}  // namespace suan::engine
