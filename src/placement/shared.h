#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

namespace suan::placement {

/// A value that copies share until one of them writes.
///
/// Copying costs one count. `edit` copies the value first if another copy still sees it. One thread
/// writes a Shared; copies of it may live on other threads. A moved-from Shared may only be
/// destroyed or assigned.
template <class T>
class Shared {
 public:
  Shared() : box_(new Box) {}
  Shared(const Shared& other) : box_(other.box_) {
    box_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  Shared(Shared&& other) noexcept : box_(std::exchange(other.box_, nullptr)) {}
  Shared& operator=(Shared other) noexcept {
    std::swap(box_, other.box_);
    return *this;
  }
  ~Shared() { drop(); }

  const T& operator*() const { return box_->value; }
  const T* operator->() const { return &box_->value; }

  /// The value to change in place; valid until this Shared is copied.
  T& edit() {
    if (box_->owners.load(std::memory_order_acquire) != 1) {
      Box* copy = new Box(box_->value);
      drop();
      box_ = copy;
    }
    return box_->value;
  }

 private:
  struct Box {
    Box() = default;
    explicit Box(const T& from) : value(from) {}
    std::atomic<std::uint32_t> owners{1};
    T value{};
  };

  void drop() {
    if (box_ != nullptr && box_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) delete box_;
  }

  Box* box_;
};

}  // namespace suan::placement
