// Routes for packed working directories.
#include "engine/uploads.h"

#include "api/views.h"
#include "http/problem.h"
#include "http/routes.h"
#include "http/show.h"
#include "wire/json.h"

namespace suan::http {

namespace {

constexpr std::int64_t user_bytes_max = std::int64_t{8} << 30U;

// The name of an upload of whoever asks, or nothing after answering that it is none.
std::optional<std::string> name_of(Service& service, Exchange& exchange) {
  const std::string& sum = exchange.captured.front();
  if (sum.size() != 64 || sum.find_first_not_of("0123456789abcdef") != std::string::npos) {
    exchange.responder.respond(problem(
        400, "query_invalid", "an upload is called by its SHA-256: 64 digits of 0-9 and a-f"));
    return std::nullopt;
  }
  if (service.parts().uploads != nullptr)
    return upload_name(exchange.principal.user, Workdir{sum, 0});
  exchange.responder.respond(problem(404, "not_found", "this domain takes no uploads"));
  return std::nullopt;
}

net::Response answer(const Exchange& exchange, std::int64_t bytes) {
  return json(200, wire::to_json(api::UploadView{exchange.captured.front(), bytes}));
}

}  // namespace

void get_upload(Service& service, Exchange& exchange) {
  const auto name = name_of(service, exchange);
  if (!name) return;
  exchange.responder.respond(answer(exchange, service.parts().uploads->size_of(*name)));
}

void put_upload(Service& service, Exchange& exchange) {
  const auto name = name_of(service, exchange);
  if (!name) return;
  const auto offset = query_number(exchange.request, "offset", 0,
                                   static_cast<std::uint64_t>(engine::upload_bytes_max));
  if (!offset)
    return exchange.responder.respond(
        problem(400, "query_invalid", "offset is the number of bytes that are here already"));
  engine::Uploads& uploads = *service.parts().uploads;
  // Looked at where one begins: those that are under way then may go beyond it together.
  const std::string own = name->substr(0, name->find('-') + 1);
  if (*offset == 0 && uploads.size_of_all(own) > user_bytes_max)
    return exchange.responder.respond(problem(
        507, "no_space", "your uploads take more than 8 GiB; what no job needs goes after a day"));
  const auto bytes =
      uploads.append(*name, static_cast<std::int64_t>(*offset), exchange.request.body);
  if (bytes) return exchange.responder.respond(answer(exchange, *bytes));
  const Failure& why = bytes.error();
  if (why.kind == Failure::Kind::conflict)
    return exchange.responder.respond(problem(409, "upload_offset", why.text));
  exchange.responder.respond(problem(
      507, "no_space", why.kind == Failure::Kind::no_space ? why.text : "it cannot be written"));
}

}  // namespace suan::http
