#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "member/engine.h"
#include "slurm/cluster.h"

/// What a cluster offers: its partitions and nodes as pools. Without I/O.
namespace suan::slurm {

/// What the site wants offered.
struct OfferWish {
  std::vector<std::string> partitions;      // In order; empty = all that are up.
  std::map<std::string, std::string> gres;  // "gpu:fake910b" to a chip model.
};

/// The nodes of one partition that are alike: one resource of cards, cores and memory.
struct SlurmPool {
  member::OfferedPool offered;
  std::string partition;
  std::string kind;                // "gpu:fake910b:8 16c 62g": what makes two nodes alike.
  std::string gres;                // "gpu:fake910b"; "" = no cards.
  std::vector<std::string> nodes;  // By their indexes; also those that are gone.
};

struct Offer {
  std::vector<SlurmPool> pools;    // By name.
  std::vector<SlurmPool> idle;     // Known, but no node of that kind is there now.
  std::vector<std::string> notes;  // What could not be offered; sentences for people.
};

/// Makes pools of what there is. `known` is what was offered before: its names and indexes stay,
/// new nodes come behind them, and nodes that are gone keep their places. A node that is in several
/// partitions is offered in the first of them, so that nothing is offered twice. `invalid` if a
/// partition that is wished for is not there.
Result<Offer> make_offer(const std::vector<Partition>&, const std::vector<Node>&, const OfferWish&,
                         const std::vector<SlurmPool>& known);

/// What was offered before, where the cluster cannot be asked now: the kinds say it all.
Offer recall_offer(const std::vector<SlurmPool>& known, const OfferWish&);

/// The pools as text, to be kept: "pool<TAB>partition<TAB>kind<TAB>node", a line for each node.
std::string print_nodes(const std::vector<SlurmPool>&);

/// Reads it; only name, partition, kind and nodes are set. `invalid` with the line where it is
/// wrong.
Result<std::vector<SlurmPool>> parse_nodes(std::string_view text);

/// The chip model of a generic resource: as the site says, else the chip of data/accelerators.csv
/// of that name, whatever its case and dashes, else the type itself.
std::string chip_of(std::string_view gres, const std::map<std::string, std::string>& mapping);

}  // namespace suan::slurm
