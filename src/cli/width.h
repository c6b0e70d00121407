#pragma once

#include <cstddef>
#include <string>
#include <string_view>

/// Text as a terminal shows it, without asking a locale.
namespace suan::cli {

/// Columns of UTF-8 text: 2 for East Asian wide and full-width characters (Unicode 15, UAX #11), 0
/// for combining ones, 1 for the rest and for each invalid byte.
std::size_t display_width(std::string_view text);

/// The text cut to `columns` columns, with "…" where something was left out.
std::string cut_to(std::string_view text, std::size_t columns);

/// The text on one line, with nothing in it that a terminal would obey: control characters become
/// spaces, invalid bytes "?".
std::string plain_line(std::string_view text);

/// The same, but line ends and tabs stay.
std::string plain_text(std::string_view text);

}  // namespace suan::cli
