#include "spec/forms.h"

#include <optional>
#include <utility>

namespace suan::spec {

namespace {

using wire::JsonKind;
using wire::JsonReader;
using wire::JsonValue;
using wire::JsonWriter;
using wire::quote;

constexpr std::int64_t cpu_milli_max = 4096 * 1000;
constexpr std::int64_t bytes_max = 1'000'000'000'000'000;  // 1 PB.
constexpr std::int64_t cards_max = 64;
constexpr std::size_t chip_size_max = 63;
constexpr Span notice_default = seconds(60);
constexpr Span notice_max = hours(1);

constexpr std::string_view cpu_form = "cores such as 4, \"64+\" or \"4..8\"";
constexpr std::string_view memory_form = "memory such as \"512GB\", \"512GB+\" or \"16GiB..32GiB\"";
constexpr std::string_view wish_form = "NAME:COUNT such as \"H800:8\" or \"H800:0.25\"";

std::string print_milli(std::int64_t milli) {
  return print_money({milli * 1000});  // A decimal with the fewest digits.
}

// Plain digits with at most three decimals, in thousandths.
std::optional<std::int64_t> parse_milli(std::string_view text) {
  if (text.empty() || text.front() < '0' || text.front() > '9' ||
      text.find_first_not_of("0123456789.") != std::string_view::npos || text.back() == '.')
    return std::nullopt;
  return wire::parse_scaled(text, 3);
}

std::optional<std::int64_t> parse_sized(std::string_view text) {
  if (text.find_first_of("BKMGTP") == std::string_view::npos) return std::nullopt;
  return parse_bytes(text);
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// n, n+ or n..m, with `parse` for each number.
template <class Parse>
std::optional<Bounds> parse_range(std::string_view text, Parse parse) {
  text = trim(text);
  if (text.ends_with('+')) {
    const auto least = parse(trim(text.substr(0, text.size() - 1)));
    return least ? std::optional(Bounds{*least, 0}) : std::nullopt;
  }
  const std::size_t dots = text.find("..");
  const auto least = parse(trim(text.substr(0, dots)));
  const auto most = dots == std::string_view::npos ? least : parse(trim(text.substr(dots + 2)));
  if (!least || !most) return std::nullopt;
  return Bounds{*least, *most};
}

// What was probably meant: a number without a unit means GB, "16gib" means 16GiB; or "".
std::string suggest_size(JsonValue json) {
  if (json.is(JsonKind::number))
    return parse_milli(json.text()) ? std::string(json.text()) + "GB" : std::string{};
  std::string text(json.is(JsonKind::string) ? trim(json.text()).substr(0, 40) : "");
  for (char& c : text) {
    if (std::string_view("bkmgtp").find(c) != std::string_view::npos)
      c = static_cast<char>(c - 'a' + 'A');
    if (c == 'I') c = 'i';
  }
  if (parse_milli(text)) text += "GB";
  return parse_range(text, parse_sized) ? text : std::string{};
}

// Notes a mistake unless the bounds are positive, in order and at most `limit`.
bool check_range(JsonReader& reader, const Bounds& bounds, std::int64_t limit,
                 std::string_view limit_text) {
  if (bounds.least <= 0) {
    reader.mistake("must be more than 0");
  } else if (bounds.least > limit || bounds.most > limit) {
    reader.mistake("must be at most " + std::string(limit_text));
  } else if (bounds.most != 0 && bounds.most < bounds.least) {
    reader.mistake("the upper bound is below the lower one");
  } else {
    return true;
  }
  return false;
}

template <class Print>
std::string print_range(const Bounds& bounds, Print print) {
  if (bounds.most == 0) return print(bounds.least) + "+";
  if (bounds.most == bounds.least) return print(bounds.least);
  return print(bounds.least) + ".." + print(bounds.most);
}

bool is_chip_name(std::string_view name) {
  if (name.empty() || name.size() > chip_size_max || name != trim(name)) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return c >= ' ' && c <= '~' && c != ':' && c != '"' && c != '\\';
  });
}

// The count of a wish; notes a mistake if it is none. `before` is what stands before it in a
// suggestion.
std::optional<std::int64_t> read_count(JsonReader& reader, std::string_view text,
                                       const std::string& before = {}) {
  const auto milli = parse_milli(text);
  if (!milli || *milli <= 0) {
    reader.mistake("expected a count of cards such as 8, or a share of one such as 0.25, found " +
                   quote(text));
  } else if (*milli > 1000 && *milli % 1000 != 0) {
    reader.mistake(
        "only one card can be shared: whole cards, or less than 1, not " + print_milli(*milli),
        before + print_milli(*milli / 1000 * 1000 + 1000));
  } else if (*milli > cards_max * 1000) {
    reader.mistake("a node has at most " + std::to_string(cards_max) + " cards",
                   before + std::to_string(cards_max));
  } else {
    return milli;
  }
  return std::nullopt;
}

std::optional<Wish> read_wish(JsonReader& reader, std::string_view text) {
  if (text == "none") return Wish{};
  const std::size_t colon = text.rfind(':');
  const std::string_view chip = trim(text.substr(0, colon));
  if (!is_chip_name(chip) || parse_milli(chip)) {
    reader.mistake("expected " + std::string(wish_form) + ", found " + quote(text));
    return std::nullopt;
  }
  if (colon == std::string_view::npos) return Wish{std::string(chip), 1000, {}};
  const auto milli = read_count(reader, trim(text.substr(colon + 1)), std::string(chip) + ":");
  return milli ? std::optional(Wish{std::string(chip), *milli, {}}) : std::nullopt;
}

// A member of {A: 8, B: 16}.
std::optional<Wish> read_member(JsonReader& reader, JsonValue member) {
  const JsonReader::Inside inside(reader, member.name());
  if (!is_chip_name(member.name())) {
    reader.mistake(quote(member.name()) + " cannot be the name of a chip");
    return std::nullopt;
  }
  if (!member.is(JsonKind::number) && !member.is(JsonKind::string)) {
    reader.expected("a count of cards", member);
    return std::nullopt;
  }
  if (member.name() == "none" && member.text() == "0") return Wish{};
  const auto milli = read_count(reader, member.text());
  return milli ? std::optional(Wish{std::string(member.name()), *milli, {}}) : std::nullopt;
}

// An element of [A:8, B:16]; YAML makes an object of one member from `[A: 8]`.
std::optional<Wish> read_element(JsonReader& reader, JsonValue element) {
  if (element.is(JsonKind::string)) return read_wish(reader, element.text());
  if (element.is(JsonKind::object) && element.size() == 1)
    return read_member(reader, *element.begin());
  reader.expected(wish_form, element);
  return std::nullopt;
}

std::string form_schema(std::string_view types, std::string_view description) {
  std::string out = R"({"type":)" + std::string(types) + R"(,"description":)";
  JsonWriter(out).string(description);
  return out + "}";
}

}  // namespace

