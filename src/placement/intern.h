#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/ensure.h"
#include "base/table.h"
#include "placement/shared.h"

namespace suan::placement {

/// Small numbers for values that many rows repeat: the first one seen gets 0, the next 1, and a
/// number whose last user is gone is given out again. Which number a value gets depends only on the
/// order of calls; no answer of this room depends on it. Copies share everything until one writes.
template <class Key, class Value>
class Intern {
 public:
  /// The number of `key`, with one more user. A key already there takes the new value.
  std::uint32_t acquire(const Key& key, const Value& value) {
    State& state = state_.edit();
    if (const std::uint32_t* there = state.numbers.find(key)) {
      Entry& entry = state.entries[*there];
      ++entry.users;
      entry.value = value;
      return *there;
    }
    std::uint32_t number = static_cast<std::uint32_t>(state.entries.size());
    if (state.vacant.empty()) {
      state.entries.push_back({key, value, 1});
    } else {
      number = state.vacant.back();
      state.vacant.pop_back();
      state.entries[number] = {key, value, 1};
    }
    state.numbers.insert(key, number);
    return number;
  }

  /// Takes one user away; the last one frees the number.
  void release(std::uint32_t number) {
    State& state = state_.edit();
    Entry& entry = state.entries[number];
    ensure(entry.users > 0);
    if (--entry.users > 0) return;
    state.numbers.erase(entry.key);
    entry = {};
    state.vacant.push_back(number);
  }

  /// The number of a key in use, or nullptr; valid until the next write.
  const std::uint32_t* find(const Key& key) const { return state_->numbers.find(key); }
  const Value& operator[](std::uint32_t number) const { return state_->entries[number].value; }
  const Key& key(std::uint32_t number) const { return state_->entries[number].key; }
  bool is_used(std::uint32_t number) const { return state_->entries[number].users > 0; }

  /// One more than the greatest number ever given out at once.
  std::size_t bound() const { return state_->entries.size(); }

  void set(std::uint32_t number, const Value& value) {
    state_.edit().entries[number].value = value;
  }

 private:
  struct Entry {
    Key key{};
    Value value{};
    std::uint32_t users = 0;
  };
  struct State {
    Table<Key, std::uint32_t> numbers;
    std::vector<Entry> entries;
    std::vector<std::uint32_t> vacant;
  };
  Shared<State> state_;
};

}  // namespace suan::placement
