#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.h"
#include "model/supply.h"
#include "placement/supply.h"

namespace suan::bench {

/// One node of a Country, small because there are millions.
struct Node {
  std::uint8_t cards = 0;         // Wholly free.
  std::uint16_t share_milli = 0;  // Largest free part of one card.
  std::uint32_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
};

/// A made-up country of compute: regions, chips, sizes and prices as they are found in China, drawn
/// from a seed. Prices and loads are configured, not measured.
class Country : public placement::NodeView {
 public:
  Country(std::size_t pools, std::uint32_t nodes_max, std::uint64_t seed);

  std::uint32_t nodes_fitting(PoolId, const Need&, std::uint32_t limit) const override;

  const std::vector<Site>& sites() const { return sites_; }
  const std::vector<Pool>& pools() const { return pools_; }  // Ids from 1, in order.
  const Site& site_of(const Pool& pool) const { return sites_[pool.site.value - 1]; }
  placement::Free free_of(const Pool&) const;

  placement::Supply supply() const;

  /// One node somewhere takes or gives back some of its capacity; returns its pool.
  const Pool& change_a_node(Random&);

 private:
  Pool make_pool(Random&, PoolId) const;
  void load(Random&, const Pool&, Node&) const;

  std::vector<Site> sites_;
  std::vector<Pool> pools_;
  std::vector<std::uint32_t> first_node_;  // Of each pool, and one past the last.
  std::vector<Node> nodes_;
};

}  // namespace suan::bench
