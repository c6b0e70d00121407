#include "slurm/offer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>

#include "base/text.h"
#include "catalogue/chips.h"

namespace suan::slurm {
namespace {

constexpr std::int64_t mebibytes_per_gibibyte = 1024;
constexpr std::uint32_t cards_max = 64;    // Of a pool's node, see model/supply.h.
constexpr std::size_t name_size_max = 56;  // Leaves room for a number.

// Names under which sites have accelerators; others must be in the site's mapping.
constexpr std::array<std::string_view, 10> accelerators{"gpu", "dcu", "npu",    "mlu", "gcu",
                                                        "xpu", "ppu", "ascend", "vpu", "tpu"};

std::string_view type_of(std::string_view gres) {
  return gres.substr(gres.find(':') + 1);
}

std::string_view family_of(std::string_view gres) {
  return gres.substr(0, gres.find(':'));
}

// Letters and digits in lower case.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0) out += static_cast<char>(std::tolower(byte));
  }
  return out;
}

std::string as_pool_name(const std::string& partition, std::string_view chip) {
  std::string out;
  for (const char c : partition + "-" + (chip.empty() ? "cpu" : std::string(chip))) {
    const auto byte = static_cast<unsigned char>(c);
    const bool is_plain = std::isalnum(byte) != 0;
    if (is_plain)
      out += static_cast<char>(std::tolower(byte));
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  out = out.substr(0, name_size_max);
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? "pool" : out;
}

// The resource that a node's pool is about; nullptr if it has no cards.
const Gres* find_cards(const Node& node, const OfferWish& wish) {
  const auto is_wished = [&](const Gres& gres) {
    return gres.count > 0 &&
           (wish.gres.contains(gres.name) || wish.gres.contains(std::string(family_of(gres.name))));
  };
  const auto is_accelerator = [](const Gres& gres) {
    return gres.count > 0 &&
           std::ranges::find(accelerators, family_of(gres.name)) != accelerators.end();
  };
  auto at = std::ranges::find_if(node.gres, is_wished);
  if (at == node.gres.end()) at = std::ranges::find_if(node.gres, is_accelerator);
  return at == node.gres.end() ? nullptr : &*at;
}

class Offering {
 public:
  Offering(const OfferWish& wish, const std::vector<SlurmPool>& known) : wish_(wish) {
    offer_.pools = known;
  }

  void add(const std::string& partition, const Node& node) {
    const Gres* cards = find_cards(node, wish_);
    const std::int64_t gibibytes = node.memory_mebibytes / mebibytes_per_gibibyte;
    if (node.cpus <= 0 || gibibytes <= 0) {
      offer_.notes.push_back("node " + node.name + " has no cores or no memory to offer");
      return;
    }
    if (cards != nullptr && cards->count > cards_max) {
      offer_.notes.push_back("node " + node.name + " has more than 64 of " + cards->name);
      return;
    }
    for (const Gres& gres : node.gres)
      if (cards != nullptr && &gres != cards && noted_.insert(gres.name + partition).second)
        offer_.notes.push_back("in partition " + partition + ", " + gres.name +
                               " is not offered: a pool has one resource of cards, and " +
                               cards->name + " comes first");
    const std::string kind =
        (cards != nullptr ? cards->name + ":" + std::to_string(cards->count) : "none") + " " +
        std::to_string(node.cpus) + "c " + std::to_string(gibibytes) + "g";
    SlurmPool& pool = find_pool(partition, kind, cards);
    member::OfferedPool& offered = pool.offered;
    pool.gres = cards != nullptr ? cards->name : "";
    offered.chip = cards != nullptr ? chip_of(cards->name, wish_.gres) : "";
    offered.cards_per_node = cards != nullptr ? cards->count : 0;
    offered.cpu_milli_per_node = node.cpus * 1000;
    offered.memory_bytes_per_node = gibibytes << 30U;
    offered.topology = "partition " + partition + " of Slurm";
    if (std::ranges::find(pool.nodes, node.name) == pool.nodes.end())
      pool.nodes.push_back(node.name);
  }

  Offer take() {
    // What was known and is of no use now: no node of it was seen, so nothing is known of its kind.
    std::erase_if(offer_.pools, [&](const SlurmPool& pool) {
      if (pool.offered.cpu_milli_per_node > 0) return false;
      offer_.notes.push_back("pool " + pool.offered.name +
                             " is not offered: no node of its kind (" + pool.kind +
                             ") is in partition " + pool.partition + " now");
      offer_.idle.push_back(pool);
      return true;
    });
    for (SlurmPool& pool : offer_.pools)
      pool.offered.nodes = static_cast<std::uint32_t>(pool.nodes.size());
    std::ranges::sort(offer_.pools, {}, [](const SlurmPool& pool) { return pool.offered.name; });
    return std::move(offer_);
  }

 private:
  SlurmPool& find_pool(const std::string& partition, const std::string& kind, const Gres* cards) {
    for (SlurmPool& pool : offer_.pools)
      if (pool.partition == partition && pool.kind == kind) return pool;
    const std::string wanted =
        as_pool_name(partition, cards != nullptr ? chip_of(cards->name, wish_.gres) : "");
    std::string name = wanted;
    for (int number = 2; is_taken(name); ++number) name = wanted + "-" + std::to_string(number);
    SlurmPool& pool = offer_.pools.emplace_back();
    pool.offered.name = name;
    pool.partition = partition;
    pool.kind = kind;
    return pool;
  }
  bool is_taken(const std::string& name) const {
    return std::ranges::any_of(offer_.pools,
                               [&](const SlurmPool& pool) { return pool.offered.name == name; });
  }

  const OfferWish& wish_;
  Offer offer_;
  std::set<std::string> noted_;
};

}  // namespace

