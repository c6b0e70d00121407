#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "sim/lists.h"

// Two lists with a zero byte between them. What is read has amounts that make sense.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);  // NOLINT: bytes.
  const std::string_view nodes_csv = text.substr(0, text.find('\0'));
  const auto nodes = suan::sim::parse_nodes(nodes_csv);
  if (!nodes) return 0;
  for (const auto& room : nodes->rooms) {
    if (room.kind >= nodes->kinds.size() || room.cpu_milli < 0 || room.memory_bytes < 0)
      std::abort();
  }
  if (nodes_csv.size() == text.size()) return 0;
  const std::string_view tasks_csv = text.substr(nodes_csv.size() + 1);
  if (const auto timed = suan::sim::parse_timed_tasks(tasks_csv, *nodes)) {
    for (const auto& each : *timed) {
      if (each.lasts < suan::Span{} || each.comes < timed->front().comes) std::abort();
    }
  }
  const auto tasks = suan::sim::parse_tasks(tasks_csv, *nodes);
  if (!tasks) return 0;
  for (const auto& ask : *tasks) {
    if (ask.share_milli >= 1000 || (ask.is_share() && ask.cards > 0) || ask.cpu_milli < 0)
      std::abort();
  }
  return 0;
}
