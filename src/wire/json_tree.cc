#include "wire/json_tree.h"

#include <algorithm>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/error.hpp>

#include "base/ensure.h"

namespace suan::wire {

namespace {

namespace json = boost::json;

}  // namespace

/// Receives what the parser finds. Its names are the parser's.
class JsonTreeBuilder {
 public:
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);

  explicit JsonTreeBuilder(std::size_t values_max) : values_max_(values_max) {}

  // What the parser calls: false stops it with the error.
  bool on_document_begin(json::error_code&) { return true; }
  bool on_document_end(json::error_code&) { return true; }
  bool on_object_begin(json::error_code& error) { return open(JsonKind::object, error); }
  bool on_object_end(std::size_t count, json::error_code&) { return close(count); }
  bool on_array_begin(json::error_code& error) { return open(JsonKind::array, error); }
  bool on_array_end(std::size_t count, json::error_code&) { return close(count); }
  bool on_key_part(json::string_view part, std::size_t, json::error_code&) { return take(part); }
  bool on_key(json::string_view part, std::size_t, json::error_code&) {
    take(part);
    name_ = piece();
    return true;
  }
  bool on_string_part(json::string_view part, std::size_t, json::error_code&) { return take(part); }
  bool on_string(json::string_view part, std::size_t, json::error_code& error) {
    return text(JsonKind::string, part, error);
  }
  bool on_number_part(json::string_view part, json::error_code&) { return take(part); }
  bool on_int64(std::int64_t, json::string_view part, json::error_code& error) {
    return text(JsonKind::number, part, error);
  }
  bool on_uint64(std::uint64_t, json::string_view part, json::error_code& error) {
    return text(JsonKind::number, part, error);
  }
  bool on_double(double, json::string_view part, json::error_code& error) {
    return text(JsonKind::number, part, error);
  }
  bool on_bool(bool value, json::error_code& error) {
    if (!add(JsonKind::boolean, error)) return false;
    tree_.nodes_.back().boolean = value;
    return true;
  }
  bool on_null(json::error_code& error) { return add(JsonKind::null, error); }
  bool on_comment_part(json::string_view, json::error_code&) { return true; }
  bool on_comment(json::string_view, json::error_code&) { return true; }

  JsonTree take_tree() { return std::move(tree_); }

 private:
  bool add(JsonKind kind, json::error_code& error) {
    if (tree_.nodes_.size() == values_max_) {
      error = json::error::array_too_large;
      return false;
    }
    JsonTree::Node& node = tree_.nodes_.emplace_back();
    node.kind = kind;
    node.name = std::exchange(name_, {});
    node.end = static_cast<std::uint32_t>(tree_.nodes_.size());
    return true;
  }
  bool open(JsonKind kind, json::error_code& error) {
    open_.push_back(static_cast<std::uint32_t>(tree_.nodes_.size()));
    return add(kind, error);
  }
  bool close(std::size_t count) {
    JsonTree::Node& node = tree_.nodes_[open_.back()];
    open_.pop_back();
    node.count = static_cast<std::uint32_t>(count);
    node.end = static_cast<std::uint32_t>(tree_.nodes_.size());
    return true;
  }
  bool take(json::string_view part) {
    tree_.texts_.append(part.data(), part.size());
    return true;
  }
  bool text(JsonKind kind, json::string_view part, json::error_code& error) {
    take(part);
    const JsonTree::Piece whole = piece();
    if (!add(kind, error)) return false;
    tree_.nodes_.back().text = whole;
    return true;
  }
  // Everything appended since the last piece.
  JsonTree::Piece piece() {
    const JsonTree::Piece taken{start_, static_cast<std::uint32_t>(tree_.texts_.size()) - start_};
    start_ = static_cast<std::uint32_t>(tree_.texts_.size());
    return taken;
  }

  JsonTree tree_;
  std::vector<std::uint32_t> open_;
  JsonTree::Piece name_;
  std::uint32_t start_ = 0;
  std::size_t values_max_;
};

namespace {

// Finds a name that an object has twice, and leaves `pointer` at it.
bool find_duplicate(JsonValue value, std::string& pointer) {
  if (value.is(JsonKind::object)) {
    std::vector<std::string_view> names;
    names.reserve(value.size());
    for (const JsonValue member : value) names.push_back(member.name());
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) {
      append_pointer(pointer, *twice);
      return true;
    }
  }
  std::size_t index = 0;
  const std::size_t before = pointer.size();
  for (const JsonValue each : value) {
    if (each.is(JsonKind::object) || each.is(JsonKind::array)) {
      append_pointer(pointer, value.is(JsonKind::object) ? each.name() : std::to_string(index));
      if (find_duplicate(each, pointer)) return true;
      pointer.resize(before);
    }
    ++index;
  }
  return false;
}

