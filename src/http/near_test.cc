// Places that are asked for by name, and how far it is to them.
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "testing/served_domain.h"
#include "wire/json.h"

namespace suan::http {
namespace {

domain::StartMember member_in(const std::string& site, std::int32_t latitude_micro,
                              std::int32_t longitude_micro) {
  auto start = std::get<domain::StartMember>(runtime::small_beginnings().back());
  start.name = "of-" + site;
  start.site.name = site;
  start.site.latitude_micro = latitude_micro;
  start.site.longitude_micro = longitude_micro;
  return start;
}

// Waits until what reads specifications knows the site as well.
bool add(ServedDomain& domain, domain::StartMember start) {
  const bool is_done = domain.carry_out(std::move(start));
  const std::string sequence = std::to_string(domain.journal.head().sequence);
  return domain.get("/v1/pools?after_sequence=" + sequence).status == 200 && is_done;
}

api::Found find(ServedDomain& domain, const std::string& where) {
  const net::Response answer = domain.post("/v1/find", R"({"run": "x", "where": {)" + where + "}}");
  EXPECT_EQ(answer.status, 200) << answer.body;
  return wire::from_json<api::Found>(answer.body).value_or(api::Found{});
}

TEST(Near, CandidatesSayHowFarTheyAre) {
  ServedDomain domain;
  ASSERT_TRUE(add(domain, member_in("beijing-1", 39'920'000, 116'460'000)));
  ASSERT_TRUE(add(domain, member_in("nanjing-1", 32'040'000, 118'780'000)));
  const api::Found near = find(domain, R"("near": "上海", "max_rtt": "10ms")");
  ASSERT_EQ(near.candidates.size(), 1U);
  EXPECT_EQ(near.candidates[0].pool, "nanjing-1/cores");
  EXPECT_TRUE(near.candidates[0].rtt_is_estimated);
  EXPECT_GT(near.candidates[0].rtt, milliseconds(4));
  EXPECT_LT(near.candidates[0].rtt, milliseconds(5));
  ASSERT_EQ(near.rejected.size(), 1U);
  EXPECT_EQ(near.rejected[0].reason, "too_far");
  EXPECT_EQ(near.rejected[0].count, 2U);
  EXPECT_EQ(find(domain, R"("regions": [])").candidates[0].rtt, Span{});
}

TEST(Near, ASiteHasANameAndLinksThatWereMeasured) {
  ServedDomain domain;
  ASSERT_TRUE(add(domain, member_in("beijing-1", 39'920'000, 116'460'000)));
  ASSERT_TRUE(add(domain, member_in("nanjing-1", 32'040'000, 118'780'000)));
  domain.thread->put_link(SiteId{2}, SiteId{3},
                          {.p50 = milliseconds(20), .p99 = microseconds(21'500), .at = {}});
  domain.thread->put_link(SiteId{2}, SiteId{99}, {.p50 = {}, .p99 = milliseconds(1), .at = {}});
  ASSERT_TRUE(domain.carry_out(domain::Deposit{runtime::small_project, yuan(1), ""}));
  const api::Found found = find(domain, R"("near": "nanjing-1", "max_rtt": "20ms")");
  ASSERT_EQ(found.candidates.size(), 1U);
  EXPECT_EQ(found.candidates[0].pool, "nanjing-1/cores");
  const api::Found farther = find(domain, R"("near": "nanjing-1", "max_rtt": "22ms")");
  ASSERT_EQ(farther.candidates.size(), 2U);
  EXPECT_EQ(farther.candidates[0].rtt, microseconds(21'500));
  EXPECT_FALSE(farther.candidates[0].rtt_is_estimated);
}

TEST(Near, APlaceThatNobodyKnowsIsSaidWithTheNearestOne) {
  ServedDomain domain;
  ASSERT_TRUE(add(domain, member_in("lingang-1", 30'890'000, 121'930'000)));
  const auto wrong = [&](const std::string& place) {
    const net::Response answer =
        domain.post("/v1/find", R"({"run": "x", "where": {"near": ")" + place + "\"}}");
    EXPECT_EQ(answer.status, 422) << answer.body;
    return answer.body;
  };
  EXPECT_NE(wrong("lingagn-1").find("did you mean \\\"lingang-1\\\"?"), std::string::npos);
  EXPECT_NE(wrong("here").find("nobody has said where the site"), std::string::npos);
}

}  // namespace
}  // namespace suan::http