void CpuRange::write_json(JsonWriter& writer) const {
  writer.string(print_range(milli, print_milli));
}

void CpuRange::read_json(JsonReader& reader, JsonValue json) {
  std::optional<Bounds> bounds;
  if (json.is(JsonKind::number) || json.is(JsonKind::string))
    bounds = parse_range(json.text(), parse_milli);
  if (!bounds) return reader.expected(cpu_form, json);
  if (check_range(reader, *bounds, cpu_milli_max, "4096 cores")) milli = *bounds;
}

std::string CpuRange::json_schema() {
  return form_schema(R"(["number","string"])", "Cores: 4, \"64+\" or \"4..8\".");
}

void MemoryRange::write_json(JsonWriter& writer) const {
  writer.string(print_range(bytes, print_bytes));
}

void MemoryRange::read_json(JsonReader& reader, JsonValue json) {
  std::optional<Bounds> bounds;
  if (json.is(JsonKind::string)) bounds = parse_range(json.text(), parse_sized);
  if (!bounds) return reader.expected(memory_form, json, suggest_size(json));
  if (check_range(reader, *bounds, bytes_max, "1PB")) bytes = *bounds;
}

std::string MemoryRange::json_schema() {
  return form_schema(R"("string")", "Bytes: \"512GB\", \"512GB+\" or \"16GiB..32GiB\".");
}