std::string place_in_text(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t start = before.rfind('\n');
  const std::size_t column = start == std::string_view::npos ? offset + 1 : offset - start;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

}  // namespace

Result<JsonTree> parse_json(std::string_view text, const JsonLimits& limits) {
  ensure(limits.bytes_max < UINT32_MAX);
  if (text.size() > limits.bytes_max)
    return failure(Failure::Kind::no_space, "this JSON text has " + std::to_string(text.size()) +
                                                " bytes, at most " +
                                                std::to_string(limits.bytes_max) + " are read");
  json::parse_options options;
  options.max_depth = limits.depth_max;
  json::basic_parser<JsonTreeBuilder> parser(options, limits.values_max);
  json::error_code error;
  const std::size_t used = parser.write_some(false, text.data(), text.size(), error);
  if (!error && used < text.size()) error = json::error::extra_data;
  if (error == json::error::too_deep)
    return failure(Failure::Kind::invalid,
                   "nested deeper than " + std::to_string(limits.depth_max) + " levels");
  if (error == json::error::array_too_large)
    return failure(Failure::Kind::no_space,
                   "this JSON text has more than " + std::to_string(limits.values_max) + " values");
  if (error)
    return failure(Failure::Kind::invalid,
                   "not JSON at " + place_in_text(text, used) + ": " + error.message());
  JsonTree tree = parser.handler().take_tree();
  std::string pointer;
  if (find_duplicate(tree.root(), pointer))
    return failure(Failure::Kind::invalid,
                   quote(pointer.substr(pointer.rfind('/') + 1)) + " is given twice", pointer);
  return tree;
}

std::optional<JsonValue> JsonValue::find(std::string_view name, Iterator& from) const {
  const auto look = [&](Iterator at, const Iterator& stop) -> std::optional<JsonValue> {
    for (; !(at == stop); ++at) {
      if ((*at).name() != name) continue;
      const JsonValue found = *at;
      from = ++at;
      return found;
    }
    return std::nullopt;
  };
  const Iterator start = from;
  if (auto found = look(start, end())) return found;
  return look(begin(), start);
}

std::string JsonValue::describe() const {
  switch (kind()) {
    case JsonKind::null:
      return "null";
    case JsonKind::boolean:
      return boolean() ? "true" : "false";
    case JsonKind::number:
      return "the number " + std::string(text().substr(0, 40));
    case JsonKind::string:
      return "the text " + quote(text());
    case JsonKind::array:
      return "a list";
    case JsonKind::object:
      return "an object";
  }
  return {};
}

void append_pointer(std::string& pointer, std::string_view name) {
  pointer += '/';
  for (const char c : name) {
    if (c == '~')
      pointer += "~0";
    else if (c == '/')
      pointer += "~1";
    else
      pointer += c;
  }
}

std::string quote(std::string_view text) {
  constexpr std::size_t shown_max = 60;
  std::string out = "\"";
  std::size_t size = std::min(text.size(), shown_max);
  while (size < text.size() && size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80)
    --size;  // Not in the middle of a character.
  for (const char c : text.substr(0, size)) {
    if (c == '\n')
      out += "\\n";
    else if (static_cast<unsigned char>(c) < 0x20)
      out += ' ';
    else
      out += c;
  }
  if (size < text.size()) out += "…";
  return out + '"';
}

std::size_t find_invalid_utf8(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  std::size_t i = 0;
  while (i < text.size()) {
    const unsigned first = byte(i);
    if (first < 0x80) {
      ++i;
      continue;
    }
    // The lengths and the bounds of the second byte: RFC 3629, section 4.
    std::size_t length = 0;
    unsigned least = 0x80;
    unsigned most = 0xBF;
    if (first >= 0xC2 && first <= 0xDF) {
      length = 2;
    } else if (first >= 0xE0 && first <= 0xEF) {
      length = 3;
      if (first == 0xE0) least = 0xA0;
      if (first == 0xED) most = 0x9F;
    } else if (first >= 0xF0 && first <= 0xF4) {
      length = 4;
      if (first == 0xF0) least = 0x90;
      if (first == 0xF4) most = 0x8F;
    }
    if (length == 0 || i + length > text.size()) return i;
    if (byte(i + 1) < least || byte(i + 1) > most) return i;
    for (std::size_t k = 2; k < length; ++k) {
      if ((byte(i + k) & 0xC0U) != 0x80) return i;
    }
    i += length;
  }
  return std::string_view::npos;
}

}  // namespace suan::wire
