#include "cli/width.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace suan::cli {

namespace {

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

// Blocks rather than single characters: unassigned ones inside them are never printed.
constexpr std::array<Range, 12> zero_ranges{{{0x0300, 0x036F},
                                             {0x0483, 0x0489},
                                             {0x0591, 0x05BD},
                                             {0x0610, 0x061A},
                                             {0x064B, 0x065F},
                                             {0x1AB0, 0x1AFF},
                                             {0x1DC0, 0x1DFF},
                                             {0x200B, 0x200F},
                                             {0x20D0, 0x20FF},
                                             {0xFE00, 0xFE0F},
                                             {0xFE20, 0xFE2F},
                                             {0xE0100, 0xE01EF}}};

constexpr std::array<Range, 26> wide_ranges{
    {{0x1100, 0x115F},  {0x231A, 0x231B}, {0x2329, 0x232A}, {0x23E9, 0x23EC},   {0x23F0, 0x23F0},
     {0x25FD, 0x25FE},  {0x2614, 0x2615}, {0x26A1, 0x26A1}, {0x2705, 0x2705},   {0x270A, 0x270B},
     {0x2728, 0x2728},  {0x274C, 0x274C}, {0x2753, 0x2755}, {0x2757, 0x2757},   {0x2E80, 0x303E},
     {0x3041, 0xA4CF},  {0xA960, 0xA97F}, {0xAC00, 0xD7A3}, {0xF900, 0xFAFF},   {0xFE10, 0xFE19},
     {0xFE30, 0xFE6F},  {0xFF01, 0xFF60}, {0xFFE0, 0xFFE6}, {0x1F300, 0x1F64F}, {0x1F680, 0x1F9FF},
     {0x20000, 0x3FFFD}}};

bool is_in(std::span<const Range> ranges, std::uint32_t code) {
  const auto at =
      std::lower_bound(ranges.begin(), ranges.end(), code,
                       [](const Range& range, std::uint32_t c) { return range.last < c; });
  return at != ranges.end() && at->first <= code;
}

// Takes one character off the front. Invalid bytes are one each, with code 0xFFFD.
struct Character {
  std::string_view bytes;
  std::uint32_t code = 0;
  bool is_valid = true;

  std::size_t width() const {
    if (code < 0x300) return 1;
    if (is_in(zero_ranges, code)) return 0;
    return is_in(wide_ranges, code) ? 2 : 1;
  }
  bool is_control() const { return code < 0x20 || (code >= 0x7F && code < 0xA0); }
};

Character take(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(0);
  std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  std::uint32_t code = length == 1 ? first : first & (0x7FU >> length);
  bool is_valid = (first < 0x80 || first >= 0xC2) && first < 0xF5 && length <= text.size();
  for (std::size_t i = 1; is_valid && i < length; ++i) {
    is_valid = (byte(i) & 0xC0U) == 0x80;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  constexpr std::array<std::uint32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  is_valid =
      is_valid && code >= least[length] && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF);
  if (!is_valid) {
    length = 1;
    code = 0xFFFD;
  }
  const Character taken{text.substr(0, length), code, is_valid};
  text.remove_prefix(length);
  return taken;
}

std::string plain(std::string_view text, bool keeps_lines) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const Character next = take(text);
    const bool is_line = keeps_lines && (next.code == '\n' || next.code == '\t');
    if (!next.is_valid)
      out.push_back('?');
    else if (next.is_control() && !is_line)
      out.push_back(' ');
    else
      out.append(next.bytes);
  }
  return out;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t columns = 0;
  while (!text.empty()) columns += take(text).width();
  return columns;
}

std::string cut_to(std::string_view text, std::size_t columns) {
  if (display_width(text) <= columns) return std::string(text);
  if (columns == 0) return {};
  std::string out;
  std::size_t used = 0;
  while (!text.empty()) {
    const Character next = take(text);
    if (used + next.width() > columns - 1) break;
    used += next.width();
    out.append(next.bytes);
  }
  return out.append("…");
}

std::string plain_line(std::string_view text) {
  return plain(text, false);
}

std::string plain_text(std::string_view text) {
  return plain(text, true);
}

}  // namespace suan::cli
