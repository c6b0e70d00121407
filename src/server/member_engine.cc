#include "server/member_engine.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <utility>

#include "engine/local_engine.h"
#include "network/cities.h"
#include "slurm/slurm_engine.h"

namespace suan::server {
namespace {

constexpr const char* local_name = "this-machine";
constexpr const char* slurm_name = "slurm";

bool is_slurm(const ServeOptions& options) {
  return options.site_file && options.site_file->engine() == site::EngineKind::slurm;
}

Result<MemberEngine> open_local(const ServeOptions& options) {
  engine::LocalEngineOptions local;
  local.state_directory = options.state_directory + "/engine";
  local.images_directory = options.images_directory;
  local.stores_file = options.stores_file;
  local.uploads_directory = uploads_directory(options);
  if (options.cores > 0) {
    engine::Discovery found = engine::discover({});
    found.pool.cpu_milli_per_node = options.cores * 1000;
    local.offered = found.pool;
  }
  SUAN_TRY(auto engine, engine::LocalEngine::open(local));
  std::string note =
      engine->enforcement_note() + " " + engine->images_note() + " " + engine->stores_note();
  const auto pools = engine->pools();
  if (!pools.empty() && pools.front().cards_per_node > 0) note += " " + engine::isolation_note();
  return MemberEngine{local_name, std::move(engine), std::move(note)};
}

Result<MemberEngine> open_slurm(const ServeOptions& options) {
  const site::SiteFile& file = *options.site_file;
  slurm::SlurmEngineOptions wanted = site::engine_options(file);
  wanted.stores_file = options.stores_file;
  wanted.uploads_directory = uploads_directory(options);
  auto engine = slurm::SlurmEngine::open(wanted, [&file] { return site::make_cluster(file); });
  if (!engine) {
    Failure why = std::move(engine).error();
    why.text += "; `suan site test " + file.path + "` looks closer";
    return std::unexpected(std::move(why));
  }
  std::string note = (*engine)->standing() + " " + (*engine)->stores_note();
  for (const std::string& each : (*engine)->notes()) note += " Note: " + each + ".";
  return MemberEngine{slurm_name, *std::move(engine), std::move(note)};
}

/// The partition of each pool; empty for an engine that has none.
std::map<std::string, std::string> partitions_of(const member::Engine& engine) {
  const auto* slurm = dynamic_cast<const slurm::SlurmEngine*>(&engine);
  return slurm != nullptr ? slurm->partitions() : std::map<std::string, std::string>{};
}

}  // namespace

std::string uploads_directory(const ServeOptions& options) {
  return std::filesystem::absolute(options.state_directory).lexically_normal() / "uploads";
}

Result<MemberEngine> open_member_engine(const ServeOptions& options) {
  if (options.site_file && options.site_file->engine() == site::EngineKind::none)
    return MemberEngine{};
  return is_slurm(options) ? open_slurm(options) : open_local(options);
}

domain::StartMember offer_of(const ServeOptions& options, const MemberEngine& member) {
  domain::StartMember start;
  start.name = member.name;
  start.note = member.note;
  start.site.name = options.site;
  start.site.city = options.city;
  start.site.region = options.region;
  if (const network::City* city = network::find_city(options.city)) {
    start.site.latitude_micro = city->latitude_micro;
    start.site.longitude_micro = city->longitude_micro;
  }
  if (options.site_file) site::set_energy(*options.site_file, start.site);
  const auto partitions = partitions_of(*member.engine);
  for (const member::OfferedPool& offered : member.engine->pools()) {
    Pool pool;
    pool.name = offered.name;
    pool.chip = offered.chip;
    pool.nodes = offered.nodes;
    pool.cards_per_node = offered.cards_per_node;
    pool.cpu_milli_per_node = offered.cpu_milli_per_node;
    pool.memory_bytes_per_node = offered.memory_bytes_per_node;
    pool.runs_images = offered.runs_images;
    pool.moves_data = offered.moves_data;
    pool.stores = offered.stores;
    pool.price = {options.card_hour, options.core_hour};
    if (const auto at = partitions.find(offered.name); at != partitions.end()) {
      const auto* terms = site::find_partition(*options.site_file, at->second);
      pool.is_firm = terms != nullptr && terms->dedicated.value_or(false);
      if (terms != nullptr && terms->card_hour) pool.price.card_hour = *terms->card_hour;
      if (terms != nullptr && terms->core_hour) pool.price.core_hour = *terms->core_hour;
    }
    if (offered.cards_per_node == 0) pool.price.card_hour = {};
    if (options.site_file) site::set_terms(*options.site_file, pool);
    start.pools.push_back(std::move(pool));
  }
  return start;
}

Result<void> check_same_member(const domain::State& state, const MemberEngine& member) {
  for (const auto& [id, known] : state.catalogue().members())
    if (known.name == local_name || known.name == slurm_name)
      if (known.name != member.name)
        return failure(Failure::Kind::conflict,
                       "this domain is run by " + known.name + " and not by " +
                           (member.engine ? member.name : "joined domains alone") +
                           "; start another domain with --state, or give it its old site file");
  return {};
}

std::map<std::string, PoolId> introduce_pools(const domain::State& state, MemberId member,
                                              member::Engine& engine) {
  std::map<PoolId, std::string> names;
  std::map<std::string, PoolId> ids;
  for (const auto& [id, pool] : state.catalogue().pools()) {
    if (pool.member != member) continue;
    names.emplace(id, pool.name);
    ids.emplace(pool.name, id);
  }
  engine.know_pools(names);
  return ids;
}

std::vector<std::string> chips_of(const MemberEngine& member) {
  std::vector<std::string> chips;
  if (!member.engine) return chips;
  for (const member::OfferedPool& pool : member.engine->pools())
    if (!pool.chip.empty() && std::ranges::find(chips, pool.chip) == chips.end())
      chips.push_back(pool.chip);
  return chips;
}

}  // namespace suan::server
