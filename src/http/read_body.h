#pragma once

#include <expected>
#include <utility>

#include "http/problem.h"
#include "http/service.h"
#include "wire/json.h"

namespace suan::http {

/// The body of a request as a record, or the answer that says what is wrong with it.
template <class T>
std::expected<T, net::Response> read_body(const Exchange& exchange) {
  auto body = wire::from_json<T>(exchange.request.body);
  if (!body)
    return std::unexpected(problem(400, "body_invalid", body.error().text, body.error().place));
  return std::move(*body);
}

}  // namespace suan::http
