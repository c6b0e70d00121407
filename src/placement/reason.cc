#include "placement/reason.h"

#include <array>

namespace suan::placement {

namespace {

struct Words {
  std::string_view name;
  std::string_view sentence;
};

constexpr std::array<Words, reason_count> words{{
    {"none", "start the job now"},
    {"pool_closed", "are draining or closed"},
    {"member_unreachable", "cannot be asked now, because their member is not reachable"},
    {"chip_differs", "have another chip"},
    {"cards_per_node_too_few", "have fewer cards on a node"},
    {"cores_too_few", "have fewer cores on a node"},
    {"memory_too_little", "have less memory on a node"},
    {"disk_too_little", "have less disk on a node, or do not say how much"},
    {"network_tier_too_low", "have a slower network between nodes"},
    {"region_not_allowed", "are in a region that is not listed"},
    {"region_excluded", "are in an excluded region"},
    {"site_not_allowed", "are in a site that is not listed"},
    {"data_residency", "are outside the data's residency"},
    {"price_above_hourly_max", "cost more per hour than the limit"},
    {"nodes_too_few", "have fewer nodes than the job needs together"},
    {"cards_busy", "have the cards, but too few free on one node"},
    {"cores_busy", "have the cores, but too few free on one node"},
    {"memory_busy", "have the memory, but too little free on one node"},
    {"nodes_busy", "have too few nodes with everything free at once"},
}};

}  // namespace

std::string_view name(Reason reason) {
  return words[static_cast<std::size_t>(reason)].name;
}

std::string_view sentence(Reason reason) {
  return words[static_cast<std::size_t>(reason)].sentence;
}

}  // namespace suan::placement
