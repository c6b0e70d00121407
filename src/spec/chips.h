#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace suan::spec {

/// What a name of a chip stands for among the known ones.
struct ChipMatch {
  std::string_view chip;                  // The one it names, or "".
  std::vector<std::string_view> several;  // Else those that it could name, sorted.
  std::string_view near;                  // Else the nearest, or "".
};

/// Finds a chip by its name, in any case, or by a part of the name that ends before a dash and
/// starts no other: "h800" is H800-SXM, while Ascend910B could be several.
ChipMatch match_chip(std::string_view name, std::span<const std::string> chips);

}  // namespace suan::spec
