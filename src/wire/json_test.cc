#include "wire/json.h"

#include <gtest/gtest.h>

#include "model/attempt.h"
#include "model/spec.h"

namespace suan::wire {
namespace {

TEST(Json, WritesEveryKindOfValue) {
  AttemptKey key{{42}, 0, 3};
  EXPECT_EQ(to_json(key), R"({"job":"job-42","task":0,"attempt":3})");
  Launch launch;
  launch.run_for = milliseconds(1500);
  EXPECT_NE(to_json(launch).find(R"("run_for":1.5,"max_duration":0,)"), std::string::npos);
}

TEST(Json, NamesThePlaceOfAMistake) {
  const auto spec = from_json<JobSpec>(R"({"partition":{"replace":1}})");
  ASSERT_FALSE(spec);
  EXPECT_EQ(spec.error().place, "/partition/replace");
  EXPECT_EQ(spec.error().text, "expected true or false, found the number 1");
}

TEST(Json, ReadsBackWhatItWrote) {
  JobSpec spec;
  spec.name = "名字 \"quoted\"\n\x01";
  spec.nodes = 0;
  spec.hourly_max = {-1};
  spec.deadline = {1'800'000'000'123'456};
  spec.alternatives = {{"H800-SXM", 250, {7}}};
  const auto again = from_json<JobSpec>(to_json(spec));
  ASSERT_TRUE(again) << again.error().text << again.error().place;
  EXPECT_EQ(*again, spec);
}

}  // namespace
}  // namespace suan::wire
