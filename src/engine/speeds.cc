#include "engine/speeds.h"

#include <algorithm>
#include <chrono>
#include <tuple>

#include <fcntl.h>

#include "engine/file.h"
#include "model/place.h"
#include "wire/json.h"

namespace suan::engine {
namespace {

constexpr std::size_t file_bytes_max = 1000;
constexpr std::size_t name_bytes_max = 100;

struct SpeedNote {
  std::int64_t bytes_per_second = 0;
  Moment at;

  static void fields(auto&& visit, auto& self) {
    visit(1, "bytes_per_second", self.bytes_per_second);
    visit(2, "at", self.at);
  }
};

// "store.NAME" or "host.NAME"; "" for what has neither, or a strange one.
std::string name_of(std::string_view source) {
  const bool is_host = is_url(source);
  if (is_host) source.remove_prefix(source.find("://") + 3);
  const std::string_view name = source.substr(0, source.find_first_of(is_host ? "/?#" : ":"));
  const bool is_plain = std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == ':' || c == '[' || c == ']';
  });
  if (name.empty() || name.size() > name_bytes_max || !is_plain) return {};
  return (is_host ? "host." : "store.") + std::string(name);
}

Moment wall_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(now).count()};
}

}  // namespace

void note_speed(const std::string& directory, std::string_view source, std::int64_t bytes,
                Span took) {
  const std::string name = name_of(source);
  if (directory.empty() || name.empty() || bytes < bytes_that_tell_speed || took <= Span{}) return;
  std::ignore = make_directory(AT_FDCWD, directory);
  const double speed = static_cast<double>(bytes) * 1e6 / static_cast<double>(took.us);
  const SpeedNote note{static_cast<std::int64_t>(speed), wall_now()};
  std::ignore = replace_file(AT_FDCWD, directory + "/" + name, wire::to_json(note));
}

Speed find_speed(const std::string& directory, std::string_view source) {
  const std::string name = name_of(source);
  if (directory.empty() || name.empty()) return {};
  const auto text = read_file(AT_FDCWD, directory + "/" + name, file_bytes_max);
  if (!text) return {};
  const auto note = wire::from_json<SpeedNote>(*text);
  if (!note || note->bytes_per_second <= 0) return {};
  return {note->bytes_per_second, std::max(wall_now() - note->at, Span{})};
}

}  // namespace suan::engine
