#include "site/site_init.h"

#include <algorithm>
#include <set>

#include "net/client.h"
#include "slurm/command_cluster.h"
#include "slurm/offer.h"
#include "slurm/program.h"

namespace suan::site {
namespace {

constexpr Span patience = seconds(20);

void look_for_slurm(Surroundings& found, std::string_view rest) {
  if (!slurm::has_program("sbatch") || !slurm::has_program("scontrol")) return;
  const auto cluster =
      slurm::make_command_cluster({.configuration = "", .answer_timeout = patience});
  const auto greeting = cluster->greet();
  if (!greeting) {
    found.slurm_trouble = greeting.error().text;
    return;
  }
  found.slurm.version = greeting->version;
  if (const auto partitions = cluster->partitions())
    for (const slurm::Partition& partition : *partitions)
      if (partition.is_up) found.slurm.partitions.push_back(partition.name);
  std::set<std::string> gres;
  if (const auto nodes = cluster->nodes())
    for (const slurm::Node& node : *nodes)
      for (const slurm::Gres& each : node.gres)
        if (each.count > 0) gres.insert(each.name);
  found.slurm.gres.assign(gres.begin(), gres.end());
  net::Client client{std::string(rest),
                     {.connect_timeout = seconds(2), .answer_timeout = seconds(5)}};
  net::Request request;
  request.target = "/openapi/v3";
  // Without a token slurmrestd refuses, and so says that it is there.
  if (const auto answer = client.send(request);
      answer && (answer->status == 401 || answer->status == 200))
    found.slurm.rest = rest;
}

std::string print_slurm_section(const SlurmFound& slurm) {
  const std::string rest = slurm.rest.empty() ? std::string(usual_rest) : slurm.rest;
  std::string text =
      "slurm:\n"
      "  # slurmrestd, with a token of a user or the key of the cluster to sign tokens with. "
      "Without\n"
      "  # `rest` the commands are used (sbatch, squeue, scontrol, scancel, sinfo), as the user "
      "of\n"
      "  # this process.\n"
      "  # rest: " +
      rest + (slurm.rest.empty() ? "\n" : "  # It answers there.\n") +
      "  # user: suan\n"
      "  # jwt_key_file: /etc/slurm/jwt_hs256.key\n"
      "  # token_file: /etc/suan/slurm.token\n"
      "\n"
      "  # A directory that this machine and every node see under this name, of the user whose "
      "jobs\n"
      "  # they are. CHANGE THIS.\n"
      "  shared_directory: /shared/suan\n"
      "\n"
      "  # How often slurmctld is asked about jobs, nodes and queues.\n"
      "  poll_interval: 5s\n"
      "\n"
      "  # dedicated: true if nobody else submits to the partition: then a lease of it is firm. "
      "Else\n"
      "  # it is a place in the queue of Slurm. Prices here go before those above.\n"
      "  partitions:\n";
  for (const std::string& partition : slurm.partitions)
    text += "    - {name: " + partition + ", dedicated: false}\n";
  if (slurm.partitions.empty()) text += "    - {name: main, dedicated: false}\n";
  if (!slurm.gres.empty()) {
    text +=
        "\n  # Which chips the generic resources are, by the names of data/accelerators.csv. "
        "Without a\n"
        "  # line the type itself is the name.\n"
        "  gres:\n";
    for (const std::string& gres : slurm.gres)
      text += "    \"" + gres + "\": " + slurm::chip_of(gres, {}) + "\n";
  }
  return text;
}

}  // namespace

Surroundings look_around(std::string_view rest) {
  Surroundings found;
  look_for_slurm(found, rest);
  const engine::Discovery machine = engine::discover({});
  found.chip = machine.pool.chip;
  found.cards = machine.pool.cards_per_node;
  found.cores = machine.pool.cpu_milli_per_node / 1000;
  return found;
}

std::string print_first_site_file(const Surroundings& found) {
  const bool has_slurm = !found.slurm.version.empty();
  std::string text =
      "# What this centre is, what runs its jobs, and for how much. `suan site test FILE` says "
      "whether\n"
      "# it all holds; `suan serve --site-file FILE` runs a domain on it.\n";
  if (has_slurm)
    text += "# Found here: Slurm " + found.slurm.version + ".\n";
  else if (!found.slurm_trouble.empty())
    text += "# Slurm is installed here and does not answer: " + found.slurm_trouble + "\n";
  else
    text += "# No Slurm was found here.\n";
  text +=
      "# Found here: " + std::to_string(found.cores) + " cores, " +
      (found.cards > 0 ? std::to_string(found.cards) + " cards " + found.chip : "no cards") +
      ".\n\n"
      "site:\n"
      "  name: here  # Lower-case letters, digits, dashes.\n"
      "  # city: 上海  # A hub's city gives coordinates.\n"
      "  # region: cn-sh  # ISO 3166-2.\n"
      "  # utc_offset: \"+08:00\"  # For the hours of the day below.\n"
      "\n"
      "# local: processes of this machine. slurm: jobs of a cluster.\n"
      "engine: " +
      std::string(has_slurm ? "slurm" : "local") +
      "\n\n"
      "# CNY for an hour.\n"
      "prices:\n"
      "  card_hour: 25\n"
      "  core_hour: 0.15\n"
      "  # Percent of all prices in each hour of the day, from midnight on: dear in the evening,\n"
      "  # cheap at night.\n"
      "  # rates: [50, 50, 50, 50, 50, 50, 50, 50, 100, 100, 100, 100,\n"
      "  #         100, 100, 100, 100, 100, 100, 150, 150, 150, 150, 100, 50]\n"
      "  # Percent of all prices for spot work, which may be stopped when other work needs its\n"
      "  # place.\n"
      "  # spot: 40\n"
      "\n"
      "# How clean its power is: all power over what the machines take, and g/kWh of the grid,\n"
      "# once or for each hour of the day.\n"
      "# energy:\n"
      "#   pue: 1.25\n"
      "#   carbon: [540]\n\n"
      "# Where jobs find inputs and keep outputs: remotes of rclone, in its own format.\n"
      "# stores: /etc/suan/stores.conf\n\n";
  if (!has_slurm)
    return text + "# Cores of this machine to offer; all, if it is not said.\n# cores: 2\n";
  return text + print_slurm_section(found.slurm);
}

}  // namespace suan::site
