// What is shown of jobs, in hot state and in the history.
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/served_domain.h"
#include "wire/json.h"

namespace suan::http {
namespace {

using runtime::small_job;

api::JobView job(ServedDomain& domain, JobId id) {
  const net::Response answer = domain.get("/v1/jobs/job-" + std::to_string(id.value));
  EXPECT_EQ(answer.status, 200) << answer.body;
  return *wire::from_json<api::JobView>(answer.body);
}

std::vector<AttemptEnd> ends(const api::JobView& view) {
  std::vector<AttemptEnd> all;
  std::uint32_t number = 0;
  for (const api::AttemptView& attempt : view.tasks.front().attempts) {
    EXPECT_EQ(attempt.number, ++number);
    all.push_back(attempt.end);
  }
  return all;
}

TEST(Jobs, ShowAllTheirAttempts) {
  ServedDomain domain;
  ASSERT_TRUE(domain.carry_out(small_job(1, true)));
  const JobId id{1};
  EXPECT_EQ(ends(job(domain, id)), std::vector{AttemptEnd::none});
  for (std::uint32_t attempt : {1U, 2U}) {
    ASSERT_TRUE(domain.report(id, attempt, AttemptState::running));
    ASSERT_TRUE(domain.report(id, attempt, AttemptState::ended, AttemptEnd::lost));
  }
  ASSERT_TRUE(domain.report(id, 3, AttemptState::running));
  const std::vector hot{AttemptEnd::lost, AttemptEnd::lost, AttemptEnd::none};
  EXPECT_EQ(ends(job(domain, id)), hot);
  EXPECT_EQ(job(domain, id).tasks.front().attempts.back().state, "running");
  ASSERT_TRUE(domain.report(id, 3, AttemptState::ended, AttemptEnd::exited));
  const std::vector ended{AttemptEnd::lost, AttemptEnd::lost, AttemptEnd::exited};
  EXPECT_EQ(ends(job(domain, id)), ended);
  domain.clock.pass(hours(2));
  ASSERT_TRUE(domain.carry_out(domain::Deposit{runtime::small_project, yuan(1), ""}));
  ASSERT_TRUE(domain.carry_out(domain::Deposit{runtime::small_project, yuan(1), ""}));
  EXPECT_EQ(ends(job(domain, id)), ended);
}

TEST(Jobs, AnAttemptThatWasGivenUpIsShownAsItEnded) {
  ServedDomain domain;
  ASSERT_TRUE(domain.carry_out(small_job(1, true)));
  ASSERT_TRUE(domain.report(JobId{1}, 1, AttemptState::running));
  ASSERT_TRUE(domain.report(JobId{1}, 1, AttemptState::ended, AttemptEnd::lost));
  const api::JobView waiting = job(domain, JobId{1});  // For its next try.
  EXPECT_EQ(waiting.state, api::JobState::queued);
  EXPECT_EQ(ends(waiting), std::vector{AttemptEnd::lost});
}

// The ids of a list read in pages.
std::vector<std::uint64_t> list(ServedDomain& domain, const std::string& filter) {
  std::vector<std::uint64_t> ids;
  std::string before;
  for (int page = 0; page < 100; ++page) {
    const net::Response answer = domain.get("/v1/jobs?limit=3" + filter + before);
    EXPECT_EQ(answer.status, 200) << answer.body;
    const auto jobs = *wire::from_json<api::JobList>(answer.body);
    for (const api::JobView& view : jobs.jobs) ids.push_back(view.id.value);
    if (jobs.next.empty()) return ids;
    before = "&before=" + jobs.next;
  }
  ADD_FAILURE() << "a list without end";
  return ids;
}

TEST(Jobs, FiltersReachAllThatMatchHoweverOld) {
  ServedDomain domain;
  const auto made = domain.post("/v1/keys", R"({"user":"ann","projects":["lab"]})");
  const std::string key = wire::from_json<api::Accepted>(made.body)->secret;
  std::vector<std::uint64_t> all;
  std::vector<std::uint64_t> cancelled;
  std::vector<std::uint64_t> of_ann;
  for (std::uint64_t i = 1; i <= 24; ++i) {
    if (i == 2 || i == 5) {
      const auto request =
          domain.request(net::Method::post, "/v1/jobs",
                         R"({"project":"lab","run":"true","max_duration":"1m"})", key);
      EXPECT_EQ(domain.client().send(request)->status, 201);
      of_ann.insert(of_ann.begin(), i);
    } else {
      ASSERT_TRUE(domain.carry_out(small_job()));
    }
    all.insert(all.begin(), i);
    ASSERT_TRUE(domain.report(JobId{i}, 1, AttemptState::running));
    if (i == 1 || i == 4 || i == 20) {
      ASSERT_TRUE(domain.carry_out(domain::StopJob{JobId{i}}));
      cancelled.insert(cancelled.begin(), i);
    }
    const bool is_stopped = !cancelled.empty() && cancelled.front() == i;
    ASSERT_TRUE(domain.report(JobId{i}, 1, AttemptState::ended,
                              is_stopped ? AttemptEnd::cancelled : AttemptEnd::exited));
    if (i != 16) continue;
    domain.clock.pass(hours(2));  // Those so far leave hot state.
    ASSERT_TRUE(domain.carry_out(domain::Deposit{runtime::small_project, yuan(1), ""}));
    ASSERT_TRUE(domain.carry_out(domain::Deposit{runtime::small_project, yuan(1), ""}));
  }
  EXPECT_EQ(list(domain, ""), all);
  EXPECT_EQ(list(domain, "&state=cancelled"), cancelled);
  EXPECT_EQ(list(domain, "&user=ann"), of_ann);
  EXPECT_EQ(list(domain, "&user=ann&state=finished"), of_ann);
  EXPECT_EQ(list(domain, "&user=ann&state=cancelled"), std::vector<std::uint64_t>{});
  EXPECT_EQ(list(domain, "&user=nobody"), std::vector<std::uint64_t>{});
  EXPECT_EQ(list(domain, "&state=running"), std::vector<std::uint64_t>{});
  EXPECT_EQ(list(domain, "&project=lab&state=finished").size(), 21U);
}

}  // namespace
}  // namespace suan::http
