#include "placement/reason.h"

#include <array>

namespace suan::placement {

namespace {

struct Words {
  std::string_view name;
  std::string_view sentence;
};

constexpr std::array<Words, reason_count> words{{
    {"none", "it can start now"},
    {"pool_closed", "draining or closed"},
    {"member_unreachable", "the member that grants it cannot be reached"},
    {"chip_differs", "another chip"},
    {"cards_per_node_too_few", "fewer cards on a node"},
    {"cores_too_few", "fewer cores on a node"},
    {"memory_too_little", "less memory on a node"},
    {"disk_too_little", "less disk on a node, or none stated"},
    {"network_tier_too_low", "a slower network between nodes"},
    {"region_not_allowed", "in a region that is not listed"},
    {"region_excluded", "in an excluded region"},
    {"site_not_allowed", "in a site that is not listed"},
    {"data_residency", "outside the data's residency"},
    {"price_above_hourly_max", "dearer than the hourly limit"},
    {"nodes_too_few", "fewer nodes than the job needs together"},
    {"cards_busy", "too few cards free on one node"},
    {"cores_busy", "too few cores free on one node"},
    {"memory_busy", "too little memory free on one node"},
    {"nodes_busy", "too few nodes with everything free at once"},
}};

}  // namespace

std::string_view name(Reason reason) {
  return words[static_cast<std::size_t>(reason)].name;
}

std::string_view sentence(Reason reason) {
  return words[static_cast<std::size_t>(reason)].sentence;
}

}  // namespace suan::placement
