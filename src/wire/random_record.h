#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/random.h"
#include "base/text.h"
#include "wire/bytes.h"

/// Random values of any record, for property tests. Defaults, extremes and awkward texts are common
/// on purpose. Test code only.
namespace suan::wire {

/// A text of up to 12 pieces, valid UTF-8, with all that formats must escape.
inline std::string random_text(Random& random) {
  static constexpr std::array<std::string_view, 24> pieces{
      "a",  "Z",    "0",    " ",    "\n",     "\t",     "\r",         "\"",
      "\\", "/",    "~",    ":",    "# ",     "- ",     "'",          "null",
      "é",  "算河", "\x01", "\x7F", "\u2028", "\u0085", "\U0001F4BB", "12:30"};
  std::string out;
  for (std::size_t left = random.chance(1, 4) ? 0 : random.below(std::size_t{12}); left > 0; --left)
    out += pieces[random.below(pieces.size())];
  return out;
}

template <class T>
void fill_randomly(Random& random, T& value) {
  const auto fill_each = [&](auto add) {
    for (std::size_t left = random.below(std::size_t{4}); left > 0; --left) add();
  };
  if constexpr (std::is_enum_v<T>) {
    do {
      value = static_cast<T>(random.below(enumerators_max));
    } while (enum_name(value).empty());
  } else if constexpr (std::same_as<T, double>) {
    do {
      value = random.chance(1, 2) ? static_cast<double>(random.between(-9, 9)) / 8
                                  : std::bit_cast<double>(random.next());
    } while (value - value != 0);  // Not finite.
  } else if constexpr (std::same_as<T, Moment>) {
    value.us = random.chance(1, 4) ? 0
                                   : random.between(-62'135'596'800'000'000,   // The year 1,
                                                    253'402'300'799'999'999);  // to 9999.
  } else if constexpr (std::same_as<T, RequestId>) {
    value = random.chance(1, 4)
                ? RequestId{}
                : make_request_id(random.between(1, 1LL << 47U), random.next(), random.next());
  } else if constexpr (Scalar<T>) {
    do {  // Small numbers, all numbers, and those of one bit.
      const std::uint64_t bits = random.chance(1, 2)   ? random.below(4U)
                                 : random.chance(1, 2) ? random.next()
                                                       : std::uint64_t{1} << random.below(64U);
      if (from_varint(bits >> (64 - 8 * sizeof(T)), value) || from_varint(bits, value)) break;
    } while (true);
  } else if constexpr (std::same_as<T, Digest>) {
    if (random.chance(1, 4)) return;
    for (auto& byte : value.bytes) byte = static_cast<std::uint8_t>(random.below(256U));
  } else if constexpr (std::same_as<T, std::string>) {
    value = random_text(random);
  } else if constexpr (is_optional<T>) {
    if (random.chance(1, 2)) fill_randomly(random, value.emplace());
  } else if constexpr (is_shared<T>) {
    if (random.chance(1, 2)) return;
    auto inner = std::make_shared<std::remove_const_t<typename T::element_type>>();
    fill_randomly(random, *inner);
    value = std::move(inner);
  } else if constexpr (is_list<T>) {
    fill_each([&] { fill_randomly(random, value.emplace_back()); });
  } else if constexpr (is_map<T>) {
    fill_each([&] {
      typename T::key_type key{};
      fill_randomly(random, key);
      fill_randomly(random, value[std::move(key)]);
    });
  } else {
    T::fields([&](std::uint32_t, std::string_view, auto& field,
                  auto&&...) { fill_randomly(random, field); },
              value);
  }
}

template <Record T>
T random_record(Random& random) {
  T value{};
  fill_randomly(random, value);
  return value;
}

}  // namespace suan::wire
