#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace suan {

/// A 256-bit BLAKE2b digest (RFC 7693). All zero means none.
struct Digest {
  std::array<std::uint8_t, 32> bytes{};

  friend constexpr auto operator<=>(const Digest&, const Digest&) = default;
};

/// A client-made name of one request: a UUIDv7 (RFC 9562), whose first 48 bits are milliseconds
/// since 1970. All zero means none.
struct RequestId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  std::int64_t unix_ms() const { return static_cast<std::int64_t>(high >> 16U); }
  friend constexpr auto operator<=>(const RequestId&, const RequestId&) = default;
};

/// Lower-case hexadecimal.
std::string print_hex(std::string_view bytes);
std::string print_digest(const Digest&);
std::optional<Digest> parse_digest(std::string_view hex);

/// The 8-4-4-4-12 form. Parsing accepts only version 7, variant 10.
std::string print_request_id(const RequestId&);
std::optional<RequestId> parse_request_id(std::string_view text);

/// Makes a UUIDv7 from the time and 74 random bits (the rest of `random_a`, `random_b` is ignored).
RequestId make_request_id(std::int64_t unix_ms, std::uint64_t random_a, std::uint64_t random_b);

}  // namespace suan
