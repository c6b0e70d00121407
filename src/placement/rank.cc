#include "placement/rank.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <memory_resource>
#include <span>
#include <utility>

#include "base/text.h"
#include "placement/block_scan.h"
#include "placement/question.h"

namespace suan::placement {

namespace {

/// Looks at every row, counts, and keeps the best.
class Scan {
 public:
  Scan(const Question& question, std::size_t limit)
      : question_(question), limit_(limit), sites_(question) {
    const Supply& supply = question.supply();
    const auto wishes = static_cast<std::uint32_t>(question.demand().alternatives.size());
    wishes_.reserve(wishes);
    memos_.reserve(wishes);
    taking_.reserve(wishes);
    for (std::uint32_t i = 0; i < wishes; ++i) {
      wishes_.push_back(question.wish(i));
      memos_.emplace_back(supply.shapes().bound(), &memory_);
    }
    heap_.reserve(std::min(limit, supply.size()));
  }

  Ranking run() {
    std::uint64_t hard = 0;
    std::uint64_t busy = 0;
    const std::span<const Extent> extents = question_.supply().extents();
    for (std::size_t i = 0; i < extents.size(); ++i)
      look(extents[i], extents[std::min(i + 1, extents.size() - 1)]);
    counts_[0] = 0;
    for (std::size_t i = 0; i < reason_count; ++i) {
      (is_busy(static_cast<Reason>(i)) ? busy : hard) += counts_[i];
    }
    Ranking ranking;
    ranking.counts = counts_;
    ranking.pools = pools_;
    ranking.total = pools_ - hard;
    ranking.starts_now = ranking.total - busy;
    std::sort(heap_.begin(), heap_.end());
    ranking.best.reserve(heap_.size());
    for (const Kept& kept : heap_)
      ranking.best.push_back(question_.candidate(kept.match, kept.score));
    return ranking;
  }

 private:
  /// A wish on the row at hand, as far as it was judged; copied into a Match only if it is kept.
  struct Trial {
    const Wish* wish = nullptr;
    const ShapeVerdict* verdict = nullptr;
    std::int64_t cost = 0;
    Reason reason = Reason::none;
  };
  struct Kept {
    Score score;
    Match match;
    friend bool operator<(const Kept& a, const Kept& b) { return a.score < b.score; }
  };
  void count(Reason reason, std::uint64_t rows = 1) {
    counts_[static_cast<std::size_t>(reason)] += rows;
  }

  void look(const Extent& extent, const Extent& next) {
    const Zone& zone = extent.zone;
    pools_ += zone.rows;
    count(Reason::pool_closed, zone.rows - zone.open);
    taking_.clear();
    for (const Wish& wish : wishes_) {
      if (wish.takes(extent.first.chip)) taking_.push_back(&wish);
    }
    const Block& block = *extent.block;
    if (taking_.empty()) {
      count(Reason::chip_differs, zone.open);
    } else if (taking_.size() == 1) {
      look_for_one(*taking_.front(), extent, {block, *next.block});
    } else {
      for (std::size_t row = 0; row < block.rows; ++row) {
        if (block.is_open(row)) look_for_many(block, row);
      }
    }
  }

  void look_for_one(const Wish& wish, const Extent& extent, const BlockPair& blocks) {
    const Block& block = blocks.here;
    ShapeMemo& shapes = memos_[wish.index];
    judge_block(question_, wish, shapes, sites_, ReadAhead::of(question_, wish), blocks, verdict_);
    count_reasons(verdict_, block.rows, counts_);
    if (!may_enter(wish, extent)) return;
    const std::uint8_t* reasons = verdict_.reasons.data();
    const std::int64_t price_worst = price_limit(wish);
    const auto& prices = wish.has_cards ? block.card_hour : block.core_hour;
    for (std::size_t row = 0; row < block.rows; ++row) {
      if (prices[row] > price_worst || !BlockVerdict::is_candidate(reasons[row])) continue;
      const ShapeVerdict& verdict = shapes.verdict(question_, wish, block.shape[row]);
      const Trial trial{&wish, &verdict, question_.cost(block, row, verdict.need).micro,
                        static_cast<Reason>(reasons[row])};
      if (may_enter(trial, block, row)) keep(match_of(trial, {&block, row}));
    }
  }

