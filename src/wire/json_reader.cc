#include "wire/json_reader.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "base/text.h"

namespace suan::wire {

namespace {

__extension__ using Wide = __int128;

// A JSON number times 10^decimals, exactly, if that is whole and has at most 37 digits.
std::optional<Wide> parse_wide(std::string_view text, int decimals) {
  constexpr int digits_max = 37;
  const bool is_negative = text.starts_with('-');
  if (is_negative) text.remove_prefix(1);
  int power = decimals;
  const std::size_t e = text.find_first_of("eE");
  if (e != std::string_view::npos) {
    std::string_view exponent = text.substr(e + 1);
    if (exponent.starts_with('+')) exponent.remove_prefix(1);
    const auto parsed = parse_integer(exponent);
    if (!parsed || *parsed < -1000 || *parsed > 1000) return std::nullopt;
    power += static_cast<int>(*parsed);
    text = text.substr(0, e);
  }
  std::string digits(text.substr(0, text.find('.')));
  if (const std::size_t point = text.find('.'); point != std::string_view::npos) {
    digits += text.substr(point + 1);
    power -= static_cast<int>(std::min<std::size_t>(text.size() - point - 1, 100'000));
  }
  while (power < 0 && digits.ends_with('0')) {
    digits.pop_back();
    ++power;
  }
  const std::size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  if (first == digits.size()) return 0;
  if (power < 0 || power > digits_max || digits.size() - first > digits_max) return std::nullopt;
  digits.append(static_cast<std::size_t>(power), '0');
  if (digits.size() - first > digits_max) return std::nullopt;
  Wide value = 0;
  for (const char c : digits) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  return is_negative ? -value : value;
}

// The nearest name, if anybody could have meant it.
std::string_view nearest_name(std::string_view word, std::span<const std::string_view> names) {
  constexpr std::size_t word_max = 64;
  return word.empty() || word.size() > word_max ? std::string_view{} : nearest(word, names);
}

std::string join(std::span<const std::string_view> names) {
  std::string out;
  for (const std::string_view name : names) {
    if (name.empty()) continue;
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

}  // namespace

std::optional<std::int64_t> parse_scaled(std::string_view number, int decimals) {
  const auto wide = parse_wide(number, decimals);
  if (!wide || *wide > INT64_MAX || *wide < INT64_MIN) return std::nullopt;
  return static_cast<std::int64_t>(*wide);
}

void JsonReader::mistake(std::string text, std::string suggestion) {
  if (++count_ > mistakes_max_) return;
  mistakes_.push_back({place_, std::move(text), std::move(suggestion)});
}

void JsonReader::expected(std::string_view what, JsonValue value, std::string suggestion) {
  mistake("expected " + std::string(what) + ", found " + value.describe(), std::move(suggestion));
}

void JsonReader::boolean(JsonValue json, bool& value) {
  if (!json.is(JsonKind::boolean)) return expected("true or false", json);
  value = json.boolean();
}

bool JsonReader::integer(JsonValue json, std::int64_t least, std::int64_t most,
                         std::int64_t& value) {
  const auto parsed = json.is(JsonKind::number) ? parse_wide(json.text(), 0) : std::nullopt;
  if (!parsed || *parsed < least || *parsed > most) {
    const bool is_any = least == INT64_MIN && most == INT64_MAX;
    expected(is_any
                 ? "a whole number"
                 : "a whole number from " + std::to_string(least) + " to " + std::to_string(most),
             json);
    return false;
  }
  value = static_cast<std::int64_t>(*parsed);
  return true;
}

bool JsonReader::natural(JsonValue json, std::uint64_t most, std::uint64_t& value) {
  const auto parsed = json.is(JsonKind::number) ? parse_wide(json.text(), 0) : std::nullopt;
  if (!parsed || *parsed < 0 || *parsed > Wide{most}) {
    expected("a whole number from 0 to " + std::to_string(most), json);
    return false;
  }
  value = static_cast<std::uint64_t>(*parsed);
  return true;
}

void JsonReader::scalar(JsonValue json, double& value) {
  double parsed = 0;
  const std::string_view text = json.text();
  if (!json.is(JsonKind::number) ||
      std::from_chars(text.data(), text.data() + text.size(), parsed).ec != std::errc{} ||
      !std::isfinite(parsed))
    return expected("a number", json);
  value = parsed;
}

void JsonReader::scalar(JsonValue json, std::string& value) {
  if (!json.is(JsonKind::string)) return expected("text", json);
  value = json.text();
}

void JsonReader::scalar(JsonValue json, Money& value) {
  std::optional<std::int64_t> micro;
  if (json.is(JsonKind::number)) {
    micro = parse_scaled(json.text(), 6);
  } else if (json.is(JsonKind::string) && !json.text().empty() &&
             json.text().find_first_not_of("0123456789.-") == std::string_view::npos &&
             json.text().find_first_of("0123456789") != std::string_view::npos) {
    micro = parse_scaled(json.text(), 6);
  }
  if (!micro) return expected("an amount of CNY with at most 6 decimals, such as \"12.5\"", json);
  value = {*micro};
}

void JsonReader::scalar(JsonValue json, Span& value) {
  if (json.is(JsonKind::number)) {
    if (const auto us = parse_scaled(json.text(), 6)) {
      value = {*us};
      return;
    }
  } else if (json.is(JsonKind::string)) {
    if (const auto span = parse_span(json.text())) {
      value = *span;
      return;
    }
  }
  expected("a duration such as \"90s\", \"15m\" or \"6h\", or a number of seconds", json);
}

void JsonReader::scalar(JsonValue json, Moment& value) {
  if (json.is(JsonKind::null)) {
    value = {};
    return;
  }
  const auto moment = json.is(JsonKind::string) ? parse_moment(json.text()) : std::nullopt;
  if (!moment)
    return expected("a time with its offset such as \"2026-12-01T08:00:00+08:00\" (RFC 3339)",
                    json);
  value = *moment;
}

void JsonReader::scalar(JsonValue json, Digest& value) {
  if (json.is(JsonKind::null)) {
    value = {};
    return;
  }
  const auto digest = json.is(JsonKind::string) ? parse_digest(json.text()) : std::nullopt;
  if (!digest) return expected("64 hexadecimal digits", json);
  value = *digest;
}

void JsonReader::scalar(JsonValue json, RequestId& value) {
  if (json.is(JsonKind::null)) {
    value = {};
    return;
  }
  const auto id = json.is(JsonKind::string) ? parse_request_id(json.text()) : std::nullopt;
  if (!id) return expected("a UUID of version 7", json);
  value = *id;
}

void JsonReader::id(JsonValue json, std::string_view prefix, std::uint64_t& value) {
  if (json.is(JsonKind::null)) {
    value = 0;
    return;
  }
  if (json.is(JsonKind::string)) {
    std::string_view text = json.text();
    if (text.starts_with(prefix) && text.substr(prefix.size()).starts_with('-')) {
      text.remove_prefix(prefix.size() + 1);
      std::uint64_t number = 0;
      const char* last = text.data() + text.size();
      const auto [end, error] = std::from_chars(text.data(), last, number);
      if (error == std::errc{} && end == last && number != 0 && text.front() != '0') {
        value = number;
        return;
      }
    }
  }
  expected("an id such as \"" + std::string(prefix) + "-42\"", json);
}

std::size_t JsonReader::choice(JsonValue json, std::span<const std::string_view> names) {
  const std::string_view text = json.is(JsonKind::string) ? json.text() : std::string_view{};
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!text.empty() && names[i] == text) return i;
  }
  expected("one of " + join(names), json, std::string(nearest_name(text, names)));
  return names.size();
}

bool JsonReader::is_container(JsonValue json, JsonKind kind) {
  if (json.is(kind)) return true;
  expected(kind == JsonKind::array ? "a list" : "an object", json);
  return false;
}

std::optional<JsonValue> JsonReader::member(JsonValue json, std::string_view name,
                                            std::span<const Alias> aliases,
                                            JsonValue::Iterator& from) {
  auto found = json.find(name, from);
  for (const Alias& each : aliases) {
    if (each.name != name) continue;
    const auto other = json.find(each.alias, from);
    if (!other) continue;
    if (found) {
      const Inside inside(*this, each.alias);
      mistake(quote(each.alias) + " is another name of " + quote(found->name()) +
              ", give one of them");
      continue;
    }
    std::string own = place_;
    append_pointer(own, name);
    std::string as_written = place_;
    append_pointer(as_written, each.alias);
    written_.emplace_back(std::move(own), std::move(as_written));
    found = other;
  }
  return found;
}

void JsonReader::unknown_members(JsonValue json, std::span<const std::string_view> names,
                                 std::span<const Alias> aliases) {
  std::vector<std::string_view> all(names.begin(), names.end());
  for (const Alias& alias : aliases) all.push_back(alias.alias);
  for (const JsonValue each : json) {
    const std::string_view name = each.name();
    if (std::find(all.begin(), all.end(), name) != all.end()) continue;
    if (count_ >= mistakes_max_) {
      ++count_;
      return;
    }
    const std::string_view near = nearest_name(name, all);
    const Inside inside(*this, name);
    std::string text = "unknown field " + quote(name);
    if (!near.empty())
      text += ", did you mean " + quote(near) + "?";
    else if (names.size() <= 30)
      text += ", known are " + join(names);
    mistake(std::move(text), std::string(near));
  }
}

}  // namespace suan::wire
