#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/money.h"
#include "base/time.h"

/// Text forms of the base values, and help for people who mistype.
namespace suan {

/// A whole number in decimal, all of `text`; nullopt on anything else or overflow.
std::optional<std::int64_t> parse_integer(std::string_view text);

/// "2026-11-23T08:00:00Z", with six decimals where the moment is not a whole second. UTC (RFC
/// 3339).
std::string print_moment(Moment);

/// RFC 3339 with `Z` or an offset and at most six decimals.
std::optional<Moment> parse_moment(std::string_view text);

/// The shortest exact form of units people read: "250ms", "90s", "15m", "6h", "7d", "0s".
std::string print_span(Span);

/// A number and a unit (us, ms, s, m, h, d, w), or several in a row ("1h30m"). A bare number is
/// refused, except 0. At most 100 years.
std::optional<Span> parse_span(std::string_view text);

/// Decimal yuan without trailing zeros, exact: "12.5", "0.000001", "-3".
std::string print_money(Money);

/// A decimal number of yuan with at most six decimals, at most a trillion.
std::optional<Money> parse_money(std::string_view text);

/// Bytes with the largest decimal unit that is exact ("512GB", "1536MB", "17B").
std::string print_bytes(std::int64_t bytes);

/// A number with an optional unit: B, KB, MB, GB, TB, PB (powers of 1000), KiB … PiB (powers of
/// 1024); decimals are allowed if the result is whole. At most 1 EB.
std::optional<std::int64_t> parse_bytes(std::string_view text);

/// The candidate nearest to `word` in edit distance, if it is near enough to be meant; else "".
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace suan
