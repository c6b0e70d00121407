#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace suan {

/// A 64-bit FNV-1a fingerprint of a record's fields: equal records have equal fingerprints on every
/// machine. For grouping, not for security.
class Fingerprint {
 public:
  template <class T>
  void add(const T& value) {
    if constexpr (std::is_integral_v<T> || std::is_enum_v<T>) {
      mix(static_cast<std::uint64_t>(value));
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
      const std::string_view text = value;
      mix(text.size());
      for (const char c : text) mix_byte(static_cast<std::uint8_t>(c));
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
      T::fields(
          [this](std::uint32_t, std::string_view, const auto& field, auto&&...) { add(field); },
          value);
    }
  }

  std::uint64_t value() const { return state_; }

 private:
  void mix_byte(std::uint8_t byte) { state_ = (state_ ^ byte) * 0x100000001B3U; }
  void mix(std::uint64_t number) {
    for (unsigned shift = 0; shift < 64; shift += 8)
      mix_byte(static_cast<std::uint8_t>(number >> shift));
  }

  std::uint64_t state_ = 0xCBF29CE484222325U;
};

}  // namespace suan
