#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/result.h"

namespace suan::bench {

/// The grid zones for which both an hourly price and an hourly carbon intensity are public.
inline constexpr std::size_t zone_count = 15;

/// A value from one zone (first index) to another; zones are in the order of `Zones::zones`.
using ZoneMatrix = std::array<std::array<double, zone_count>, zone_count>;

/// One grid zone over the hours that were read, one value an hour.
struct Zone {
  std::string name;
  std::vector<double> usd_per_mwh;  // Never below 0: a site is not paid to consume.
  std::vector<double> g_per_kwh;    // Of CO2 equivalent, over the life cycle of the plants.
};

/// The zones of a range of hours, and what lies between them.
struct Zones {
  std::int64_t first_hour = 0;        // UTC, in hours since 1970.
  std::vector<Zone> zones;            // `zone_count` of them when read.
  ZoneMatrix rtt_ms{};                // Symmetric; negative where unknown.
  ZoneMatrix egress_usd_per_gb{};     // Row: from; column: to. 0 on the diagonal.
  std::int64_t hours_filled = 0;      // Missing values that the last known one stands in for.
  std::int64_t hours_below_zero = 0;  // Prices that were raised to 0.
};

/// Reads `hours` hours of all zones from the directory of traces (SUAN_TRACES), beginning at
/// `first_hour`. 2021 to 2024 are there; a series with a gap of more than a day fails, as does a
/// file, column or zone that is missing, with where its public original is. About a second.
Result<Zones> read_zones(const std::string& traces, std::int64_t first_hour, std::int64_t hours);

}  // namespace suan::bench
