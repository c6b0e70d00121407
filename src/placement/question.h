#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/money.h"
#include "network/links.h"
#include "network/position.h"
#include "placement/demand.h"
#include "placement/rank.h"
#include "placement/reason.h"
#include "placement/supply.h"

namespace suan::placement {

/// An alternative against one Supply.
struct Wish {
  const Alternative* alternative = nullptr;
  std::uint32_t index = 0;
  bool has_cards = false;
  bool is_offered = false;  // Some pool has its chip; always true without cards.
  std::uint32_t chip = 0;   // Its number there, if it is offered.
  std::int64_t speed = 0;   // Of one card.

  bool takes(std::uint32_t other_chip) const {
    return !has_cards || (is_offered && chip == other_chip);
  }
};

/// What the shape of a pool's nodes says to a wish.
struct ShapeVerdict {
  Reason reason = Reason::none;
  std::int64_t cards_milli = 0;  // On a node.
  Need need;
  Room room;  // The need's, rounded up.
};

/// A row that a wish could take.
struct Match {
  const Wish* wish = nullptr;
  ShapeVerdict verdict;
  RowAt at;
  Money cost;
  Reason waits_for = Reason::none;
};

/// One demand put to one Supply: the rules by which rows are judged, in the order of Reason.
/// Borrows everything it is made of.
class Question {
 public:
  Question(const Supply& supply, const Demand& demand, const NodeView* nodes);

  const Supply& supply() const { return *supply_; }
  const Demand& demand() const { return demand_; }
  bool is_anywhere() const { return is_anywhere_; }  // All sites are allowed.

  Wish wish(std::uint32_t alternative) const;

  /// From chip_differs to no_spot. The need is set if the chip is right.
  ShapeVerdict judge_shape(const Wish&, std::uint32_t shape) const;

  /// From region_not_allowed to carbon_too_high.
  Reason judge_site(std::uint32_t site) const;

  /// Between the place asked for and a site: as measured or, where nobody has, as estimated. Not
  /// known where none is asked for, or nobody has said where the site is.
  network::RoundTrip round_trip(std::uint32_t site) const;

  /// Some place is asked for, so that a site is dear to judge.
  bool is_near() const { return is_near_; }

  /// price_above_hourly_max or nodes_too_few.
  Reason judge_price(Money cost, std::uint32_t nodes) const {
    if (cost.micro > cost_max_) return Reason::price_above_hourly_max;
    return nodes < demand_.nodes ? Reason::nodes_too_few : Reason::none;
  }

  /// A busy reason or none, for a verdict of a wholly free node without a reason.
  Reason judge_busy(const Block&, std::size_t row, const ShapeVerdict&) const;

  Money cost(const Block& block, std::size_t row, const Need& need) const {
    return cost({{block.card_hour[row]}, {block.core_hour[row]}}, block.shape[row], need);
  }

  /// The same, without a look at the price of cards where none are asked.
  Money cost(const Wish& wish, const Block& block, std::size_t row, const Need& need) const {
    const Money card_hour{wish.has_cards ? block.card_hour[row] : 0};
    return cost({card_hour, {block.core_hour[row]}}, block.shape[row], need);
  }

  /// What a wish takes from every node at least.
  Need least_need(const Wish&) const;

  /// The nodes asked for, as far as a row can tell.
  std::uint32_t nodes() const { return nodes_asked_; }

  /// The greatest cost that the demand pays.
  std::int64_t cost_max() const { return cost_max_; }

  /// The first reason that fails for the match's wish and row, after setting its verdict, cost and
  /// waits_for as far as it came.
  Reason judge(Match&) const;

  Score score(const Match&) const;
  Candidate candidate(const Match&, const Score&) const;

  /// Score::major of a candidate with this cost, carbon and node's cards.
  std::int64_t major(const Wish& wish, const Need& need, std::int64_t cost,
                     std::int64_t carbon) const {
    switch (demand_.objective) {
      case Objective::cost:
        return 0;
      case Objective::finish:
        return -wish.speed * need.card_milli;
      case Objective::carbon:
        return carbon > 0 ? carbon : INT64_MAX;
      case Objective::balanced:
        return raised_by_carbon(cost, carbon);
    }
    return 0;
  }

  /// A lower bound for the cost of all rows with at least these prices; `least` is the wish's
  /// least need, `price` as in RowKey.
  std::int64_t cost_at_least(const Wish& wish, const Need& least, std::int64_t price,
                             std::int64_t core_hour) const {
    const Price list{{wish.has_cards ? price : 0}, {core_hour}};
    const Price paid = demand_.is_spot ? part_of(list, spot_milli_min_) : list;
    return hourly_cost(paid, least, demand_.tasks).micro;
  }

  /// No score is less than this of rows that cost at least `cost` and have at least this carbon,
  /// but for spare_milli and the terms after it.
  Score score_at_least(const Wish&, const Need& least, std::int64_t cost,
                       std::int64_t carbon_min) const;

  /// Score::spare_milli.
  std::int64_t spare_milli(const Wish& wish, const ShapeVerdict& verdict, const Block& block,
                           std::size_t row) const {
    if (!wish.has_cards) return verdict.cards_milli;
    return std::int64_t{block.widths[row].most} - verdict.need.card_milli;
  }

  /// True if what starts now ranks before all that must wait.
  bool is_soonest_first() const {
    return demand_.objective == Objective::finish || demand_.objective == Objective::balanced;
  }

 private:
  Money cost(const Price& list, std::uint32_t shape, const Need& need) const {
    if (!demand_.is_spot) [[likely]]
      return hourly_cost(list, need, demand_.tasks);
    return hourly_cost(part_of(list, supply_->shapes()[shape].spot_milli), need, demand_.tasks);
  }
  static std::int64_t raised_by_carbon(std::int64_t cost, std::int64_t carbon);
  Reason judge_place(std::uint32_t site) const;
  Reason ask_nodes(const Block&, std::size_t row, const Need&) const;
  void look_around();

  const Supply* supply_;
  Demand demand_;
  const NodeView* nodes_;
  std::int64_t cost_max_;
  std::uint32_t nodes_asked_;
  std::uint32_t spot_milli_min_ = 0;  // Of all shapes that take spot work.
  bool is_anywhere_;
  bool is_near_;
  network::Position near_;        // Where something is to be near to, if it is.
  Span round_trip_max_;           // To there.
  std::vector<SiteId> standing_;  // The sites whose links count as its own, the best first.
};

}  // namespace suan::placement
