#include "http/routes.h"

#include <array>

namespace suan::http {

namespace {

using net::Method;
using enum Access;

constexpr std::array<Route, 36> table{{
    {Method::get, "/healthz", anyone, get_health, "Whether the process lives.", "", "",
     "text/plain", 200},
    {Method::get, "/readyz", anyone, get_ready, "Whether it takes requests.", "", "", "text/plain",
     200},
    {Method::get, "/metrics", anyone, get_metrics, "Metrics in the Prometheus text format.", "", "",
     "text/plain", 200},
    {Method::get, "/v1/openapi.json", anyone, get_openapi, "This document.", "", "",
     "application/json", 200},
    {Method::get, "/v1/domain", authenticated, get_domain, "The domain at a glance.",
     "after_sequence", "", "DomainView", 200},
    {Method::get, "/v1/me", authenticated, get_me, "Who is asking.", "", "", "MeView", 200},
    {Method::post, "/v1/find", authenticated, post_find,
     "Where a job could run, and why not elsewhere.", "limit after_sequence", "SpecDocument",
     "Found", 200},
    {Method::post, "/v1/plans", authenticated, post_plan,
     "What would happen if this job were submitted: places, price, start.", "limit after_sequence",
     "SpecDocument", "PlanView", 200},
    {Method::post, "/v1/jobs", authenticated, post_job, "Submit a job.", "plan_id", "SpecDocument",
     "Accepted", 201},
    {Method::get, "/v1/jobs", authenticated, get_jobs, "Jobs, newest first.",
     "project state user limit before after_sequence", "", "JobList", 200},
    {Method::get, "/v1/jobs/{job}", authenticated, get_job, "One job with its tasks and attempts.",
     "after_sequence", "", "JobView", 200},
    {Method::get, "/v1/jobs/{job}/why", authenticated, get_why,
     "Why a job waits and what would let it start, or why it is where it is.", "after_sequence", "",
     "WhyView", 200},
    {Method::post, "/v1/jobs/{job}/cancel", authenticated, post_cancel, "Stop a job.", "", "",
     "Accepted", 202},
    {Method::get, "/v1/jobs/{job}/logs", authenticated, get_logs, "What a task wrote.",
     "task attempt stream offset follow", "", "text/plain", 200},
    {Method::get, "/v1/jobs/{job}/exec", authenticated, get_exec,
     "Run a command beside a running task: a WebSocket, whose messages docs/api.md has.", "task",
     "", "application/octet-stream", 101},
    {Method::get, "/v1/events", authenticated, get_events,
     "Changes as server-sent events; resumes after Last-Event-ID or ?after.", "after job", "",
     "text/event-stream", 200},
    {Method::get, "/v1/pools", authenticated, get_pools, "What is offered and what of it is free.",
     "after_sequence", "", "PoolList", 200},
    {Method::get, "/v1/projects", authenticated, get_projects, "Projects and their money.",
     "after_sequence", "", "ProjectList", 200},
    {Method::post, "/v1/projects", authenticated, post_project, "Create a project.", "",
     "NewProject", "Accepted", 201},
    {Method::post, "/v1/projects/{project}/deposits", authenticated, post_deposit,
     "Put money on a project's account.", "", "NewDeposit", "Accepted", 201},
    {Method::get, "/v1/keys", authenticated, get_keys,
     "Keys; only one's own unless one is an operator.", "after_sequence", "", "KeyList", 200},
    {Method::post, "/v1/keys", authenticated, post_key,
     "Create a key, and its user where there is none. The secret is in this answer only.", "",
     "NewKey", "Accepted", 201},
    {Method::delete_, "/v1/keys/{key}", authenticated, delete_key, "Revoke a key.", "", "",
     "Accepted", 200},
    {Method::post, "/v1/join-tokens", authenticated, post_join_token,
     "Make a token with which one domain may ask to join. The secret is in this answer only.", "",
     "NewJoinToken", "Accepted", 201},
    {Method::get, "/v1/members", authenticated, get_members,
     "Members and domains that asked to become one, and the domains joined by this one.",
     "after_sequence", "", "MemberList", 200},
    {Method::post, "/v1/members/{member}/approve", authenticated, post_approve,
     "Let a domain that asked to join offer what it has.", "", "", "Accepted", 200},
    {Method::post, "/v1/members/{member}/refuse", authenticated, post_refuse,
     "Refuse a domain that asked to join; of one that has, nothing new is sold.", "", "",
     "Accepted", 200},
    {Method::get, "/v1/postings", authenticated, get_postings, "Movements of money, newest first.",
     "project job limit before after_sequence", "", "PostingList", 200},
    {Method::get, "/v1/costs", authenticated, get_costs,
     "Charge lines, newest first, and their total.", "project job limit before after_sequence", "",
     "CostView", 200},
    {Method::post, "/v1/sites/{site}/drain", authenticated, post_drain,
     "Let a site finish what it has and take nothing new.", "", "", "Accepted", 200},
    {Method::post, "/v1/sites/{site}/resume", authenticated, post_resume,
     "Let a site that was drained take work again.", "", "", "Accepted", 200},
    {Method::get, "/v1/resolve", authenticated, get_resolve,
     "What an identifier names, wherever in the network it is, and whose word that is.", "id", "",
     "NameView", 200},
    {Method::get, "/v1/uploads/{sha256}", authenticated, get_upload,
     "How much of a packed working directory of yours is here.", "", "", "UploadView", 200},
    {Method::put, "/v1/uploads/{sha256}", authenticated, put_upload,
     "Append to it, at most 1 MiB at a time; a tar.gz, and its SHA-256 is its name.", "offset",
     "application/octet-stream", "UploadView", 200},
    {Method::get, "/v1/uplink", anyone, get_uplink,
     "For sub-domains: a WebSocket, whose messages docs/formats/uplink.md has.", "", "",
     "application/octet-stream", 101},
    {Method::get, "/v1/uplink/streams/{stream}", anyone, get_uplink_stream,
     "For sub-domains: a log or a shell that was asked for on the uplink.", "", "",
     "application/octet-stream", 101},
}};

}  // namespace

std::span<const Route> routes() {
  return table;
}

}  // namespace suan::http
