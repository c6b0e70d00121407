#include "cli/text_table.h"

#include <algorithm>
#include <array>

#include "base/ensure.h"
#include "cli/width.h"

namespace suan::cli {

namespace {

constexpr std::size_t gap = 2;
constexpr std::size_t readable_min = 14;  // While there are columns to spare.
constexpr std::size_t shrunk_min = 8;

}  // namespace

std::string paint(Colour colour, std::string_view text) {
  constexpr std::array<std::string_view, 7> codes{"", "1", "2", "31", "32", "33", "34"};
  if (colour == Colour::none || text.empty()) return std::string(text);
  std::string out = "\x1b[";
  out.append(codes[static_cast<std::size_t>(colour)]).append("m").append(text);
  return out.append("\x1b[0m");
}

void TextTable::add(std::vector<Cell> row) {
  ensure(row.size() == columns_.size());
  for (Cell& cell : row) cell.text = plain_line(cell.text);
  rows_.push_back(std::move(row));
}

// 0 means that a column is left out.
std::vector<std::size_t> TextTable::widths(std::size_t columns_max) const {
  std::vector<std::size_t> widths(columns_.size());
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    for (const auto& row : rows_) widths[i] = std::max(widths[i], display_width(row[i].text));
    if (widths[i] > 0) widths[i] = std::max(widths[i], display_width(columns_[i].title));
  }
  while (columns_max > 0) {
    const std::size_t spare = most_spare(widths);
    std::vector<std::size_t> shrunk = widths;
    const std::size_t least = spare < columns_.size() ? readable_min : shrunk_min;
    if (shrink(shrunk, columns_max, least) || spare == columns_.size()) return shrunk;
    widths[spare] = 0;
  }
  return widths;
}

// Of the columns still there, the one to leave out first; their count if there is none.
std::size_t TextTable::most_spare(const std::vector<std::size_t>& widths) const {
  std::size_t found = columns_.size();
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (widths[i] == 0 || columns_[i].spare == 0) continue;
    if (found == columns_.size() || columns_[i].spare > columns_[found].spare) found = i;
  }
  return found;
}

// Cuts the widest columns, none below `least`, until all fit. False if they do not.
bool TextTable::shrink(std::vector<std::size_t>& widths, std::size_t columns_max,
                       std::size_t least) const {
  std::size_t total = 0;
  for (const std::size_t width : widths) total += width > 0 ? width + gap : 0;
  for (; total > columns_max + gap; --total) {
    std::size_t* widest = nullptr;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const bool may_shrink = columns_[i].may_shrink && widths[i] > least;
      if (may_shrink && (!widest || widths[i] > *widest)) widest = &widths[i];
    }
    if (!widest) return false;
    --*widest;
  }
  return true;
}

void TextTable::append_line(const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                            const Layout& layout, std::string& out) const {
  std::size_t owed = 0;  // Spaces that are written only before something.
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (widths[i] == 0) continue;
    const std::string shown = cut_to(row[i].text, widths[i]);
    const std::size_t pad = widths[i] - display_width(shown);
    const bool is_left = columns_[i].align == Align::left;
    if (!is_left) owed += pad;
    if (!shown.empty()) {
      out.append(owed, ' ');
      owed = 0;
      out.append(layout.has_colour ? paint(row[i].colour, shown) : shown);
    }
    owed += gap + (is_left ? pad : 0);
  }
  out.push_back('\n');
}

std::string TextTable::print(const Layout& layout) const {
  if (rows_.empty()) return {};
  const std::vector<std::size_t> widths = this->widths(layout.columns);
  std::vector<Cell> titles;
  titles.reserve(columns_.size());
  for (const Column& column : columns_) {
    titles.emplace_back(std::string(column.title), Colour::bold);
  }
  std::string out;
  append_line(titles, widths, layout, out);
  for (const auto& row : rows_) append_line(row, widths, layout, out);
  return out;
}

}  // namespace suan::cli
