// Routes for sub-domains of this one: who they are is proved on the connection itself.
#include "uplink/uplinks.h"

#include "http/problem.h"
#include "http/routes.h"
#include "net/websocket.h"

namespace suan::http {

namespace {

bool is_refused(Service& service, Exchange& exchange) {
  if (auto refusal = net::refuse_upgrade(exchange.request)) {
    exchange.responder.respond(std::move(*refusal));
    return true;
  }
  if (service.parts().uplinks != nullptr) return false;
  exchange.responder.respond(problem(404, "not_found", "no domain can join this one"));
  return true;
}

}  // namespace

void get_uplink(Service& service, Exchange& exchange) {
  if (is_refused(service, exchange)) return;
  service.parts().uplinks->accept(exchange.request, std::move(exchange.responder));
}

void get_uplink_stream(Service& service, Exchange& exchange) {
  if (is_refused(service, exchange)) return;
  service.parts().uplinks->accept_stream(exchange.captured.front(), exchange.request,
                                         std::move(exchange.responder));
}

}  // namespace suan::http
