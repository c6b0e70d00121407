#include "packing/room.h"

#include <algorithm>
#include <numeric>

#include "base/ensure.h"

namespace suan::packing {

NodeRoom all_free(std::uint32_t kind, const NodeKind& built) {
  return {.kind = kind,
          .whole = built.cards,
          .cards = std::vector<std::uint16_t>(built.cards, card_milli),
          .cpu_milli = built.cpu_milli,
          .memory_bytes = built.memory_bytes};
}

std::int64_t free_milli(const NodeRoom& room) {
  return std::accumulate(room.cards.begin(), room.cards.end(), std::int64_t{0});
}

bool fits(const NodeRoom& room, const NodeKind& kind, const Ask& ask) {
  if (room.cpu_milli < ask.cpu_milli || room.memory_bytes < ask.memory_bytes) return false;
  if (!ask.has_cards()) return true;
  if ((ask.chips >> kind.chip & 1U) == 0) return false;
  if (!ask.is_share()) return room.whole >= ask.cards;
  return room.whole > 0 || std::ranges::any_of(room.cards, [&](std::uint16_t free) {
           return free >= ask.share_milli;
         });
}

std::uint64_t take(NodeRoom& room, const Ask& ask, std::uint32_t card) {
  room.cpu_milli -= ask.cpu_milli;
  room.memory_bytes -= ask.memory_bytes;
  ensure(room.cpu_milli >= 0 && room.memory_bytes >= 0);
  if (ask.is_share()) {
    ensure(room.cards[card] >= ask.share_milli);
    if (room.cards[card] == card_milli) --room.whole;
    room.cards[card] = static_cast<std::uint16_t>(room.cards[card] - ask.share_milli);
    return std::uint64_t{1} << card;
  }
  std::uint64_t taken = 0;
  std::uint32_t left = ask.cards;
  for (std::uint32_t i = 0; i < room.cards.size() && left > 0; ++i) {
    if (room.cards[i] != card_milli) continue;
    room.cards[i] = 0;
    taken |= std::uint64_t{1} << i;
    --left;
  }
  ensure(left == 0);
  room.whole -= ask.cards;
  return taken;
}

void give_back(NodeRoom& room, const Ask& ask, std::uint64_t cards) {
  room.cpu_milli += ask.cpu_milli;
  room.memory_bytes += ask.memory_bytes;
  const std::uint32_t part = ask.is_share() ? ask.share_milli : card_milli;
  for (std::uint32_t i = 0; i < room.cards.size(); ++i) {
    if ((cards >> i & 1U) == 0) continue;
    room.cards[i] = static_cast<std::uint16_t>(room.cards[i] + part);
    ensure(room.cards[i] <= card_milli);
    if (room.cards[i] == card_milli) ++room.whole;
  }
}

}  // namespace suan::packing
