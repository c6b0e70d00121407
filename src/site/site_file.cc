#include "site/site_file.h"

#include <algorithm>
#include <cmath>
#include <set>

#include <fcntl.h>

#include "base/text.h"
#include "engine/file.h"
#include "slurm/command_cluster.h"
#include "slurm/rest_cluster.h"
#include "spec/regions.h"
#include "spec/yaml.h"
#include "wire/json_reader.h"

namespace suan::site {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 20U;
constexpr std::size_t mistakes_max = 20;
constexpr std::size_t partitions_max = 256;
constexpr Span poll_min = milliseconds(100);
constexpr Span poll_max = minutes(10);
constexpr std::int64_t percent = 10;  // A rate is in thousandths.
constexpr std::int64_t carbon_max = 3000;
constexpr std::int64_t offset_hours_max = 14;
constexpr double pue_max = 5;
constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

// "+08:00".
std::optional<Span> read_offset(std::string_view text) {
  const bool is_form = text.size() == 6 && (text[0] == '+' || text[0] == '-') &&
                       text.substr(3) == ":00" && text[1] >= '0' && text[1] <= '1' &&
                       text[2] >= '0' && text[2] <= '9';
  if (!is_form) return std::nullopt;
  const std::int64_t offset = (text[1] - '0') * 10 + (text[2] - '0');
  if (offset > offset_hours_max) return std::nullopt;
  return hours(text[0] == '-' ? -offset : offset);
}

// Values by the hour of the day where the site is.
Hourly by_hour(const SiteDocument& document, const std::vector<std::int64_t>& values,
               std::int64_t unit) {
  Span offset = hours(8);
  if (document.site && document.site->utc_offset)
    offset = read_offset(*document.site->utc_offset).value_or(offset);
  Hourly hourly{.from = Moment{} + hours(24) - offset, .values = {}};
  for (const std::int64_t each : values)
    hourly.values.push_back(static_cast<std::uint32_t>(each * unit));
  return hourly;
}

bool is_of(std::string_view text, std::string_view more, std::size_t size_max) {
  return !text.empty() && text.size() <= size_max &&
         text.find_first_not_of(std::string(letters) + "0123456789" + std::string(more)) ==
             std::string_view::npos;
}

/// Checks what the records cannot say of themselves.
class Checking {
 public:
  explicit Checking(const SiteDocument& document) : document_(document) {}

  std::vector<wire::Mistake> check() {
    check_place();
    check_prices();
    check_energy();
    const bool has_slurm = document_.engine == EngineKind::slurm;
    if (document_.slurm && !has_slurm)
      mistake("/slurm", "is only for engine: slurm; add that line, or leave this out");
    if (document_.cores && has_slurm)
      mistake("/cores", "is only for engine: local; Slurm says how many cores there are");
    if (document_.cores && document_.engine == EngineKind::none)
      mistake("/cores", "is only for engine: local; with none, this machine runs nothing");
    if (document_.cores && (*document_.cores < 1 || *document_.cores > 4096))
      mistake("/cores", "expected 1 to 4096");
    if (document_.stores && document_.engine == EngineKind::none)
      mistake("/stores", "is for where jobs run; with engine: none, this machine runs nothing");
    else if (document_.stores && !document_.stores->starts_with('/'))
      mistake("/stores", "expected the absolute path of a file, such as /etc/suan/stores.conf");
    if (has_slurm && !document_.slurm)
      mistake("/engine", "engine: slurm needs a section `slurm`; `suan site init` writes one");
    if (has_slurm && document_.slurm) check_slurm(*document_.slurm);
    return std::move(mistakes_);
  }

 private:
  void mistake(std::string pointer, std::string text, std::string suggestion = {}) {
    mistakes_.push_back({std::move(pointer), std::move(text), std::move(suggestion)});
  }

  void check_place() {
    if (!document_.site) return;
    const PlaceDocument& place = *document_.site;
    if (place.name && (place.name->size() > 63 || place.name->empty() ||
                       place.name->find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") !=
                           std::string::npos))
      mistake("/site/name", "expected 1 to 63 lower-case letters, digits and dashes, found " +
                                wire::quote(*place.name));
    if (place.region && !spec::is_region(*place.region))
      mistake("/site/region",
              "expected a region of ISO 3166-2 in lower case, found " + wire::quote(*place.region),
              spec::suggest_region(*place.region));
    if (place.utc_offset && !read_offset(*place.utc_offset))
      mistake("/site/utc_offset",
              "expected whole hours such as \"+08:00\", found " + wire::quote(*place.utc_offset),
              "+08:00");
  }

  void check_price(const std::optional<Money>& price, std::string pointer) {
    if (price && *price < Money{}) mistake(std::move(pointer), "a price is never negative");
  }

