#pragma once

#include <compare>
#include <cstdint>

namespace suan {

/// A 64-bit identifier of one kind of thing: `using JobId = Id<struct JobTag>`. Two kinds never
/// mix. 0 names nothing.
template <class Tag>
struct Id {
  std::uint64_t value = 0;

  explicit operator bool() const { return value != 0; }
  friend constexpr auto operator<=>(const Id&, const Id&) = default;
};

}  // namespace suan
