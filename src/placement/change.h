#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "model/ids.h"
#include "model/spec.h"

namespace suan::placement {

/// What a change changes. `other` is for callers with constraints of their own, such as a budget.
enum class Field : std::uint8_t {
  other,
  hourly_max,
  chip,
  cards,
  cpus,
  memory,
  disk,
  nodes,
  network_tier,
  regions,
  exclude_regions,
  sites,
  data_residency,
  max_rtt,
  circle,
  near,
  carbon,
  image,
  data,
  spot,
};

/// A single change to a JobSpec, exact enough to be carried out.
struct Edit {
  Field field = Field::other;
  std::uint32_t alternative = 0;  // Of `chip`, `cards` and `image`.
  std::int64_t amount = 0;        // The new value: micro-CNY, milli, bytes, nodes, NetworkTier, µs,
                                  // Circle or g/kWh.
  std::string word{};  // The new chip; the region or site to add; the region no longer excluded;
                       // the new residency.

  friend bool operator==(const Edit&, const Edit&) = default;
};

/// A smallest single change that would let a job start now, for people and for programs.
struct Change {
  std::string field;  // Of run.yaml: "price.max_hourly_cost".
  std::string from;   // As run.yaml writes it; "" where it was not set.
  std::string to;     // "" = removed.
  std::string text;   // "with price.max_hourly_cost 172 instead of 160".
  PoolId pool;        // Where it would start; none if that does not depend on a pool.
  Edit edit;
};

/// The changed spec; `other` changes nothing.
JobSpec apply(JobSpec, const Edit&);

/// Words a change: every caller's changes read alike. `edit` may be left out.
Change make_change(std::string field, std::string from, std::string to, PoolId, Edit = {});

/// Words an edit of this spec.
Change make_change(const JobSpec&, Edit, PoolId);

/// The field of run.yaml: "price.max_hourly_cost".
std::string_view path(Field);

}  // namespace suan::placement