  // False only if every row of the block scores worse than the worst that is kept.
  bool may_enter(const Wish& wish, const Extent& extent) const {
    if (heap_.size() < limit_) return true;
    if (limit_ == 0) return false;
    const Need least = question_.least_need(wish);
    const std::int64_t cost =
        question_.cost_at_least(wish, least, extent.first.price, extent.zone.core_hour_min);
    Score bound = question_.score_at_least(wish, least, cost, extent.zone.carbon_min);
    bound.spare_milli = INT64_MIN;
    if (!wish.has_cards)
      bound.spare_milli = question_.supply().chip_name(extent.first.chip).empty() ? 0 : 1000;
    bound.pool = extent.first.price == extent.last.price ? extent.first.pool.value : 0;
    return bound < heap_.front().score;
  }

  // A card-hour, or a core-hour without cards, that is dearer surely costs more than the worst that
  // is kept; a quick look that saves the long one.
  std::int64_t price_limit(const Wish& wish) const {
    if (question_.demand().is_spot) return INT64_MAX;  // Each pays its part of the price.
    const Need least = question_.least_need(wish);
    const std::int64_t milli = wish.has_cards ? least.card_milli : least.cpu_milli;
    const std::int64_t task_worst = cost_worst_ / question_.demand().tasks;
    if (milli == 0 || task_worst > INT64_MAX / 1000 - 2) return INT64_MAX;
    return (task_worst + 2) * 1000 / milli;  // Whatever is lost to rounding.
  }

  void look_for_many(const Block& block, std::size_t row) {
    Reason furthest = Reason::chip_differs;
    Trial best;
    for (const Wish* wish : taking_) {
      const Trial trial = judge(*wish, block, row);
      furthest = std::max(furthest, trial.reason);
      if (trial.reason != Reason::none && !is_busy(trial.reason)) continue;
      if (best.wish == nullptr || is_better(trial, best, {&block, row})) best = trial;
    }
    const bool starts_now = best.wish != nullptr && best.reason == Reason::none;
    count(starts_now ? Reason::none : furthest);
    if (best.wish == nullptr) return;
    if (may_enter(best, block, row)) keep(match_of(best, {&block, row}));
  }

  Trial judge(const Wish& wish, const Block& block, std::size_t row) {
    Trial trial{&wish, &memos_[wish.index].verdict(question_, wish, block.shape[row]), 0,
                Reason::none};
    trial.reason = trial.verdict->reason;
    if (trial.reason == Reason::none && !sites_.is_anywhere()) {
      trial.reason = sites_.verdict(question_, block.site[row]);
    }
    if (trial.reason != Reason::none) return trial;
    const Money cost = question_.cost(block, row, trial.verdict->need);
    trial.cost = cost.micro;
    trial.reason = question_.judge_price(cost, block.nodes[row].all);
    if (trial.reason == Reason::none) {
      trial.reason = question_.judge_busy(block, row, *trial.verdict);
    }
    return trial;
  }

  static Match match_of(const Trial& trial, RowAt at) {
    return {trial.wish, *trial.verdict, at, {trial.cost}, trial.reason};
  }

  // Of two wishes on one row: what starts now first, then the score.
  bool is_better(const Trial& a, const Trial& b, RowAt at) const {
    const bool a_later = a.reason != Reason::none;
    const bool b_later = b.reason != Reason::none;
    if (a_later != b_later) return b_later;
    return question_.score(match_of(a, at)) < question_.score(match_of(b, at));
  }

  // False only if the score is worse than the worst that is kept; looks at its terms in their
  // order without making it. Pools differ, so this is exact.
  [[gnu::always_inline]] bool may_enter(const Trial& trial, const Block& block,
                                        std::size_t row) const {
    if (heap_.size() < limit_) return true;
    if (limit_ == 0) return false;
    const Score& worst = heap_.front().score;
    if (is_ordered_ && trial.wish->index != worst.alternative_first) {
      return trial.wish->index < worst.alternative_first;
    }
    const bool later = trial.reason != Reason::none;
    if (is_soonest_first_ && later != worst.later_first) return worst.later_first;
    const std::int64_t major =
        question_.major(*trial.wish, trial.verdict->need, trial.cost, block.carbon[row]);
    if (major != worst.major) return major < worst.major;
    if (trial.cost != worst.cost) return trial.cost < worst.cost;
    if (later != worst.later) return worst.later;
    const bool queued = (block.flags[row] & row_firm) == 0;
    if (queued != worst.queued) return worst.queued;
    const std::int64_t spare_milli = question_.spare_milli(*trial.wish, *trial.verdict, block, row);
    if (spare_milli != worst.spare_milli) return spare_milli < worst.spare_milli;
    return block.pool[row] < worst.pool;
  }

