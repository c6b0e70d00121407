#include "engine/attempt_files.h"

#include <cerrno>
#include <limits>

#include <fcntl.h>
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

std::string directory_of(const AttemptKey& key) {
  return "attempts/" + print_key(key);
}

namespace {

bool is_of(const RecordEntry& entry, const AttemptKey& key) {
  if (entry.launch.has_value() && entry.launch->launch.key != key) return false;
  return !entry.end.has_value() || entry.end->key == key;
}

bool has_true_end(const RecordEntry& entry) {
  if (!entry.end.has_value()) return true;
  return entry.end->state == AttemptState::ended && entry.end->end != AttemptEnd::none &&
         entry.end->end <= attempt_end_last;
}

template <class T>
void take_first(std::optional<T>& first, std::optional<T>& next) {
  if (!first) first = std::move(next);
}

}  // namespace

AttemptRecord parse_record(std::string_view file, const AttemptKey* key) {
  AttemptRecord record;
  for (const std::string_view bytes : unframe(file)) {
    auto entry = wire::decode<RecordEntry>(bytes);
    if (!entry) break;
    if ((key != nullptr && !is_of(*entry, *key)) || !has_true_end(*entry)) break;
    take_first(record.launch, entry->launch);
    take_first(record.claim, entry->claim);
    take_first(record.started, entry->started);
    take_first(record.end, entry->end);
    record.bytes_whole += length_bytes + checksum_bytes + bytes.size();
  }
  record.is_torn = record.bytes_whole < file.size();
  return record;
}

AttemptRecord read_record(int directory, const std::string& path, const AttemptKey& key) {
  const auto file = read_file(directory, path, record_bytes_max);
  if (!file) return {};
  return parse_record(*file, &key);
}

std::optional<ControlRecord> parse_control(std::string_view file) {
  const auto frames = unframe(file);
  if (frames.empty()) return std::nullopt;
  const auto control = wire::decode<ControlRecord>(frames.front());
  if (!control || control->stop > attempt_end_last) return std::nullopt;
  return *control;
}

std::optional<ControlRecord> read_control(int directory, const std::string& path) {
  const auto file = read_file(directory, path, control_bytes_max);
  if (!file) return std::nullopt;
  return parse_control(*file);
}

Result<void> begin_record(int directory, const std::string& path, const RecordEntry& entry) {
  const int flags = O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC;
  const Fd file(::openat(directory, path.c_str(), flags, 0600));
  if (!file) return system_failure("cannot open", path);
  const std::string bytes = frame(wire::encode(entry));
  SUAN_CHECK(write_whole(file.get(), bytes));
  // Only now, and not to nothing first: ext4 sends a file that was emptied to disk at once.
  if (::ftruncate(file.get(), static_cast<off_t>(bytes.size())) != 0)
    return system_failure("cannot shorten", path);
  return {};
}

Result<void> append_record(int directory, const std::string& path, const RecordEntry& entry) {
  const Fd file(::openat(directory, path.c_str(), O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return system_failure("cannot open", path);
  return write_whole(file.get(), frame(wire::encode(entry)));
}

bool claim_record(int directory, const std::string& path, const AttemptKey& key,
                  const ClaimRecord& claim) {
  RecordEntry entry;
  entry.claim = claim;
  if (!append_record(directory, path, entry)) return false;
  const AttemptRecord record = read_record(directory, path, key);
  return record.claim && record.claim->supervisor == claim.supervisor &&
         record.claim->boot_id == claim.boot_id;
}

}  // namespace suan::engine
