#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace suan::cli {

enum class Colour : std::uint8_t { none, bold, dim, red, green, yellow, blue };

/// The text in a colour, as ECMA-48 escapes; unchanged for `none`.
std::string paint(Colour, std::string_view text);

enum class Align : std::uint8_t { left, right };

struct Column {
  std::string_view title;
  Align align = Align::left;
  bool may_shrink = false;  // Cut when the whole is too wide; the widest first.
  int spare = 0;            // Left out before others are cut short; the highest first. 0 = never.
};

/// One cell. Control characters in `text` are never printed as they are.
struct Cell {
  std::string text;
  Colour colour = Colour::none;

  Cell() = default;
  Cell(std::string given, Colour painted = Colour::none)  // NOLINT: a cell is mostly its text.
      : text(std::move(given)), colour(painted) {}
  Cell(const char* given) : text(given) {}  // NOLINT
};

/// Where and how to print: of a terminal, or of a pipe (no limit, no colour).
struct Layout {
  std::size_t columns = 0;  // 0 = no limit.
  bool has_colour = false;
  bool is_wide = false;     // -o wide: more columns.
  std::int64_t now_us = 0;  // For "3m ago": microseconds since 1970.
};

/// Aligned rows under titles. Columns that are empty in every row are left out.
class TextTable {
 public:
  explicit TextTable(std::vector<Column> columns) : columns_(std::move(columns)) {}

  /// One cell for each column.
  void add(std::vector<Cell> row);
  bool is_empty() const { return rows_.empty(); }

  /// Lines that end in a line end and have no trailing spaces.
  std::string print(const Layout&) const;

 private:
  std::vector<std::size_t> widths(std::size_t columns_max) const;
  std::size_t most_spare(const std::vector<std::size_t>& widths) const;
  void append_line(const std::vector<Cell>& row, const std::vector<std::size_t>& widths,
                   const Layout& layout, std::string& out) const;
  bool shrink(std::vector<std::size_t>& widths, std::size_t columns_max, std::size_t least) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

}  // namespace suan::cli
