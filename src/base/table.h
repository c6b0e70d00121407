#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/ensure.h"
#include "base/planted.h"

namespace suan {

/// An ordered map in chunks that forks share until one of them writes: the container of every
/// room's nouns.
///
/// Iteration is in key order. `find`, `insert`, `erase` cost O(log n) comparisons of keys that lie
/// side by side; appending at the end is cheapest. Copying a Table (a fork) costs O(n / chunk_size)
/// and copies no values. A write to a chunk that another fork still sees copies that chunk first:
/// its keys and small values, while large ones stay shared until they are written themselves.
/// References and iterators are valid until the next write to the same Table. One thread writes a
/// Table; forks may live on other threads.
template <class Key, class T, std::size_t chunk_size = 64>
class Table {
 public:
  /// What an iterator points at.
  struct Entry {
    const Key& first;
    const T& second;
  };

  Table() = default;
  Table(const Table& other) : firsts_(other.firsts_), chunks_(other.chunks_), size_(other.size_) {
    for (Chunk* chunk : chunks_) chunk->owners.fetch_add(1, std::memory_order_relaxed);
  }
  Table(Table&& other) noexcept
      : firsts_(std::move(other.firsts_)),
        chunks_(std::move(other.chunks_)),
        size_(std::exchange(other.size_, 0)) {
    other.firsts_.clear();
    other.chunks_.clear();
  }
  Table& operator=(Table other) noexcept {
    firsts_.swap(other.firsts_);
    chunks_.swap(other.chunks_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Table() {
    for (Chunk* chunk : chunks_) drop(chunk);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  /// The value of `key`, or nullptr.
  const T* find(const Key& key) const {
    if (size_ == 0) return nullptr;
    if (is_latest(key)) return &chunks_[latest_chunk_]->slots[latest_at_].value();
    const Chunk& chunk = *chunks_[chunk_of(key)];
    const std::size_t at = place_in(chunk, key);
    return has_at(chunk, at, key) ? &chunk.slots[at].value() : nullptr;
  }
  bool contains(const Key& key) const { return find(key) != nullptr; }

  /// The value of a key that must be there.
  const T& at(const Key& key) const {
    const T* found = find(key);
    ensure(found != nullptr);
    return *found;
  }

  /// A value to change in place, or nullptr. Unshares its chunk and itself.
  T* edit(const Key& key) {
    if (size_ == 0) return nullptr;
    if (!is_latest(key)) {
      const std::size_t index = chunk_of(key);
      const std::size_t at = place_in(*chunks_[index], key);
      if (!has_at(*chunks_[index], at, key)) return nullptr;
      note_latest(index, at);
    }
    return &own(latest_chunk_)->slots[latest_at_].edit();
  }

  /// Adds a key that must not be there yet; returns its value to change in place.
  T& insert(const Key& key, T value) {
    if (chunks_.empty()) {
      firsts_.push_back(key);
      chunks_.push_back(new Chunk);
    }
    std::size_t index = chunk_of(key);
    Chunk* chunk = own(index);
    if (chunk->keys.size() == chunk_size) {
      index = split(index, key);
      chunk = chunks_[index];
    }
    const std::size_t at = place_in(*chunk, key);
    ensure(!has_at(*chunk, at, key));
    const auto offset = static_cast<std::ptrdiff_t>(at);
    chunk->keys.insert(chunk->keys.begin() + offset, key);
    chunk->slots.insert(chunk->slots.begin() + offset, Slot(std::move(value)));
    if (at == 0) firsts_[index] = key;
    ++size_;
    note_latest(index, at);
    return chunk->slots[at].edit();
  }

  /// Adds a key or replaces its value.
  void put(const Key& key, T value) {
    if (T* there = edit(key)) {
      *there = std::move(value);
    } else {
      insert(key, std::move(value));
    }
  }

  /// Removes a key that must be there.
  void erase(const Key& key) {
    ensure(size_ > 0);
    const std::size_t index = chunk_of(key);
    Chunk* chunk = own(index);
    const std::size_t at = place_in(*chunk, key);
    ensure(has_at(*chunk, at, key));
    const auto offset = static_cast<std::ptrdiff_t>(at);
    chunk->keys.erase(chunk->keys.begin() + offset);
    chunk->slots.erase(chunk->slots.begin() + offset);
    --size_;
    if (chunk->keys.empty()) {
      remove_chunk(index);
    } else {
      if (at == 0) firsts_[index] = chunk->keys.front();
      merge(index);
    }
  }

  /// Walks the entries in key order: `for (const auto& [key, value] : table)`.
  class Iterator {
   public:
    Iterator(const Table* table, std::size_t chunk, std::size_t entry)
        : table_(table), chunk_(chunk), entry_(entry) {}
    Entry operator*() const {
      const Chunk& chunk = *table_->chunks_[chunk_];
      return {chunk.keys[entry_], chunk.slots[entry_].value()};
    }
    struct Arrow {
      Entry entry;
      const Entry* operator->() const { return &entry; }
    };
    Arrow operator->() const { return {**this}; }
    Iterator& operator++() {
      if (++entry_ == table_->chunks_[chunk_]->keys.size()) {
        ++chunk_;
        entry_ = 0;
      }
      return *this;
    }
    friend bool operator==(const Iterator& a, const Iterator& b) {
      return a.chunk_ == b.chunk_ && a.entry_ == b.entry_;
    }

   private:
    const Table* table_;
    std::size_t chunk_;
    std::size_t entry_;
  };

  Iterator begin() const { return {this, 0, 0}; }
  Iterator end() const { return {this, chunks_.size(), 0}; }

  /// The first entry whose key is not less than `key`.
  Iterator from(const Key& key) const {
    if (size_ == 0) return end();
    const std::size_t index = chunk_of(key);
    const std::size_t at = place_in(*chunks_[index], key);
    if (at == chunks_[index]->keys.size()) return {this, index + 1, 0};
    return {this, index, at};
  }

  /// The last entry whose key is less than `key`, or end().
  Iterator before(const Key& key) const {
    if (size_ == 0) return end();
    const std::size_t index = chunk_of(key);
    const std::size_t at = place_in(*chunks_[index], key);
    if (at != 0) return {this, index, at - 1};
    return index == 0 ? end() : Iterator{this, index - 1, chunks_[index - 1]->keys.size() - 1};
  }

  /// The last entry; the table must not be empty.
  Entry back() const {
    ensure(size_ > 0);
    return {chunks_.back()->keys.back(), chunks_.back()->slots.back().value()};
  }

 private:
  /// A small value, in its chunk.
  class Inline {
   public:
    explicit Inline(T value) : value_(std::move(value)) {}
    const T& value() const { return value_; }
    T& edit() { return value_; }

   private:
    T value_;
  };

  /// A large value, which copies of its chunk share until one of them writes it.
  class Boxed {
   public:
    explicit Boxed(T value) : box_(new Box{1, std::move(value)}) {}
    Boxed(const Boxed& other) : box_(other.box_) {
      box_->owners.fetch_add(1, std::memory_order_relaxed);
    }
    Boxed(Boxed&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
    Boxed& operator=(Boxed other) noexcept {
      std::swap(box_, other.box_);
      return *this;
    }
    ~Boxed() { drop(box_); }

    const T& value() const { return box_->value; }
    T& edit() {
      if (box_->owners.load(std::memory_order_acquire) != 1) *this = Boxed(T(box_->value));
      return box_->value;
    }

   private:
    struct Box {
      std::atomic<std::uint32_t> owners;
      T value;
    };
    static void drop(Box* box) {
      if (box != nullptr && box->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box;
    }

    Box* box_;
  };

  static constexpr std::size_t inline_bytes_max = 96;
  using Slot = std::conditional_t<(sizeof(T) > inline_bytes_max), Boxed, Inline>;

  struct Chunk {
    std::atomic<std::uint32_t> owners{1};
    std::vector<Key> keys;
    std::vector<Slot> slots;  // The value of each key.
  };

  static void drop(Chunk* chunk) {
    if (chunk->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete chunk;
  }

  // How many keys are less than this one. Without branches that depend on the keys.
  static std::size_t lower_bound(const std::vector<Key>& keys, const Key& key) {
    const Key* base = keys.data();
    std::size_t left = keys.size();
    while (left > 0) {
      const std::size_t half = (left + 1) / 2;
      base = base[half - 1] < key ? base + half : base;
      left -= half;
    }
    return static_cast<std::size_t>(base - keys.data());
  }

  // The same of a chunk. Numbers that were given one after another mostly lie so.
  static std::size_t place_in(const Chunk& chunk, const Key& key) {
    if constexpr (requires { key.value - key.value; }) {
      if (chunk.keys.empty()) return 0;
      const std::size_t guess = key.value - chunk.keys.front().value;
      if (guess < chunk.keys.size() && chunk.keys[guess] == key) return guess;
    }
    return lower_bound(chunk.keys, key);
  }

  static bool has_at(const Chunk& chunk, std::size_t at, const Key& key) {
    return at != chunk.keys.size() && !(key < chunk.keys[at]);
  }

  // The chunk where `key` is or belongs: the last one whose first key is not greater.
  std::size_t chunk_of(const Key& key) const {
    if (!(key < firsts_.back())) return firsts_.size() - 1;
    const std::size_t at = lower_bound(firsts_, key);
    if (!(key < firsts_[at])) return at;
    return at == 0 ? 0 : at - 1;
  }

  // Whether `key` is the one written last, if that is still where it was: an event is folded into
  // one noun by many small writes.
  bool is_latest(const Key& key) const {
    if (latest_chunk_ >= chunks_.size()) return false;
    const std::vector<Key>& keys = chunks_[latest_chunk_]->keys;
    return latest_at_ < keys.size() && keys[latest_at_] == key;
  }
  void note_latest(std::size_t chunk, std::size_t at) {
    latest_chunk_ = chunk;
    latest_at_ = at;
  }

  Chunk* own(std::size_t index) {
    Chunk* chunk = chunks_[index];
    if (chunk->owners.load(std::memory_order_acquire) == 1 || planted(Bug::fork_shares_writes))
      return chunk;
    auto* copy = new Chunk;
    copy->keys.reserve(chunk_size);
    copy->slots.reserve(chunk_size);
    copy->keys = chunk->keys;
    copy->slots = chunk->slots;
    drop(chunk);
    chunks_[index] = copy;
    return copy;
  }

  void remove_chunk(std::size_t index) {
    drop(chunks_[index]);
    chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(index));
    firsts_.erase(firsts_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  template <class Value>
  static void move_tail(std::vector<Value>& from, std::size_t begin, std::vector<Value>& to) {
    const auto first = from.begin() + static_cast<std::ptrdiff_t>(begin);
    to.insert(to.end(), std::make_move_iterator(first), std::make_move_iterator(from.end()));
    from.erase(first, from.end());
  }

  // Splits a full chunk that this table owns. An append keeps the left one full, for dense tables.
  std::size_t split(std::size_t index, const Key& key) {
    Chunk& left = *chunks_[index];
    const bool is_append = index + 1 == chunks_.size() && left.keys.back() < key;
    auto* right = new Chunk;
    right->keys.reserve(chunk_size);
    right->slots.reserve(chunk_size);
    const auto next = static_cast<std::ptrdiff_t>(index) + 1;
    if (!is_append) {
      move_tail(left.keys, chunk_size / 2, right->keys);
      move_tail(left.slots, chunk_size / 2, right->slots);
    }
    firsts_.insert(firsts_.begin() + next, is_append ? key : right->keys.front());
    chunks_.insert(chunks_.begin() + next, right);
    return is_append || !(key < firsts_[index + 1]) ? index + 1 : index;
  }

  // Joins a thin chunk to its right neighbour, so that a table that shrank does not stay long.
  void merge(std::size_t index) {
    if (index + 1 >= chunks_.size()) return;
    if (chunks_[index]->keys.size() + chunks_[index + 1]->keys.size() > chunk_size / 2) return;
    Chunk& left = *own(index);
    Chunk& right = *own(index + 1);
    move_tail(right.keys, 0, left.keys);
    move_tail(right.slots, 0, left.slots);
    remove_chunk(index + 1);
  }

  std::vector<Key> firsts_;  // The first key of each chunk.
  std::vector<Chunk*> chunks_;
  std::size_t size_ = 0;
  std::size_t latest_chunk_ = 0;  // A guess: it may be out of date.
  std::size_t latest_at_ = 0;
};

}  // namespace suan
