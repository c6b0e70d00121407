// The OpenAPI 3.1 document, made from the routes and the fields of the records.
#include <map>
#include <string>

#include "api/names.h"
#include "api/problem.h"
#include "api/views.h"
#include "http/bodies.h"
#include "http/problem.h"
#include "http/routes.h"
#include "spec/document.h"
#include "wire/json_writer.h"
#include "wire/schema.h"

namespace suan::http {

namespace {

std::string quoted(std::string_view text) {
  std::string out;
  wire::JsonWriter(out).string(text);
  return out;
}

// The schema of a body or an answer by the name in the table.
std::string schema_named(wire::SchemaSet& set, std::string_view name) {
  if (name == "Accepted") return set.schema<api::Accepted>();
  if (name == "CostView") return set.schema<api::CostView>();
  if (name == "DomainView") return set.schema<api::DomainView>();
  if (name == "Found") return set.schema<api::Found>();
  if (name == "JobList") return set.schema<api::JobList>();
  if (name == "JobView") return set.schema<api::JobView>();
  if (name == "KeyList") return set.schema<api::KeyList>();
  if (name == "MemberList") return set.schema<api::MemberList>();
  if (name == "MeView") return set.schema<api::MeView>();
  if (name == "NameView") return set.schema<api::NameView>();
  if (name == "NewDeposit") return set.schema<NewDeposit>();
  if (name == "NewJoinToken") return set.schema<NewJoinToken>();
  if (name == "NewKey") return set.schema<NewKey>();
  if (name == "NewProject") return set.schema<NewProject>();
  if (name == "PlanView") return set.schema<api::PlanView>();
  if (name == "PoolList") return set.schema<api::PoolList>();
  if (name == "PostingList") return set.schema<api::PostingList>();
  if (name == "ProjectList") return set.schema<api::ProjectList>();
  if (name == "UploadView") return set.schema<api::UploadView>();
  if (name == "SpecDocument") return set.schema<spec::SpecDocument>();
  if (name == "WhyView") return set.schema<api::WhyView>();
  return R"({"type":"string"})";
}

std::string_view method_name(net::Method method) {
  switch (method) {
    case net::Method::get:
      return "get";
    case net::Method::post:
      return "post";
    case net::Method::put:
      return "put";
    case net::Method::delete_:
      return "delete";
    default:
      return "options";
  }
}

std::string parameter(std::string_view name, std::string_view in, std::string_view more) {
  return R"({"name":)" + quoted(name) + R"(,"in":)" + quoted(in) +
         R"(,"schema":{"type":"string"})" + std::string(more) + "}";
}

std::string parameters_of(const Route& route) {
  std::string list;
  const auto add = [&](std::string text) { list += (list.empty() ? "" : ",") + std::move(text); };
  for (std::size_t at = route.pattern.find('{'); at != std::string_view::npos;
       at = route.pattern.find('{', at + 1)) {
    const std::size_t end = route.pattern.find('}', at);
    add(parameter(route.pattern.substr(at + 1, end - at - 1), "path", R"(,"required":true)"));
  }
  std::string_view rest = route.parameters;
  while (!rest.empty()) {
    const std::size_t end = rest.find(' ');
    add(parameter(rest.substr(0, end), "query", ""));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  const bool changes = route.answer == "Accepted";
  if (changes) {
    add(parameter("Idempotency-Key", "header",
                  R"(,"required":true,"description":"A new UUIDv7; the same one for a repeat.")"));
  }
  return "[" + list + "]";
}

std::string operation(const Route& route, wire::SchemaSet& set) {
  std::string text =
      R"({"summary":)" + quoted(route.summary) + R"(,"parameters":)" + parameters_of(route);
  if (route.access == Access::anyone) text += R"(,"security":[])";
  if (!route.body.empty()) {
    const bool is_json = route.body.find('/') == std::string_view::npos;
    text += R"(,"requestBody":{"required":true,"content":{)" +
            quoted(is_json ? "application/json" : route.body) + R"(:{"schema":)" +
            schema_named(set, route.body) + "}}}";
  }
  const bool is_media = route.answer.find('/') != std::string_view::npos;
  text += R"(,"responses":{")" + std::to_string(route.status) + R"(":{"description":")" +
          (route.status == 101 ? "It is a WebSocket (RFC 6455) now." : "Done.") +
          R"(","content":{)" + quoted(is_media ? route.answer : "application/json") +
          R"(:{"schema":)" + schema_named(set, route.answer) + "}}}";
  text +=
      R"(,"default":{"description":"Not done: RFC 9457 says why.","content":{"application/problem+json":{"schema":)" +
      set.schema<api::Problem>() + "}}}}}";
  return text;
}

}  // namespace

std::string openapi_document(std::string_view version) {
  wire::SchemaSet set("#/components/schemas/");
  std::map<std::string_view, std::string> paths;
  for (const Route& route : routes()) {
    std::string& path = paths[route.pattern];
    path +=
        (path.empty() ? "" : ",") + quoted(method_name(route.method)) + ":" + operation(route, set);
  }
  std::string out =
      R"({"openapi":"3.1.0","info":{"title":"Suanhe","version":)" + quoted(version) +
      R"(,"license":{"name":"Apache-2.0","identifier":"Apache-2.0"}},"security":[{"key":[]}],"paths":{)";
  bool is_first = true;
  for (const auto& [pattern, operations] : paths) {
    out += (is_first ? "" : ",") + quoted(pattern) + ":{" + operations + "}";
    is_first = false;
  }
  out +=
      R"(},"components":{"securitySchemes":{"key":{"type":"http","scheme":"bearer"}},"schemas":)" +
      set.definitions() + "}}";
  return out;
}

void get_openapi(Service& service, Exchange& exchange) {
  exchange.responder.respond(json(200, openapi_document(service.parts().version)));
}

}  // namespace suan::http
