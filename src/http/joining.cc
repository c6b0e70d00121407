// Routes about members: who they are, who may ask to become one, and what comes of it; and about
// the sites of this domain's own.
#include "base/text.h"
#include "http/bodies.h"
#include "http/read_body.h"
#include "http/routes.h"
#include "http/show.h"
#include "wire/hash.h"

namespace suan::http {

namespace {

constexpr Span token_lasts = hours(24);

void answer_join(Service& service, Exchange& exchange, bool is_approved) {
  service.post(exchange, {.command = domain::AnswerJoin{exchange.captured.front(), is_approved},
                          .payloads = {},
                          .status = 200,
                          .secret = {}});
}

void drain_site(Service& service, Exchange& exchange, bool is_draining) {
  service.post(exchange, {.command = domain::DrainSite{exchange.captured.front(), is_draining},
                          .payloads = {},
                          .status = 200,
                          .secret = {}});
}

}  // namespace

void post_join_token(Service& service, Exchange& exchange) {
  auto body = read_body<NewJoinToken>(exchange);
  if (!body) return exchange.responder.respond(std::move(body).error());
  const auto lasts = body->lasts.empty() ? token_lasts : parse_span(body->lasts);
  if (!lasts) {
    return exchange.responder.respond(
        problem(422, "spec_invalid", "\"" + body->lasts + "\" is not a span such as 90m or 7d",
                "/lasts", "24h"));
  }
  const auto request_id = request_id_of(exchange.request);
  if (!request_id) return exchange.responder.respond(problem(request_id.error()));
  std::string secret = derive_secret(service, exchange, *request_id, "join_");
  service.post(exchange, {.command = domain::MakeJoinToken{.label = body->label,
                                                           .secret_hash = wire::hash(secret),
                                                           .lasts = *lasts},
                          .payloads = {},
                          .status = 201,
                          .secret = std::move(secret)});
}

void get_members(Service& service, Exchange& exchange) {
  service.ask(exchange, [&presences = service.parts().presences](const runtime::View& view,
                                                                 const identity::Principal&) {
    const domain::State& state = view.state;
    api::MemberList list;
    list.sequence = state.essence().sequence;
    for (const auto& [id, member] : state.catalogue().members())
      list.members.push_back(show_member(state, member, presences.of(id)));
    for (const auto& [id, joiner] : state.identity().joiners()) {
      if (state.catalogue().find_member(joiner.name) == nullptr)
        list.members.push_back(show_joiner(joiner));
    }
    for (const auto& [id, parent] : state.identity().parents())
      list.parents.push_back(show_parent(parent, presences.of(id)));
    return json(200, wire::to_json(list));
  });
}

void post_approve(Service& service, Exchange& exchange) {
  answer_join(service, exchange, true);
}

void post_refuse(Service& service, Exchange& exchange) {
  answer_join(service, exchange, false);
}

void post_drain(Service& service, Exchange& exchange) {
  drain_site(service, exchange, true);
}

void post_resume(Service& service, Exchange& exchange) {
  drain_site(service, exchange, false);
}

}  // namespace suan::http
