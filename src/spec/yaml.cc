#include "spec/yaml.h"

#include <algorithm>
#include <charconv>
#include <exception>
#include <initializer_list>
#include <istream>
#include <optional>
#include <set>
#include <streambuf>
#include <utility>
#include <vector>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "wire/json_tree.h"
#include "wire/json_writer.h"

namespace suan::spec {

namespace {

constexpr std::size_t yaml_bytes_max = std::size_t{1} << 20U;
constexpr std::size_t json_bytes_max = std::size_t{4} << 20U;
constexpr std::size_t depth_max = 32;

Position position(const YAML::Mark& mark) {
  const auto count = [](int from_zero) {
    return static_cast<std::uint32_t>(std::max(from_zero, 0)) + 1;
  };
  return {count(mark.line), count(mark.column)};
}

std::string print_position(Position at) {
  return std::to_string(at.line) + ":" + std::to_string(at.column);
}

bool is_digits(std::string_view text, std::string_view digits = "0123456789") {
  return !text.empty() && text.find_first_not_of(digits) == std::string_view::npos;
}

/// What a plain scalar is in the core schema (YAML 1.2.2, section 10.3.2).
struct Resolved {
  enum class Kind : std::uint8_t { text, json, not_finite, out_of_range };
  Kind kind = Kind::text;
  std::string json;  // Of a value that is not text.
};

Resolved resolve_based(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const char* last = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), last, value, base);
  if (error != std::errc{} || end != last) return {};
  return {Resolved::Kind::json, std::to_string(value)};
}

// [-+]? ( "." [0-9]+ | [0-9]+ ( "." [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?, as the same number in JSON.
Resolved resolve_number(std::string_view text) {
  std::string json;
  if (text.starts_with('-')) json = "-";
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const std::size_t e = std::min(text.find_first_of("eE"), text.size());
  std::string_view exponent = text.substr(e);
  const std::string_view mantissa = text.substr(0, e);
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  const std::string_view whole = mantissa.substr(0, point);
  const std::string_view decimals = mantissa.substr(std::min(point + 1, mantissa.size()));
  if (whole.empty() ? !is_digits(decimals) : !is_digits(whole)) return {};
  if (!decimals.empty() && !is_digits(decimals)) return {};
  if (whole.size() > 1 && whole.front() == '0') return {};  // A number would lose the zero.
  json += whole.empty() ? "0" : whole;
  if (!decimals.empty()) {
    json += '.';
    json += decimals;
  }
  if (!exponent.empty()) {
    std::string_view digits = exponent.substr(1);
    if (digits.starts_with('-') || digits.starts_with('+')) digits.remove_prefix(1);
    if (!is_digits(digits)) return {};
    json += exponent;
  }
  double value = 0;
  const auto read = std::from_chars(json.data(), json.data() + json.size(), value);
  // Zero at any exponent is a double, but not to every reader of JSON.
  if (read.ec != std::errc{} || !wire::parse_json(json)) return {Resolved::Kind::out_of_range, {}};
  return {Resolved::Kind::json, std::move(json)};
}

Resolved resolve(std::string_view text) {
  const auto is_one_of = [&](std::initializer_list<std::string_view> words) {
    return std::find(words.begin(), words.end(), text) != words.end();
  };
  if (is_one_of({"", "~", "null", "Null", "NULL"})) return {Resolved::Kind::json, "null"};
  if (is_one_of({"true", "True", "TRUE"})) return {Resolved::Kind::json, "true"};
  if (is_one_of({"false", "False", "FALSE"})) return {Resolved::Kind::json, "false"};
  if (text.starts_with("0o")) return resolve_based(text.substr(2), 8);
  if (text.starts_with("0x")) return resolve_based(text.substr(2), 16);
  std::string_view unsigned_text = text;
  if (text.starts_with('-') || text.starts_with('+')) unsigned_text.remove_prefix(1);
  for (const std::string_view word : {".inf", ".Inf", ".INF"}) {
    if (unsigned_text == word) return {Resolved::Kind::not_finite, {}};
  }
  if (is_one_of({".nan", ".NaN", ".NAN"})) return {Resolved::Kind::not_finite, {}};
  return resolve_number(text);
}

// Writes JSON while the parser reports what it finds. After the first failure it takes no more.
class JsonEmitter : public YAML::EventHandler {
 public:
  bool has_failed() const { return failure_.has_value(); }
  Failure take_failure() { return std::move(*failure_); }
  std::size_t documents() const { return documents_; }
  YamlText take() { return std::move(out_); }

  /// Where the last scalar begins, its tag and anchor before it; nothing if it is a plain one.
  const std::optional<YAML::Mark>& last_quoted() const { return last_quoted_; }

