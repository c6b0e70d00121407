// The route that resolves identifiers.
#include "api/names.h"

#include <memory>

#include "http/problem.h"
#include "http/routes.h"
#include "http/show.h"
#include "uplink/uplinks.h"
#include "wire/json.h"
#include "wire/names.h"

namespace suan::http {

namespace {

api::NameView show(const uplink::Resolution& resolution) {
  const naming::NameRecord& record = resolution.answer.record;
  api::NameView view;
  view.identifier = record.identifier;
  view.key = print_digest(record.key);
  view.issued = record.issued;
  view.left = resolution.left;
  view.is_cached = resolution.is_cached;
  view.site = record.site;
  view.pool = record.pool;
  if (auto identifier = naming::standard_codec().parse(record.identifier)) {
    view.kind = wire::enum_name(identifier->kind());
    view.domain = naming::standard_codec().print({identifier->domains, "", ""});
  }
  for (const naming::Delegation& each : resolution.answer.chain)
    view.chain.push_back({each.parent, each.child, print_digest(each.key), each.issued});
  return view;
}

}  // namespace

void get_resolve(Service& service, Exchange& exchange) {
  const std::string* id = exchange.request.find_query("id");
  if (id == nullptr || id->empty())
    return exchange.responder.respond(
        problem(400, "query_invalid", "say what to resolve: ?id=suan:DOMAIN/SITE/POOL"));
  if (service.parts().uplinks == nullptr)
    return exchange.responder.respond(problem(404, "not_found", "this domain resolves nothing"));
  auto responder = std::make_shared<net::Responder>(std::move(exchange.responder));
  service.parts().uplinks->resolve(*id, [responder](const uplink::Resolution& resolution) {
    const std::string& why = resolution.answer.problem;
    responder->respond(why.empty() ? json(200, wire::to_json(show(resolution)))
                                   : problem(404, "name_unknown", why));
  });
}

}  // namespace suan::http
