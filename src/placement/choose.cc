#include <algorithm>
#include <bit>
#include <optional>
#include <span>

#include "placement/block_scan.h"
#include "placement/question.h"

namespace suan::placement {

namespace {

/// The search for the best place that starts now. It walks blocks from the cheapest up, skips those
/// whose bounds rule them out, and stops where nothing cheaper can follow.
class Search {
 public:
  explicit Search(const Question& question) : question_(question) {
    if (question.is_near()) sites_.emplace(question);
  }
  Search(const Search&) = delete;
  Search& operator=(const Search&) = delete;

  /// Looks among the blocks for something better than what was found so far.
  void look(const Wish& wish, std::span<const Extent> extents) {
    if (extents.empty() || !wish.is_offered) return;
    start(wish);
    for (const Extent& extent : extents) {
      const std::int64_t floor = cost_at_least(extent.first.price, 0);
      if (wish.has_cards && ends_at(floor)) return;
      if (!may_fit(extent.zone) || !may_win(extent)) continue;
      if (!look_into(*extent.block)) return;
    }
  }

  bool has_found() const { return found_; }
  Candidate found() const { return question_.candidate(best_, best_score_); }

 private:
  void start(const Wish& wish) {
    wish_ = &wish;
    least_ = question_.least_need(wish);
    least_room_ = Room::up(least_.cpu_milli, least_.memory_bytes);
    shape_known_ = false;
    shapes_judged_ = 0;
    memo_.reset();
    site_known_ = false;
  }

  std::int64_t cost_at_least(std::int64_t price, std::int64_t core_hour) const {
    return question_.cost_at_least(*wish_, least_, price, core_hour);
  }

  // Nothing that costs this much or more can be taken.
  bool ends_at(std::int64_t cost) const {
    if (cost > question_.cost_max()) return true;
    if (!found_) return false;
    // Cleaner than any site, so that the objective carbon never ends early.
    Score bound = question_.score_at_least(*wish_, least_, cost, 0);
    bound.spare_milli = INT64_MIN;
    return best_score_ < bound;
  }

  bool may_fit(const Zone& zone) const {
    if (zone.open == 0 || zone.nodes_max < question_.nodes()) return false;
    if (zone.max.cpu_milli < least_room_.cpu_milli) return false;
    if (zone.max.memory_units < least_room_.memory_units) return false;
    return !wish_->has_cards || narrowest(zone) >= 0;
  }

  // The least free width, in thousandths of a card, of a row wide enough; -1 if there is none.
  std::int64_t narrowest(const Zone& zone) const {
    const std::int64_t milli = least_.card_milli;
    if (milli <= zone.share_max_milli && milli < 1000) return milli;
    const std::int64_t width = (milli + 999) / 1000;
    if (width > 64) return -1;
    const std::uint64_t wide = zone.widths >> static_cast<unsigned>(width - 1);
    return wide == 0 ? -1 : (width + std::countr_zero(wide)) * 1000;
  }

  bool may_win(const Extent& extent) const {
    const std::int64_t cost = cost_at_least(extent.first.price, extent.zone.core_hour_min);
    if (cost > question_.cost_max()) return false;
    if (!found_) return true;
    Score bound = question_.score_at_least(*wish_, least_, cost, extent.zone.carbon_min);
    if (wish_->has_cards) {
      bound.spare_milli = narrowest(extent.zone) - least_.card_milli;
    } else {
      bound.spare_milli = question_.supply().chip_name(extent.first.chip).empty() ? 0 : 1000;
    }
    bound.pool = extent.first.price == extent.last.price ? extent.first.pool.value : 0;
    return bound < best_score_;
  }

  // False if no later row can be taken either.
  bool look_into(const Block& block) {
    const std::uint32_t nodes = question_.nodes();
    std::int64_t price_before = -1;
    for (std::size_t row = 0; row < block.rows; ++row) {
      if (!block.is_open(row) || block.nodes[row].all < nodes || !may_hold(block, row)) continue;
      if (wish_->has_cards && block.price[row] != price_before) {
        price_before = block.price[row];
        if (ends_at(cost_at_least(price_before, 0))) return false;
      }
      if (may_beat(block, row)) weigh(block, row);
    }
    return true;
  }

