#include "api/views.h"

#include <gtest/gtest.h>

#include "api/problem.h"
#include "testing/record_properties.h"

namespace suan::api {
namespace {

template <class... Views>
void expect_all_round_trip() {
  (wire::expect_round_trips<Views>(50), ...);
  (wire::expect_survives_damage<Views>(50), ...);
}

TEST(Views, RoundTripAsBytesAndAsJson) {
  expect_all_round_trip<Accepted, Rejection, Change, Candidate, Found, PlanView, AttemptView,
                        TaskView, JobView, JobList, WhyView, PoolView, PoolList>();
  expect_all_round_trip<MemberView, ParentView, MemberList, DomainView, ProjectView, ProjectList,
                        KeyView, KeyList, PostingView, PostingList, ChargeView, CostView, MeView,
                        Notice, Problem>();
}

TEST(Views, AreWrittenWhollyButForAnEmptySecret) {
  EXPECT_EQ(wire::to_json(Accepted{"job-42", 7, ""}), R"({"id":"job-42","sequence":7})");
  EXPECT_EQ(wire::to_json(Accepted{"key-1", 7, "suan_x"}),
            R"({"id":"key-1","sequence":7,"secret":"suan_x"})");
  EXPECT_EQ(wire::to_json(JobList{}), R"({"sequence":0,"jobs":[],"next":""})");
}

TEST(Views, HaveOneSchemaEach) {
  wire::SchemaSet set("#/components/schemas/");
  EXPECT_EQ(set.schema<JobList>(), R"({"$ref":"#/components/schemas/JobList"})");
  set.schema<WhyView>();
  set.schema<DomainView>();
  const auto tree = wire::parse_json(set.definitions());
  ASSERT_TRUE(tree);
  std::vector<std::string> names;
  for (const wire::JsonValue each : tree->root()) names.emplace_back(each.name());
  EXPECT_EQ(names, (std::vector<std::string>{"AttemptView", "Candidate", "Change", "DomainView",
                                             "Hourly", "JobList", "JobView", "MemberView", "Price",
                                             "Rejection", "Site", "TaskView", "Usage", "WhyView"}));
}

}  // namespace
}  // namespace suan::api
