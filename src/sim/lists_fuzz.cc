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
  const auto tasks = suan::sim::parse_tasks(text.substr(nodes_csv.size() + 1), *nodes);
  if (!tasks) return 0;
  for (const auto& ask : *tasks) {
    if (ask.share_milli >= 1000 || (ask.is_share() && ask.cards > 0) || ask.cpu_milli < 0)
      std::abort();
  }
  return 0;
}
