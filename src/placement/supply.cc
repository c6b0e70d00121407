#include "placement/supply.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/ensure.h"

namespace suan::placement {

namespace {

SiteFacts facts_of(const Site& site) {
  return {.name = site.name,
          .region = site.region,
          .carbon = std::int64_t{site.carbon_g_per_kwh} * std::int64_t{site.pue_milli},
          .position = network::position_at(site.latitude_micro, site.longitude_micro),
          .is_located = site.latitude_micro != 0 || site.longitude_micro != 0};
}

}  // namespace

Free all_free(const Pool& pool) {
  const bool is_empty = pool.nodes == 0;
  const bool has_cards = !is_empty && pool.cards_per_node > 0;
  Free free;
  free.nodes_free = pool.nodes;
  free.cards_max = free.widest_cards = is_empty ? 0 : pool.cards_per_node;
  free.share_max_milli = free.widest_share_milli = has_cards ? 1000 : 0;
  free.cpu_max_milli = free.widest_cpu_milli = is_empty ? 0 : pool.cpu_milli_per_node;
  free.memory_max_bytes = free.widest_memory_bytes = is_empty ? 0 : pool.memory_bytes_per_node;
  free.roomiest_cpu_milli = free.cpu_max_milli;
  free.roomiest_memory_bytes = free.memory_max_bytes;
  free.cards_milli = std::int64_t{pool.nodes} * pool.cards_per_node * 1000;
  free.cpu_milli = pool.nodes * pool.cpu_milli_per_node;
  free.memory_bytes = pool.nodes * pool.memory_bytes_per_node;
  return free;
}

Free summarise(const Pool& pool, std::span<const NodeFree> nodes) {
  Free free;
  const NodeFree* widest = nullptr;
  const NodeFree* roomiest = nullptr;
  const auto width = [](const NodeFree& node) {
    return std::tie(node.cards, node.share_milli, node.cpu_milli, node.memory_bytes);
  };
  const auto room = [](const NodeFree& node) {
    return std::tie(node.cpu_milli, node.memory_bytes);
  };
  for (const NodeFree& node : nodes) {
    free.nodes_free += node.cards >= pool.cards_per_node &&
                               node.cpu_milli >= pool.cpu_milli_per_node &&
                               node.memory_bytes >= pool.memory_bytes_per_node
                           ? 1U
                           : 0U;
    free.cards_max = std::max(free.cards_max, node.cards);
    free.share_max_milli = std::max(free.share_max_milli, node.share_milli);
    free.cpu_max_milli = std::max(free.cpu_max_milli, node.cpu_milli);
    free.memory_max_bytes = std::max(free.memory_max_bytes, node.memory_bytes);
    free.cards_milli += node.cards_milli;
    free.cpu_milli += node.cpu_milli;
    free.memory_bytes += node.memory_bytes;
    if (widest == nullptr || width(*widest) < width(node)) widest = &node;
    if (roomiest == nullptr || room(*roomiest) < room(node)) roomiest = &node;
  }
  if (widest != nullptr) {
    std::tie(free.widest_cards, free.widest_share_milli, free.widest_cpu_milli,
             free.widest_memory_bytes) = width(*widest);
    std::tie(free.roomiest_cpu_milli, free.roomiest_memory_bytes) = room(*roomiest);
  }
  return free;
}

/// A pool outside the blocks. Its numbers of shape and site are counted as in use.
struct Supply::Row {
  std::uint8_t flags = row_reachable;
  std::uint32_t shape = 0;
  std::uint32_t site = 0;
  std::uint32_t nodes = 0;
  std::int64_t carbon = 0;
  Price price;
  Free free;
};

void Supply::put(const Pool& pool, const Site& site) {
  ensure(pool.cards_per_node <= 64 && pool.price.card_hour >= Money{} &&
         pool.price.core_hour >= Money{});
  const std::string& model = pool.cards_per_node > 0 ? pool.chip : std::string{};
  const std::uint32_t chip = chips_.acquire(model, 0);
  const Shape shape{chip,
                    pool.cards_per_node,
                    pool.cpu_milli_per_node,
                    pool.memory_bytes_per_node,
                    pool.disk_bytes_per_node,
                    pool.network_tier,
                    pool.runs_images,
                    pool.moves_data,
                    pool.stores,
                    pool.spot_milli};
  Row row;
  row.shape = shapes_.acquire(shape, shape);
  describe(site);
  row.site = sites_.acquire(pool.site, facts_of(site));
  row.carbon = sites_[row.site].carbon;
  if (contains(pool.id)) {
    const Row old = take(pool.id);
    row.flags = old.flags & row_reachable;
    row.free = old.free;
  } else {
    row.free = all_free(pool);
  }
  if (pool.state == ServingState::production) row.flags |= row_open;
  if (pool.is_firm) row.flags |= row_firm;
  row.nodes = pool.nodes;
  row.price = pool.price;
  const Money price = model.empty() ? pool.price.core_hour : pool.price.card_hour;
  const RowKey key{chip, price.micro, pool.id};
  places_.insert(pool.id, key);
  insert(key, row);
}

void Supply::describe(std::span<const Site> sites) {
  std::vector<bool> has_carbon_changed(sites_.bound());
  bool is_any = false;
  for (const Site& site : sites) {
    const std::uint32_t* found = sites_.find(site.id);
    if (found == nullptr) continue;
    const SiteFacts facts = facts_of(site);
    const SiteFacts& known = sites_[*found];
    if (known == facts) continue;
    if (known.carbon != facts.carbon) is_any = has_carbon_changed[*found] = true;
    sites_.set(*found, facts);
  }
  if (!is_any) return;
  const auto is_changed = [&](std::uint32_t number) { return has_carbon_changed[number]; };
  for (Extent& extent : extents_) {
    const std::span<const std::uint32_t> numbers(extent.block->site.data(), extent.block->rows);
    if (std::ranges::none_of(numbers, is_changed)) continue;
    Block& block = extent.block.edit();
    for (std::size_t row = 0; row < block.rows; ++row) {
      if (is_changed(block.site[row])) block.carbon[row] = sites_[block.site[row]].carbon;
    }
    extent.zone = block.measure();
  }
}

void Supply::set_free(PoolId id, const Free& free) {
  const RowKey key = places_.at(id);
  Extent& extent = extents_[extent_for(key)];
  Block& block = extent.block.edit();
  block.set_free(block.lower_bound(key), free);
  extent.zone = block.measure();
}

void Supply::set_reachable(PoolId id, bool is_reachable) {
  const RowKey key = places_.at(id);
  Extent& extent = extents_[extent_for(key)];
  Block& block = extent.block.edit();
  std::uint8_t& flags = block.flags[block.lower_bound(key)];
  flags = static_cast<std::uint8_t>(is_reachable ? flags | row_reachable : flags & ~row_reachable);
  extent.zone = block.measure();
}

void Supply::set_speed(std::string_view chip, std::uint32_t speed) {
  speeds_.put(std::string(chip), speed);
}

std::uint32_t Supply::speed_of(const std::string& chip) const {
  const std::uint32_t* speed = speeds_.find(chip);
  return speed == nullptr ? 0 : *speed;
}

void Supply::clear() {
  extents_.clear();
  places_ = {};
  chips_ = {};
  shapes_ = {};
  sites_ = {};
}

void Supply::erase(PoolId id) {
  ensure(contains(id));
  take(id);
}

Free Supply::free_of(PoolId id) const {
  const RowAt at = find_row(id);
  ensure(at.block != nullptr);
  return at.block->free[at.row];
}

std::vector<std::string> Supply::chips() const {
  std::vector<std::string> names;
  for (std::uint32_t chip = 0; chip < chips_.bound(); ++chip) {
    if (chips_.is_used(chip)) names.push_back(chips_.key(chip));
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::span<const Extent> Supply::extents_of(std::uint32_t chip) const {
  const auto begin = std::partition_point(extents_.begin(), extents_.end(),
                                          [&](const Extent& e) { return e.first.chip < chip; });
  const auto end = std::partition_point(begin, extents_.end(),
                                        [&](const Extent& e) { return e.first.chip == chip; });
  return {begin, end};
}

RowAt Supply::find_row(PoolId id) const {
  const RowKey* key = places_.find(id);
  if (key == nullptr) return {};
  const Block& block = *extents_[extent_for(*key)].block;
  return {&block, block.lower_bound(*key)};
}

// The extent that holds the key or, if none does, the last one that starts before it; extents_ is
// not empty.
std::size_t Supply::extent_for(const RowKey& key) const {
  const auto above = std::partition_point(extents_.begin(), extents_.end(),
                                          [&](const Extent& e) { return !(key < e.first); });
  return above == extents_.begin() ? 0 : static_cast<std::size_t>(above - extents_.begin()) - 1;
}

void Supply::insert(const RowKey& key, const Row& row) {
  std::size_t index = extents_.empty() ? 0 : extent_for(key);
  const auto at = [&](std::size_t i) { return extents_.begin() + static_cast<std::ptrdiff_t>(i); };
  if (extents_.empty() || extents_[index].first.chip != key.chip) {
    // A new chip: its block starts after the extent found, which is before it unless it is first.
    if (!extents_.empty() && extents_[index].first < key) ++index;
    const bool joins_next = index < extents_.size() && extents_[index].first.chip == key.chip;
    if (!joins_next) extents_.insert(at(index), Extent{});
  }
  if (extents_[index].zone.rows == block_rows) {
    Extent right;
    const Block& left = *extents_[index].block;
    const bool is_append = extents_[index].last < key;
    if (!is_append) {
      right.block.edit().copy_rows(left, block_rows / 2);
      extents_[index].block.edit().rows = block_rows / 2;
    }
    extents_.insert(at(index + 1), std::move(right));
    if (!is_append) {
      refresh(extents_[index], key.chip);
      refresh(extents_[index + 1], key.chip);
    }
    if (is_append || !(key < extents_[index + 1].first)) ++index;
  }
  Block& block = extents_[index].block.edit();
  const std::size_t gap = block.lower_bound(key);
  block.open_gap(gap);
  block.flags[gap] = row.flags;
  block.shape[gap] = row.shape;
  block.site[gap] = row.site;
  block.set_nodes(gap, row.nodes);
  block.pool[gap] = key.pool.value;
  block.price[gap] = key.price;
  block.card_hour[gap] = row.price.card_hour.micro;
  block.core_hour[gap] = row.price.core_hour.micro;
  block.carbon[gap] = row.carbon;
  block.set_free(gap, row.free);
  refresh(extents_[index], key.chip);
}

void Supply::refresh(Extent& extent, std::uint32_t chip) {
  const Block& block = *extent.block;
  extent.first = block.key(chip, 0);
  extent.last = block.key(chip, block.rows - 1);
  extent.zone = block.measure();
}

Supply::Row Supply::take(PoolId id) {
  const RowKey key = places_.at(id);
  const std::size_t index = extent_for(key);
  Block& block = extents_[index].block.edit();
  const std::size_t at = block.lower_bound(key);
  Row row;
  row.flags = block.flags[at];
  row.free = block.free[at];
  const std::uint32_t shape = block.shape[at];
  const std::uint32_t site = block.site[at];
  block.remove(at);
  if (block.rows == 0) {
    extents_.erase(extents_.begin() + static_cast<std::ptrdiff_t>(index));
  } else {
    refresh(extents_[index], key.chip);
    join(index);
  }
  places_.erase(id);
  shapes_.release(shape);
  sites_.release(site);
  chips_.release(key.chip);
  return row;
}

// Joins a thin block to the next one of its chip, so that a supply that shrank is not left in
// crumbs.
void Supply::join(std::size_t index) {
  if (index + 1 >= extents_.size()) return;
  Extent& left = extents_[index];
  const Extent& right = extents_[index + 1];
  if (left.first.chip != right.first.chip) return;
  if (left.zone.rows + right.zone.rows > block_rows / 2) return;
  left.block.edit().copy_rows(*right.block, 0);
  refresh(left, left.first.chip);
  extents_.erase(extents_.begin() + static_cast<std::ptrdiff_t>(index) + 1);
}

}  // namespace suan::placement
