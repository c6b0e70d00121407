#include "cli/amounts.h"

#include <array>

#include "base/text.h"

namespace suan::cli {

namespace {

struct Unit {
  std::string_view name;
  std::int64_t seconds;
};
constexpr std::array<Unit, 4> units{{{"d", 86'400}, {"h", 3'600}, {"m", 60}, {"s", 1}}};

// The digits before a decimal point in groups of three.
std::string grouped(std::string_view digits) {
  std::string out;
  for (std::size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % 3 == 0) out.push_back(',');
    out.push_back(digits[i]);
  }
  return out;
}

}  // namespace

std::string print_rough(Span span) {
  if (span.us <= 0) return {};
  const std::int64_t whole = span.us / 1'000'000;
  if (whole == 0) return print_milli(span.us / 1000) + "s";
  for (std::size_t i = 0; i < units.size(); ++i) {
    const std::int64_t count = whole / units[i].seconds;
    if (count == 0) continue;
    std::string out = std::to_string(count).append(units[i].name);
    if (i + 1 == units.size()) return out;
    const std::int64_t rest = whole % units[i].seconds / units[i + 1].seconds;
    if (rest > 0 && count < 10) out.append(std::to_string(rest)).append(units[i + 1].name);
    return out;
  }
  return {};
}

std::string print_ago(Moment moment, Moment now) {
  if (moment == Moment{}) return {};
  const Span past = now - moment;
  if (past > seconds(-1) && past < seconds(1)) return "now";
  return past.us > 0 ? print_rough(past) + " ago" : "in " + print_rough({-past.us});
}

std::string print_balance(Money money) {
  std::string text = print_money(money);
  const std::string sign = text.starts_with('-') ? "-" : "";
  text.erase(0, sign.size());
  const std::size_t point = text.find('.') == text.npos ? text.size() : text.find('.');
  std::string decimals = point == text.size() ? "" : text.substr(point + 1);
  while (decimals.size() < 2) decimals.push_back('0');
  return sign + grouped(text.substr(0, point)) + "." + decimals + " CNY";
}

std::string print_cny(Money money) {
  return money == Money{} ? std::string() : print_balance(money);
}

std::string print_milli(std::int64_t milli) {
  std::string out = std::to_string(milli / 1000);
  if (milli % 1000 == 0) return out;
  std::string decimals = std::to_string(1000 + milli % 1000).substr(1);
  while (decimals.ends_with('0')) decimals.pop_back();
  return out + "." + decimals;
}

std::string print_cards(std::string_view chip, std::int64_t card_milli, std::int64_t cpu_milli) {
  if (!chip.empty() && card_milli > 0) return std::string(chip) + ":" + print_milli(card_milli);
  if (cpu_milli <= 0) return {};
  return print_milli(cpu_milli) + (cpu_milli == 1000 ? " core" : " cores");
}

std::string print_size(std::int64_t bytes) {
  if (bytes <= 0) return {};
  constexpr std::array<std::string_view, 6> names{"B", "KB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  std::int64_t tenths = bytes > INT64_MAX / 10 ? INT64_MAX : bytes * 10;
  while (tenths >= 10'000 && unit + 1 < names.size()) {
    tenths /= 1000;
    ++unit;
  }
  return print_milli(tenths * 100).append(" ").append(names[unit]);
}

std::string print_count(std::uint64_t count) {
  return grouped(std::to_string(count));
}

}  // namespace suan::cli
