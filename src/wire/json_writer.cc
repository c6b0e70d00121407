#include "wire/json_writer.h"

#include <array>
#include <charconv>
#include <cmath>

#include "wire/json_tree.h"

namespace suan::wire {

namespace {

template <class Number>
void append_number(std::string& out, Number value) {
  std::array<char, 32> digits;
  const auto [end, error] = std::to_chars(digits.data(), digits.data() + digits.size(), value);
  ensure(error == std::errc{});
  out.append(digits.data(), end);
}

void append_escaped(std::string& out, std::string_view text) {
  constexpr std::string_view hex = "0123456789abcdef";
  std::size_t plain = 0;  // Where the run of characters that need nothing starts.
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text, plain, i - plain);
    plain = i + 1;
    out += '\\';
    switch (c) {
      case '"':
      case '\\':
        out += text[i];
        break;
      case '\n':
        out += 'n';
        break;
      case '\t':
        out += 't';
        break;
      case '\r':
        out += 'r';
        break;
      default:
        out += "u00";
        out += hex[c >> 4U];
        out += hex[c & 15U];
    }
  }
  out.append(text, plain);
}

}  // namespace

void JsonWriter::integer(std::int64_t value) {
  append_number(out_, value);
}

void JsonWriter::natural(std::uint64_t value) {
  append_number(out_, value);
}

void JsonWriter::real(double value) {
  if (std::isfinite(value))
    append_number(out_, value);
  else
    null();
}

void JsonWriter::string(std::string_view text) {
  out_ += '"';
  for (;;) {
    const std::size_t bad = find_invalid_utf8(text);
    append_escaped(out_, text.substr(0, bad));
    if (bad == std::string_view::npos) break;
    out_ += "\xEF\xBF\xBD";
    text.remove_prefix(bad + 1);
  }
  out_ += '"';
}

void JsonWriter::scalar(Money value) {
  out_ += '"';
  out_ += print_money(value);
  out_ += '"';
}

void JsonWriter::scalar(Span value) {
  out_ += print_money({value.us});  // Millionths with the fewest decimals, as for money.
}

void JsonWriter::scalar(Moment value) {
  if (value == Moment{}) return null();
  out_ += '"';
  out_ += print_moment(value);
  out_ += '"';
}

void JsonWriter::scalar(const Digest& value) {
  out_ += '"';
  out_ += print_digest(value);
  out_ += '"';
}

void JsonWriter::scalar(const RequestId& value) {
  if (value == RequestId{}) return null();
  out_ += '"';
  out_ += print_request_id(value);
  out_ += '"';
}

void JsonWriter::id(std::string_view prefix, std::uint64_t value) {
  if (value == 0) return null();
  out_ += '"';
  out_ += prefix;
  out_ += '-';
  append_number(out_, value);
  out_ += '"';
}

}  // namespace suan::wire
