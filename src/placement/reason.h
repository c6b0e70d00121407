#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace suan::placement {

/// Why a pool does not run a job now. The order is the order of checking, and a pool is counted
/// under the first that fails; of several alternatives, the one that came furthest counts.
enum class Reason : std::uint8_t {
  none,
  // Hard: the pool is no candidate.
  pool_closed,
  chip_differs,
  cards_per_node_too_few,
  cores_too_few,
  memory_too_little,
  disk_too_little,
  network_tier_too_low,
  images_not_run,
  data_not_moved,
  store_missing,
  no_spot,
  region_not_allowed,
  region_excluded,
  site_not_allowed,
  data_residency,
  too_far,
  carbon_too_high,
  price_above_hourly_max,
  nodes_too_few,
  // Busy: it could, but not now.
  member_unreachable,
  cards_busy,
  cores_busy,
  memory_busy,
  nodes_busy,
};

inline constexpr std::size_t reason_count = 25;

inline constexpr Reason first_busy = Reason::member_unreachable;

/// It could, but not now.
constexpr bool is_busy(Reason reason) {
  return reason >= first_busy;
}

/// The enumerator: the code in the API.
std::string_view name(Reason);

/// The number that records know a reason by. It stays, also when another reason comes before it in
/// the order of checking.
std::uint32_t number(Reason);

/// The reason of a number; nullopt if no reason has it.
std::optional<Reason> find_reason(std::uint32_t number);

/// For people, what is said of such a pool: "another chip".
std::string_view sentence(Reason);

}  // namespace suan::placement
