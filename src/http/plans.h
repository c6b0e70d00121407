#pragma once

#include <optional>
#include <string_view>

#include "domain/decide.h"
#include "model/spec.h"

namespace suan::http {

/// What a plan id binds; nothing if it is not one, or not of this specification.
std::optional<domain::PlanBinding> read_plan_id(std::string_view id, const JobSpec&);

}  // namespace suan::http
