#include "engine/rclone_words.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "wire/json_tree.h"

namespace suan::engine {
namespace {

constexpr std::size_t text_bytes_max = 1000;

std::string shortened(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  std::string out(text.substr(0, text_bytes_max));
  // It goes into a log that people look at in a terminal.
  for (char& c : out)
    if (static_cast<unsigned char>(c) < 32 || c == 127) c = ' ';
  return out;
}

std::int64_t amount(wire::JsonValue object, std::string_view name) {
  auto from = object.begin();
  const auto value = object.find(name, from);
  if (!value || !value->is(wire::JsonKind::number)) return 0;
  // Speeds have decimals.
  std::string_view digits = value->text();
  digits = digits.substr(0, digits.find_first_of(".eE"));
  return std::max<std::int64_t>(parse_integer(digits).value_or(0), 0);
}

std::string_view word(wire::JsonValue object, std::string_view name) {
  auto from = object.begin();
  const auto value = object.find(name, from);
  return value && value->is(wire::JsonKind::string) ? value->text() : std::string_view();
}

}  // namespace

RcloneWord parse_rclone_word(std::string_view line) {
  RcloneWord said;
  const auto tree = wire::parse_json(line, {.bytes_max = 64 << 10U, .values_max = 1000});
  if (!tree || !tree->root().is(wire::JsonKind::object)) {
    said.is_trouble = true;
    // "2026/11/26 19:49:55 Failed to copy: …"
    constexpr std::size_t date_bytes = 20;
    const bool has_date = line.size() > date_bytes && line[4] == '/' && line[13] == ':';
    said.text = shortened(has_date ? line.substr(date_bytes) : line);
    return said;
  }
  const wire::JsonValue root = tree->root();
  auto from = root.begin();
  const auto stats = root.find("stats", from);
  if (stats && stats->is(wire::JsonKind::object)) {
    said.stats = {.bytes = amount(*stats, "bytes"),
                  .bytes_all = amount(*stats, "totalBytes"),
                  .files = amount(*stats, "transfers") + amount(*stats, "checks"),
                  .files_all = amount(*stats, "totalTransfers") + amount(*stats, "totalChecks"),
                  .bytes_per_second = amount(*stats, "speed")};
    return said;
  }
  const std::string_view level = word(root, "level");
  said.is_trouble = level == "error" || level == "warning" || level == "notice" ||
                    level == "critical" || level == "fatal";
  said.object = shortened(word(root, "object"));
  said.text = shortened(word(root, "msg"));
  return said;
}

std::string print_size(std::int64_t bytes) {
  constexpr std::array<const char*, 7> units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  std::size_t unit = 0;
  std::int64_t whole = bytes;
  std::int64_t tenths = 0;
  while (whole >= 1000 && unit + 1 < units.size()) {
    tenths = whole % 1000 / 100;
    whole /= 1000;
    ++unit;
  }
  std::string text = std::to_string(whole);
  if (unit > 0 && whole < 100) text += "." + std::to_string(tenths);
  return text + " " + units[unit];
}

std::string print_stats(const TransferStats& stats) {
  std::string text = print_size(stats.bytes) + " of " + print_size(stats.bytes_all) + ", " +
                     std::to_string(stats.files) + " of " + std::to_string(stats.files_all) +
                     (stats.files_all == 1 ? " file" : " files");
  if (stats.bytes_per_second > 0) text += ", " + print_size(stats.bytes_per_second) + "/s";
  return text;
}

}  // namespace suan::engine
