#include "placement/block_scan.h"

namespace suan::placement {

namespace {

constexpr std::uint8_t ask = 30;  // Only the nodes can tell.

constexpr std::uint8_t code(Reason reason) {
  return static_cast<std::uint8_t>(reason);
}

// By bits: 1 the cards suffice on some node, 2 the cores, 4 the memory, 8 it surely starts.
constexpr std::array<std::uint8_t, 16> busy_codes = [] {
  std::array<std::uint8_t, 16> codes{};
  for (std::size_t bits = 0; bits < 8; ++bits) {
    codes[bits] = (bits & 1U) == 0   ? code(Reason::cards_busy)
                  : (bits & 2U) == 0 ? code(Reason::cores_busy)
                  : (bits & 4U) == 0 ? code(Reason::memory_busy)
                                     : ask;
  }
  return codes;
}();

// `yes` or `no`, without a branch.
constexpr std::uint32_t pick(bool condition, std::uint32_t yes, std::uint32_t no) {
  return no ^ ((yes ^ no) & (0U - static_cast<std::uint32_t>(condition)));
}

bool gives_cards(std::int64_t milli, std::uint32_t cards, std::uint32_t share_milli) {
  const bool is_whole = milli <= std::int64_t{cards} * 1000;
  const bool is_share = (milli < 1000) & (milli <= std::int64_t{share_milli});
  return is_whole | is_share;
}

bool holds(const Room& room, const Room& need) {
  return (need.cpu_milli <= room.cpu_milli) & (need.memory_units <= room.memory_units);
}

// As Question::judge_busy, but for asking.
template <bool has_cards, bool is_gang>
std::uint8_t busy_code(const Block& block, std::size_t row, std::int64_t milli, const Room& need,
                       std::uint32_t nodes) {
  const bool cards =
      !has_cards || gives_cards(milli, block.cards_max[row], block.share_max_milli[row]);
  const bool cores = need.cpu_milli <= block.max[row].cpu_milli;
  const bool memory = need.memory_units <= block.max[row].memory_units;
  bool starts = block.nodes_free[row] >= nodes;
  if constexpr (!is_gang && has_cards) {
    starts |= gives_cards(milli, block.widest_cards[row], block.widest_share_milli[row]) &
              holds(block.widest[row], need) & cards & cores & memory;
  } else if constexpr (!is_gang) {
    starts |= holds(block.roomiest[row], need) & cores & memory;
  }
  const auto bit = [](bool is_set, unsigned at) { return static_cast<unsigned>(is_set) << at; };
  return busy_codes[bit(cards, 0) | bit(cores, 1) | bit(memory, 2) | bit(starts, 3)];
}

template <bool has_cards, bool is_gang>
void judge_rows(const Question& question, const Wish& wish, ShapeMemo& shapes, const Block& block,
                BlockVerdict& verdict) {
  const std::uint32_t nodes = question.demand().nodes;
  const std::uint32_t tasks = question.demand().tasks;
  const std::int64_t cost_max = question.cost_max();
  const std::size_t rows = block.rows;
  // What the rules make of the cards does not depend on the node.
  const std::int64_t milli = need_in(NodeSize{}, question.demand(), *wish.alternative).card_milli;
  for (std::size_t row = 0; row < rows; ++row) {
    const ShapeMemo::Brief& shape = shapes.brief(question, wish, block.shape[row]);
    const Money card_hour{has_cards ? block.card_hour[row] : 0};
    const std::int64_t cost =
        hourly_cost({card_hour, {block.core_hour[row]}}, {milli, shape.cpu_milli, 0}, tasks).micro;
    std::uint32_t reason = busy_code<has_cards, is_gang>(block, row, milli, shape.room, nodes);
    reason = pick(block.nodes[row] < nodes, code(Reason::nodes_too_few), reason);
    reason = pick(cost > cost_max, code(Reason::price_above_hourly_max), reason);
    reason = pick(shape.reason != Reason::none, code(shape.reason), reason);
    reason = pick(!block.is_usable(row), BlockVerdict::unusable, reason);
    verdict.reasons[row] = static_cast<std::uint8_t>(reason);
    verdict.costs[row] = cost;
  }
}

// Sites come between the shape and the price, which a price or busy reason then gives way to.
void judge_sites(const Question& question, SiteMemo& sites, const Block& block,
                 BlockVerdict& verdict) {
  for (std::size_t row = 0; row < block.rows; ++row) {
    const std::uint32_t reason = verdict.reasons[row];
    const std::uint32_t site = code(sites.verdict(question, block.site[row]));
    const bool is_later = (reason == 0) | (reason >= code(Reason::price_above_hourly_max));
    const bool decides = (site != 0) & is_later & (reason != BlockVerdict::unusable);
    verdict.reasons[row] = static_cast<std::uint8_t>(pick(decides, site, reason));
  }
}

}  // namespace

void judge_block(const Question& question, const Wish& wish, ShapeMemo& shapes, SiteMemo& sites,
                 const Block& block, BlockVerdict& verdict) {
  const bool is_gang = question.demand().nodes > 1;
  if (wish.has_cards) {
    (is_gang ? judge_rows<true, true> : judge_rows<true, false>)(question, wish, shapes, block,
                                                                 verdict);
  } else {
    (is_gang ? judge_rows<false, true> : judge_rows<false, false>)(question, wish, shapes, block,
                                                                   verdict);
  }
  if (!sites.is_anywhere()) judge_sites(question, sites, block, verdict);
  for (std::size_t row = 0; row < block.rows; ++row) {
    if (verdict.reasons[row] != ask) continue;
    const ShapeVerdict& shape = shapes.verdict(question, wish, block.shape[row]);
    verdict.reasons[row] = code(question.judge_busy(block, row, shape));
  }
}

}  // namespace suan::placement