std::string chip_of(std::string_view gres, const std::map<std::string, std::string>& mapping) {
  for (const std::string_view name : {gres, family_of(gres)})
    if (const auto at = mapping.find(std::string(name)); at != mapping.end()) return at->second;
  const std::string wanted = plain(type_of(gres));
  for (const catalogue::ChipModel& chip : catalogue::chips())
    if (plain(chip.id) == wanted) return std::string(chip.id);
  return std::string(type_of(gres));
}

Result<Offer> make_offer(const std::vector<Partition>& partitions, const std::vector<Node>& nodes,
                         const OfferWish& wish, const std::vector<SlurmPool>& known) {
  std::vector<std::string> names = wish.partitions;
  std::string there;
  for (const Partition& partition : partitions) {
    if (wish.partitions.empty() && partition.is_up) names.push_back(partition.name);
    there += (there.empty() ? "" : ", ") + partition.name;
  }
  std::map<std::string, const Node*> by_name;
  for (const Node& node : nodes) by_name.emplace(node.name, &node);
  Offering offering(wish, known);
  std::set<std::string> given;
  for (const std::string& name : names) {
    const auto at = std::ranges::find(partitions, name, &Partition::name);
    if (at == partitions.end())
      return failure(Failure::Kind::invalid, "Slurm has no partition " + name + "; it has " + there,
                     name);
    std::vector<std::string> sorted = at->nodes;
    std::ranges::sort(sorted);
    for (const std::string& node : sorted)
      if (const auto found = by_name.find(node);
          found != by_name.end() && given.insert(node).second)
        offering.add(name, *found->second);
  }
  return offering.take();
}

Offer recall_offer(const std::vector<SlurmPool>& known, const OfferWish& wish) {
  Offer offer;
  for (const SlurmPool& before : known) {
    // "gpu:fake910b:8 16c 62g"
    const std::string_view kind = before.kind;
    const std::size_t first = std::min(kind.find(' '), kind.size());
    const std::size_t second = std::min(kind.find(' ', first + 1), kind.size());
    const auto gres = parse_gres(kind.substr(0, first));
    const auto number = [](std::string_view text) {  // 0 where there is none.
      return text.empty() ? 0 : parse_integer(text.substr(0, text.size() - 1)).value_or(0);
    };
    const std::int64_t cores =
        first < kind.size() ? number(kind.substr(first + 1, second - first - 1)) : 0;
    const std::int64_t gibibytes = second < kind.size() ? number(kind.substr(second + 1)) : 0;
    constexpr std::int64_t most = 1'000'000;
    if (!gres || cores <= 0 || gibibytes <= 0 || cores > most || gibibytes > most ||
        gres->size() > 1)
      continue;
    SlurmPool& pool = offer.pools.emplace_back(before);
    member::OfferedPool& offered = pool.offered;
    if (kind.substr(0, first) != "none" && !gres->empty()) {
      pool.gres = gres->front().name;
      offered.chip = chip_of(pool.gres, wish.gres);
      offered.cards_per_node = std::min(gres->front().count, cards_max);
    }
    offered.cpu_milli_per_node = cores * 1000;
    offered.memory_bytes_per_node = gibibytes << 30U;
    offered.nodes = static_cast<std::uint32_t>(pool.nodes.size());
    offered.topology = "partition " + pool.partition + " of Slurm";
  }
  return offer;
}

std::string print_nodes(const std::vector<SlurmPool>& pools) {
  std::string text;
  for (const SlurmPool& pool : pools)
    for (const std::string& node : pool.nodes)
      text += pool.offered.name + "\t" + pool.partition + "\t" + pool.kind + "\t" + node + "\n";
  return text;
}

Result<std::vector<SlurmPool>> parse_nodes(std::string_view text) {
  std::vector<SlurmPool> pools;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    std::array<std::string_view, 4> parts;
    std::string_view rest = text.substr(0, end);
    std::size_t count = 0;
    while (count < parts.size()) {
      // The last is all the rest, so that one tab too many shows in it.
      const std::size_t tab =
          count + 1 < parts.size() ? std::min(rest.find('\t'), rest.size()) : rest.size();
      parts[count++] = rest.substr(0, tab);
      if (tab == rest.size()) break;
      rest.remove_prefix(tab + 1);
    }
    const bool is_right = end != std::string_view::npos && count == parts.size() &&
                          std::ranges::none_of(parts, &std::string_view::empty) &&
                          parts[3].find('\t') == std::string_view::npos;
    if (!is_right || line > hosts_max * 4)
      return failure(Failure::Kind::invalid,
                     "expected a pool, a partition, a kind and a node, parted by tabs",
                     "line " + std::to_string(line));
    text.remove_prefix(end + 1);
    auto at = std::ranges::find_if(
        pools, [&](const SlurmPool& pool) { return pool.offered.name == parts[0]; });
    if (at == pools.end()) {
      pools.emplace_back();
      at = pools.end() - 1;
      at->offered.name = parts[0];
      at->partition = parts[1];
      at->kind = parts[2];
    }
    at->nodes.emplace_back(parts[3]);
  }
  return pools;
}

}  // namespace suan::slurm
