#include "slurm/names.h"

#include <algorithm>
#include <optional>

#include "base/text.h"

namespace suan::slurm {
namespace {

constexpr std::size_t name_bytes_max = 256;

bool is_nothing(std::string_view text) {
  return text.empty() || text == "(null)" || text == "N/A" || text == "None";
}

bool is_plain(std::string_view text) {
  return !text.empty() && text.size() <= name_bytes_max &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return c > ' ' && c < 0x7F && c != '[' && c != ']' && c != ',';
         });
}

// The parts between commas that stand outside of brackets.
std::optional<std::vector<std::string_view>> split(std::string_view text, char open, char close) {
  std::vector<std::string_view> parts;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t at = 0; at <= text.size(); ++at) {
    if (at == text.size() || (text[at] == ',' && depth == 0)) {
      parts.push_back(text.substr(begin, at - begin));
      begin = at + 1;
    } else if (text[at] == open) {
      if (++depth > 1) return std::nullopt;
    } else if (text[at] == close && --depth < 0) {
      return std::nullopt;
    }
  }
  return depth == 0 ? std::optional(std::move(parts)) : std::nullopt;
}

// "n" + "07" … for one range, "7" or "07-12". False if it is none.
bool add_range(std::vector<std::string>& hosts, std::string_view before, std::string_view range,
               std::string_view after) {
  const std::size_t dash = range.find('-');
  const std::string_view low = range.substr(0, dash);
  const std::string_view high = dash == std::string_view::npos ? low : range.substr(dash + 1);
  const auto is_digits = [](std::string_view text) {
    return !text.empty() && text.size() <= 9 &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  if (!is_digits(low) || !is_digits(high)) return false;
  const std::int64_t first = *parse_integer(low);
  const std::int64_t last = *parse_integer(high);
  if (last < first || static_cast<std::size_t>(last - first) >= hosts_max) return false;
  for (std::int64_t number = first; number <= last; ++number) {
    std::string digits = std::to_string(number);
    if (digits.size() < low.size()) digits.insert(0, low.size() - digits.size(), '0');
    hosts.push_back(std::string(before) + digits + std::string(after));
    if (hosts.size() > hosts_max) return false;
  }
  return true;
}

bool add_hosts(std::vector<std::string>& hosts, std::string_view part) {
  const std::size_t open = part.find('[');
  if (open == std::string_view::npos) {
    if (is_plain(part)) hosts.emplace_back(part);
    return is_plain(part) && hosts.size() <= hosts_max;
  }
  const std::size_t close = part.find(']');
  const std::string_view before = part.substr(0, open);
  const std::string_view after = part.substr(close + 1);
  if ((!before.empty() && !is_plain(before)) || (!after.empty() && !is_plain(after))) return false;
  std::string_view ranges = part.substr(open + 1, close - open - 1);
  while (true) {
    const std::size_t comma = std::min(ranges.find(','), ranges.size());
    if (!add_range(hosts, before, ranges.substr(0, comma), after)) return false;
    if (comma == ranges.size()) return true;
    ranges.remove_prefix(comma + 1);
  }
}

bool add_gres(std::vector<Gres>& list, std::string_view part) {
  if (part.starts_with("gres:")) part.remove_prefix(5);
  if (part.starts_with("gres/")) part.remove_prefix(5);
  part = part.substr(0, part.find('('));
  Gres gres{std::string(part), 1};
  const std::size_t colon = part.find_last_of(":=");
  if (colon != std::string_view::npos) {
    std::string_view digits = part.substr(colon + 1);
    const bool is_kilo = digits.ends_with('K');
    if (is_kilo) digits.remove_suffix(1);
    if (const auto count = parse_integer(digits)) {
      if (*count < 0 || *count > 1'000'000) return false;
      gres.name = part.substr(0, colon);
      gres.count = static_cast<std::uint32_t>(*count * (is_kilo ? 1024 : 1));
    }
  }
  if (!is_plain(gres.name)) return false;
  const auto known = std::ranges::find(list, gres.name, &Gres::name);
  if (known != list.end())
    known->count += gres.count;
  else
    list.push_back(std::move(gres));
  return list.size() <= gres_max;
}

}  // namespace

Result<std::vector<std::string>> expand_hosts(std::string_view text) {
  std::vector<std::string> hosts;
  if (is_nothing(text)) return hosts;
  const auto parts = split(text, '[', ']');
  bool is_right = parts.has_value();
  for (std::size_t i = 0; is_right && i < parts->size(); ++i)
    is_right = add_hosts(hosts, (*parts)[i]);
  if (is_right) return hosts;
  return failure(Failure::Kind::invalid, "expected a list of nodes such as n[1-3], found " +
                                             std::string(text.substr(0, 80)));
}

Result<std::vector<Gres>> parse_gres(std::string_view text) {
  std::vector<Gres> list;
  if (is_nothing(text)) return list;
  const auto parts = split(text, '(', ')');
  bool is_right = parts.has_value();
  for (std::size_t i = 0; is_right && i < parts->size(); ++i)
    is_right = add_gres(list, (*parts)[i]);
  if (is_right) return list;
  return failure(Failure::Kind::invalid, "expected generic resources such as gpu:a100:8, found " +
                                             std::string(text.substr(0, 80)));
}

std::uint32_t count_of(const std::vector<Gres>& list, std::string_view name) {
  std::uint32_t count = 0;
  for (const Gres& each : list) {
    const bool is_type_of = each.name.size() > name.size() && each.name.starts_with(name) &&
                            each.name[name.size()] == ':';
    if (each.name == name || is_type_of) count += each.count;
  }
  return count;
}

std::string_view find_setting(std::string_view list, std::string_view name) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view setting = list.substr(0, comma);
    if (setting.size() > name.size() && setting.starts_with(name) && setting[name.size()] == '=')
      return setting.substr(name.size() + 1);
    list.remove_prefix(std::min(list.size(), comma + 1));
  }
  return {};
}

std::int64_t parse_mebibytes(std::string_view text) {
  constexpr std::int64_t size_max = 1'000'000'000;  // A pebibyte.
  if (text.empty()) return -1;
  std::int64_t thousandths = 1000;
  const char unit = text.back();
  if (unit == 'K') thousandths = 1;  // 1024 of them make one; close enough for a size in use.
  if (unit == 'G') thousandths = 1024 * 1000;
  if (unit == 'T') thousandths = std::int64_t{1024} * 1024 * 1000;
  if (unit == 'K' || unit == 'M' || unit == 'G' || unit == 'T') text.remove_suffix(1);
  const std::size_t dot = std::min(text.find('.'), text.size());
  const auto whole = parse_integer(text.substr(0, dot));
  if (!whole || *whole < 0 || *whole > size_max) return -1;
  std::int64_t hundredths = 0;
  if (dot < text.size()) {
    std::string digits(text.substr(dot + 1, 2));
    digits.resize(2, '0');
    const auto part = parse_integer(digits);
    if (!part || *part < 0) return -1;
    hundredths = *part;
  }
  const std::int64_t size = *whole * thousandths / 1000 + hundredths * thousandths / 100'000;
  return std::min(size, size_max);
}

}  // namespace suan::slurm
