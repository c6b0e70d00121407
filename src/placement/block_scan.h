#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory_resource>
#include <vector>

#include "placement/question.h"

namespace suan::placement {

/// What shapes said to a wish before: a few thousand of them, the latest of each slot. What every
/// row needs of it is kept small and apart, so that it stays near the processor.
class ShapeMemo {
 public:
  struct Brief {
    Room room;  // The need's, rounded up.
    std::uint32_t shape = UINT32_MAX;
    Reason reason = Reason::none;
  };

  ShapeMemo(std::size_t shapes, std::pmr::memory_resource* memory)
      : briefs_(std::bit_ceil(std::clamp<std::size_t>(shapes, 1, slots_max)), memory),
        verdicts_(briefs_.size(), memory),
        slots_(briefs_.data()),
        mask_(briefs_.size() - 1) {}
  ShapeMemo(ShapeMemo&&) = default;
  ShapeMemo& operator=(ShapeMemo&&) = delete;

  const Brief& brief(const Question& question, const Wish& wish, std::uint32_t shape) {
    Brief& there = slots_[shape & mask_];
    if (there.shape != shape) [[unlikely]] {
      const ShapeVerdict verdict = question.judge_shape(wish, shape);
      there = {verdict.room, shape, verdict.reason};
      verdicts_[shape & mask_] = verdict;
    }
    return there;
  }
  const ShapeVerdict& verdict(const Question& question, const Wish& wish, std::uint32_t shape) {
    brief(question, wish, shape);
    return verdicts_[shape & mask_];
  }

 private:
  static constexpr std::size_t slots_max = 4096;
  std::pmr::vector<Brief> briefs_;
  std::pmr::vector<ShapeVerdict> verdicts_;
  Brief* slots_;
  std::size_t mask_;
};

/// What sites said before, judged when first met.
class SiteMemo {
 public:
  explicit SiteMemo(const Question& question) {
    if (!question.is_anywhere()) sites_.assign(question.supply().sites().bound(), not_judged);
  }

  bool is_anywhere() const { return sites_.empty(); }
  Reason verdict(const Question& question, std::uint32_t site) {
    if (sites_[site] == not_judged) [[unlikely]] {
      sites_[site] = static_cast<std::uint8_t>(question.judge_site(site));
    }
    return static_cast<Reason>(sites_[site]);
  }

 private:
  static constexpr std::uint8_t not_judged = 0xFF;
  std::vector<std::uint8_t> sites_;  // Reasons; empty if all are allowed.
};

/// All rows of a block against one wish.
struct BlockVerdict {
  static constexpr std::uint8_t closed = 31;   // The zone counts those.
  static constexpr std::uint32_t candidates =  // By bits: none, and the busy ones.
      ((1U << reason_count) - (1U << static_cast<unsigned>(first_busy))) | 1U;

  static bool is_candidate(std::uint8_t reason) { return (candidates >> reason & 1U) != 0; }

  std::array<std::uint8_t, block_rows> reasons;  // Reason, or closed.
};

/// Which lines of the next block a wish will read, one of them for each row of this one: what is
/// not read need not come from memory.
class ReadAhead {
 public:
  static const ReadAhead& of(const Question&, const Wish&);

  void prefetch(const Block& next, std::size_t row) const {
    __builtin_prefetch(reinterpret_cast<const std::byte*>(&next) + offsets_[row]);
  }

 private:
  constexpr ReadAhead(bool has_cards, bool is_anywhere, bool is_capped);

  std::array<std::uint32_t, block_rows>
      offsets_{};  // Where there are fewer lines, the first again.
};

/// A block to judge, and the one after it, which comes from memory meanwhile.
struct BlockPair {
  const Block& here;
  const Block& next;
};

/// Judges every row as Question::judge does, in columns and without branches that depend on a row:
/// whether a pool is free or busy is a coin toss, and a wrong guess costs more than the whole rest.
void judge_block(const Question&, const Wish&, ShapeMemo&, SiteMemo&, const ReadAhead&,
                 const BlockPair&, BlockVerdict&);

/// Adds how many of the first `rows` have each reason, but for the closed ones.
void count_reasons(BlockVerdict&, std::size_t rows, Counts&);

}  // namespace suan::placement
