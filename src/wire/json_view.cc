#include "wire/json_view.h"

#include <algorithm>

#include "wire/json_tree.h"
#include "wire/json_writer.h"

namespace suan::wire {

namespace {

void append_string(std::string& out, std::string_view text) {
  JsonWriter(out).string(text);
}

void append_scalar(std::string& out, JsonValue value) {
  if (value.is(JsonKind::string))
    append_string(out, value.text());
  else if (value.is(JsonKind::number))
    out += value.text();
  else
    out += value.is(JsonKind::null) ? "null" : value.boolean() ? "true" : "false";
}

bool is_container(JsonValue value) {
  return value.is(JsonKind::object) || value.is(JsonKind::array);
}

void append_pretty(std::string& out, JsonValue value, std::size_t indent) {
  if (!is_container(value)) return append_scalar(out, value);
  const bool is_object = value.is(JsonKind::object);
  out += is_object ? '{' : '[';
  bool is_first = true;
  for (const JsonValue each : value) {
    out += is_first ? "\n" : ",\n";
    is_first = false;
    out.append(indent + 2, ' ');
    if (is_object) {
      append_string(out, each.name());
      out += ": ";
    }
    append_pretty(out, each, indent + 2);
  }
  if (!is_first) {
    out += '\n';
    out.append(indent, ' ');
  }
  out += is_object ? '}' : ']';
}

// Whether YAML would read this text, unquoted, as this text. Careful rather than complete: YAML 1.1
// readers, which see a Boolean in "no" and a number in "1_000" or "12:30", must agree as well.
bool is_plain(std::string_view text) {
  const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.empty() || text.size() > 200 || !(is_letter(text[0]) || text[0] == '/')) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_inner_colon = c == ':' && i + 1 < text.size() && text[i + 1] != ' ';
    const bool is_inner_space = c == ' ' && i + 1 < text.size() && text[i + 1] != '#';
    if (!is_letter(c) && !is_digit(c) && !is_inner_colon && !is_inner_space &&
        std::string_view("-_./+@=").find(c) == std::string_view::npos)
      return false;
  }
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
  for (const std::string_view word :
       {"null", "true", "false", "yes", "no", "on", "off", "y", "n"}) {
    if (lower == word) return false;
  }
  return true;
}

// Whether a literal block ("|") holds this text exactly: lines without blanks at their ends or
// characters that YAML escapes, the first not indented, and one newline or none at the end.
bool is_block(std::string_view text) {
  if (text.find('\n') == std::string_view::npos || text.front() == '\n' || text.front() == ' ' ||
      text.ends_with("\n\n"))
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '\n') {
      if (i > 0 && text[i - 1] == ' ') return false;
    } else if (c < 0x20 || c == 0x7F || c == 0xC2 || c == 0xE2 || c == 0xEF) {
      return false;  // Controls, and where U+0085, U+2028 or U+FEFF could be.
    }
  }
  return text.back() != ' ';
}

void append_block(std::string& out, std::string_view text, std::size_t indent) {
  out += text.ends_with('\n') ? "|" : "|-";
  if (text.ends_with('\n')) text.remove_suffix(1);
  for (;;) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    out += '\n';
    if (end > 0) out.append(indent, ' ');
    out += text.substr(0, end);
    if (end == text.size()) break;
    text.remove_prefix(end + 1);
  }
}

// A text in quotes is JSON's form, which YAML 1.2 reads alike; DEL is not printable there.
void append_quoted(std::string& out, std::string_view text) {
  std::string quoted;
  append_string(quoted, text);
  for (const char c : quoted) {
    if (c == '\x7F')
      out += "\\u007f";
    else
      out += c;
  }
}

void append_name(std::string& out, std::string_view name) {
  if (is_plain(name) && name.find(' ') == std::string_view::npos)
    out += name;
  else
    append_quoted(out, name);
}

// Appends a value behind "name:" or "-"; `indent` is that of what stands below.
void append_yaml(std::string& out, JsonValue value, std::size_t indent, bool is_in_list) {
  if (!is_container(value)) {
    out += ' ';
    if (!value.is(JsonKind::string))
      append_scalar(out, value);
    else if (is_plain(value.text()))
      out += value.text();
    else if (is_block(value.text()))
      append_block(out, value.text(), indent == 0 ? 2 : indent);
    else
      append_quoted(out, value.text());
    return;
  }
  const bool is_object = value.is(JsonKind::object);
  if (value.size() == 0) {
    out += is_object ? " {}" : " []";
    return;
  }
  bool is_beside = is_in_list;  // The first member stands on the line of the dash.
  for (const JsonValue each : value) {
    if (is_beside)
      out += ' ';
    else if (!out.empty())
      out += '\n' + std::string(indent, ' ');
    is_beside = false;
    if (is_object) append_name(out, each.name());
    out += is_object ? ":" : "-";
    append_yaml(out, each, indent + 2, !is_object);
  }
}

}  // namespace

Result<std::string> print_pretty(std::string_view json) {
  SUAN_TRY(const JsonTree tree, parse_json(json));
  std::string out;
  append_pretty(out, tree.root(), 0);
  out += '\n';
  return out;
}

Result<std::string> print_yaml(std::string_view json) {
  SUAN_TRY(const JsonTree tree, parse_json(json));
  std::string out;
  append_yaml(out, tree.root(), 0, false);
  if (out.starts_with(' ')) out.erase(0, 1);
  out += '\n';
  return out;
}

}  // namespace suan::wire
