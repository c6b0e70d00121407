// What clients are told while the disk takes nothing.
#include <chrono>
#include <future>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "testing/served_domain.h"
#include "wire/json.h"

namespace suan::http {
namespace {

using std::chrono::steady_clock;

constexpr const char* small_spec = R"({"project":"lab","run":"true","max_duration":"1m"})";

net::Response send(ServedDomain& domain, const net::Request& request) {
  const auto answer = domain.client().send(request);
  EXPECT_TRUE(answer) << answer.error().text;
  return answer ? *answer : net::Response{};
}

// Repeats a request as a client would, until it is done.
net::Response send_until_done(ServedDomain& domain, const net::Request& request) {
  net::Response answer;
  for (int i = 0; i < 50 && answer.status != 201; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    answer = send(domain, request);
  }
  EXPECT_EQ(answer.status, 201) << answer.body;
  return answer;
}

TEST(FullDisk, ARequestIsAnsweredInTimeAndItsRepeatIsDoneOnce) {
  ServedDomain domain;
  const auto before = domain.request(net::Method::post, "/v1/jobs", small_spec);
  const net::Response done = send(domain, before);
  EXPECT_EQ(done.status, 201) << done.body;
  ASSERT_TRUE(domain.is_launched(JobId{1}, 1));  // Nothing else is under way.
  domain.journal.set_full(true);
  const auto kept = domain.request(net::Method::post, "/v1/jobs", small_spec);
  const auto asked = steady_clock::now();
  const net::Response unknown = send(domain, kept);
  EXPECT_LT(steady_clock::now() - asked, std::chrono::seconds(4));
  EXPECT_EQ(unknown.status, 503);
  EXPECT_NE(unknown.body.find("\"code\":\"outcome_unknown\""), std::string::npos) << unknown.body;
  EXPECT_NE(unknown.body.find("under the same id"), std::string::npos) << unknown.body;
  EXPECT_TRUE(unknown.headers.find("Retry-After"));

  const auto fresh = domain.request(net::Method::post, "/v1/projects", R"({"name":"other"})");
  for (const auto& request : {kept, fresh}) {
    const auto again = steady_clock::now();
    const net::Response refused = send(domain, request);
    EXPECT_LT(steady_clock::now() - again, std::chrono::seconds(1));
    EXPECT_EQ(refused.status, 503);
    EXPECT_NE(refused.body.find("\"code\":\"journal_full\""), std::string::npos) << refused.body;
    EXPECT_TRUE(refused.headers.find("Retry-After"));
  }
  EXPECT_EQ(send(domain, before).body, done.body);  // It is on the disk.
  EXPECT_EQ(domain.get("/v1/jobs").body.find("job-2"), std::string::npos);
  EXPECT_NE(domain.get("/metrics").body.find("suan_journal_waits_for_space 1"), std::string::npos);

  domain.journal.set_full(false);
  const net::Response last = send_until_done(domain, kept);
  EXPECT_EQ(wire::from_json<api::Accepted>(last.body)->id, "job-2");
  EXPECT_EQ(send(domain, kept).body, last.body);
  EXPECT_EQ(domain.get("/v1/jobs").body.find("job-3"), std::string::npos);
  send_until_done(domain, fresh);
}

}  // namespace
}  // namespace suan::http
