#include "engine/attempt_files.h"

#include <cerrno>
#include <limits>

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <unistd.h>

#include "base/text.h"

namespace suan::engine {
namespace {

constexpr std::size_t length_bytes = 4;
constexpr std::size_t checksum_bytes = 8;

std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const char each : bytes) {
    hash ^= static_cast<std::uint8_t>(each);
    hash *= 0x100000001B3U;
  }
  return hash;
}

void append_number(std::string& out, std::uint64_t value, std::size_t bytes) {
  for (std::size_t i = 0; i < bytes; ++i) out.push_back(static_cast<char>(value >> (8 * i)));
}

std::uint64_t take_number(std::string_view& from, std::size_t bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i)
    value |= std::uint64_t{static_cast<std::uint8_t>(from[i])} << (8 * i);
  from.remove_prefix(bytes);
  return value;
}

template <class Number>
std::optional<Number> take_part(std::string_view& name, bool is_last) {
  const std::size_t end = is_last ? name.size() : name.find('-');
  if (end == std::string_view::npos) return std::nullopt;
  const auto value = parse_integer(name.substr(0, end));
  name.remove_prefix(is_last ? end : end + 1);
  if (!value || *value < 0) return std::nullopt;
  if (static_cast<std::uint64_t>(*value) > std::numeric_limits<Number>::max()) return std::nullopt;
  return static_cast<Number>(*value);
}

}  // namespace

std::string print_key(const AttemptKey& key) {
  return std::to_string(key.job.value) + "-" + std::to_string(key.task) + "-" +
         std::to_string(key.attempt);
}

std::optional<AttemptKey> parse_key(std::string_view name) {
  std::string_view rest = name;
  const auto job = take_part<std::uint64_t>(rest, false);
  const auto task = take_part<std::uint32_t>(rest, false);
  const auto attempt = take_part<std::uint32_t>(rest, true);
  if (!job || !task || !attempt) return std::nullopt;
  const AttemptKey key{.job = {*job}, .task = *task, .attempt = *attempt};
  if (print_key(key) != name) return std::nullopt;  // One name for one key.
  return key;
}

std::string frame(std::string_view bytes) {
  std::string out;
  out.reserve(length_bytes + checksum_bytes + bytes.size());
  append_number(out, bytes.size(), length_bytes);
  append_number(out, fnv1a(bytes), checksum_bytes);
  out.append(bytes);
  return out;
}

std::vector<std::string_view> unframe(std::string_view file) {
  std::vector<std::string_view> frames;
  while (file.size() >= length_bytes + checksum_bytes) {
    const std::uint64_t length = take_number(file, length_bytes);
    const std::uint64_t checksum = take_number(file, checksum_bytes);
    // The checksum of nothing is not 0, so a file of zeros, as a crash may leave, has no frames.
    if (length > file.size()) break;
    const std::string_view bytes = file.substr(0, static_cast<std::size_t>(length));
    if (fnv1a(bytes) != checksum) break;
    frames.push_back(bytes);
    file.remove_prefix(bytes.size());
  }
  return frames;
}

std::optional<Progress> read_exit(int directory, const std::string& path, const AttemptKey& key) {
  auto progress = read_record<Progress>(directory, path);
  if (!progress || progress->key != key || progress->state != AttemptState::ended)
    return std::nullopt;
  if (progress->end == AttemptEnd::none || progress->end > AttemptEnd::lost) return std::nullopt;
  return progress;
}

Result<Fd> claim_file(int directory, const std::string& path, const ClaimRecord& claim) {
  const std::string own = path + "." + std::to_string(claim.supervisor.pid);
  ::unlinkat(directory, own.c_str(), 0);  // Of an earlier process with this pid.
  SUAN_TRY(Fd file, write_new_file(directory, own, frame_record(claim)));
  if (::renameat2(directory, own.c_str(), directory, path.c_str(), RENAME_NOREPLACE) == 0)
    return file;
  bool is_linked = false;
  if (errno == EINVAL ||
      errno == ENOSYS)  // A file system without that kind of rename, such as NFS.
    is_linked = ::linkat(directory, own.c_str(), directory, path.c_str(), 0) == 0;
  const auto refused = system_failure("cannot claim", path);
  ::unlinkat(directory, own.c_str(), 0);
  if (is_linked) return file;
  return refused;
}

}  // namespace suan::engine
