#include "packing/policy.h"

#include <array>

#include "packing/expected_loss.h"
#include "packing/known.h"

namespace suan::packing {

std::span<const std::string_view> policy_names() {
  static constexpr std::array<std::string_view, 7> names{"suan",    "suan-all", "fgd",   "bestfit",
                                                         "packing", "dotprod",  "random"};
  return names;
}

std::unique_ptr<Policy> make_policy(std::string_view name, const Knowledge& knowledge) {
  constexpr std::size_t few = 128;
  if (name == "suan") return std::make_unique<ExpectedLoss>(few);
  if (name == "suan-all") return std::make_unique<ExpectedLoss>(0);
  if (name == "fgd") return make_fragmentation_gradient(knowledge.mix);
  if (name == "bestfit") return make_best_fit();
  if (name == "packing") return make_card_packing();
  if (name == "dotprod") return make_dot_product();
  if (name == "random") return make_random(knowledge.seed);
  return nullptr;
}

}  // namespace suan::packing
