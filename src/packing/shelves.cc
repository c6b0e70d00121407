#include "packing/shelves.h"

#include <algorithm>

#include "base/ensure.h"

namespace suan::packing {

namespace {

constexpr int memory_tries = 6;        // Nodes of a shelf looked at for one that has the memory.
constexpr std::size_t empty_max = 64;  // Beside as many shelves with something on them.

// Free thousandths of the card (0: the node as a whole), kind, whole cards, parts.
constexpr int whole_bits = 7;
constexpr int part_bits = 7;
constexpr int parts_bits = Outline::sizes * part_bits;
constexpr int kind_bits = 20;
constexpr int kind_at = parts_bits + whole_bits;
constexpr int free_at = kind_at + kind_bits;

std::uint64_t key_of(std::uint32_t free_milli, std::uint32_t kind, std::uint32_t whole,
                     std::uint64_t parts) {
  return std::uint64_t{free_milli} << free_at | std::uint64_t{kind} << kind_at |
         std::uint64_t{whole} << parts_bits | parts;
}

std::uint32_t kind_of(std::uint64_t key) {
  return static_cast<std::uint32_t>(key >> kind_at & ((1U << kind_bits) - 1));
}

/// The shelves that a node is on.
struct Keys {
  explicit Keys(const NodeRoom& room) {
    Outline outline;
    for (const std::uint16_t free : room.cards) outline.add(free, 1);
    std::uint64_t parts = 0;
    for (const std::uint8_t part : outline.parts) parts = parts << part_bits | part;
    all[count++] = key_of(0, room.kind, room.whole, parts);
    for (const std::uint16_t free : room.cards) {
      if (free == 0 || free == card_milli) continue;
      const std::uint64_t key = key_of(free, room.kind, room.whole, parts);
      if (std::find(all.begin() + 1, all.begin() + count, key) == all.begin() + count)
        all[count++] = key;
    }
  }

  std::array<std::uint64_t, 65> all;
  std::size_t count = 0;
};

}  // namespace

void Shelves::begin(std::span<const NodeKind> kinds, std::span<const NodeRoom> rooms) {
  ensure(kinds.size() < std::size_t{1} << kind_bits);
  kinds_ = kinds;
  keys_.clear();
  shelves_.clear();
  empty_ = 0;
  seen_.assign(rooms.size(), 0);
  for (std::uint32_t node = 0; node < rooms.size(); ++node) put(node, rooms[node]);
}

Shelves::Shelf& Shelves::shelf(std::uint64_t key) {
  const auto at = std::ranges::lower_bound(keys_, key);
  const auto index = at - keys_.begin();
  if (at == keys_.end() || *at != key) {
    keys_.insert(at, key);
    shelves_.insert(shelves_.begin() + index, std::make_unique<Shelf>());
    ++empty_;
  }
  return *shelves_[static_cast<std::size_t>(index)];
}

void Shelves::put(std::uint32_t node, const NodeRoom& room) {
  const Keys keys(room);
  for (std::size_t i = 0; i < keys.count; ++i) {
    Shelf& on = shelf(keys.all[i]);
    if (on.empty()) --empty_;
    on.insert({room.cpu_milli, node});
  }
}

void Shelves::remove(std::uint32_t node, const NodeRoom& room) {
  const Keys keys(room);
  for (std::size_t i = 0; i < keys.count; ++i) {
    Shelf& on = shelf(keys.all[i]);
    on.erase({room.cpu_milli, node});
    if (on.empty()) ++empty_;
  }
}

void Shelves::drop_empty() {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < keys_.size(); ++i) {
    if (shelves_[i]->empty()) continue;
    keys_[kept] = keys_[i];
    shelves_[kept++] = std::move(shelves_[i]);
  }
  keys_.resize(kept);
  shelves_.resize(kept);
  empty_ = 0;
}

void Shelves::changed(std::uint32_t node, const NodeRoom& before, const NodeRoom& after) {
  remove(node, before);
  put(node, after);
  if (empty_ > shelves_.size() / 2 + empty_max) drop_empty();
}

void Shelves::gather(const Ask& ask, std::uint64_t from, std::uint64_t to) {
  auto at = static_cast<std::size_t>(std::ranges::lower_bound(keys_, from) - keys_.begin());
  for (; at < keys_.size() && keys_[at] < to; ++at) {
    const bool will_do =
        !ask.has_cards() || (ask.chips >> kinds_[kind_of(keys_[at])].chip & 1U) != 0;
    const Shelf& on = *shelves_[at];
    if (will_do && !on.empty() && on.rbegin()->cpu_milli >= ask.cpu_milli) chosen_.push_back(at);
  }
}

void Shelves::gather(const Ask& ask) {
  chosen_.clear();
  if (ask.is_share()) gather(ask, key_of(ask.share_milli, 0, 0, 0), key_of(card_milli, 0, 0, 0));
  const std::uint32_t whole = ask.is_share() ? 1 : ask.cards;
  for (std::uint32_t kind = 0; kind < kinds_.size(); ++kind)
    gather(ask, key_of(0, kind, whole, 0), key_of(0, kind + 1, 0, 0));
}

void Shelves::pick(std::uint32_t node, std::vector<std::uint32_t>& picked) {
  if (seen_[node] == picks_) return;
  seen_[node] = picks_;
  picked.push_back(node);
}

void Shelves::pick_from(const Shelf& on, const Ask& ask, std::span<const NodeRoom> rooms,
                        bool picks_two, std::vector<std::uint32_t>& picked) {
  auto at = on.lower_bound({ask.cpu_milli, 0});
  const auto has_memory = [&](const Place& place) {
    return rooms[place.node].memory_bytes >= ask.memory_bytes;
  };
  for (int i = 0; at != on.end() && !has_memory(*at); ++at) {
    if (++i == memory_tries) break;
  }
  if (at != on.end() && has_memory(*at)) pick(at->node, picked);
  if (picks_two && has_memory(*on.rbegin())) pick(on.rbegin()->node, picked);
}

void Shelves::pick(const Ask& ask, std::span<const NodeRoom> rooms, std::size_t most,
                   std::vector<std::uint32_t>& picked) {
  picked.clear();
  ++picks_;
  gather(ask);
  if (chosen_.empty()) return;
  const std::size_t step = (chosen_.size() + most - 1) / most;
  const bool picks_two = 2 * chosen_.size() <= most;
  for (std::size_t i = picks_ % step; i < chosen_.size(); i += step)
    pick_from(*shelves_[chosen_[i]], ask, rooms, picks_two, picked);
  if (!picked.empty()) return;
  // Those few had not enough memory; whatever fits is to be found.
  for (const std::size_t each : chosen_) {
    const Shelf& on = *shelves_[each];
    for (auto at = on.lower_bound({ask.cpu_milli, 0}); at != on.end(); ++at) {
      if (rooms[at->node].memory_bytes < ask.memory_bytes) continue;
      return pick(at->node, picked);
    }
  }
}

}  // namespace suan::packing
