// Tokens, members and answers over HTTP.
#include <string>

#include <gtest/gtest.h>

#include "api/views.h"
#include "testing/served_domain.h"
#include "wire/json.h"

namespace suan::http {
namespace {

class JoiningOverHttp : public testing::Test {
 protected:
  api::Accepted accepted(const net::Response& response, int status) {
    EXPECT_EQ(response.status, status) << response.body;
    auto answer = wire::from_json<api::Accepted>(response.body);
    EXPECT_TRUE(answer) << response.body;
    return answer ? *answer : api::Accepted{};
  }
  api::MemberList members(std::uint64_t sequence = 0) {
    const net::Response response =
        domain.get("/v1/members?after_sequence=" + std::to_string(sequence));
    auto list = wire::from_json<api::MemberList>(response.body);
    EXPECT_TRUE(list) << response.body;
    return list ? *list : api::MemberList{};
  }
  bool ask(const std::string& secret, std::string name) {
    return domain.carry_out(
        domain::AskToJoin{wire::hash(secret), std::move(name), Digest{{0xAB, 1}}, "a province"});
  }
  bool offer(std::string name) {
    SupplyOffer supply;
    Site site;
    site.id = SiteId{1};
    site.name = "wuhan";
    supply.sites.push_back(site);
    for (const char* pool : {"a", "b"}) {
      Pool each;
      each.id = PoolId{supply.pools.size() + 1};
      each.site = site.id;
      each.name = pool;
      each.nodes = 1;
      each.cpu_milli_per_node = 1000;
      supply.pools.push_back(each);
    }
    return domain.carry_out(domain::OfferSupply{std::move(name), supply});
  }

  ServedDomain domain;
};

TEST_F(JoiningOverHttp, ATokenIsShownOnceAndTheSameForARepeat) {
  const net::Request request =
      domain.request(net::Method::post, "/v1/join-tokens", R"({"label":"hubei"})");
  const api::Accepted made = accepted(*domain.client().send(request), 201);
  EXPECT_EQ(made.id, "token-1");
  EXPECT_TRUE(made.secret.starts_with("join_"));
  EXPECT_EQ(made.secret.size(), 45U);
  EXPECT_EQ(accepted(*domain.client().send(request), 201).secret, made.secret);
  EXPECT_FALSE(ask("join_other", "hubei"));
  EXPECT_TRUE(ask(made.secret, "hubei"));
  EXPECT_FALSE(ask(made.secret, "hubei"));
}

TEST_F(JoiningOverHttp, ATokenLastsAsLongAsIsSaid) {
  const auto code = [&](const std::string& body) {
    const net::Response response = domain.post("/v1/join-tokens", body);
    return response.status == 201 ? "" : response.body;
  };
  EXPECT_EQ(code(R"({"lasts":"30d"})"), "");
  EXPECT_EQ(code(R"({"lasts":"90s"})"), "");
  for (const char* bad : {"31d", "59s", "soon", "-1h", "24"})
    EXPECT_NE(code(R"({"lasts":")" + std::string(bad) + R"("})").find("/lasts"), std::string::npos)
        << bad;
  EXPECT_NE(code(R"({"last":"1h"})").find("body_invalid"), std::string::npos);
  const std::string secret = accepted(domain.post("/v1/join-tokens", "{}"), 201).secret;
  domain.clock.pass(hours(24));
  EXPECT_FALSE(ask(secret, "hubei"));
}

TEST_F(JoiningOverHttp, AJoinerIsShownFromItsWishOn) {
  EXPECT_EQ(members().members.size(), 1U);
  EXPECT_EQ(members().members.front().kind, "engine");
  EXPECT_TRUE(members().members.front().connected);
  EXPECT_EQ(members().members.front().pools, 1U);
  EXPECT_EQ(members().members.front().sites, 1U);
  const std::string secret = accepted(domain.post("/v1/join-tokens", "{}"), 201).secret;
  ASSERT_TRUE(ask(secret, "hu.bei-1"));
  ASSERT_FALSE(offer("hu.bei-1"));
  api::MemberView joiner = members().members.back();
  EXPECT_EQ(joiner.id, MemberId{});
  EXPECT_EQ(joiner.name, "hu.bei-1");
  EXPECT_EQ(joiner.kind, "domain");
  EXPECT_EQ(joiner.state, "asked");
  EXPECT_EQ(joiner.fingerprint, "ab01000000000000");
  EXPECT_EQ(joiner.note, "a province");
  EXPECT_FALSE(joiner.connected);

  const auto approved = accepted(domain.post("/v1/members/hu.bei-1/approve", ""), 200);
  EXPECT_EQ(approved.id, "joiner-1");
  EXPECT_EQ(members(approved.sequence).members.back().state, "approved");
  ASSERT_TRUE(offer("hu.bei-1"));
  const Moment heard = domain.clock.now();
  domain.presences.set(MemberId{2}, {.is_connected = true,
                                     .since = heard,
                                     .heard = heard,
                                     .problem = {},
                                     .rtt_p50 = milliseconds(12),
                                     .rtt_p99 = milliseconds(40)});
  joiner = members(approved.sequence + 1).members.back();
  EXPECT_EQ(joiner.id, MemberId{2});
  EXPECT_EQ(joiner.state, "approved");
  EXPECT_EQ(joiner.pools, 2U);
  EXPECT_EQ(joiner.sites, 1U);
  EXPECT_TRUE(joiner.connected);
  EXPECT_EQ(joiner.heard, heard);
  EXPECT_EQ(joiner.rtt_p99, milliseconds(40));

  const auto refused = accepted(domain.post("/v1/members/hu.bei-1/refuse", ""), 200);
  joiner = members(refused.sequence).members.back();
  EXPECT_EQ(joiner.state, "refused");
  EXPECT_EQ(joiner.pools, 0U);
  EXPECT_EQ(members().members.size(), 2U);
}

TEST_F(JoiningOverHttp, WhoNeverAskedIsUnknown) {
  const net::Response response = domain.post("/v1/members/this-machine/approve", "");
  EXPECT_EQ(response.status, 404);
  EXPECT_NE(response.body.find("joiner_unknown"), std::string::npos) << response.body;
}

TEST_F(JoiningOverHttp, ParentsAreShownWithTheirConnections) {
  ASSERT_TRUE(domain.carry_out(domain::JoinParent{"national", Digest{{0xCD}}}));
  domain.presences.set(ParentId{1}, {.is_connected = false,
                                     .since = {},
                                     .heard = {},
                                     .problem = "the certificate is not trusted",
                                     .rtt_p50 = {},
                                     .rtt_p99 = {}});
  const std::vector<api::ParentView> parents = members().parents;
  ASSERT_EQ(parents.size(), 1U);
  EXPECT_EQ(parents.front().name, "national");
  EXPECT_EQ(parents.front().fingerprint, "cd00000000000000");
  EXPECT_EQ(parents.front().problem, "the certificate is not trusted");
  EXPECT_FALSE(parents.front().connected);
}

}  // namespace
}  // namespace suan::http
