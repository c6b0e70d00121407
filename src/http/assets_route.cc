#include "http/assets_route.h"

#include "http/assets.h"
#include "http/problem.h"

namespace suan::http {

namespace {

bool takes_gzip(const net::Request& request) {
  const std::string* accepts = request.headers.find("Accept-Encoding");
  return accepts != nullptr && accepts->find("gzip") != std::string::npos;
}

const Asset* find_asset(std::string_view path) {
  if (path == "/") path = "/index.html";
  for (const Asset& asset : console_assets()) {
    if (asset.path == path) return &asset;
  }
  return nullptr;
}

}  // namespace

void serve_asset(Exchange& exchange) {
  const net::Request& request = exchange.request;
  if (request.method != net::Method::get || request.path.starts_with("/v1/"))
    return exchange.responder.respond(
        problem(404, "path_unknown",
                "there is nothing at this path; /v1/openapi.json lists what there is"));
  const Asset* asset = find_asset(request.path);
  if (asset == nullptr && request.path == "/") {
    return exchange.responder.respond(
        {.status = 200,
         .content_type = "text/plain; charset=utf-8",
         .headers = {},
         .body =
             "The console is not built into this program: ./run up builds it.\nThe API is at /v1/, "
             "described by /v1/openapi.json.\n"});
  }
  if (asset == nullptr)
    return exchange.responder.respond(
        problem(404, "path_unknown", "there is nothing at this path"));
  net::Response response{
      .status = 200,
      .content_type = std::string(asset->content_type),
      .headers = {{"ETag", std::string(asset->etag)},
                  {"Vary", "Accept-Encoding"},
                  {"X-Content-Type-Options", "nosniff"},
                  {"Content-Security-Policy",
                   "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' "
                   "data:; frame-ancestors 'none'"},
                  {"Cache-Control",
                   asset->path == "/index.html" ? "no-cache" : "max-age=31536000, immutable"}},
      .body = {}};
  const std::string* known = request.headers.find("If-None-Match");
  if (known != nullptr && *known == asset->etag) {
    response.status = 304;
    response.content_type.clear();
    return exchange.responder.respond(std::move(response));
  }
  if (!takes_gzip(request)) {
    return exchange.responder.respond(problem(
        406, "gzip_needed", "the console is kept compressed: send `Accept-Encoding: gzip`"));
  }
  response.headers.add("Content-Encoding", "gzip");
  response.body = std::string(asset->gzip_bytes);
  exchange.responder.respond(std::move(response));
}

}  // namespace suan::http
