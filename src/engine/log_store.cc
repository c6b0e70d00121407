#include "engine/log_store.h"

#include <algorithm>
#include <cerrno>
#include <tuple>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/attempt_files.h"

namespace suan::engine {
namespace {

constexpr std::size_t forgotten_generation_max = 250'000;
constexpr std::size_t forgotten_bytes_max = 64 << 20U;
constexpr std::size_t piece_bytes_max = 8 << 20U;

const char* running_name(member::LogStream stream) {
  return stream == member::LogStream::output ? "stdout" : "stderr";
}

const char* kept_suffix(member::LogStream stream) {
  return stream == member::LogStream::output ? ".out" : ".err";
}

std::int64_t size_of(int directory, const std::string& path) {
  struct stat status{};
  return ::fstatat(directory, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 ? status.st_size : 0;
}

std::string cut_line(std::int64_t bytes_max) {
  return "\n[log cut: only the first " + print_bytes(bytes_max) + " are kept]\n";
}

}  // namespace

LogStore::LogStore(int state, LogLimits limits) : state_(state), limits_(limits) {
  load_forgotten("forgotten.old", forgotten_before_);
  load_forgotten("forgotten", forgotten_);
  forgotten_file_ =
      Fd(::openat(state_, "forgotten", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  load_kept();
}

void LogStore::load_forgotten(const std::string& path,
                              std::unordered_set<AttemptKey, KeyHash>& keys) {
  const auto file = read_file(state_, path, forgotten_bytes_max);
  if (!file) return;
  std::string_view rest = *file;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    if (const auto key = parse_key(rest.substr(0, end))) keys.insert(*key);
    rest.remove_prefix(std::min(rest.size(), end + 1));
  }
}

void LogStore::load_kept() {
  struct Found {
    std::int64_t when;
    Kept kept;
  };
  std::vector<Found> found;
  for (const std::string& name : names_in(state_, "logs")) {
    const std::string path = "logs/" + name;
    struct stat status{};
    if (::fstatat(state_, path.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) continue;
    found.push_back({status.st_mtim.tv_sec, {path, status.st_size}});
    kept_bytes_ += std::min(status.st_size, limits_.stream_bytes_max);
  }
  std::ranges::sort(found, [](const Found& a, const Found& b) {
    return std::tie(a.when, a.kept.path) < std::tie(b.when, b.kept.path);
  });
  for (Found& each : found) kept_.push_back(std::move(each.kept));
  drop_oldest();
}

bool LogStore::is_forgotten(const AttemptKey& key) {
  const std::scoped_lock lock(mutex_);
  return forgotten_.contains(key) || forgotten_before_.contains(key);
}

void LogStore::forget(const AttemptKey& key) {
  const std::scoped_lock lock(mutex_);
  const std::string name = print_key(key);
  if (!forgotten_before_.contains(key) && forgotten_.insert(key).second) {
    // Not synced: after a crash of the machine a launch is not on its way any more.
    std::ignore = write_whole(forgotten_file_.get(), name + "\n");
  }
  keep("attempts/" + name + "/stdout", "logs/" + name + ".out");
  keep("attempts/" + name + "/stderr", "logs/" + name + ".err");
  drop_oldest();
  if (forgotten_.size() < forgotten_generation_max) return;
  ::renameat(state_, "forgotten", state_, "forgotten.old");
  forgotten_file_ =
      Fd(::openat(state_, "forgotten", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  forgotten_before_.swap(forgotten_);
  forgotten_.clear();
}

void LogStore::keep(const std::string& from, const std::string& to) {
  const std::int64_t bytes = size_of(state_, from);
  if (bytes == 0 || ::renameat(state_, from.c_str(), state_, to.c_str()) != 0) return;
  kept_.push_back({to, std::min(bytes, limits_.stream_bytes_max)});
  kept_bytes_ += kept_.back().bytes;
}

void LogStore::drop_oldest() {
  while (!kept_.empty() &&
         (kept_.size() > limits_.kept_files_max || kept_bytes_ > limits_.kept_bytes_max)) {
    ::unlinkat(state_, kept_.front().path.c_str(), 0);
    kept_bytes_ -= kept_.front().bytes;
    kept_.pop_front();
  }
}

Fd LogStore::open_log(const AttemptKey& key, member::LogStream stream, bool& is_known,
                      bool& is_over) {
  const std::scoped_lock lock(mutex_);
  const std::string name = print_key(key);
  const std::string directory = "attempts/" + name;
  is_known = ::faccessat(state_, directory.c_str(), F_OK, 0) == 0;
  if (is_known) {
    // Before the log is opened: once there is an end nothing more is written.
    is_over = read_record(state_, directory + "/record", key).end.has_value();
    const std::string path = directory + "/" + running_name(stream);
    return Fd(::openat(state_, path.c_str(), O_RDONLY | O_CLOEXEC));
  }
  is_over = true;
  const std::string path = "logs/" + name + kept_suffix(stream);
  Fd log(::openat(state_, path.c_str(), O_RDONLY | O_CLOEXEC));
  is_known = log || forgotten_.contains(key) || forgotten_before_.contains(key);
  return log;
}

Result<member::LogPiece> LogStore::read(const AttemptKey& key, member::LogStream stream,
                                        std::uint64_t offset, std::size_t bytes_max) {
  bool is_known = false;
  bool is_over = false;
  const Fd log = open_log(key, stream, is_known, is_over);
  if (!is_known)
    return failure(Failure::Kind::not_found, "there is no attempt " + print_key(key) + " here");
  member::LogPiece piece;
  struct stat status{};
  if (log && ::fstat(log.get(), &status) != 0) return system_failure("cannot read the log", {});
  const bool is_cut = status.st_size > limits_.stream_bytes_max;
  const auto size = static_cast<std::uint64_t>(std::min(status.st_size, limits_.stream_bytes_max));
  bytes_max = std::min(bytes_max, piece_bytes_max);
  if (offset < size) {
    piece.bytes.resize(std::min<std::uint64_t>(bytes_max, size - offset));
    const ssize_t got =
        ::pread(log.get(), piece.bytes.data(), piece.bytes.size(), static_cast<off_t>(offset));
    if (got < 0) return system_failure("cannot read the log", {});
    piece.bytes.resize(static_cast<std::size_t>(got));
  }
  std::uint64_t size_shown = size;
  if (is_cut) {
    const std::string line = cut_line(limits_.stream_bytes_max);
    size_shown += line.size();
    const std::uint64_t at = offset + piece.bytes.size();
    if (at >= size && at < size_shown)
      piece.bytes += line.substr(at - size, bytes_max - piece.bytes.size());
  }
  piece.is_end = is_over && offset + piece.bytes.size() >= size_shown;
  return piece;
}

bool LogStore::cut(const AttemptKey& key) {
  bool is_possible = true;
  for (const char* name : {"/stdout", "/stderr"}) {
    const std::string path = "attempts/" + print_key(key) + name;
    const std::int64_t size = size_of(state_, path);
    if (size <= limits_.stream_bytes_max) continue;
    const Fd log(::openat(state_, path.c_str(), O_WRONLY | O_CLOEXEC));
    const int mode = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
    is_possible = log &&
                  ::fallocate(log.get(), mode, limits_.stream_bytes_max,
                              size - limits_.stream_bytes_max) == 0 &&
                  is_possible;
  }
  return is_possible;
}

}  // namespace suan::engine
