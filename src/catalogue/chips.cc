#include "catalogue/chips.h"

#include <algorithm>
#include <array>
#include <vector>

#include "base/ensure.h"
#include "catalogue/tables.h"

namespace suan::catalogue {

namespace {

// Takes the text up to the next `end` off the front; the files quote nothing.
std::string_view take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at == std::string_view::npos ? text.size() : at + 1);
  return taken;
}

// A decimal number times 10^decimals, exact; 0 for an empty cell.
std::int64_t scaled(std::string_view cell, int decimals) {
  std::int64_t value = 0;
  int left = -1;  // Decimals still to come, once the point was seen.
  for (const char c : cell) {
    if (c == '.') {
      left = decimals;
      continue;
    }
    ensure(c >= '0' && c <= '9');
    if (left == 0) break;
    value = value * 10 + (c - '0');
    if (left > 0) --left;
  }
  for (int i = left < 0 ? decimals : left; i > 0; --i) value *= 10;
  return value;
}

template <std::size_t columns>
std::vector<std::array<std::string_view, columns>> rows_of(std::string_view csv) {
  std::vector<std::array<std::string_view, columns>> rows;
  take_until(csv, '\n');  // The heading.
  while (!csv.empty()) {
    std::string_view line = take_until(csv, '\n');
    if (line.empty()) continue;
    auto& row = rows.emplace_back();
    for (std::string_view& cell : row) cell = take_until(line, ',');
  }
  return rows;
}

std::vector<ChipModel> read_chips() {
  std::vector<ChipModel> models;
  for (const auto& row : rows_of<12>(accelerators_csv)) {
    models.push_back({.id = row[0],
                      .vendor = row[1],
                      .fp16_gflops_dense = scaled(row[2], 3),
                      .fp32_gflops = scaled(row[3], 3),
                      .fp64_gflops = scaled(row[4], 3),
                      .memory_gb = scaled(row[5], 0),
                      .memory_gb_per_s = scaled(row[6], 0),
                      .tdp_w = scaled(row[8], 0),
                      .stack = row[9],
                      .confidence = row[10]});
  }
  return models;
}

std::vector<Hub> read_hubs() {
  std::vector<Hub> found;
  for (const auto& row : rows_of<11>(hubs_csv)) {
    found.push_back({.hub = row[0],
                     .cluster = row[1],
                     .city = row[2],
                     .latitude_micro = static_cast<std::int32_t>(scaled(row[4], 6)),
                     .longitude_micro = static_cast<std::int32_t>(scaled(row[3], 6))});
  }
  return found;
}

}  // namespace

std::span<const ChipModel> chips() {
  static const std::vector<ChipModel> models = read_chips();
  return models;
}

const ChipModel* find_chip(std::string_view id) {
  const auto found = std::ranges::find(chips(), id, &ChipModel::id);
  return found == chips().end() ? nullptr : &*found;
}

std::span<const Hub> hubs() {
  static const std::vector<Hub> all = read_hubs();
  return all;
}

const Hub* find_hub(std::string_view city) {
  const auto found = std::ranges::find(hubs(), city, &Hub::city);
  return found == hubs().end() ? nullptr : &*found;
}

}  // namespace suan::catalogue