void ByteSize::write_json(JsonWriter& writer) const {
  writer.string(print_bytes(bytes));
}

void ByteSize::read_json(JsonReader& reader, JsonValue json) {
  const auto size = json.is(JsonKind::string) ? parse_sized(json.text()) : std::nullopt;
  if (!size)
    return reader.expected("a size such as \"1TB\" or \"64GiB\"", json, suggest_size(json));
  if (check_range(reader, {*size, *size}, bytes_max, "1PB")) bytes = *size;
}

std::string ByteSize::json_schema() {
  return form_schema(R"("string")", "Bytes: \"1TB\" or \"64GiB\".");
}

void Wish::write_json(JsonWriter& writer) const {
  writer.string(chip.empty() ? "none" : chip + ":" + print_milli(card_milli));
}

void Wish::read_json(JsonReader& reader, JsonValue json) {
  if (!json.is(JsonKind::string)) return reader.expected(wish_form, json);
  if (auto wish = read_wish(reader, json.text())) *this = std::move(*wish);
}

std::string Wish::json_schema() {
  return form_schema(R"("string")", "NAME:COUNT, NAME:0.25 for a share of one card, or none.");
}

void Wishes::write_json(JsonWriter& writer) const {
  if (list.size() == 1 && !is_ordered) return list.front().write_json(writer);
  bool is_first = true;
  writer.raw(is_ordered ? "[" : "{");
  for (const Wish& wish : list) {
    if (!std::exchange(is_first, false)) writer.raw(",");
    if (is_ordered) {
      wish.write_json(writer);
      continue;
    }
    writer.string(wish.chip.empty() ? "none" : wish.chip);
    writer.raw(":" + print_milli(wish.card_milli));
  }
  writer.raw(is_ordered ? "]" : "}");
}

void Wishes::read_json(JsonReader& reader, JsonValue json) {
  constexpr std::size_t wishes_max = 16;
  std::vector<Wish> found;
  if (json.is(JsonKind::string)) {
    auto wish = read_wish(reader, json.text());
    if (wish) found.push_back(std::move(*wish));
  } else if (!json.is(JsonKind::array) && !json.is(JsonKind::object)) {
    return reader.expected(std::string(wish_form) + ", {A: 8, B: 16} or [A:8, B:16]", json);
  } else if (json.size() == 0 || json.size() > wishes_max) {
    return reader.mistake("expected 1 to " + std::to_string(wishes_max) + " chips");
  }
  std::size_t index = 0;
  for (const JsonValue each : json) {
    const bool is_element = json.is(JsonKind::array);
    const std::string name = is_element ? std::to_string(index++) : std::string(each.name());
    std::optional<Wish> wish;
    if (is_element) {
      const JsonReader::Inside inside(reader, name);
      wish = read_element(reader, each);
    } else {
      wish = read_member(reader, each);
    }
    if (!wish) continue;
    wire::append_pointer(wish->at, name);
    found.push_back(std::move(*wish));
  }
  list = std::move(found);
  is_ordered = json.is(JsonKind::array);
}

std::string Wishes::json_schema() {
  return R"({"oneOf":[)" + Wish::json_schema() +
         R"(,{"type":"object","additionalProperties":{"type":["number","string"]},)"
         R"("description":"Any of these: {A: 8, B: 16}."},)"
         R"({"type":"array","items":{"type":["string","object"]},)"
         R"("description":"In this order: [A:8, B:16]."}]})";
}

