#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "base/ensure.h"

namespace suan {

/// An ordered map in chunks that forks share until one of them writes: the container of every
/// room's nouns.
///
/// Iteration is in key order. `find`, `insert`, `erase` cost O(log n) comparisons; appending at the
/// end is cheapest. Copying a Table (a fork) costs O(n / chunk_size) and copies no values; a write
/// to a chunk that another fork still sees copies that chunk first. References and iterators are
/// valid until the next write to the same Table. One thread writes a Table; forks may live on other
/// threads.
template <class Key, class T, std::size_t chunk_size = 64>
class Table {
 public:
  using Entry = std::pair<Key, T>;

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
    const auto& entries = chunks_[chunk_of(key)]->entries;
    const auto at = lower_bound(entries, key);
    return at != entries.end() && !(key < at->first) ? &at->second : nullptr;
  }
  bool contains(const Key& key) const { return find(key) != nullptr; }

  /// The value of a key that must be there.
  const T& at(const Key& key) const {
    const T* found = find(key);
    ensure(found != nullptr);
    return *found;
  }

  /// A value to change in place, or nullptr. Unshares its chunk.
  T* edit(const Key& key) {
    if (find(key) == nullptr) return nullptr;
    auto& entries = own(chunk_of(key))->entries;
    return &lower_bound(entries, key)->second;
  }

  /// Adds a key that must not be there yet; returns its value to change in place.
  T& insert(const Key& key, T value) {
    if (chunks_.empty()) {
      firsts_.push_back(key);
      chunks_.push_back(new Chunk);
    }
    std::size_t index = chunk_of(key);
    Chunk* chunk = own(index);
    if (chunk->entries.size() == chunk_size) {
      index = split(index, key);
      chunk = chunks_[index];
    }
    auto at = lower_bound(chunk->entries, key);
    ensure(at == chunk->entries.end() || key < at->first);
    at = chunk->entries.emplace(at, key, std::move(value));
    if (key < firsts_[index]) firsts_[index] = key;
    ++size_;
    return at->second;
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
    auto& entries = own(index)->entries;
    const auto at = lower_bound(entries, key);
    ensure(at != entries.end() && !(key < at->first));
    entries.erase(at);
    --size_;
    if (entries.empty()) {
      drop(chunks_[index]);
      chunks_.erase(chunks_.begin() + static_cast<std::ptrdiff_t>(index));
      firsts_.erase(firsts_.begin() + static_cast<std::ptrdiff_t>(index));
    } else {
      firsts_[index] = entries.front().first;
      merge(index);
    }
  }

  /// Walks the entries in key order: `for (const auto& [key, value] : table)`.
  class Iterator {
   public:
    Iterator(const Table* table, std::size_t chunk, std::size_t entry)
        : table_(table), chunk_(chunk), entry_(entry) {}
    const Entry& operator*() const { return table_->chunks_[chunk_]->entries[entry_]; }
    const Entry* operator->() const { return &**this; }
    Iterator& operator++() {
      if (++entry_ == table_->chunks_[chunk_]->entries.size()) {
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
    const auto& entries = chunks_[index]->entries;
    const auto at = lower_bound(entries, key);
    if (at == entries.end()) return {this, index + 1, 0};
    return {this, index, static_cast<std::size_t>(at - entries.begin())};
  }

  /// The last entry whose key is less than `key`, or end().
  Iterator before(const Key& key) const {
    if (size_ == 0) return end();
    const std::size_t index = chunk_of(key);
    const auto& entries = chunks_[index]->entries;
    const auto at = lower_bound(entries, key);
    if (at != entries.begin())
      return {this, index, static_cast<std::size_t>(at - entries.begin()) - 1};
    return index == 0 ? end() : Iterator{this, index - 1, chunks_[index - 1]->entries.size() - 1};
  }

  /// The last entry; the table must not be empty.
  const Entry& back() const {
    ensure(size_ > 0);
    return chunks_.back()->entries.back();
  }

 private:
  struct Chunk {
    std::atomic<std::uint32_t> owners{1};
    std::vector<Entry> entries;
  };

  static void drop(Chunk* chunk) {
    if (chunk->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete chunk;
  }

  template <class Entries>
  static auto lower_bound(Entries& entries, const Key& key) {
    return std::lower_bound(entries.begin(), entries.end(), key,
                            [](const Entry& entry, const Key& k) { return entry.first < k; });
  }

  // The chunk where `key` is or belongs: the last one whose first key is not greater.
  std::size_t chunk_of(const Key& key) const {
    if (!(key < firsts_.back())) return firsts_.size() - 1;
    const auto above = std::upper_bound(firsts_.begin(), firsts_.end(), key);
    return above == firsts_.begin() ? 0 : static_cast<std::size_t>(above - firsts_.begin()) - 1;
  }

  Chunk* own(std::size_t index) {
    Chunk* chunk = chunks_[index];
    if (chunk->owners.load(std::memory_order_acquire) == 1) return chunk;
    auto* copy = new Chunk;
    copy->entries.reserve(chunk->entries.size() + 1);
    copy->entries = chunk->entries;
    drop(chunk);
    chunks_[index] = copy;
    return copy;
  }

  // Splits a full chunk that this table owns. An append keeps the left one full, for dense tables.
  std::size_t split(std::size_t index, const Key& key) {
    auto& left = chunks_[index]->entries;
    const bool is_append = index + 1 == chunks_.size() && left.back().first < key;
    auto* right = new Chunk;
    const auto next = static_cast<std::ptrdiff_t>(index) + 1;
    if (is_append) {
      firsts_.insert(firsts_.begin() + next, key);
    } else {
      const auto middle = left.begin() + static_cast<std::ptrdiff_t>(chunk_size / 2);
      right->entries.assign(std::make_move_iterator(middle), std::make_move_iterator(left.end()));
      left.erase(middle, left.end());
      firsts_.insert(firsts_.begin() + next, right->entries.front().first);
    }
    chunks_.insert(chunks_.begin() + next, right);
    return is_append || !(key < firsts_[index + 1]) ? index + 1 : index;
  }

  // Joins a thin chunk to its right neighbour, so that a table that shrank does not stay long.
  void merge(std::size_t index) {
    if (index + 1 >= chunks_.size()) return;
    const std::size_t both = chunks_[index]->entries.size() + chunks_[index + 1]->entries.size();
    if (both > chunk_size / 2) return;
    auto& left = own(index)->entries;
    auto& right = own(index + 1)->entries;
    left.insert(left.end(), std::make_move_iterator(right.begin()),
                std::make_move_iterator(right.end()));
    drop(chunks_[index + 1]);
    const auto gone = static_cast<std::ptrdiff_t>(index) + 1;
    chunks_.erase(chunks_.begin() + gone);
    firsts_.erase(firsts_.begin() + gone);
  }

  std::vector<Key> firsts_;  // The first key of each chunk.
  std::vector<Chunk*> chunks_;
  std::size_t size_ = 0;
};

}  // namespace suan
