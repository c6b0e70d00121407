#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/callback.h"
#include "base/ensure.h"
#include "base/time.h"

namespace suan::sim {

/// What will happen, in the order of virtual time; of equal moments, in the order of planning.
class Agenda {
 public:
  void plan(Moment at, Callback<void()> act) {
    items_.push_back({at, ++planned_, std::move(act)});
    std::push_heap(items_.begin(), items_.end(), is_later);
  }

  bool empty() const { return items_.empty(); }
  Moment next() const {
    ensure(!items_.empty());
    return items_.front().at;
  }

  /// Takes out the first.
  Callback<void()> take() {
    std::pop_heap(items_.begin(), items_.end(), is_later);
    Callback<void()> act = std::move(items_.back().act);
    items_.pop_back();
    return act;
  }

 private:
  struct Item {
    Moment at;
    std::uint64_t order = 0;
    Callback<void()> act;
  };
  static bool is_later(const Item& a, const Item& b) {
    return a.at != b.at ? b.at < a.at : b.order < a.order;
  }

  std::vector<Item> items_;
  std::uint64_t planned_ = 0;
};

}  // namespace suan::sim
