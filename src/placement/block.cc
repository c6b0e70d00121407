#include "placement/block.h"

#include <algorithm>

#include "base/ensure.h"

namespace suan::placement {

void Block::copy_rows(const Block& other, std::size_t begin) {
  const std::size_t count = other.rows - begin;
  ensure(rows + count <= block_rows);
  each_column(*this, other, [&](auto& to, const auto& from) {
    std::copy_n(from.data() + begin, count, to.data() + rows);
  });
  rows += static_cast<std::uint32_t>(count);
}

namespace {

std::uint32_t count_of(std::uint32_t nodes) {
  return std::min(nodes, static_cast<std::uint32_t>(number_max - 1));
}

std::uint32_t width_of(std::uint32_t cards, std::int64_t share_milli) {
  if (cards > 0) return std::min(cards, 64U) * 1000;
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(share_milli, 0, 999));
}

}  // namespace

void Block::set_nodes(std::size_t row, std::uint32_t count) {
  nodes[row].all = count_of(count);
}

void Block::set_free(std::size_t row, const Free& exact) {
  free[row] = exact;
  nodes[row].free = count_of(exact.nodes_free);
  widths[row] = {width_of(exact.cards_max, exact.share_max_milli),
                 width_of(exact.widest_cards, exact.widest_share_milli)};
  max[row] = Room::up(exact.cpu_max_milli, exact.memory_max_bytes);
  widest[row] = Room::down(exact.widest_cpu_milli, exact.widest_memory_bytes);
  roomiest[row] = Room::down(exact.roomiest_cpu_milli, exact.roomiest_memory_bytes);
}

std::size_t Block::lower_bound(const RowKey& key) const {
  std::size_t low = 0;
  std::size_t high = rows;
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    const bool is_before =
        price[middle] < key.price || (price[middle] == key.price && pool[middle] < key.pool.value);
    (is_before ? low : high) = is_before ? middle + 1 : middle;
  }
  return low;
}

void Block::open_gap(std::size_t row) {
  ensure(rows < block_rows && row <= rows);
  each_column(*this, *this, [&](auto& column, const auto&) {
    std::copy_backward(column.data() + row, column.data() + rows, column.data() + rows + 1);
  });
  ++rows;
}

void Block::remove(std::size_t row) {
  ensure(row < rows);
  each_column(*this, *this, [&](auto& column, const auto&) {
    std::copy(column.data() + row + 1, column.data() + rows, column.data() + row);
  });
  --rows;
}

Zone Block::measure() const {
  Zone zone;
  zone.rows = rows;
  zone.core_hour_min = INT64_MAX;
  zone.carbon_min = INT64_MAX;
  for (std::size_t row = 0; row < rows; ++row) {
    if (!is_open(row)) continue;
    ++zone.open;
    const std::uint32_t width = widths[row].most;
    if (width >= 1000) {
      zone.widths |= std::uint64_t{1} << (width / 1000 - 1);
    } else {
      zone.share_max_milli = std::max<std::int64_t>(zone.share_max_milli, width);
    }
    zone.nodes_max = std::max(zone.nodes_max, nodes[row].all);
    zone.core_hour_min = std::min(zone.core_hour_min, core_hour[row]);
    if (carbon[row] > 0) zone.carbon_min = std::min(zone.carbon_min, carbon[row]);
    zone.max.cpu_milli = std::max(zone.max.cpu_milli, max[row].cpu_milli);
    zone.max.memory_units = std::max(zone.max.memory_units, max[row].memory_units);
  }
  return zone;
}

}  // namespace suan::placement
