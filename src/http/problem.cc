#include "http/problem.h"

#include <vector>

#include "api/problem.h"
#include "wire/json.h"
#include "wire/names.h"

namespace suan::http {

using domain::Code;

namespace {

net::Response document(int status, std::string body) {
  net::Response response{.status = status,
                         .content_type = "application/problem+json",
                         .headers = {},
                         .body = std::move(body)};
  if (status == 503) response.headers.add("Retry-After", "1");
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  return response;
}

std::string title_of(std::string_view code) {
  std::string title(code);
  for (char& c : title) {
    if (c == '_') c = ' ';
  }
  return title;
}

}  // namespace

int status_of(Code code) {
  switch (code) {
    case Code::none:
    case Code::stale:
    case Code::known_already:
    case Code::nothing_due:
    case Code::nothing_placeable:
      return 500;  // Never leave the process.
    case Code::forbidden:
    case Code::join_token_invalid:
      return 403;
    case Code::request_id_missing:
      return 400;
    case Code::organisation_unknown:
    case Code::project_unknown:
    case Code::user_unknown:
    case Code::key_unknown:
    case Code::job_unknown:
    case Code::joiner_unknown:
    case Code::site_unknown:
      return 404;
    case Code::name_taken:
    case Code::key_exists:
    case Code::job_ended:
    case Code::no_pool_fits:
    case Code::plan_stale:
    case Code::domain_exists:
    case Code::credit_insufficient:
      return 409;
    case Code::journal_full:
    case Code::outcome_unknown:
    case Code::overloaded:
    case Code::stopping:
      return 503;
    case Code::request_too_old:
    case Code::request_in_future:
    case Code::request_body_differs:
    case Code::name_invalid:
    case Code::amount_not_positive:
    case Code::amount_too_large:
    case Code::budget_too_small:
    case Code::spec_invalid:
      return 422;
  }
  return 500;
}

net::Response problem(int status, std::string_view code, std::string_view detail,
                      std::string_view pointer, std::string_view suggestion) {
  const api::Problem view{.type = "urn:suan:problem:" + std::string(code),
                          .title = title_of(code),
                          .status = static_cast<std::uint32_t>(status),
                          .code = std::string(code),
                          .detail = std::string(detail),
                          .pointer = std::string(pointer),
                          .suggestion = std::string(suggestion)};
  return document(status, wire::to_json(view));
}

net::Response problem(const domain::Refusal& refusal) {
  return problem(status_of(refusal.code), wire::enum_name(refusal.code), refusal.detail,
                 refusal.field, refusal.suggestion);
}

net::Response problem(const spec::Mistakes& mistakes) {
  api::Problem view{.type = "urn:suan:problem:spec_invalid",
                    .title = "spec invalid",
                    .status = 422,
                    .code = "spec_invalid",
                    .detail = {},
                    .pointer = {},
                    .suggestion = {},
                    .errors = {}};
  for (const wire::Mistake& mistake : mistakes)
    view.errors.push_back({mistake.text, mistake.pointer, mistake.suggestion});
  if (!view.errors.empty()) {
    view.detail = view.errors.front().detail;
    view.pointer = view.errors.front().pointer;
    view.suggestion = view.errors.front().suggestion;
  }
  return document(422, wire::to_json(view));
}

net::Response problem(const Failure& failure) {
  switch (failure.kind) {
    case Failure::Kind::invalid:
      return problem(400, "invalid", failure.text, failure.place);
    case Failure::Kind::not_found:
      return problem(404, "not_found", failure.text, failure.place);
    case Failure::Kind::unavailable:
    case Failure::Kind::no_space:
      return problem(503, "unavailable", failure.text, failure.place);
    case Failure::Kind::conflict:
      return problem(409, "conflict", failure.text, failure.place);
    case Failure::Kind::io:
    case Failure::Kind::unsupported:
      break;
  }
  return problem(500, "internal", failure.text);
}

net::Response json(int status, std::string body) {
  return {
      .status = status, .content_type = "application/json", .headers = {}, .body = std::move(body)};
}

}  // namespace suan::http
