#pragma once

#include <expected>
#include <string>
#include <vector>

#include "http/service.h"

namespace suan::http {

/// A specification as the core takes it.
struct ReadSpec {
  JobSpec spec;                       // Its payloads are numbered from 1.
  std::vector<std::string> payloads;  // Their bytes, in that order.
};

/// Reads the body of an exchange as a specification and resolves its project for the caller; or the
/// answer that says what is wrong with it.
std::expected<ReadSpec, net::Response> read_spec(const Service&, const Exchange&);

}  // namespace suan::http