  // What can be told of a row without its shape, which is dearer to judge.
  bool may_hold(const Block& block, std::size_t row) const {
    return least_.card_milli <= std::int64_t{block.widths[row].most} &&
           sufficing(block.max[row], least_room_) == both_suffice;
  }

  // False if even the least need would score worse here than what was found.
  bool may_beat(const Block& block, std::size_t row) const {
    if (!found_) return true;
    const std::int64_t cost = cost_at_least(block.price[row], block.core_hour[row]);
    const std::int64_t major = question_.major(*wish_, least_, cost, block.carbon[row]);
    if (question_.demand().is_ordered && wish_->index != best_score_.alternative_first)
      return false;
    return major != best_score_.major ? major < best_score_.major : cost <= best_score_.cost;
  }

  const ShapeVerdict& judge_shape(std::uint32_t shape) {
    if (memo_) return memo_->verdict(question_, *wish_, shape);
    if (!shape_known_ || shape_ != shape) {
      shape_ = shape;
      shape_known_ = true;
      verdict_ = question_.judge_shape(*wish_, shape);
      if (++shapes_judged_ == shapes_before_memo) {
        memo_.emplace(question_.supply().shapes().bound(), std::pmr::get_default_resource());
      }
    }
    return verdict_;
  }

  void weigh(const Block& block, std::size_t row) {
    const ShapeVerdict& verdict = judge_shape(block.shape[row]);
    if (verdict.reason != Reason::none || !is_allowed(block.site[row])) return;
    Match match{wish_, verdict, {&block, row}, question_.cost(block, row, verdict.need)};
    if (question_.judge_price(match.cost, block.nodes[row].all) != Reason::none) return;
    const Score score = question_.score(match);
    if (found_ && !(score < best_score_)) return;
    if (question_.judge_busy(block, row, verdict) != Reason::none) return;
    found_ = true;
    best_wish_ = *wish_;
    best_ = match;
    best_.wish = &best_wish_;
    best_score_ = score;
  }

  bool is_allowed(std::uint32_t site) {
    if (question_.is_anywhere()) return true;
    if (sites_) return sites_->verdict(question_, site) == Reason::none;
    if (!site_known_ || site_ != site) {
      site_ = site;
      site_known_ = true;
      site_allowed_ = question_.judge_site(site) == Reason::none;
    }
    return site_allowed_;
  }

  const Question& question_;
  const Wish* wish_ = nullptr;
  Need least_;  // What every row must give at least.
  Room least_room_;

  // The last shape and site judged: neighbours often repeat them. A search that goes on and on gets
  // a memory of shapes.
  static constexpr std::uint32_t shapes_before_memo = 64;
  std::uint32_t shapes_judged_ = 0;
  std::optional<ShapeMemo> memo_;
  bool shape_known_ = false;
  std::uint32_t shape_ = 0;
  ShapeVerdict verdict_;
  std::optional<SiteMemo> sites_;  // Where it takes a while to judge one.
  bool site_known_ = false;
  std::uint32_t site_ = 0;
  bool site_allowed_ = false;

  bool found_ = false;
  Wish best_wish_;
  Match best_;
  Score best_score_;
};

void look_everywhere(const Question& question, const Wish& wish, Search& search) {
  const Supply& supply = question.supply();
  if (wish.has_cards) {
    search.look(wish, supply.extents_of(wish.chip));
    return;
  }
  // Pools without cards first: what is found there rules most of the others out.
  const std::uint32_t* bare = supply.find_chip("");
  if (bare == nullptr) {
    search.look(wish, supply.extents());
    return;
  }
  const std::span<const Extent> all = supply.extents();
  const std::span<const Extent> first = supply.extents_of(*bare);
  const auto begin = static_cast<std::size_t>(first.data() - all.data());
  search.look(wish, first);
  search.look(wish, all.first(begin));
  search.look(wish, all.subspan(begin + first.size()));
}

}  // namespace

std::optional<Candidate> choose(const Supply& supply, const Demand& demand, const NodeView* nodes) {
  const Question question(supply, demand, nodes);
  Search search(question);
  std::optional<Candidate> best;
  for (std::uint32_t i = 0; i < demand.alternatives.size(); ++i) {
    const Wish wish = question.wish(i);
    look_everywhere(question, wish, search);
    if (!search.has_found()) continue;
    best = search.found();
    if (demand.is_ordered) break;
  }
  return best;
}

}  // namespace suan::placement
