#pragma once

#include <span>
#include <string_view>

#include "http/service.h"

/// The table of routes: the one list that dispatch and the OpenAPI document are made from.
namespace suan::http {

/// Who may call a route before it looks closer.
enum class Access : std::uint8_t { anyone, authenticated };

struct Route {
  net::Method method = net::Method::get;
  std::string_view pattern;  // "/v1/jobs/{job}"; a part in braces matches one segment.
  Access access = Access::authenticated;
  void (*run)(Service&, Exchange&) = nullptr;
  std::string_view summary;
  std::string_view parameters;  // Query parameters, space-separated.
  std::string_view body;        // The schema of the request body, or "".
  std::string_view answer;      // The schema of the answer, or a media type.
  int status = 200;
};

std::span<const Route> routes();

// The routes, by subject. Each answers the exchange, now or later.
void get_domain(Service&, Exchange&);
void get_me(Service&, Exchange&);
void get_pools(Service&, Exchange&);
void get_projects(Service&, Exchange&);
void post_project(Service&, Exchange&);
void post_deposit(Service&, Exchange&);
void get_keys(Service&, Exchange&);
void post_key(Service&, Exchange&);
void delete_key(Service&, Exchange&);
void post_join_token(Service&, Exchange&);
void get_members(Service&, Exchange&);
void post_approve(Service&, Exchange&);
void post_drain(Service&, Exchange&);
void post_resume(Service&, Exchange&);
void post_refuse(Service&, Exchange&);
void get_postings(Service&, Exchange&);
void get_costs(Service&, Exchange&);
void post_find(Service&, Exchange&);
void post_plan(Service&, Exchange&);
void post_job(Service&, Exchange&);
void get_jobs(Service&, Exchange&);
void get_job(Service&, Exchange&);
void get_why(Service&, Exchange&);
void post_cancel(Service&, Exchange&);
void get_logs(Service&, Exchange&);
void get_events(Service&, Exchange&);
void get_exec(Service&, Exchange&);
void get_resolve(Service&, Exchange&);
void get_upload(Service&, Exchange&);
void put_upload(Service&, Exchange&);
void get_uplink(Service&, Exchange&);
void get_uplink_stream(Service&, Exchange&);
void get_openapi(Service&, Exchange&);
void get_metrics(Service&, Exchange&);
void get_health(Service&, Exchange&);
void get_ready(Service&, Exchange&);

/// The OpenAPI 3.1 document of this table.
std::string openapi_document(std::string_view version);

}  // namespace suan::http
