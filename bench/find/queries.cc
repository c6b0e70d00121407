#include "queries.h"

#include <string>
#include <utility>

namespace suan::bench {

namespace {

constexpr std::int64_t gigabyte = 1'000'000'000;

JobSpec wish(std::vector<Alternative> alternatives) {
  JobSpec spec;
  spec.alternatives = std::move(alternatives);
  return spec;
}

JobSpec cores(std::int64_t count) {
  JobSpec spec = wish({{"", 0, {}}});
  spec.cpu_milli.least = count * 1000;
  return spec;
}

JobSpec gang(JobSpec spec, std::uint32_t nodes) {
  spec.nodes = nodes;
  return spec;
}

JobSpec at_most(JobSpec spec, std::int64_t yuan_per_hour) {
  spec.hourly_max = yuan(yuan_per_hour);
  return spec;
}

JobSpec in(JobSpec spec, std::vector<std::string> regions) {
  spec.where.regions = std::move(regions);
  return spec;
}

JobSpec near_shanghai(JobSpec spec, std::int64_t rtt_ms) {
  spec.where.near = {"shanghai", 31'220'000, 121'480'000};
  spec.where.max_rtt = milliseconds(rtt_ms);
  return spec;
}

JobSpec by(JobSpec spec, Objective objective) {
  spec.objective = objective;
  return spec;
}

JobSpec everything_at_once() {
  JobSpec spec = at_most(wish({{"H800-SXM", 8000, {}}, {"Ascend910B3", 8000, {}}}), 170);
  spec.is_ordered = true;
  spec.cpu_milli = {64'000, 0};
  spec.memory_bytes = {512 * gigabyte, 0};
  spec.disk_bytes = 1000 * gigabyte;
  spec.network_tier = NetworkTier::rdma;
  spec.where.regions = {"cn-sh", "cn-js", "cn-zj"};
  spec.where.data_residency = "cn";
  return spec;
}

JobSpec not_in_the_north() {
  JobSpec spec = wish({{"A100-80G-SXM", 2000, {}}});
  spec.where.exclude_regions = {"cn-he", "cn-nm", "cn-bj"};
  spec.where.data_residency = "cn";
  return spec;
}

JobSpec at_one_site() {
  JobSpec spec = wish({{"RTX4090", 1000, {}}});
  spec.where.sites = {"shanghai-3", "suzhou-4"};
  return spec;
}

}  // namespace

std::vector<Query> queries() {
  return {
      {"one core anywhere", cores(1)},
      {"32 cores anywhere", cores(32)},
      {"128 cores, 8 nodes", gang(cores(128), 8)},
      {"one core, cleanest", by(cores(1), Objective::carbon)},
      {"64 cores, balanced", by(cores(64), Objective::balanced)},
      {"16 cores in the delta", in(cores(16), {"cn-sh", "cn-js", "cn-zj", "cn-ah"})},
      {"one RTX4090", wish({{"RTX4090", 1000, {}}})},
      {"a quarter of an RTX4090", wish({{"RTX4090", 250, {}}})},
      {"8 H800", wish({{"H800-SXM", 8000, {}}})},
      {"8 H800 in Shanghai", in(wish({{"H800-SXM", 8000, {}}}), {"cn-sh"})},
      {"8 H800 near Shanghai", near_shanghai(wish({{"H800-SXM", 8000, {}}}), 5)},
      {"one core near Shanghai", near_shanghai(cores(1), 5)},
      {"4 x 8 H800", gang(wish({{"H800-SXM", 8000, {}}}), 4)},
      {"4 x 8 Ascend, soonest", by(gang(wish({{"Ascend910B3", 8000, {}}}), 4), Objective::finish)},
      {"4 A100, cleanest", by(wish({{"A100-80G-SXM", 4000, {}}}), Objective::carbon)},
      {"cheap H20", at_most(wish({{"H20", 1000, {}}}), 5)},
      {"any of six chips", wish({{"H800-SXM", 8000, {}},
                                 {"Ascend910B3", 8000, {}},
                                 {"A100-80G-SXM", 8000, {}},
                                 {"H20", 8000, {}},
                                 {"MLU590", 8000, {}},
                                 {"Hygon-K100-AI", 8000, {}}})},
      {"a chip nobody has", wish({{"B200-SXM", 8000, {}}})},
      {"more cards than a node has", wish({{"L40S", 8000, {}}})},
      {"a gang nobody has room for", gang(wish({{"Ascend910C", 16'000, {}}}), 64)},
      {"not in the north", not_in_the_north()},
      {"one card at two sites", at_one_site()},
      {"everything at once", everything_at_once()},
  };
}

}  // namespace suan::bench
