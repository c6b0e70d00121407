#include "cli/workdir.h"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sha256.h"
#include "cli/amounts.h"
#include "wire/json.h"

namespace suan::cli {

namespace {

constexpr std::int64_t packed_bytes_max = std::int64_t{1} << 30U;
constexpr std::size_t part_bytes = std::size_t{1} << 20U;
constexpr int tries_max = 5;

// The path that the specification names.
std::optional<std::string> directory_in(const std::string& json) {
  const auto tree = wire::parse_json(json);
  if (!tree || !tree->root().is(wire::JsonKind::object)) return std::nullopt;
  auto from = tree->root().begin();
  const auto found = tree->root().find("workdir", from);
  if (!found || !found->is(wire::JsonKind::string)) return std::nullopt;
  return std::string(found->text());
}

// The same directory makes the same bytes, so that it is brought once.
bool run_tar(const std::string& directory, int to) {
  std::array<std::string, 13> words{
      "tar",       "--create",        "--gzip",        "--sort=name", "--format=gnu", "--owner=0",
      "--group=0", "--numeric-owner", "--exclude-vcs", "--directory", directory,      "--",
      "."};
  std::array<char*, 14> arguments{};
  for (std::size_t i = 0; i < words.size(); ++i) arguments[i] = words[i].data();
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, to, STDOUT_FILENO);
  pid_t child = 0;
  const int error =
      ::posix_spawnp(&child, words[0].c_str(), &actions, nullptr, arguments.data(), ::environ);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error != 0) return false;
  int status = -1;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return status == 0;
}

Outcome<std::string> read_part(int fd, std::int64_t offset) {
  std::string bytes(part_bytes, '\0');
  const ssize_t count = ::pread(fd, bytes.data(), bytes.size(), offset);
  if (count < 0)
    return fault(Exit::failure,
                 std::string("cannot read what was packed: ") + std::strerror(errno));
  bytes.resize(static_cast<std::size_t>(count));
  return bytes;
}

}  // namespace

PackedDirectory::~PackedDirectory() {
  if (fd_ >= 0) ::close(fd_);
}

Outcome<void> PackedDirectory::pack(Call& call) {
  const auto directory = directory_in(call.spec.json);
  if (!directory) return {};
  struct stat about{};
  if (::stat(directory->c_str(), &about) != 0 || !S_ISDIR(about.st_mode)) {
    Fault wrong{.exit = Exit::usage,
                .text = "workdir: there is no directory '" + *directory + "' here"};
    wrong.pointer = call.spec.place_of("/workdir");
    return std::unexpected(std::move(wrong));
  }
  const char* where = std::getenv("TMPDIR");
  std::string path = std::string(where != nullptr && *where != 0 ? where : "/tmp") +
                     "/suan-workdir-" + std::string(6, 'X');  // For mkstemp(3) to fill in.
  fd_ = ::mkostemp(path.data(), O_CLOEXEC);
  if (fd_ < 0) return fault(Exit::failure, "cannot write " + path + ": " + std::strerror(errno));
  ::unlink(path.c_str());  // However this program ends, nothing is left.
  call.screen.show_progress("packs " + *directory + " …");
  const bool is_packed = run_tar(*directory, fd_);
  call.screen.show_progress("");
  if (!is_packed)
    return fault(Exit::failure, "tar could not pack '" + *directory + "'",
                 "see what it says above; GNU tar and gzip are needed");
  Sha256 sum;
  while (true) {
    SUAN_TRY(const std::string part, read_part(fd_, bytes_));
    if (part.empty()) break;
    sum.add(part);
    bytes_ += static_cast<std::int64_t>(part.size());
  }
  sha256_ = sum.finish();
  if (bytes_ > packed_bytes_max)
    return fault(Exit::usage,
                 "'" + *directory + "' has " + print_size(bytes_) +
                     " when it is packed, at most 1 GiB is taken",
                 "put large data into a store and name it under `inputs`");
  const Setting setting{
      "/workdir", R"({"sha256":")" + sha256_ + R"(","bytes":)" + std::to_string(bytes_) + "}"};
  auto json = apply_settings(call.spec.json, {&setting, 1});
  if (!json) return std::unexpected(Fault{.exit = Exit::usage, .text = json.error().text});
  call.spec.json = *std::move(json);
  return {};
}

Outcome<void> PackedDirectory::bring(Call& call) {
  if (sha256_.empty()) return {};
  const std::string target = "/v1/uploads/" + sha256_;
  SUAN_TRY(api::UploadView there, call.session.read<api::UploadView>(target));
  int tries = 0;
  while (there.bytes < bytes_) {
    call.screen.show_progress("brings the working directory: " + print_size(there.bytes) + " of " +
                              print_size(bytes_));
    SUAN_TRY(const std::string part, read_part(fd_, there.bytes));
    auto answer = call.session.put(target + "?offset=" + std::to_string(there.bytes), part);
    // A part may have come although its answer was lost: ask how far it is.
    if (!answer && answer.error().status != 0 && answer.error().status != 409)
      return std::unexpected(std::move(answer).error());
    if (!answer && ++tries >= tries_max) return std::unexpected(std::move(answer).error());
    SUAN_TRY(there, call.session.read<api::UploadView>(target));
  }
  call.screen.show_progress("");
  return {};
}

}  // namespace suan::cli
