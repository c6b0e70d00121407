#include "base/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <vector>

namespace suan {

namespace {

__extension__ using Wide = __int128;

// A non-negative decimal number with at most `decimals_max` decimals, as an integer of
// 10^-decimals_max. Takes what it reads off the front of `text`.
std::optional<Wide> take_decimal(std::string_view& text, int decimals_max) {
  constexpr std::size_t digits_max = 24;
  Wide value = 0;
  std::size_t digits = 0;
  const auto take_digit = [&] {
    value = value * 10 + (text.front() - '0');
    text.remove_prefix(1);
    return ++digits <= digits_max;
  };
  const auto at_digit = [&] { return !text.empty() && text.front() >= '0' && text.front() <= '9'; };
  if (!at_digit()) return std::nullopt;
  while (at_digit()) {
    if (!take_digit()) return std::nullopt;
  }
  int decimals = 0;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    if (!at_digit()) return std::nullopt;
    while (at_digit()) {
      if (++decimals > decimals_max || !take_digit()) return std::nullopt;
    }
  }
  for (; decimals < decimals_max; ++decimals) value *= 10;
  return value;
}

struct Unit {
  std::string_view name;
  std::int64_t size;
};

constexpr std::array<Unit, 7> span_units{{{"us", 1},
                                          {"ms", 1'000},
                                          {"s", 1'000'000},
                                          {"m", 60'000'000},
                                          {"h", 3'600'000'000},
                                          {"d", 86'400'000'000},
                                          {"w", 604'800'000'000}}};

constexpr std::array<Unit, 11> byte_units{{{"B", 1},
                                           {"KB", 1'000},
                                           {"MB", 1'000'000},
                                           {"GB", 1'000'000'000},
                                           {"TB", 1'000'000'000'000},
                                           {"PB", 1'000'000'000'000'000},
                                           {"KiB", 1LL << 10U},
                                           {"MiB", 1LL << 20U},
                                           {"GiB", 1LL << 30U},
                                           {"TiB", 1LL << 40U},
                                           {"PiB", 1LL << 50U}}};

std::optional<int> take_number(std::string_view& text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

// Days since 1970-01-01 of a proleptic Gregorian date, and back (Hinnant, "chrono-compatible
// low-level date algorithms").
std::int64_t days_from_civil(std::int64_t year, int month, int day) {
  year -= month <= 2 ? 1 : 0;
  const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
  const std::int64_t year_of_era = year - era * 400;
  const std::int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const std::int64_t day_of_era =
      year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146'097 + day_of_era - 719'468;
}

struct Date {
  std::int64_t year;
  int month;
  int day;
};

Date civil_from_days(std::int64_t days) {
  days += 719'468;
  const std::int64_t era = (days >= 0 ? days : days - 146'096) / 146'097;
  const std::int64_t day_of_era = days - era * 146'097;
  const std::int64_t year_of_era =
      (day_of_era - day_of_era / 1'460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const std::int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month,
          static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1)};
}

void append_padded(std::string& out, std::int64_t value, std::size_t width) {
  const std::string digits = std::to_string(value);
  if (digits.size() < width) out.append(width - digits.size(), '0');
  out += digits;
}

// The offset in minutes at the end of an RFC 3339 text.
std::optional<std::int64_t> take_offset(std::string_view& text) {
  if (take(text, 'Z') || take(text, 'z')) return 0;
  const bool is_negative = !text.empty() && text.front() == '-';
  if (!take(text, '+') && !take(text, '-')) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const std::int64_t offset = *hour * 60 + *minute;
  return is_negative ? -offset : offset;
}

std::optional<std::int64_t> take_microseconds(std::string_view& text) {
  if (!take(text, '.')) return 0;
  std::int64_t micro = 0;
  int digits = 0;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    if (++digits > 6) return std::nullopt;
    micro = micro * 10 + (text.front() - '0');
    text.remove_prefix(1);
  }
  if (digits == 0) return std::nullopt;
  for (; digits < 6; ++digits) micro *= 10;
  return micro;
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> days{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && is_leap ? 29 : days[static_cast<std::size_t>(month - 1)];
}

}  // namespace

std::optional<std::int64_t> parse_integer(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string print_moment(Moment moment) {
  constexpr std::int64_t day_us = 86'400'000'000;
  std::int64_t days = moment.us / day_us;
  std::int64_t rest = moment.us % day_us;
  if (rest < 0) {
    rest += day_us;
    --days;
  }
  const Date date = civil_from_days(days);
  std::string out;
  append_padded(out, date.year, 4);
  out += '-';
  append_padded(out, date.month, 2);
  out += '-';
  append_padded(out, date.day, 2);
  out += 'T';
  append_padded(out, rest / 3'600'000'000, 2);
  out += ':';
  append_padded(out, rest / 60'000'000 % 60, 2);
  out += ':';
  append_padded(out, rest / 1'000'000 % 60, 2);
  if (rest % 1'000'000 != 0) {
    out += '.';
    append_padded(out, rest % 1'000'000, 6);
  }
  out += 'Z';
  return out;
}

std::optional<Moment> parse_moment(std::string_view text) {
  const auto year = take_number(text, 4);
  if (!year || *year < 1 || !take(text, '-')) return std::nullopt;
  const auto month = take_number(text, 2);
  if (!month || *month < 1 || *month > 12 || !take(text, '-')) return std::nullopt;
  const auto day = take_number(text, 2);
  if (!day || *day < 1 || *day > days_in_month(*year, *month)) return std::nullopt;
  if (!take(text, 'T') && !take(text, 't') && !take(text, ' ')) return std::nullopt;
  const auto hour = take_number(text, 2);
  if (!hour || *hour > 23 || !take(text, ':')) return std::nullopt;
  const auto minute = take_number(text, 2);
  if (!minute || *minute > 59 || !take(text, ':')) return std::nullopt;
  const auto second = take_number(text, 2);
  if (!second || *second > 59) return std::nullopt;
  const auto micro = take_microseconds(text);
  if (!micro) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  const std::int64_t days = days_from_civil(*year, *month, *day);
  const std::int64_t at = days * 86'400 + *hour * 3'600 + (*minute - *offset) * 60 + *second;
  return Moment{at * 1'000'000 + *micro};
}

std::string print_span(Span span) {
  if (span.us == 0) return "0s";
  if (span.us < 0) return "-" + print_span(Span{-span.us});
  constexpr std::array<std::size_t, 6> readable{5, 4, 3, 2, 1, 0};  // No weeks.
  std::string out;
  std::int64_t rest = span.us;
  for (const std::size_t index : readable) {
    const Unit& unit = span_units[index];
    if (rest < unit.size) continue;
    out += std::to_string(rest / unit.size);
    out += unit.name;
    rest %= unit.size;
  }
  return out;
}

std::optional<Span> parse_span(std::string_view text) {
  constexpr Wide us_max = Wide{100 * 366} * 86'400'000'000;
  if (text == "0") return Span{};
  if (text.empty()) return std::nullopt;
  Wide total = 0;
  while (!text.empty()) {
    const auto number = take_decimal(text, 6);
    if (!number) return std::nullopt;
    const Unit* best = nullptr;  // The longest unit that matches: "ms" before "m".
    for (const Unit& unit : span_units) {
      if (text.starts_with(unit.name) && (!best || unit.name.size() > best->name.size()))
        best = &unit;
    }
    if (!best) return std::nullopt;
    text.remove_prefix(best->name.size());
    const Wide scaled = *number * best->size;
    if (scaled % 1'000'000 != 0) return std::nullopt;
    total += scaled / 1'000'000;
    if (total > us_max) return std::nullopt;
  }
  return Span{static_cast<std::int64_t>(total)};
}

std::string print_money(Money money) {
  const bool is_negative = money.micro < 0;
  const std::uint64_t micro = is_negative ? 0 - static_cast<std::uint64_t>(money.micro)
                                          : static_cast<std::uint64_t>(money.micro);
  std::string out = is_negative ? "-" : "";
  out += std::to_string(micro / 1'000'000);
  if (const std::uint64_t rest = micro % 1'000'000; rest != 0) {
    out += '.';
    append_padded(out, static_cast<std::int64_t>(rest), 6);
    while (out.back() == '0') out.pop_back();
  }
  return out;
}

std::optional<Money> parse_money(std::string_view text) {
  constexpr Wide micro_max = Wide{1'000'000'000'000} * 1'000'000;
  const bool is_negative = take(text, '-');
  const auto micro = take_decimal(text, 6);
  if (!micro || !text.empty() || *micro > micro_max) return std::nullopt;
  return Money{static_cast<std::int64_t>(is_negative ? -*micro : *micro)};
}

std::string print_bytes(std::int64_t bytes) {
  constexpr std::array<std::size_t, 10> by_size{10, 5, 9, 4, 8, 3, 7, 2, 6, 1};
  if (bytes > 0) {
    for (const std::size_t index : by_size) {
      const Unit& unit = byte_units[index];
      if (bytes % unit.size == 0) return std::to_string(bytes / unit.size) + std::string(unit.name);
    }
  }
  return std::to_string(bytes) + "B";
}

std::optional<std::int64_t> parse_bytes(std::string_view text) {
  constexpr Wide bytes_max = Wide{1'000'000'000'000} * 1'000'000;
  const auto number = take_decimal(text, 6);
  if (!number) return std::nullopt;
  while (take(text, ' ')) {
  }
  std::int64_t size = 0;
  if (text.empty()) size = 1;
  for (const Unit& unit : byte_units) {
    if (text == unit.name) size = unit.size;
  }
  if (size == 0 || *number > bytes_max * 1'000'000) return std::nullopt;
  const Wide scaled = *number * size;
  if (scaled % 1'000'000 != 0 || scaled / 1'000'000 > bytes_max) return std::nullopt;
  return static_cast<std::int64_t>(scaled / 1'000'000);
}

std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates) {
  const std::size_t distance_max = word.size() <= 3 ? 1 : word.size() <= 6 ? 2 : 3;
  std::string_view best;
  std::size_t best_distance = distance_max + 1;
  std::vector<std::size_t> row;
  for (const std::string_view candidate : candidates) {
    row.resize(candidate.size() + 1);
    for (std::size_t j = 0; j <= candidate.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = row[0];
      row[0] = i;
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t replaced = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

}  // namespace suan
