#include "placement/rank.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/text.h"
#include "placement/question.h"

namespace suan::placement {

namespace {

/// What shapes said to a wish before: a few thousand of them, the latest of each slot.
class ShapeMemo {
 public:
  explicit ShapeMemo(std::size_t shapes)
      : entries_(std::bit_ceil(std::clamp<std::size_t>(shapes, 1, slots_max))) {}

  const ShapeVerdict& verdict(const Question& question, const Wish& wish, std::uint32_t shape) {
    Entry& entry = entries_[shape & (entries_.size() - 1)];
    if (entry.shape != shape) {
      entry.shape = shape;
      entry.verdict = question.judge_shape(wish, shape);
    }
    return entry.verdict;
  }

 private:
  static constexpr std::size_t slots_max = 4096;
  struct Entry {
    std::uint64_t shape = UINT64_MAX;
    ShapeVerdict verdict;
  };
  std::vector<Entry> entries_;
};

/// Looks at every row, counts, and keeps the best.
class Scan {
 public:
  Scan(const Question& question, std::size_t limit) : question_(question), limit_(limit) {
    const Supply& supply = question.supply();
    for (std::uint32_t i = 0; i < question.demand().alternatives.size(); ++i) {
      wishes_.push_back(question.wish(i));
      memos_.emplace_back(supply.shapes().bound());
    }
    if (!question.is_anywhere()) sites_.assign(supply.sites().bound(), not_judged);
    ranking_.best.reserve(std::min(limit, supply.size()));
  }

  Ranking run() {
    for (const Extent& extent : question_.supply().extents()) look(extent);
    std::sort(heap_.begin(), heap_.end());
    for (const Kept& kept : heap_) ranking_.best.push_back(question_.candidate(kept.match));
    return std::move(ranking_);
  }

 private:
  struct Kept {
    Score score;
    Match match;
    friend bool operator<(const Kept& a, const Kept& b) { return a.score < b.score; }
  };
  static constexpr std::uint8_t not_judged = 0xFF;

  std::uint64_t& count(Reason reason) { return ranking_.counts[static_cast<std::size_t>(reason)]; }

  void look(const Extent& extent) {
    const Zone& zone = extent.zone;
    ranking_.pools += zone.rows;
    count(Reason::pool_closed) += zone.closed;
    count(Reason::member_unreachable) += zone.rows - zone.usable - zone.closed;
    taking_.clear();
    for (const Wish& wish : wishes_) {
      if (wish.takes(extent.first.chip)) taking_.push_back(&wish);
    }
    if (taking_.empty()) {
      count(Reason::chip_differs) += zone.usable;
      return;
    }
    const Block& block = *extent.block;
    for (std::size_t row = 0; row < block.rows; ++row) {
      if (block.is_usable(row)) judge({&block, row});
    }
  }

  void judge(RowAt at) {
    Reason furthest = Reason::chip_differs;
    Match best;
    Score best_score;
    for (const Wish* wish : taking_) {
      Match match;
      match.wish = wish;
      match.at = at;
      const Reason reason = try_wish(match);
      furthest = std::max(furthest, reason);
      if (reason != Reason::none && !is_busy(reason)) continue;
      match.waits_for = reason;
      const Score score = question_.score(match);
      const bool is_better = best.wish == nullptr || std::pair(score.later, score) <
                                                         std::pair(best_score.later, best_score);
      if (!is_better) continue;
      best = match;
      best_score = score;
    }
    if (best.wish == nullptr) {
      ++count(furthest);
      return;
    }
    ++ranking_.total;
    if (best.waits_for == Reason::none) {
      ++ranking_.starts_now;
    } else {
      ++count(furthest);
    }
    keep(best, best_score);
  }

  // The first reason that fails, after setting the match's verdict and cost as far as it came.
  Reason try_wish(Match& match) {
    const Block& block = *match.at.block;
    const std::size_t row = match.at.row;
    match.verdict = memos_[match.wish->index].verdict(question_, *match.wish, block.shape[row]);
    if (match.verdict.reason != Reason::none) return match.verdict.reason;
    if (const Reason reason = judge_site(block.site[row]); reason != Reason::none) return reason;
    match.cost = question_.cost(block, row, match.verdict.need);
    const Reason reason = question_.judge_price(match.cost, block.nodes[row]);
    return reason != Reason::none ? reason : question_.judge_busy(block, row, match.verdict.need);
  }

  Reason judge_site(std::uint32_t site) {
    if (sites_.empty()) return Reason::none;
    if (sites_[site] == not_judged) {
      sites_[site] = static_cast<std::uint8_t>(question_.judge_site(site));
    }
    return static_cast<Reason>(sites_[site]);
  }

  // A heap with the worst on top.
  void keep(const Match& match, const Score& score) {
    if (limit_ == 0) return;
    if (heap_.size() == limit_) {
      if (!(score < heap_.front().score)) return;
      std::pop_heap(heap_.begin(), heap_.end());
      heap_.pop_back();
    }
    heap_.push_back({score, match});
    std::push_heap(heap_.begin(), heap_.end());
  }

  const Question& question_;
  std::size_t limit_;
  std::vector<Wish> wishes_;
  std::vector<ShapeMemo> memos_;
  std::vector<std::uint8_t> sites_;  // Reasons, judged when first met; empty if all are allowed.
  std::vector<const Wish*> taking_;  // That the chip of the block at hand suits.
  std::vector<Kept> heap_;
  Ranking ranking_;
};

}  // namespace

Ranking rank(const Supply& supply, const Demand& demand, const NodeView* nodes, std::size_t limit) {
  const Question question(supply, demand, nodes);
  return Scan(question, limit).run();
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