void SignalNotice::write_json(JsonWriter& writer) const {
  writer.string(signal + "@" + print_span(notice));
}

void SignalNotice::read_json(JsonReader& reader, JsonValue json) {
  static constexpr std::array<std::string_view, 7> signals{"USR1", "USR2", "INT", "TERM",
                                                           "HUP",  "QUIT", "CONT"};
  if (!json.is(JsonKind::string))
    return reader.expected("a signal and a notice such as \"USR1@120s\"", json);
  const std::string_view text = json.text();
  const std::size_t at = text.find('@');
  std::string_view name = text.substr(0, at);
  if (name.starts_with("SIG")) name.remove_prefix(3);
  if (std::find(signals.begin(), signals.end(), name) == signals.end()) {
    const std::string_view near = name.size() < 16 ? nearest(name, signals) : std::string_view{};
    return reader.mistake("expected USR1, USR2, INT, TERM, HUP, QUIT or CONT, found " + quote(name),
                          std::string(near));
  }
  std::optional<Span> span = notice_default;
  if (at != std::string_view::npos) span = parse_span(text.substr(at + 1));
  if (!span || *span <= Span{} || *span > notice_max)
    return reader.mistake("expected a notice of up to 1h behind the @, such as \"USR1@120s\"");
  signal = name;
  notice = *span;
}

std::string SignalNotice::json_schema() {
  return form_schema(R"("string")", "A signal and how long before a stop it is sent: USR1@120s.");
}

void EnvText::read_json(JsonReader& reader, JsonValue json) {
  if (json.is(JsonKind::boolean))
    text = json.boolean() ? "true" : "false";
  else if (json.is(JsonKind::string) || json.is(JsonKind::number))
    text = json.text();
  else
    reader.expected("text", json);
}

std::string EnvText::json_schema() {
  return R"({"type":["string","number","boolean"]})";
}

std::string read_word(JsonReader& reader, JsonValue json, std::span<const std::string_view> words) {
  const std::string_view text = json.is(JsonKind::string) ? json.text() : std::string_view{};
  std::string all;
  for (const std::string_view word : words) {
    if (word == text) return std::string(word);
    all += (all.empty() ? "" : ", ") + std::string(word);
  }
  reader.expected("one of " + all, json,
                  text.size() < 32 ? std::string(nearest(text, words)) : std::string{});
  return {};
}

std::string word_schema(std::span<const std::string_view> words) {
  std::string all;
  for (const std::string_view word : words) {
    if (!all.empty()) all += ',';
    JsonWriter(all).string(word);
  }
  return R"({"type":"string","enum":[)" + all + "]}";
}

void PackedWorkdir::write_json(JsonWriter& writer) const {
  writer.value(workdir);
}

void PackedWorkdir::read_json(JsonReader& reader, JsonValue json) {
  constexpr std::int64_t packed_bytes_max = std::int64_t{1} << 30U;
  if (json.is(JsonKind::string))
    return reader.mistake(
        "a directory of your machine is packed and brought by `suan run`; over the API, PUT its "
        "tar.gz to /v1/uploads/SHA256 and say {sha256: …, bytes: …} here");
  reader.read(json, workdir);
  if (!json.is(JsonKind::object)) return;
  const bool is_sum = workdir.sha256.size() == 64 &&
                      workdir.sha256.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!is_sum) return reader.mistake("sha256 must be 64 digits of 0-9 and a-f");
  if (workdir.bytes <= 0 || workdir.bytes > packed_bytes_max)
    reader.mistake("bytes must be 1 to " + std::to_string(packed_bytes_max) +
                   ": put large data into a store, and name it under inputs");
}

std::string PackedWorkdir::json_schema() {
  return R"({"type":"object","required":["sha256","bytes"],"properties":{"sha256":{"type":)"
         R"("string","pattern":"^[0-9a-f]{64}$"},"bytes":{"type":"integer"}},)"
         R"("additionalProperties":false})";
}

}  // namespace suan::spec
