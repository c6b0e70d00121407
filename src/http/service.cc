#include "http/service.h"

#include <algorithm>
#include <utility>

#include "api/views.h"
#include "base/text.h"
#include "catalogue/chips.h"
#include "http/assets_route.h"
#include "http/problem.h"
#include "http/routes.h"
#include "wire/hash.h"
#include "wire/json.h"

namespace suan::http {

using domain::Code;

namespace {

// Splits a path at its slashes and matches it; fills `captured` with what stood for {…}.
bool matches(std::string_view pattern, std::string_view path, std::vector<std::string>& captured) {
  captured.clear();
  while (true) {
    const std::size_t pattern_end = pattern.find('/', 1);
    const std::size_t path_end = path.find('/', 1);
    const std::string_view want = pattern.substr(0, pattern_end);
    const std::string_view have = path.substr(0, path_end);
    if (want.size() > 1 && want[1] == '{') {
      if (have.size() < 2) return false;
      captured.emplace_back(have.substr(1));
    } else if (want != have) {
      return false;
    }
    const bool pattern_ends = pattern_end == std::string_view::npos;
    const bool path_ends = path_end == std::string_view::npos;
    if (pattern_ends || path_ends) return pattern_ends && path_ends;
    pattern.remove_prefix(pattern_end);
    path.remove_prefix(path_end);
  }
}

// The hash of the secret that a request carries; nothing if it carries none.
std::optional<Digest> key_of(const net::Request& request) {
  constexpr std::string_view scheme = "Bearer ";
  const std::string* header = request.headers.find("Authorization");
  if (header == nullptr || !header->starts_with(scheme)) return std::nullopt;
  return wire::hash(std::string_view(*header).substr(scheme.size()));
}

bool is_known_parameter(std::string_view parameters, std::string_view key) {
  while (!parameters.empty()) {
    const std::size_t end = parameters.find(' ');
    if (parameters.substr(0, end) == key) return true;
    parameters.remove_prefix(end == std::string_view::npos ? parameters.size() : end + 1);
  }
  return false;
}

// Refuses query parameters that the route does not have: a mistyped filter must not show
// everything.
std::optional<net::Response> check_query(const Route& route, const net::Request& request) {
  for (const auto& [key, value] : request.query) {
    if (is_known_parameter(route.parameters, key)) continue;
    return problem(400, "query_unknown",
                   "this route has no query parameter \"" + key + "\"; it has: " +
                       (route.parameters.empty() ? "none" : std::string(route.parameters)));
  }
  return std::nullopt;
}

bool changes_people(const domain::Command& command) {
  return std::holds_alternative<domain::CreateOrganisation>(command) ||
         std::holds_alternative<domain::CreateProject>(command) ||
         std::holds_alternative<domain::CreateKey>(command) ||
         std::holds_alternative<domain::RevokeKey>(command);
}

}  // namespace

Service::Service(ServiceParts parts) : parts_(std::move(parts)) {
  for (const catalogue::ChipModel& chip : catalogue::chips()) known_.chips.emplace_back(chip.id);
  for (const std::string& chip : parts_.more_chips)
    if (!chip.empty() && catalogue::find_chip(chip) == nullptr) known_.chips.push_back(chip);
}

void Service::serve(net::Request&& request, net::Responder responder) {
  Exchange exchange{std::move(request), std::move(responder), {}, {}, nullptr, {}};
  const Route* found = nullptr;
  bool path_is_known = false;
  for (const Route& route : routes()) {
    if (!matches(route.pattern, exchange.request.path, exchange.captured)) continue;
    path_is_known = true;
    if (route.method != exchange.request.method) continue;
    found = &route;
    break;
  }
  if (found == nullptr) {
    if (!path_is_known) return serve_asset(exchange);
    return exchange.responder.respond(problem(
        405, "method_not_allowed", "this path does not take that method; see /v1/openapi.json"));
  }
  if (found->access == Access::authenticated) {
    if (is_closing_)
      return exchange.responder.respond(
          problem(domain::Refusal{Code::stopping, "this server is going down; try again", {}, {}}));
    exchange.identity = parts_.acquaintance.get();
    const auto key = key_of(exchange.request);
    const auto principal = key ? exchange.identity->authenticate(*key) : std::nullopt;
    if (!principal) {
      return exchange.responder.respond(problem(401, "unauthenticated",
                                                "send a valid key as `Authorization: Bearer "
                                                "suan_…`; `suan login` stores one for the CLI"));
    }
    exchange.key = *key;
    exchange.principal = *principal;
  }
  if (auto refused = check_query(*found, exchange.request))
    return exchange.responder.respond(std::move(*refused));
  found->run(*this, exchange);
}

std::expected<RequestId, domain::Refusal> request_id_of(const net::Request& request) {
  const std::string* header = request.headers.find("Idempotency-Key");
  const auto refused = [](std::string detail) {
    return std::unexpected(domain::Refusal{Code::request_id_missing, std::move(detail), {}, {}});
  };
  if (header == nullptr) {
    return refused(
        "this request changes something and needs the header Idempotency-Key with a new UUIDv7; "
        "send "
        "the same one when you repeat the request");
  }
  std::string_view text = *header;
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
    text = text.substr(1, text.size() - 2);
  const auto id = parse_request_id(text);
  if (!id) return refused("the header Idempotency-Key holds a UUIDv7; got \"" + *header + "\"");
  return *id;
}

// Keys have no prefix in what is hashed: they came first.
std::string derive_secret(const Service& service, const Exchange& exchange,
                          const RequestId& request, std::string_view prefix) {
  const std::string about = (prefix == "suan_" ? "" : std::string(prefix)) +
                            std::to_string(exchange.principal.user.value) + "/" +
                            print_request_id(request);
  const Digest digest = wire::keyed_hash(service.parts().domain_secret, about);
  return std::string(prefix) + print_digest(digest).substr(0, 40);
}

std::optional<std::uint64_t> query_number(const net::Request& request, std::string_view key,
                                          std::uint64_t otherwise, std::uint64_t most) {
  const std::string* text = request.find_query(key);
  if (text == nullptr) return otherwise;
  const auto number = parse_integer(*text);
  if (!number || *number < 0 || static_cast<std::uint64_t>(*number) > most) return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

void Service::post(Exchange& exchange, Posting posting) {
  auto request_id = request_id_of(exchange.request);
  if (!request_id) return exchange.responder.respond(problem(request_id.error()));
  const bool is_about_people = changes_people(posting.command);
  runtime::Request request;
  request.command = std::move(posting.command);
  request.caller.principal = exchange.principal;
  request.caller.request = *request_id;
  wire::Hasher body;
  body.update(exchange.request.target);
  body.update("\n");
  body.update(exchange.request.body);
  request.caller.body = body.finish();
  request.payloads = std::move(posting.payloads);
  auto responder = std::make_shared<net::Responder>(std::move(exchange.responder));
  request.reply = [responder, status = posting.status, secret = std::move(posting.secret),
                   is_about_people, &follower = parts_.follower](const runtime::Reply& reply) {
    if (!reply) return responder->respond(problem(reply.error()));
    const api::Accepted accepted{.id = reply->id, .sequence = reply->sequence, .secret = secret};
    const std::string text = wire::to_json(accepted);
    const auto answer = [responder, status, text](const runtime::View&) {
      responder->respond(json(status, text));
    };
    // Whoever is told of a project or key may use it at once, and of a revoked one may not.
    if (is_about_people && follower.ask(answer, reply->sequence)) return;
    responder->respond(json(status, text));
  };
  if (!parts_.core.put_silently(request)) {
    responder->respond(problem(
        domain::Refusal{Code::overloaded,
                        "this domain has more requests than it can take now; try again in a second",
                        {},
                        {}}));
  }
}

/// Who waits for an answer.
struct Service::Asker {
  std::shared_ptr<net::Responder> responder;
  identity::Principal principal;

  void refuse() const {
    responder->respond(
        problem(503, "overloaded", "more queries wait than this domain can hold; try again"));
  }
};

void Service::ask(Exchange& exchange, Query query) {
  ask_past(exchange,
           [query = std::move(query)](const runtime::View& view,
                                      const identity::Principal& principal) mutable -> Step {
             return query(view, principal);
           });
}

void Service::ask_past(Exchange& exchange, FirstStep first) {
  const auto after = query_number(exchange.request, "after_sequence", 0, UINT64_MAX / 2);
  if (!after)
    return exchange.responder.respond(
        problem(400, "query_invalid", "after_sequence is a whole number"));
  const Asker asker{std::make_shared<net::Responder>(std::move(exchange.responder)),
                    exchange.principal};
  const bool is_taken = parts_.follower.ask(
      [this, asker, first = std::move(first), after = *after](const runtime::View& view) mutable {
        const std::uint64_t sequence = view.state.essence().sequence;
        if (sequence < after) {
          return asker.responder->respond(problem(
              503, "not_there_yet", "the read side has not reached that sequence; try again"));
        }
        Step step = first(view, asker.principal);
        if (auto* response = std::get_if<net::Response>(&step))
          return asker.responder->respond(std::move(*response));
        if (auto* later = std::get_if<Later>(&step)) return (*later)(asker.responder);
        look_up(std::move(std::get<Look>(step)), asker, sequence);
      },
      *after);
  if (!is_taken) asker.refuse();
}

// The history is read as it is at `sequence` or later, and what is found shown by the read side,
// which knows the names.
void Service::look_up(Look look, const Asker& asker, std::uint64_t sequence) {
  const bool is_taken = parts_.lookups.put(
      [this, asker, look = std::move(look)](history::History& history) mutable {
        const bool is_shown =
            parts_.follower.ask([asker, show = look(history)](const runtime::View& view) mutable {
              asker.responder->respond(show(view, asker.principal));
            });
        if (!is_shown) asker.refuse();
      },
      sequence);
  if (!is_taken) asker.refuse();
}

}  // namespace suan::http
