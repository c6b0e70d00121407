#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "packing/mix.h"
#include "packing/outlook.h"
#include "packing/policy.h"
#include "packing/scarcity.h"

namespace suan::packing {

/// The policy `suan`: puts a task where the expected loss of the cluster grows least, as learnt
/// from what has been asked for so far and nothing else (docs/packing.md).
class ExpectedLoss final : public Policy {
 public:
  /// Judges so many nodes for a task at the most; 0: all.
  explicit ExpectedLoss(std::size_t judged_max) : judged_max_(judged_max) {}

  void begin(std::span<const NodeKind>, std::span<const NodeRoom>) override;
  void arrived(const Ask&) override;
  void changed(const NodeRoom& before, const NodeRoom& after) override;
  Fit judge(std::uint32_t node, const NodeRoom&, const Ask&) const override;
  std::uint64_t edition() const override { return edition_; }
  std::size_t judged_max() const override { return judged_max_; }

 private:
  void learn();
  void count_places();

  const std::size_t judged_max_;
  std::span<const NodeKind> kinds_;
  std::span<const NodeRoom> rooms_;
  Mix mix_;
  std::uint64_t learn_at_ = 1;
  std::uint64_t edition_ = 0;
  std::vector<std::shared_ptr<const Forecast>> forecasts_;  // Index: chip.
  LargePlaces large_;
  ChipPrices prices_;
  std::vector<double> free_milli_;  // Index: chip.
  double all_milli_ = 0;            // Of the whole cluster, free or not.
  double open_milli_ = 0;           // Free on cards that are shared already and of use.
  double largest_cpu_milli_ = 1;
  double largest_milli_ = 1;
  double wear_ = 0;  // As in Outlook.
};

}  // namespace suan::packing
