#include "spec/topology.h"

#include <algorithm>
#include <string>

#include "wire/json_tree.h"

namespace suan::spec {

std::expected<Spread, wire::Mistake> read_topology(const TopologyDocument& topology) {
  const std::string pointer = "/resources/topology";
  if (!topology.required && !topology.preferred) return Spread::pool;
  if (topology.required && topology.preferred)
    return std::unexpected(
        wire::Mistake{pointer + "/preferred", "what is required is not only preferred", ""});
  const std::string& level = topology.required ? *topology.required : *topology.preferred;
  const std::string place = pointer + (topology.required ? "/required" : "/preferred");
  if (std::ranges::find(levels, level) == levels.end())
    return std::unexpected(
        wire::Mistake{place, "expected site, found " + wire::quote(level), "site"});
  if (level != "site")
    return std::unexpected(
        wire::Mistake{place,
                      "resources.topology: " + level +
                          " is not honoured by this domain yet: no pool says which "
                          "of its nodes are on one; site is",
                      "site"});
  return topology.required ? Spread::site : Spread::network;
}

}  // namespace suan::spec
