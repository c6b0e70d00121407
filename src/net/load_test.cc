#include "net/load.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include <gtest/gtest.h>

#include "net/server.h"
#include "testing/property.h"

namespace suan::net {
namespace {

TEST(Histogram, QuantilesAreWithinABucketOfTheTruth) {
  for_each_seed(
      [](Random& random) {
        Histogram histogram;
        std::vector<std::int64_t> all;
        for (int i = 0; i < 1000; ++i) {
          const std::int64_t us = random.between(0, std::int64_t{1} << random.between(1, 31));
          all.push_back(us);
          histogram.record(Span{us});
        }
        std::ranges::sort(all);
        EXPECT_EQ(histogram.max().us, all.back());
        for (const double fraction : {0.0, 0.5, 0.99, 0.999}) {
          const std::int64_t truth = all[static_cast<std::size_t>(fraction * 1000)];
          const std::int64_t found = histogram.quantile(fraction).us;
          EXPECT_GE(found, truth);
          EXPECT_LE(found, truth + truth / 31 + 1);
        }
        EXPECT_EQ(histogram.quantile(1).us, all.back());
      },
      50);
  EXPECT_EQ(Histogram().quantile(0.5).us, 0);
}

TEST(Load, SendsItsBodiesAndCountsTheAnswers) {
  std::atomic<std::uint64_t> served = 0;
  std::atomic<std::uint64_t> wrong = 0;
  const auto server = Server::start({}, [&](Request&& request, Responder responder) {
    ++served;
    if (!request.body.starts_with("body ") || request.path != "/x") ++wrong;
    responder.respond(
        {.status = request.body.ends_with("7") ? 409 : 201, .content_type = "", .body = ""});
  });
  ASSERT_TRUE(server);
  LoadPlan plan;
  plan.place = "http://127.0.0.1:" + std::to_string((*server)->port());
  plan.target = "/x";
  plan.connections = 8;
  plan.duration = seconds(1);
  plan.expect_status = 201;
  int number = 0;
  plan.make_body = [&](std::string& body) { body += "body " + std::to_string(number++); };
  const auto report = run_load(plan);
  ASSERT_TRUE(report);
  EXPECT_EQ(wrong.load(), 0U);
  EXPECT_GT(report->requests, 100U);
  ASSERT_EQ(report->errors.size(), 1U);
  EXPECT_EQ(report->errors.begin()->first, 409);
  EXPECT_EQ(report->latency.count(), report->requests);
  const std::uint64_t counted = report->requests + report->errors.begin()->second;
  EXPECT_LE(counted, served.load());
  EXPECT_GE(counted + 8, served.load());
  EXPECT_NE(print_report(*report).find("\"errors\": {\"409\": "), std::string::npos);
}

TEST(Load, OpensAnewWhatTheServerCloses) {
  const auto server = Server::start({}, [](Request&&, Responder responder) {
    StreamWriter writer = responder.stream(200, "text/plain");  // Ends with the connection.
    writer.write("x");
  });
  ASSERT_TRUE(server);
  LoadPlan plan;
  plan.place = "http://127.0.0.1:" + std::to_string((*server)->port());
  plan.connections = 2;
  plan.duration = seconds(1);
  const auto report = run_load(plan);
  ASSERT_TRUE(report);
  EXPECT_GT(report->requests, 10U);
  EXPECT_TRUE(report->errors.empty());
}

TEST(Load, SaysWhenNobodyListens) {
  LoadPlan plan;
  plan.place = "http://127.0.0.1:1";
  const auto report = run_load(plan);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().kind, Failure::Kind::unavailable);
}

}  // namespace
}  // namespace suan::net
