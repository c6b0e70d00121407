#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "packing/policy.h"
#include "sim/lists.h"

/// The protocol by which FGD was measured (Weng et al., USENIX ATC 2023, §6), to the letter.
///
/// Tasks come one by one and stay for ever: first all of the list, in an order drawn with the seed,
/// then tasks drawn from it with replacement, until the next would pass 130 % of the cards. What
/// fits somewhere is placed, at once and for good; what fits nowhere is dropped.
namespace suan::sim {

inline constexpr std::array<int, 4> arrived_percents{100, 110, 120, 130};

/// Percentages of the cards of the cluster, unless said otherwise.
struct FgdRun {
  /// What is allocated when so much has arrived: the mean over the tasks after which what has
  /// arrived rounds to that. Absent if there is none.
  std::array<std::optional<double>, arrived_percents.size()> allocation;
  /// What had arrived when the first task was dropped; absent if none was.
  std::optional<double> first_rejection;
  /// Tasks that were placed, in percent of those that came, by their cards: "0", "share", "1", "2"
  /// …
  std::map<std::string, double> admitted_by_cards;
  std::uint64_t decisions = 0;
};

/// Called now and then with the decisions made so far; may be null.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void decided(std::uint64_t decisions) = 0;
};

/// Never empty lists. The nodes are in an order drawn with the seed, by which ties are broken.
FgdRun run_fgd(const NodeList&, std::span<const packing::Ask> tasks,
               std::unique_ptr<packing::Policy>, std::uint64_t seed, Witness* = nullptr);

}  // namespace suan::sim
