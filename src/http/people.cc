// Routes about who acts and who pays: me, projects, deposits, keys, postings, costs.
#include <algorithm>

#include "base/text.h"
#include "http/bodies.h"
#include "http/problem.h"
#include "http/read_body.h"
#include "http/routes.h"
#include "http/show.h"
#include "wire/hash.h"
#include "wire/json.h"
#include "wire/names.h"

namespace suan::http {

namespace {

constexpr std::uint64_t rows_limit_max = 500;

std::string name_of(OrganisationId id, const identity::Identity& identity) {
  const auto* found = identity.organisations().find(id);
  return found == nullptr ? "" : found->name;
}

/// What GET /v1/postings and /v1/costs were asked for.
std::expected<history::Filter, net::Response> read_rows_filter(const Exchange& exchange) {
  history::Filter filter;
  const net::Request& request = exchange.request;
  if (const std::string* name = request.find_query("project")) {
    const auto* project = exchange.identity->find_project(*name);
    if (project == nullptr ||
        !exchange.identity->may(exchange.principal, identity::Action::read_project, project->id))
      return std::unexpected(
          problem(404, "project_unknown",
                  "there is no project \"" + *name + "\", or it is not yours to see"));
    filter.projects.push_back(project->id);
  } else {
    for (const auto& [id, project] : exchange.identity->projects()) {
      if (exchange.identity->may(exchange.principal, identity::Action::read_project, id))
        filter.projects.push_back(id);
    }
  }
  if (filter.projects.empty()) filter.projects.push_back(ProjectId{});  // None is not all.
  if (const std::string* text = request.find_query("job")) {
    const auto number =
        parse_integer(text->starts_with("job-") ? std::string_view(*text).substr(4) : *text);
    if (!number || *number <= 0)
      return std::unexpected(problem(400, "query_invalid", "job is an id such as job-42"));
    filter.job = JobId{static_cast<std::uint64_t>(*number)};
  }
  const auto limit = query_number(request, "limit", 50, rows_limit_max);
  const auto before = query_number(request, "before", 0, UINT64_MAX / 2);
  if (!limit || *limit == 0 || !before)
    return std::unexpected(
        problem(400, "query_invalid", "limit is 1 to 500, before is a sequence"));
  filter.limit = *limit;
  filter.before = *before;
  return filter;
}

// Rows, newest first, as `read` finds them: a page of about `limit` that ends where a record ends,
// since `next` names a record and its rows would be lost between two pages.
template <class Read>
auto read_page(history::Filter filter, std::string& next, Read read) {
  for (++filter.limit;; filter.limit *= 2) {
    auto rows = read(filter);
    if (!rows || rows->size() < filter.limit) return rows;
    const std::uint64_t last = rows->back().sequence;
    const auto end =
        std::ranges::find_if(*rows, [&](const auto& row) { return row.sequence == last; });
    if (end == rows->begin()) continue;  // All of one record, and perhaps not all of it.
    rows->erase(end, rows->end());
    next = std::to_string(rows->back().sequence);
    return rows;
  }
}

}  // namespace

void get_me(Service& service, Exchange& exchange) {
  service.ask(exchange, [](const runtime::View& view, const identity::Principal& principal) {
    const identity::Identity& identity = view.state.identity();
    const identity::User& user = identity.users().at(principal.user);
    api::MeView me{.user = user.name,
                   .organisation = name_of(user.organisation, identity),
                   .role = std::string(wire::enum_name(user.role)),
                   .projects = {}};
    for (const auto& [id, project] : identity.projects()) {
      if (identity.may(principal, identity::Action::read_project, id))
        me.projects.push_back(project.name);
    }
    return json(200, wire::to_json(me));
  });
}

void get_projects(Service& service, Exchange& exchange) {
  service.ask(exchange, [](const runtime::View& view, const identity::Principal& principal) {
    api::ProjectList list;
    list.sequence = view.state.essence().sequence;
    for (const auto& [id, project] : view.state.identity().projects()) {
      if (view.state.identity().may(principal, identity::Action::read_project, id))
        list.projects.push_back(show_project(view.state, project));
    }
    return json(200, wire::to_json(list));
  });
}

void post_project(Service& service, Exchange& exchange) {
  auto body = read_body<NewProject>(exchange);
  if (!body) return exchange.responder.respond(std::move(body).error());
  service.post(exchange, {.command = domain::CreateProject{body->name, body->organisation},
                          .payloads = {},
                          .status = 201,
                          .secret = {}});
}

void post_deposit(Service& service, Exchange& exchange) {
  auto body = read_body<NewDeposit>(exchange);
  if (!body) return exchange.responder.respond(std::move(body).error());
  service.post(exchange,
               {.command = domain::Deposit{exchange.captured.front(), body->amount, body->text},
                .payloads = {},
                .status = 201,
                .secret = {}});
}

void get_keys(Service& service, Exchange& exchange) {
  service.ask(exchange, [](const runtime::View& view, const identity::Principal& principal) {
    const identity::Identity& identity = view.state.identity();
    const bool sees_all = identity.may(principal, identity::Action::manage_identity);
    api::KeyList list;
    list.sequence = view.state.essence().sequence;
    for (const auto& [id, key] : identity.keys()) {
      if (sees_all || key.user == principal.user) list.keys.push_back(show_key(view.state, key));
    }
    return json(200, wire::to_json(list));
  });
}

void post_key(Service& service, Exchange& exchange) {
  auto body = read_body<NewKey>(exchange);
  if (!body) return exchange.responder.respond(std::move(body).error());
  const auto role =
      body->role.empty() ? identity::Role::consumer : wire::parse_enum<identity::Role>(body->role);
  if (!role) {
    return exchange.responder.respond(problem(
        422, "role_unknown",
        "a role is consumer, provider, operator or auditor; got \"" + body->role + "\"", "/role"));
  }
  const auto request_id = request_id_of(exchange.request);
  if (!request_id) return exchange.responder.respond(problem(request_id.error()));
  std::string secret = derive_secret(service, exchange, *request_id, "suan_");
  domain::CreateKey command{.user = body->user,
                            .organisation = body->organisation,
                            .role = *role,
                            .projects = body->projects,
                            .label = body->label,
                            .secret_hash = wire::hash(secret)};
  service.post(
      exchange,
      {.command = std::move(command), .payloads = {}, .status = 201, .secret = std::move(secret)});
}

void delete_key(Service& service, Exchange& exchange) {
  const std::string& text = exchange.captured.front();
  const auto number =
      parse_integer(text.starts_with("key-") ? std::string_view(text).substr(4) : text);
  if (!number || *number <= 0)
    return exchange.responder.respond(problem(404, "key_unknown", "there is no key " + text));
  service.post(exchange, {.command = domain::RevokeKey{KeyId{static_cast<std::uint64_t>(*number)}},
                          .payloads = {},
                          .status = 200,
                          .secret = {}});
}

void get_postings(Service& service, Exchange& exchange) {
  auto wanted = read_rows_filter(exchange);
  if (!wanted) return exchange.responder.respond(std::move(wanted).error());
  const auto look = [filter = std::move(*wanted)](history::History& history) -> Service::Query {
    api::PostingList list;
    auto rows = read_page(filter, list.next,
                          [&](const history::Filter& page) { return history.postings(page); });
    list.sequence = history.sequence();
    return [list = std::move(list), rows = std::move(rows)](const runtime::View& view,
                                                            const identity::Principal&) mutable {
      if (!rows) return problem(rows.error());
      for (const history::PostingRow& row : *rows)
        list.postings.push_back(show_posting(view.state, row));
      return json(200, wire::to_json(list));
    };
  };
  service.ask_past(exchange, [look](const runtime::View&, const identity::Principal&) {
    return Service::Step{Service::Look(look)};
  });
}

void get_costs(Service& service, Exchange& exchange) {
  auto wanted = read_rows_filter(exchange);
  if (!wanted) return exchange.responder.respond(std::move(wanted).error());
  const auto look = [filter = std::move(*wanted)](history::History& history) -> Service::Query {
    api::CostView cost;
    auto rows =
        read_page(filter, cost.next,
                  [&](const history::Filter& page) -> Result<std::vector<history::ChargeRow>> {
                    SUAN_TRY(history::ChargePage charges, history.charges(page));
                    cost.total = charges.total;
                    return std::move(charges.rows);
                  });
    cost.sequence = history.sequence();
    return [cost = std::move(cost), rows = std::move(rows)](const runtime::View& view,
                                                            const identity::Principal&) mutable {
      if (!rows) return problem(rows.error());
      for (const history::ChargeRow& row : *rows)
        cost.charges.push_back(show_charge(view.state, row));
      return json(200, wire::to_json(cost));
    };
  };
  service.ask_past(exchange, [look](const runtime::View&, const identity::Principal&) {
    return Service::Step{Service::Look(look)};
  });
}

}  // namespace suan::http