  // What costs more than this scores worse than the worst that is kept.
  std::int64_t cost_bound(const Score& worst) const {
    if (is_ordered_) return INT64_MAX;
    switch (question_.demand().objective) {
      case Objective::cost:
        return worst.cost;
      case Objective::balanced:
        // Carbon only raises a cost, and what waits cannot displace what starts now.
        return worst.later_first ? INT64_MAX : worst.major;
      case Objective::finish:
        return worst.later_first || wishes_.size() > 1 ? INT64_MAX : worst.cost;
      case Objective::carbon:
        return INT64_MAX;
    }
    return INT64_MAX;
  }

  // A heap with the worst on top.
  void keep(const Match& match) {
    if (heap_.size() == limit_) {
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    heap_.push_back({question_.score(match), match});
    std::push_heap(heap_.begin(), heap_.end());
    if (heap_.size() == limit_) cost_worst_ = cost_bound(heap_.front().score);
  }

  const Question& question_;
  const bool is_ordered_ = question_.demand().is_ordered;
  const bool is_soonest_first_ = question_.is_soonest_first();
  std::size_t limit_;
  std::array<std::byte, 4096> space_;  // Enough for most questions of a domain of few pools.
  std::pmr::monotonic_buffer_resource memory_{space_.data(), space_.size()};
  std::pmr::vector<Wish> wishes_{&memory_};
  std::pmr::vector<ShapeMemo> memos_{&memory_};
  SiteMemo sites_;
  BlockVerdict verdict_;
  std::pmr::vector<const Wish*> taking_{&memory_};  // That the chip of the block at hand suits.
  std::pmr::vector<Kept> heap_{&memory_};
  Counts counts_{};
  std::uint64_t pools_ = 0;
  std::int64_t cost_worst_ = INT64_MAX;
};

}  // namespace

Ranking rank(const Supply& supply, const Demand& demand, const NodeView* nodes, std::size_t limit) {
  const Question question(supply, demand, nodes);
  return Scan(question, limit).run();
}

std::vector<Candidate> candidates_in(const Supply& supply, const Demand& demand, PoolId pool) {
  const Question question(supply, demand, nullptr);
  std::vector<Candidate> candidates;
  for (std::uint32_t i = 0; i < demand.alternatives.size(); ++i) {
    const Wish wish = question.wish(i);
    Match match{&wish, {}, supply.find_row(pool), {}, Reason::none};
    const Reason reason = question.judge(match);
    if (reason != Reason::none && (!is_busy(reason) || reason == Reason::member_unreachable))
      continue;
    match.waits_for = Reason::none;
    candidates.push_back(question.candidate(match, question.score(match)));
  }
  std::ranges::sort(candidates, {}, &Candidate::score);
  return candidates;
}

std::vector<std::string> print_score(const Candidate& candidate, const Demand& demand) {
  const std::string cost = "cost " + print_money(candidate.hourly_cost) + " CNY/h";
  const std::string start =
      candidate.starts_now() ? "starts now" : "waits: " + std::string(name(candidate.waits_for));
  const std::string carbon = candidate.carbon > 0
                                 ? "carbon " + std::to_string(candidate.carbon / 1000) + " g/kWh"
                                 : "carbon unknown";
  std::vector<std::string> terms;
  if (demand.is_ordered) terms.push_back("wish " + std::to_string(candidate.alternative + 1));
  switch (demand.objective) {
    case Objective::cost:
      terms.insert(terms.end(), {cost, start});
      break;
    case Objective::finish:
      terms.push_back(start);
      if (candidate.speed > 0) {
        terms.push_back("speed " + std::to_string(candidate.speed / 1000) + " per node");
      }
      terms.push_back(cost);
      break;
    case Objective::carbon:
      terms.insert(terms.end(), {carbon, cost, start});
      break;
    case Objective::balanced:
      terms.insert(terms.end(),
                   {start, "cost with carbon " + print_money({candidate.score.major}) + " CNY/h",
                    carbon, cost});
      break;
  }
  terms.emplace_back(candidate.is_firm ? "firm" : "queued");
  if (candidate.score.spare_milli != 0) {
    terms.push_back("spare " + std::to_string(candidate.score.spare_milli) + " milli-cards");
  }
  return terms;
}

}  // namespace suan::placement