  void fail(std::string text, Position at) {
    if (!failure_) failure_ = Failure{Failure::Kind::invalid, std::move(text), print_position(at)};
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    ++documents_;
    if (documents_ > 1) fail("a second document starts here, a file has one", position(mark));
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (is_name_next()) return fail("a name is missing here", position(mark));
    scalar(mark, anchor, "null");
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (failure_) return;
    const auto there = anchors_.find(anchor);
    if (there == anchors_.end())
      return fail("this alias is inside of what it names", position(mark));
    if (is_name_next()) return fail("a name must be text, not an alias", position(mark));
    const std::string copy = out_.json.substr(there->second.at, there->second.size);
    if (!open_value(mark)) return;
    if (levels_.size() + there->second.depth > depth_max) return fail_depth(mark);
    out_.json += copy;
    note_depth(there->second.depth);
    close_value();
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool is_plain = tag == "?";
    last_quoted_ = is_plain ? std::nullopt : std::optional(mark);
    const bool is_core = tag.starts_with("tag:yaml.org,2002:");
    const std::string_view type = is_core ? std::string_view(tag).substr(18) : std::string_view{};
    if (!is_plain && tag != "!" && type != "str" && type != "int" && type != "float" &&
        type != "bool" && type != "null")
      return fail("the tag " + wire::quote(tag) + " is not known here", position(mark));
    Resolved resolved;
    if (is_plain || (is_core && type != "str")) resolved = resolve(value);
    if (resolved.kind == Resolved::Kind::not_finite)
      return fail("infinities and NaN are not numbers here", position(mark));
    if (resolved.kind == Resolved::Kind::out_of_range)
      return fail("this number is too great or too small to be read", position(mark));
    const bool is_text = resolved.kind == Resolved::Kind::text;
    if (is_core && type != "str" && is_text)
      return fail(wire::quote(value) + " is not of the type of its tag", position(mark));
    if (is_name_next()) return name(mark, value);  // Also of `8: x`, a name of one character.
    if (is_text) wire::JsonWriter(resolved.json).string(value);
    scalar(mark, anchor, resolved.json);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, false);
  }
  void OnSequenceEnd() override { end(']'); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    start(mark, tag, anchor, true);
  }
  void OnMapEnd() override { end('}'); }

 private:
  struct Level {
    bool is_map = false;
    bool has_name = false;  // The name of a member was read, its value comes next.
    std::size_t count = 0;
    std::size_t pointer_size = 0;  // Of this container.
    std::size_t at = 0;            // Where its JSON starts.
    std::size_t depth = 1;         // Levels from here down, itself included.
    YAML::anchor_t anchor = 0;
    std::set<std::string, std::less<>> names;
  };
  struct Anchored {
    std::size_t at = 0;
    std::size_t size = 0;
    std::size_t depth = 0;
  };

  bool is_name_next() const {
    return !levels_.empty() && levels_.back().is_map && !levels_.back().has_name;
  }

  void fail_depth(const YAML::Mark& mark) {
    fail("nested deeper than " + std::to_string(depth_max) + " levels", position(mark));
  }

  // Writes what goes before a value and notes its position. False after a failure.
  bool open_value(const YAML::Mark& mark) {
    if (failure_) return false;
    if (out_.json.size() > json_bytes_max) {
      fail("this text is too large with its aliases written out", position(mark));
      return false;
    }
    if (levels_.empty() || levels_.back().is_map) return true;
    Level& level = levels_.back();
    if (level.count > 0) out_.json += ',';
    pointer_.resize(level.pointer_size);
    wire::append_pointer(pointer_, std::to_string(level.count++));
    out_.positions.emplace(pointer_, position(mark));
    return true;
  }

  void close_value() {
    if (!levels_.empty()) levels_.back().has_name = false;
  }

  void note_depth(std::size_t below) {
    if (!levels_.empty()) levels_.back().depth = std::max(levels_.back().depth, below + 1);
  }

  void name(const YAML::Mark& mark, std::string_view text) {
    if (failure_) return;
    Level& level = levels_.back();
    if (!level.names.emplace(text).second)
      return fail(wire::quote(text) + " is given twice", position(mark));
    if (level.count++ > 0) out_.json += ',';
    wire::JsonWriter(out_.json).string(text);
    out_.json += ':';
    level.has_name = true;
    pointer_.resize(level.pointer_size);
    wire::append_pointer(pointer_, text);
    out_.positions.emplace(pointer_, position(mark));
  }

  void scalar(const YAML::Mark& mark, YAML::anchor_t anchor, std::string_view json) {
    if (!open_value(mark)) return;
    if (anchor != 0) anchors_[anchor] = {out_.json.size(), json.size(), 0};
    out_.json += json;
    close_value();
  }

  void start(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, bool is_map) {
    if (failure_) return;
    if (tag != "?" && tag != "!" && tag != "tag:yaml.org,2002:map" &&
        tag != "tag:yaml.org,2002:seq")
      return fail("the tag " + wire::quote(tag) + " is not known here", position(mark));
    if (is_name_next()) return fail("a name must be text", position(mark));
    if (!open_value(mark)) return;
    if (levels_.size() >= depth_max) return fail_depth(mark);
    Level level;
    level.is_map = is_map;
    level.pointer_size = pointer_.size();
    level.at = out_.json.size();
    level.anchor = anchor;
    levels_.push_back(std::move(level));
    out_.json += is_map ? '{' : '[';
  }

  void end(char bracket) {
    if (failure_) return;
    out_.json += bracket;
    const Level done = std::move(levels_.back());
    levels_.pop_back();
    if (done.anchor != 0) anchors_[done.anchor] = {done.at, out_.json.size() - done.at, done.depth};
    note_depth(done.depth);
    close_value();
  }

  YamlText out_;
  std::string pointer_;
  std::vector<Level> levels_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::optional<Failure> failure_;
  std::optional<YAML::Mark> last_quoted_;
  std::size_t documents_ = 0;
};

