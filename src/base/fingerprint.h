#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace suan {

/// A 64-bit fingerprint of a record's fields, by a multiplication for each word of them: equal
/// records have equal fingerprints on every machine. For grouping, not for security.
class Fingerprint {
 public:
  template <class T>
  void add(const T& value) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      mix(static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
      const std::string_view text = value;
      mix(text.size());
      for (std::size_t at = 0; at < text.size(); at += 8) mix(word(text.substr(at, 8)));
    } else if constexpr (requires { value.begin(); }) {
      mix(value.size());
      for (const auto& each : value) add(each);
    } else if constexpr (requires { value.micro; }) {
      mix(static_cast<std::uint64_t>(value.micro));
    } else if constexpr (requires { value.us; }) {
      mix(static_cast<std::uint64_t>(value.us));
    } else if constexpr (requires { value.value; }) {
      mix(value.value);
    } else {
      T::fields([this](std::uint32_t, std::string_view, const auto& field,
                       auto&&...) { this->add(field); },
                value);
    }
  }

  std::uint64_t value() const { return state_; }

 private:
  // Up to eight bytes as a number, the first one lowest.
  static std::uint64_t word(std::string_view bytes) {
    static_assert(std::endian::native == std::endian::little);
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data(), bytes.size());
    return number;
  }

  void mix(std::uint64_t number) {
    state_ = (state_ ^ number) * 0x9E3779B97F4A7C15U;
    state_ ^= state_ >> 32U;
  }

  std::uint64_t state_ = 0xCBF29CE484222325U;
};

}  // namespace suan
