#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace suan::domain {

/// Why the rules say no. The enumerator is the `code` of the API's problem document.
enum class Code : std::uint8_t {
  none,
  forbidden,  // The caller's role or seats do not allow it.
  request_id_missing,
  request_too_old,       // Made longer ago than requests are remembered.
  request_in_future,     // Its clock is far ahead of ours.
  request_body_differs,  // The id was used for another body.
  name_taken,
  name_invalid,
  organisation_unknown,
  project_unknown,
  user_unknown,
  key_unknown,
  key_exists,
  join_token_invalid,  // Not one of ours, used already, or expired.
  joiner_unknown,
  site_unknown,
  job_unknown,
  job_ended,
  amount_not_positive,
  amount_too_large,
  credit_insufficient,
  budget_too_small,  // It does not pay for a minute of running.
  spec_invalid,
  no_pool_fits,  // No pool could run it even if it were idle.
  plan_stale,    // The world has moved since the plan.
  domain_exists,
  journal_full,     // The disk is below its low-water mark, or takes nothing at all.
  outcome_unknown,  // Decided and not durable yet: only a repeat under the same id can tell.
  overloaded,       // The inbox is full.
  stopping,         // The server is going down.
  stale,            // About an attempt that is over; nothing to do.
  known_already,    // A message of a member or parent that changes nothing.
  nothing_due,
  nothing_placeable,
};

/// `detail` says what was wrong and what to do; `field` is the place in the request, as a JSON
/// pointer; `suggestion` the nearest right value. The last two may be empty.
struct Refusal {
  Code code = Code::none;
  std::string detail;
  std::string field;
  std::string suggestion;
};

}  // namespace suan::domain
