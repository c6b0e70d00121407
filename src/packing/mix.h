#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "packing/room.h"

namespace suan::packing {

/// What has been asked for so far, and how often: all that a policy knows of what will come.
class Mix {
 public:
  struct Row {
    Ask ask;
    std::uint64_t count = 0;
  };

  void add(const Ask& ask) {
    const auto [at, is_new] = places_.try_emplace(ask, rows_.size());
    if (is_new) rows_.push_back({ask, 0});
    ++rows_[at->second].count;
    ++total_;
  }

  /// What came long ago counts less: halves all counts and drops what is left with none.
  void halve() {
    places_.clear();
    total_ = 0;
    std::erase_if(rows_, [](Row& row) { return (row.count /= 2) == 0; });
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      places_.emplace(rows_[i].ask, i);
      total_ += rows_[i].count;
    }
  }

  /// In the order in which they first came.
  std::span<const Row> rows() const { return rows_; }
  std::uint64_t total() const { return total_; }

 private:
  std::map<Ask, std::size_t> places_;
  std::vector<Row> rows_;
  std::uint64_t total_ = 0;
};

}  // namespace suan::packing
