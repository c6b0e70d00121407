#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace suan::network {

/// The rows of a table in data/ after its heading, cut at commas; the files quote nothing.
template <std::size_t columns>
std::vector<std::array<std::string_view, columns>> rows_of(std::string_view csv) {
  const auto take_until = [](std::string_view& text, char end) {
    const std::size_t at = text.find(end);
    const std::string_view taken = text.substr(0, at);
    text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
    return taken;
  };
  std::vector<std::array<std::string_view, columns>> rows;
  take_until(csv, '\n');
  while (!csv.empty()) {
    std::string_view line = take_until(csv, '\n');
    if (line.empty()) continue;
    for (std::string_view& cell : rows.emplace_back()) cell = take_until(line, ',');
  }
  return rows;
}

}  // namespace suan::network
