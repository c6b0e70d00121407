#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/table.h"
#include "model/supply.h"
#include "network/links.h"
#include "placement/block.h"
#include "placement/intern.h"
#include "placement/shared.h"

namespace suan::placement {

/// What is free on one node.
struct NodeFree {
  std::uint32_t cards = 0;       // Wholly free ones.
  std::int64_t share_milli = 0;  // The largest free part of one card: 1000 if `cards` > 0.
  std::int64_t cards_milli = 0;  // Free in all, shares included.
  std::int64_t cpu_milli = 0;
  std::int64_t memory_bytes = 0;
};

/// Everything free: the right value for a pool on which nothing has been granted.
Free all_free(const Pool&);

/// The exact summary of a pool's nodes. O(nodes): for a pool whose nodes change often, keep the
/// maxima as loose bounds as Free allows and tighten them now and then.
Free summarise(const Pool&, std::span<const NodeFree>);

/// Knows the nodes of pools exactly; the summary decides alone wherever it can. Implemented by the
/// owner of the nodes.
class NodeView {
 public:
  virtual ~NodeView() = default;

  /// How many nodes of the pool have all of the need free at once, counted up to `limit`.
  virtual std::uint32_t nodes_fitting(PoolId, const Need&, std::uint32_t limit) const = 0;
};

/// The pools of a domain, laid out for questions: columns in blocks of pools with the same chip,
/// in order of price, each block with a summary that lets a question skip it.
///
/// Answers depend only on the pools put and their latest facts, never on the order of calls.
/// Copying (a fork) shares all blocks until one side writes. One thread writes a Supply; forks may
/// live on other threads. Every write costs O(log pools) plus work on one block.
class Supply {
 public:
  /// Adds a pool with everything free, or replaces its facts and keeps what is free and reachable.
  /// The site's facts replace those known before, for all its pools. A pool without cards has no
  /// chip, whatever it says. Prices are not negative and
  /// cards_per_node is at most 64.
  void put(const Pool&, const Site&);

  /// Replaces the facts of those sites that a pool is in. O(pools) if the carbon of any changes.
  void describe(std::span<const Site>);
  void describe(const Site& site) { describe({&site, 1}); }

  /// Replaces what is free in a pool that is there.
  void set_free(PoolId, const Free&);

  /// Whether the member that grants this pool can be asked now. The pool is there.
  void set_reachable(PoolId, bool);

  /// The speed of one card of a chip, in any one unit for all chips; unknown is 0. Used only by the
  /// objective `finish`.
  void set_speed(std::string_view chip, std::uint32_t speed);

  /// A link that was measured; the newest between two sites wins, and those of sites without pools
  /// are kept for later.
  void set_link(SiteId a, SiteId b, const Rtt& rtt) { links_.put(a, b, rtt); }
  const network::Links& links() const { return links_; }

  /// It is `now` or later: links that nobody has measured for too long count no more.
  void forget_links(Moment now) { links_.forget(now); }

  /// Removes all pools and what is known of them, but for speeds and links.
  void clear();

  /// Removes a pool that is there.
  void erase(PoolId);

  std::size_t size() const { return places_.size(); }
  bool contains(PoolId id) const { return places_.contains(id); }

  /// What is free in a pool that is there.
  Free free_of(PoolId) const;

  /// The chips of all pools, each once, in alphabetical order; "" stands for no accelerators.
  std::vector<std::string> chips() const;

  // The layout, for the questions of this room.

  std::span<const Extent> extents() const { return extents_; }
  std::span<const Extent> extents_of(std::uint32_t chip) const;
  RowAt find_row(PoolId) const;
  const std::uint32_t* find_chip(const std::string& chip) const { return chips_.find(chip); }
  const std::string& chip_name(std::uint32_t chip) const { return chips_.key(chip); }
  std::uint32_t speed_of(const std::string& chip) const;
  const Intern<Shape, Shape>& shapes() const { return shapes_; }
  const Intern<SiteId, SiteFacts>& sites() const { return sites_; }
  const auto& places() const { return places_; }

 private:
  struct Row;

  std::size_t extent_for(const RowKey&) const;
  void insert(const RowKey&, const Row&);
  static void refresh(Extent&, std::uint32_t chip);
  void join(std::size_t extent);
  Row take(PoolId);

  std::vector<Extent> extents_;  // In order of `first`.
  Table<PoolId, RowKey, 256> places_;
  Intern<std::string, char> chips_;
  Intern<Shape, Shape> shapes_;
  Intern<SiteId, SiteFacts> sites_;
  Table<std::string, std::uint32_t> speeds_;
  network::Links links_;
};

}  // namespace suan::placement
