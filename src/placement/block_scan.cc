#include "placement/block_scan.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace suan::placement {

namespace {

constexpr std::size_t cache_line = 64;
constexpr std::uint8_t ask = 30;  // Only the nodes can tell.

constexpr std::uint8_t code(Reason reason) {
  return static_cast<std::uint8_t>(reason);
}

// What is true of a row, by bits, as sufficing() says it of four pairs.
enum RowBit : std::uint32_t {
  cores_suffice = 1,   // On some node.
  width_suffices = 2,  // On some node.
  room_has_cores = 4,  // On the node that is known.
  enough_nodes = 8,    // If all were free.
  memory_suffices = 16,
  widest_suffices = 32,
  room_has_memory = 64,
  enough_free = 128,
};
constexpr unsigned flags_shift = 8;  // Above them, whether the row is open and reachable.

constexpr std::uint8_t code_of(std::uint32_t bits) {
  constexpr std::uint32_t somewhere = cores_suffice | memory_suffices | width_suffices;
  constexpr std::uint32_t known = somewhere | widest_suffices | room_has_cores | room_has_memory;
  const std::uint32_t flags = bits >> flags_shift;
  if ((flags & row_open) == 0) return BlockVerdict::closed;
  if ((bits & enough_nodes) == 0) return code(Reason::nodes_too_few);
  if ((flags & row_reachable) == 0) return code(Reason::member_unreachable);
  if ((bits & enough_free) != 0 || (bits & known) == known) return code(Reason::none);
  if ((bits & width_suffices) == 0) return code(Reason::cards_busy);
  if ((bits & cores_suffice) == 0) return code(Reason::cores_busy);
  if ((bits & memory_suffices) == 0) return code(Reason::memory_busy);
  return ask;
}

constexpr auto codes = [] {
  std::array<std::uint8_t, std::size_t{4} << flags_shift> all{};
  for (std::uint32_t bits = 0; bits < all.size(); ++bits) all[bits] = code_of(bits);
  return all;
}();

// `yes` or `no`, without a branch.
constexpr std::uint32_t pick(bool condition, std::uint32_t yes, std::uint32_t no) {
  return no ^ ((yes ^ no) & (0U - static_cast<std::uint32_t>(condition)));
}

// As Question::judge, but for sites and for asking.
template <bool has_cards, bool is_gang>
void judge_rows(const Question& question, const Wish& wish, ShapeMemo& shapes,
                const ReadAhead& ahead, const BlockPair& blocks, std::uint8_t* __restrict reasons) {
  const Block& block = blocks.here;
  const Need least = question.least_need(wish);
  const auto milli = static_cast<std::uint32_t>(least.card_milli);
  const Widths width{milli, milli};
  const NodeCounts nodes{question.nodes(), question.nodes()};
  const bool is_capped = question.demand().hourly_max > Money{};
  const std::size_t rows = block.rows;
  for (std::size_t row = 0; row < rows; ++row) {
    ahead.prefetch(blocks.next, row);
    const ShapeMemo::Brief& shape = shapes.brief(question, wish, block.shape[row]);
    const Room& known = has_cards ? block.widest[row] : block.roomiest[row];
    // Of a gang no one node tells anything.
    const std::uint64_t pairs =
        sufficing(block.max[row], shape.room) >> 31U |
        (has_cards ? sufficing(block.widths[row], width) : both_suffice) >> 30U |
        (is_gang ? 0 : sufficing(known, shape.room)) >> 29U |
        sufficing(block.nodes[row], nodes) >> 28U;
    const std::uint32_t flags = block.flags[row] & (row_open | row_reachable);
    std::uint32_t reason = codes[((pairs | pairs >> 28U) & 0xFFU) | (flags << flags_shift)];
    bool is_dear = false;
    if (is_capped) {
      const ShapeVerdict& verdict = shapes.verdict(question, wish, block.shape[row]);
      is_dear = question.cost(wish, block, row, verdict.need).micro > question.cost_max();
    }
    const bool is_open = reason != BlockVerdict::closed;
    reason = pick(is_dear & is_open, code(Reason::price_above_hourly_max), reason);
    reason = pick((shape.reason != Reason::none) & is_open, code(shape.reason), reason);
    reasons[row] = static_cast<std::uint8_t>(reason);
  }
}

// Sites come between the shape and the price, which a price or busy reason then gives way to.
void judge_sites(const Question& question, SiteMemo& sites, const Block& block,
                 BlockVerdict& verdict) {
  for (std::size_t row = 0; row < block.rows; ++row) {
    const std::uint32_t reason = verdict.reasons[row];
    const std::uint32_t site = code(sites.verdict(question, block.site[row]));
    const bool is_later = (reason == 0) | (reason >= code(Reason::price_above_hourly_max));
    const bool decides = (site != 0) & is_later & (reason != BlockVerdict::closed);
    verdict.reasons[row] = static_cast<std::uint8_t>(pick(decides, site, reason));
  }
}

}  // namespace

