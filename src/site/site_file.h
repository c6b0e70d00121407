#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "model/supply.h"
#include "slurm/cluster.h"
#include "slurm/slurm_engine.h"
#include "wire/json_writer.h"

/// site.yaml: what a centre is, what runs its jobs, and for how much.
namespace suan::site {

enum class EngineKind : std::uint8_t { local, slurm, none };

struct PlaceDocument {
  std::optional<std::string> name;
  std::optional<std::string> city;
  std::optional<std::string> region;
  std::optional<std::string> utc_offset;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "name", self.name, "Lower-case letters, digits, dashes.");
    visit(2, "city", self.city, "A hub's city gives coordinates.");
    visit(3, "region", self.region, "ISO 3166-2 in lower case: cn-sh.");
    visit(4, "utc_offset", self.utc_offset, "For the hours of the day below; +08:00 if absent.");
  }
};

struct PricesDocument {
  std::optional<Money> card_hour;
  std::optional<Money> core_hour;
  std::vector<std::int64_t> rates;
  std::optional<std::int64_t> spot;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "card_hour", self.card_hour, "CNY.");
    visit(2, "core_hour", self.core_hour, "CNY.");
    visit(3, "rates", self.rates, "Percent of all prices in each hour of the day, from midnight.");
    visit(4, "spot", self.spot, "Percent of all prices for spot work; absent: none is taken.");
  }
};

struct EnergyDocument {
  std::optional<double> pue;
  std::vector<std::int64_t> carbon;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "pue", self.pue, "All power over what the machines take: 1.25.");
    visit(2, "carbon", self.carbon, "Of the grid, g/kWh: once, or for each hour of the day.");
  }
};

struct PartitionDocument {
  std::optional<std::string> name;
  std::optional<Money> card_hour;
  std::optional<Money> core_hour;
  std::optional<bool> dedicated;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "name", self.name, "As Slurm has it.");
    visit(2, "card_hour", self.card_hour, "Instead of the site's.");
    visit(3, "core_hour", self.core_hour, "Instead of the site's.");
    visit(4, "dedicated", self.dedicated, "Nobody else submits to it.");
  }
};

struct SlurmDocument {
  std::optional<std::string> rest;
  std::optional<std::string> user;
  std::optional<std::string> token_file;
  std::optional<std::string> jwt_key_file;
  std::optional<std::string> configuration;
  std::optional<std::string> shared_directory;
  std::optional<Span> poll_interval;
  std::vector<PartitionDocument> partitions;
  std::map<std::string, std::string> gres;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "rest", self.rest, "slurmrestd: http://host:port or unix:/path; absent: commands.");
    visit(2, "user", self.user, "Whose jobs they are.");
    visit(3, "token_file", self.token_file, "Holds a token of that user.");
    visit(4, "jwt_key_file", self.jwt_key_file, "The cluster's key, to sign tokens with.");
    visit(5, "configuration", self.configuration, "slurm.conf for the commands.");
    visit(6, "shared_directory", self.shared_directory, "Seen by this machine and all nodes.");
    visit(7, "poll_interval", self.poll_interval, "Between questions to slurmctld.");
    visit(8, "partitions", self.partitions, "In order; absent: all that are up.");
    visit(9, "gres", self.gres, "Generic resources and the chips they are.");
  }
};

struct SiteDocument {
  std::optional<PlaceDocument> site;
  std::optional<EngineKind> engine;
  std::optional<PricesDocument> prices;
  std::optional<EnergyDocument> energy;
  std::optional<std::int64_t> cores;
  std::optional<SlurmDocument> slurm;
  std::optional<std::string> stores;

  static constexpr bool omits_absent = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "site", self.site, "The centre.");
    visit(2, "engine", self.engine,
          "What runs its jobs: local, slurm, or none where joined domains alone do.");
    visit(3, "prices", self.prices, "Of everything that has no price of its own.");
    visit(4, "cores", self.cores, "Of this machine to offer; engine local only.");
    visit(5, "slurm", self.slurm, "With engine: slurm.");
    visit(6, "stores", self.stores, "A file of rclone: where jobs find inputs and keep outputs.");
    visit(7, "energy", self.energy, "How clean its power is.");
  }
};

/// A site file that is right in itself; whether the world is as it says, site_check.h finds out.
struct SiteFile {
  std::string path;  // For messages.
  SiteDocument document;

  EngineKind engine() const { return document.engine.value_or(EngineKind::local); }
};

/// Reads a file of at most 1 MiB. A failure names the place ("site.yaml:3:5"), what was wrong there
/// and the right form; further mistakes follow, a line each.
Result<SiteFile> load_site_file(const std::string& path);

/// The same of text; `path` is for messages.
Result<SiteFile> read_site_file(std::string_view yaml, const std::string& path);

/// What the file says about Slurm, for those who reach it. The file has engine: slurm.
slurm::SlurmEngineOptions engine_options(const SiteFile&);
std::unique_ptr<slurm::Cluster> make_cluster(const SiteFile&);

/// Says of a site how clean its power is, and of a pool what it costs in which hour and as spot.
void set_energy(const SiteFile&, Site&);
void set_terms(const SiteFile&, Pool&);

/// The terms of a partition; null if the file does not name it.
const PartitionDocument* find_partition(const SiteFile&, std::string_view name);

}  // namespace suan::site
