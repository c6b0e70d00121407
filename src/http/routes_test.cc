// The table of routes against the document made from it, and refusals against HTTP.
#include "http/routes.h"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "http/problem.h"
#include "wire/json_tree.h"
#include "wire/names.h"

namespace suan::http {
namespace {

TEST(Routes, AreAllInTheDocumentAndEachOnce) {
  const std::string document = openapi_document("1.2.3");
  ASSERT_TRUE(wire::parse_json(document, {})) << "the document is not JSON";
  std::set<std::pair<net::Method, std::string_view>> seen;
  for (const Route& route : routes()) {
    EXPECT_TRUE(seen.insert({route.method, route.pattern}).second) << route.pattern;
    EXPECT_NE(document.find("\"" + std::string(route.pattern) + "\":{"), std::string::npos)
        << route.pattern;
    EXPECT_FALSE(route.summary.empty()) << route.pattern;
    EXPECT_TRUE(route.run != nullptr) << route.pattern;
  }
}

TEST(Routes, NameOnlySchemasThatTheDocumentHas) {
  const std::string document = openapi_document("1");
  for (const Route& route : routes()) {
    for (const std::string_view name : {route.body, route.answer}) {
      if (name.empty() || name.find('/') != std::string_view::npos) continue;
      EXPECT_NE(document.find("#/components/schemas/" + std::string(name)), std::string::npos)
          << name;
    }
  }
}

TEST(Routes, ThatChangeSomethingNeedARequestId) {
  const std::string document = openapi_document("1");
  for (const Route& route : routes()) {
    // What is put twice at the same place is refused, or is there once.
    const bool is_put = route.method == net::Method::put;
    const bool reads = is_put || route.method == net::Method::get || route.pattern == "/v1/find" ||
                       route.pattern == "/v1/plans";
    EXPECT_EQ(route.answer == "Accepted", !reads) << route.pattern;
  }
}

TEST(Problems, GiveEveryRefusalAClientErrorOr503) {
  for (std::size_t i = 1; i < wire::enumerators_max; ++i) {
    const auto code = static_cast<domain::Code>(i);
    if (wire::enum_name(code).empty()) continue;
    const bool is_inner = code == domain::Code::stale || code == domain::Code::known_already ||
                          code == domain::Code::nothing_due ||
                          code == domain::Code::nothing_placeable;
    const int status = status_of(code);
    EXPECT_EQ(is_inner, status == 500) << wire::enum_name(code);
    EXPECT_TRUE(status >= 400) << wire::enum_name(code);
  }
}

TEST(Problems, SayTheCodeThePlaceAndTheRemedy) {
  const net::Response response = problem(
      domain::Refusal{domain::Code::project_unknown, "no such project", "/project", "lab-a"});
  EXPECT_EQ(response.status, 404);
  EXPECT_EQ(response.content_type, "application/problem+json");
  for (const char* part : {"\"code\":\"project_unknown\"", "\"pointer\":\"/project\"",
                           "\"suggestion\":\"lab-a\"", "\"status\":404"}) {
    EXPECT_NE(response.body.find(part), std::string::npos) << response.body;
  }
}

TEST(Problems, OfASpecificationNameAllMistakes) {
  const spec::Mistakes mistakes{{"/resources/cpus", "not a number", "4"},
                                {"/naem", "unknown", "name"}};
  const net::Response response = problem(mistakes);
  EXPECT_EQ(response.status, 422);
  EXPECT_NE(response.body.find("/resources/cpus"), std::string::npos);
  EXPECT_NE(response.body.find("/naem"), std::string::npos);
}

TEST(RequestIds, AreUuidsOfVersionSevenWithOrWithoutQuotes) {
  const std::string id = "0192f0c0-0000-7000-8000-000000000001";
  for (const std::string& text : {id, "\"" + id + "\""}) {
    net::Request request;
    request.headers.add("idempotency-key", text);
    ASSERT_TRUE(request_id_of(request)) << text;
    EXPECT_EQ(print_request_id(*request_id_of(request)), id);
  }
  for (const char* text : {"", "x", "0192f0c0-0000-4000-8000-000000000001"}) {
    net::Request request;
    request.headers.add("Idempotency-Key", text);
    EXPECT_EQ(request_id_of(request).error().code, domain::Code::request_id_missing) << text;
  }
  EXPECT_FALSE(request_id_of({}));
}

}  // namespace
}  // namespace suan::http