  void check_prices() {
    if (!document_.prices) return;
    check_price(document_.prices->card_hour, "/prices/card_hour");
    check_price(document_.prices->core_hour, "/prices/core_hour");
    check_hours(document_.prices->rates, "/prices/rates", rate_max / percent);
    if (document_.prices->rates.size() == 1)
      mistake("/prices/rates", "one rate is no rate by the hour: change the prices instead");
    const auto spot = document_.prices->spot;
    if (spot && (*spot < 1 || *spot > 100))
      mistake("/prices/spot", "expected 1 to 100: the percent of all prices that spot work pays");
  }

  // One value, or one for each hour of the day.
  void check_hours(const std::vector<std::int64_t>& values, const std::string& pointer,
                   std::int64_t most) {
    if (values.size() > 1 && values.size() != hours_of_day)
      mistake(pointer, "expected 24 numbers, one for each hour of the day from midnight, found " +
                           std::to_string(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (values[i] < 0 || values[i] > most)
        mistake(pointer + "/" + std::to_string(i), "expected 0 to " + std::to_string(most));
    }
  }

  void check_energy() {
    if (!document_.energy) return;
    const EnergyDocument& energy = *document_.energy;
    if (energy.pue && !(*energy.pue >= 1 && *energy.pue <= pue_max))
      mistake("/energy/pue", "expected 1 to 5: all power over what the machines take");
    if (!energy.carbon.empty() && !energy.pue)
      mistake("/energy", "carbon needs pue beside it: what a card takes is the grid's times that");
    check_hours(energy.carbon, "/energy/carbon", carbon_max);
  }

  void check_path(const std::optional<std::string>& path, std::string pointer) {
    if (path && (path->empty() || path->front() != '/'))
      mistake(std::move(pointer), "expected an absolute path, found " + wire::quote(*path));
  }

  void check_slurm(const SlurmDocument& slurm) {
    if (!slurm.shared_directory)
      mistake("/slurm", "needs shared_directory: a directory that all nodes see");
    else if (!is_of(*slurm.shared_directory, "._-/", 511) || slurm.shared_directory->size() < 2 ||
             slurm.shared_directory->front() != '/')
      mistake("/slurm/shared_directory",
              "expected an absolute path of letters, digits and ._-/, found " +
                  wire::quote(*slurm.shared_directory));
    check_path(slurm.token_file, "/slurm/token_file");
    check_path(slurm.jwt_key_file, "/slurm/jwt_key_file");
    check_path(slurm.configuration, "/slurm/configuration");
    if (slurm.rest && !slurm.rest->starts_with("http://") && !slurm.rest->starts_with("unix:/"))
      mistake("/slurm/rest",
              "expected http://host:port or unix:/path, found " + wire::quote(*slurm.rest));
    if (slurm.token_file && slurm.jwt_key_file)
      mistake("/slurm/jwt_key_file", "give token_file or jwt_key_file, not both");
    for (const auto& [field, given] : {std::pair{"token_file", slurm.token_file.has_value()},
                                       {"jwt_key_file", slurm.jwt_key_file.has_value()},
                                       {"user", slurm.user.has_value()}})
      if (given && !slurm.rest)
        mistake(std::string("/slurm/") + field,
                "is only for slurmrestd; give rest, or leave it out: the commands run as the user "
                "of this process");
    if (slurm.configuration && slurm.rest)
      mistake("/slurm/configuration", "is only for the commands; leave it out, or leave out rest");
    if (slurm.user && !is_of(*slurm.user, "._-", 64))
      mistake("/slurm/user", "expected the name of a user, found " + wire::quote(*slurm.user));
    if (slurm.poll_interval && (*slurm.poll_interval < poll_min || *slurm.poll_interval > poll_max))
      mistake("/slurm/poll_interval", "expected 100ms to 10m");
    check_partitions(slurm);
    for (const auto& [name, chip] : slurm.gres) {
      std::string pointer = "/slurm/gres";
      wire::append_pointer(pointer, name);
      if (!is_of(name, ":._-", 128))
        mistake(pointer, "expected a generic resource such as gpu:fake910b");
      if (!is_of(chip, "._-", 64))
        mistake(pointer, "expected a chip such as Ascend910B3, found " + wire::quote(chip));
    }
  }

  void check_partitions(const SlurmDocument& slurm) {
    if (slurm.partitions.size() > partitions_max)
      mistake("/slurm/partitions", "at most " + std::to_string(partitions_max) + " are allowed");
    std::set<std::string> names;
    for (std::size_t i = 0; i < slurm.partitions.size(); ++i) {
      const PartitionDocument& partition = slurm.partitions[i];
      const std::string pointer = "/slurm/partitions/" + std::to_string(i);
      if (!partition.name)
        mistake(pointer, "needs a name");
      else if (!is_of(*partition.name, "._-", 128))
        mistake(pointer + "/name",
                "expected the name of a partition, found " + wire::quote(*partition.name));
      else if (!names.insert(*partition.name).second)
        mistake(pointer + "/name", "is given twice");
      check_price(partition.card_hour, pointer + "/card_hour");
      check_price(partition.core_hour, pointer + "/core_hour");
    }
  }

  const SiteDocument& document_;
  std::vector<wire::Mistake> mistakes_;
};

std::string print_place(const std::string& path, spec::Position at) {
  return path + ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
}

std::string print_mistake(const wire::Mistake& mistake) {
  std::string name = mistake.pointer.empty() ? "" : mistake.pointer.substr(1);
  std::ranges::replace(name, '/', '.');
  std::string text = name.empty() ? mistake.text : name + ": " + mistake.text;
  if (!mistake.suggestion.empty() && text.find(mistake.suggestion) == std::string::npos)
    text += "; did you mean " + mistake.suggestion + "?";
  return text;
}

}  // namespace

Result<SiteFile> read_site_file(std::string_view yaml, const std::string& path) {
  auto read = spec::read_yaml(yaml);
  if (!read) {
    Failure& why = read.error();
    return failure(why.kind, why.text, why.place.empty() ? path : path + ":" + why.place);
  }
  SUAN_TRY(const wire::JsonTree tree, wire::parse_json(read->json));
  SiteFile file;
  file.path = path;
  wire::JsonReader reader(mistakes_max);
  reader.read(tree.root(), file.document);
  std::vector<wire::Mistake> mistakes = reader.take_mistakes();
  if (mistakes.empty()) mistakes = Checking(file.document).check();
  if (mistakes.empty()) return file;
  std::string text = print_mistake(mistakes.front());
  for (std::size_t i = 1; i < std::min(mistakes.size(), mistakes_max); ++i)
    text += "\n" + print_place(path, read->find(mistakes[i].pointer)) + ": " +
            print_mistake(mistakes[i]);
  return failure(Failure::Kind::invalid, std::move(text),
                 print_place(path, read->find(mistakes.front().pointer)));
}

Result<SiteFile> load_site_file(const std::string& path) {
  auto text = engine::read_file(AT_FDCWD, path, file_bytes_max);
  if (!text) return failure(text.error().kind, text.error().text, path);
  return read_site_file(*text, path);
}

slurm::SlurmEngineOptions engine_options(const SiteFile& file) {
  const SlurmDocument& slurm = *file.document.slurm;
  slurm::SlurmEngineOptions options;
  options.shared_directory = *slurm.shared_directory;
  options.offer.gres = slurm.gres;
  for (const PartitionDocument& partition : slurm.partitions)
    options.offer.partitions.push_back(*partition.name);
  if (slurm.poll_interval) options.look_every = options.survey_every = *slurm.poll_interval;
  return options;
}

std::unique_ptr<slurm::Cluster> make_cluster(const SiteFile& file) {
  const SlurmDocument& slurm = *file.document.slurm;
  if (!slurm.rest)
    return slurm::make_command_cluster({.configuration = slurm.configuration.value_or("")});
  return slurm::make_rest_cluster({.place = *slurm.rest,
                                   .token = {.user = slurm.user.value_or(""),
                                             .token_file = slurm.token_file.value_or(""),
                                             .key_file = slurm.jwt_key_file.value_or("")}});
}

void set_energy(const SiteFile& file, Site& site) {
  if (!file.document.energy) return;
  const EnergyDocument& energy = *file.document.energy;
  if (energy.pue) site.pue_milli = static_cast<std::uint32_t>(std::lround(*energy.pue * 1000));
  if (energy.carbon.size() == 1)
    site.carbon_g_per_kwh = static_cast<std::uint32_t>(energy.carbon.front());
  else if (!energy.carbon.empty())
    site.carbon_hours = by_hour(file.document, energy.carbon, 1);
}

void set_terms(const SiteFile& file, Pool& pool) {
  if (!file.document.prices) return;
  const PricesDocument& prices = *file.document.prices;
  if (!prices.rates.empty()) pool.rates = by_hour(file.document, prices.rates, percent);
  if (prices.spot) pool.spot_milli = static_cast<std::uint32_t>(*prices.spot * percent);
}

const PartitionDocument* find_partition(const SiteFile& file, std::string_view name) {
  if (!file.document.slurm) return nullptr;
  for (const PartitionDocument& partition : file.document.slurm->partitions)
    if (partition.name == name) return &partition;
  return nullptr;
}

}  // namespace suan::site