constexpr ReadAhead::ReadAhead(bool has_cards, bool is_anywhere, bool is_capped) {
  std::size_t lines = 0;
  const auto add = [&](std::size_t offset, std::size_t bytes) {
    const std::size_t end = offset + bytes;
    for (std::size_t at = offset; at < end && lines < block_rows; at += cache_line)
      offsets_[lines++] = static_cast<std::uint32_t>(at);
  };
  add(offsetof(Block, flags), sizeof(Block::flags));
  add(offsetof(Block, shape), sizeof(Block::shape));
  add(offsetof(Block, nodes), sizeof(Block::nodes));
  add(offsetof(Block, max), sizeof(Block::max));
  if (has_cards) {
    add(offsetof(Block, widths), sizeof(Block::widths));
    add(offsetof(Block, widest), sizeof(Block::widest));
  } else {
    add(offsetof(Block, roomiest), sizeof(Block::roomiest));
  }
  if (!is_anywhere) add(offsetof(Block, site), sizeof(Block::site));
  if (is_capped) {
    add(offsetof(Block, core_hour), sizeof(Block::core_hour));
    if (has_cards) add(offsetof(Block, card_hour), sizeof(Block::card_hour));
  }
}

const ReadAhead& ReadAhead::of(const Question& question, const Wish& wish) {
  static constexpr std::array<ReadAhead, 8> all{{{false, false, false},
                                                 {false, false, true},
                                                 {false, true, false},
                                                 {false, true, true},
                                                 {true, false, false},
                                                 {true, false, true},
                                                 {true, true, false},
                                                 {true, true, true}}};
  const bool is_capped = question.demand().hourly_max > Money{};
  return all[(wish.has_cards ? 4U : 0U) + (question.is_anywhere() ? 2U : 0U) +
             (is_capped ? 1U : 0U)];
}

void judge_block(const Question& question, const Wish& wish, ShapeMemo& shapes, SiteMemo& sites,
                 const ReadAhead& ahead, const BlockPair& blocks, BlockVerdict& verdict) {
  const Block& block = blocks.here;
  const bool is_gang = question.demand().nodes > 1;
  const auto judge = wish.has_cards
                         ? (is_gang ? judge_rows<true, true> : judge_rows<true, false>)
                         : (is_gang ? judge_rows<false, true> : judge_rows<false, false>);
  judge(question, wish, shapes, ahead, blocks, verdict.reasons.data());
  if (!sites.is_anywhere()) judge_sites(question, sites, block, verdict);
  std::uint8_t* const end = verdict.reasons.data() + block.rows;
  for (std::uint8_t* at = verdict.reasons.data();; ++at) {
    at = static_cast<std::uint8_t*>(std::memchr(at, ask, static_cast<std::size_t>(end - at)));
    if (at == nullptr) break;
    const auto row = static_cast<std::size_t>(at - verdict.reasons.data());
    const ShapeVerdict& shape = shapes.verdict(question, wish, block.shape[row]);
    *at = code(question.judge_busy(block, row, shape));
  }
}

// Neighbours mostly share a reason, so each reason is counted in all rows at once, sixteen a time,
// when the first row with it is met.
void count_reasons(BlockVerdict& verdict, std::size_t rows, Counts& counts) {
  using Sixteen = std::uint8_t __attribute__((vector_size(16)));
  static_assert(block_rows / sizeof(Sixteen) < 256);  // A lane counts no further.
  std::uint8_t* const reasons = verdict.reasons.data();
  const std::size_t whole = (rows + sizeof(Sixteen) - 1) / sizeof(Sixteen) * sizeof(Sixteen);
  std::fill(reasons + rows, reasons + whole, BlockVerdict::closed);
  std::size_t left = rows;
  std::uint32_t counted = 0;
  for (std::size_t row = 0; left > 0; ++row) {
    const std::uint8_t reason = reasons[row];
    if ((counted >> reason & 1U) != 0) continue;
    counted |= 1U << reason;
    if (reason == BlockVerdict::closed) {  // Also what fills the rest: the zone counts those.
      for (std::size_t i = row; i < rows; ++i) left -= reasons[i] == reason ? 1U : 0U;
      continue;
    }
    Sixteen hits{};
    for (std::size_t i = 0; i < whole; i += sizeof(Sixteen)) {
      Sixteen some;
      std::memcpy(&some, reasons + i, sizeof some);
      hits -= static_cast<Sixteen>(some == reason);  // Equal lanes are all ones: minus one.
    }
    std::size_t sum = 0;
    for (std::size_t lane = 0; lane < sizeof(Sixteen); ++lane) sum += hits[lane];
    counts[reason] += sum;
    left -= sum;
  }
}

}  // namespace suan::placement
