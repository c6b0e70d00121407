#include "placement/reason.h"

#include <algorithm>
#include <array>

namespace suan::placement {

namespace {

struct Words {
  std::string_view name;
  std::uint32_t number;
  std::string_view sentence;
};

constexpr std::array<Words, reason_count> words{{
    {"none", 0, "it can start now"},
    {"pool_closed", 1, "draining or closed"},
    {"chip_differs", 3, "another chip"},
    {"cards_per_node_too_few", 4, "fewer cards on a node"},
    {"cores_too_few", 5, "fewer cores on a node"},
    {"memory_too_little", 6, "less memory on a node"},
    {"disk_too_little", 7, "less disk on a node, or none stated"},
    {"network_tier_too_low", 8, "a slower network between nodes"},
    {"images_not_run", 19, "it runs no images"},
    {"data_not_moved", 21, "it brings no inputs and keeps no outputs"},
    {"store_missing", 22, "it does not know a store that the job names"},
    {"no_spot", 24, "it takes no spot work"},
    {"region_not_allowed", 9, "in a region that is not listed"},
    {"region_excluded", 10, "in an excluded region"},
    {"site_not_allowed", 11, "in a site that is not listed"},
    {"data_residency", 12, "outside the data's residency"},
    {"too_far", 20, "too far away, or nobody knows how far"},
    {"carbon_too_high", 23, "power that is not as clean as asked, or nobody knows how clean"},
    {"price_above_hourly_max", 13, "dearer than the hourly limit"},
    {"nodes_too_few", 14, "fewer nodes than the job needs together"},
    {"member_unreachable", 2, "the member that grants it cannot be reached"},
    {"cards_busy", 15, "too few cards free on one node"},
    {"cores_busy", 16, "too few cores free on one node"},
    {"memory_busy", 17, "too little memory free on one node"},
    {"nodes_busy", 18, "too few nodes with everything free at once"},
}};

}  // namespace

std::string_view name(Reason reason) {
  return words[static_cast<std::size_t>(reason)].name;
}

std::uint32_t number(Reason reason) {
  return words[static_cast<std::size_t>(reason)].number;
}

std::optional<Reason> find_reason(std::uint32_t number) {
  const auto found = std::ranges::find(words, number, &Words::number);
  if (found == words.end()) return std::nullopt;
  return static_cast<Reason>(found - words.begin());
}

std::string_view sentence(Reason reason) {
  return words[static_cast<std::size_t>(reason)].sentence;
}

}  // namespace suan::placement
