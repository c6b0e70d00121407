#include "engine/spares.h"

#include <algorithm>
#include <array>

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/file.h"

namespace suan::engine {
namespace {

constexpr std::size_t spares_max = 256;
constexpr std::string_view spares_path = "spares/";

// An attempt runs as this user and may have changed anything in here: what is not exactly as this
// program makes it is not used again. A second link would show one attempt the output of the next.
bool is_plain(int directory, const char* name, bool must_be_empty) {
  struct stat status{};
  return ::fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) == 0 &&
         status.st_mode == (S_IFREG | 0600) && status.st_nlink == 1 &&
         status.st_uid == ::geteuid() && (!must_be_empty || status.st_size == 0);
}

bool is_clean(int directory) {
  const std::vector<std::string> names = names_in(directory, ".");
  constexpr std::array<std::string_view, 5> expected = {"record", "run", "stderr", "stdout",
                                                        "work"};
  if (!std::ranges::equal(names, expected)) return false;
  struct stat work{};
  if (::fstatat(directory, "work", &work, AT_SYMLINK_NOFOLLOW) != 0 ||
      work.st_mode != (S_IFDIR | 0700) || work.st_uid != ::geteuid())
    return false;
  return is_plain(directory, "record", false) && is_plain(directory, "run", true) &&
         is_plain(directory, "stdout", true) && is_plain(directory, "stderr", true) &&
         names_in(directory, "work").empty();
}

}  // namespace

Spares::Spares(int state) : state_(state), names_(names_in(state, "spares")) {
  for (const std::string& name : names_)
    if (const auto number = parse_integer(name); number && *number >= 0)
      next_ = std::max(next_, static_cast<std::uint64_t>(*number) + 1);
}

Result<std::string> Spares::take() {
  std::string path(spares_path);
  if (!names_.empty()) {
    path += names_.back();
    names_.pop_back();
    return path;
  }
  path += std::to_string(next_++);
  if (::mkdirat(state_, path.c_str(), 0700) != 0)
    return system_failure("cannot make the directory", path);
  return path;
}

Result<void> Spares::put(const std::string& taken, const std::string& path) {
  if (::renameat2(state_, taken.c_str(), state_, path.c_str(), RENAME_NOREPLACE) == 0) return {};
  const auto failed = system_failure("cannot make the directory", path);
  names_.push_back(taken.substr(spares_path.size()));
  return failed;
}

bool Spares::keep(const std::string& path) {
  if (names_.size() >= spares_max) return false;
  const Fd directory(
      ::openat(state_, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!directory || !is_clean(directory.get())) return false;
  std::string name = std::to_string(next_++);
  const std::string spare = std::string(spares_path) + name;
  if (::renameat2(state_, path.c_str(), state_, spare.c_str(), RENAME_NOREPLACE) != 0) return false;
  names_.push_back(std::move(name));
  return true;
}

}  // namespace suan::engine