// Reads a view without copying it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* first = const_cast<char*>(text.data());  // Only ever read: there is no put area.
    setg(first, first, first + text.size());
  }
};

// Whether a line of the text, counted from 0, is indented by a tab.
bool is_indented_by_tab(std::string_view text, int line) {
  for (; line > 0; --line) {
    const std::size_t end = text.find('\n');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
  }
  return text.substr(0, text.find_first_not_of(" \t")).find('\t') != std::string_view::npos;
}

// Skips blanks, comments, tags and anchors.
std::string_view skip_properties(std::string_view text) {
  while (!text.empty()) {
    const bool is_blank = std::string_view(" \t\r\n").contains(text.front());
    const bool is_property = text.front() == '&' || text.front() == '!';
    if (!is_blank && !is_property && text.front() != '#') break;
    const std::size_t end = is_blank ? 1 : text.find_first_of(is_property ? " \t\r\n" : "\n");
    text.remove_prefix(std::min(end, text.size()));
  }
  return text;
}

// Whether the quote that `text` begins with is closed in it.
bool is_closed(std::string_view text) {
  const char quote = text.front();
  for (std::size_t i = 1; i < text.size(); ++i) {
    const bool is_escape =
        quote == '"' ? text[i] == '\\' : text.substr(i).starts_with(std::string_view("''"));
    if (is_escape)
      ++i;
    else if (text[i] == quote)
      return true;
  }
  return false;
}

// yaml-cpp takes the end of the text for the end of a quote, so half a file would pass for a whole.
void check_last_quote(std::string_view yaml, JsonEmitter& emitter) {
  const auto& mark = emitter.last_quoted();
  if (emitter.has_failed() || !mark) return;
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";  // Which is not counted.
  if (yaml.starts_with(byte_order_mark)) yaml.remove_prefix(byte_order_mark.size());
  std::string_view text = yaml;
  for (int line = 0; line < mark->line; ++line)
    text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
  text =
      skip_properties(text.substr(std::min(static_cast<std::size_t>(mark->column), text.size())));
  if (text.empty() || (text.front() != '"' && text.front() != '\'') || is_closed(text)) return;
  const std::string_view before = yaml.substr(0, yaml.size() - text.size());
  const std::size_t line_start = before.rfind('\n') + 1;  // 0 where there is none.
  emitter.fail("this quote is never closed",
               {static_cast<std::uint32_t>(std::ranges::count(before, '\n')) + 1,
                static_cast<std::uint32_t>(before.size() - line_start) + 1});
}

// The one place where yaml-cpp may throw.
void parse(std::string_view yaml, JsonEmitter& emitter) {
  ViewBuffer buffer(yaml);
  std::istream stream(&buffer);
  try {
    YAML::Parser parser(stream);
    while (!emitter.has_failed() && parser.HandleNextDocument(emitter)) {
    }
  } catch (const YAML::Exception& error) {
    const bool is_tab = is_indented_by_tab(yaml, error.mark.line);
    emitter.fail("not YAML: " + (is_tab ? "a tab cannot indent, use blanks" : error.msg),
                 position(error.mark));
  } catch (const std::exception& error) {
    emitter.fail(std::string("not YAML: ") + error.what(), {});
  }
}

}  // namespace

Position YamlText::find(std::string_view pointer) const {
  for (;;) {
    if (const auto there = positions.find(pointer); there != positions.end()) return there->second;
    const std::size_t slash = pointer.rfind('/');
    if (slash == std::string_view::npos) return {};
    pointer = pointer.substr(0, slash);
  }
}

Result<YamlText> read_yaml(std::string_view yaml) {
  if (yaml.size() > yaml_bytes_max)
    return failure(Failure::Kind::no_space, "this file has " + std::to_string(yaml.size()) +
                                                " bytes, at most " +
                                                std::to_string(yaml_bytes_max) + " are read");
  if (const std::size_t bad = wire::find_invalid_utf8(yaml); bad != std::string_view::npos) {
    const std::string_view before = yaml.substr(0, bad);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    return failure(Failure::Kind::invalid, "this is not UTF-8", std::to_string(line) + ":1");
  }
  JsonEmitter emitter;
  parse(yaml, emitter);
  check_last_quote(yaml, emitter);
  if (emitter.has_failed()) return std::unexpected(emitter.take_failure());
  if (emitter.documents() == 0)
    return failure(Failure::Kind::invalid, "there is nothing in this file", "1:1");
  YamlText text = emitter.take();
  if (text.json.size() > json_bytes_max)
    return failure(Failure::Kind::no_space, "this text is too large with its aliases written out");
  return text;
}

}  // namespace suan::spec
