// The verbs that ask, and those that change something but submit nothing.
#include <thread>

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>

#include "cli/desk.h"
#include "cli/session.h"
#include "cli/settings.h"
#include "testing/temporary_directory.h"

namespace suan::cli {
namespace {

class Asking : public testing::Test {
 protected:
  Asking() {
    ::setenv("SUAN_URL", server.url().c_str(), 1);
    ::setenv("SUAN_KEY", "suan_secret", 1);
  }

  TemporaryDirectory home;
  Desk desk{home.path()};
  PreparedServer server;
};

TEST_F(Asking, PsShowsWhatHasNotEndedNewestFirst) {
  for (const char* state : {"queued", "reserving", "staging", "stopping", "unreachable", "lost"}) {
    server.prepare(std::string("GET /v1/jobs ") + state, {{200, R"({"sequence":9,"jobs":[]})"}});
  }
  server.prepare("GET /v1/jobs queued",
                 {{200, R"({"sequence":9,"jobs":[{"id":"job-8"},{"id":"job-3"}]})"}});
  server.prepare("GET /v1/jobs running",
                 {{200, R"({"sequence":10,"jobs":[{"id":"job-8","state":"running"},
                                                  {"id":"job-5","state":"running"}]})"}});
  EXPECT_EQ(desk.suan({"ps"}).out,
            "JOB    STATE\n"
            "job-8  running\n"
            "job-5  running\n"
            "job-3  queued\n");
  const Ended two = desk.suan({"ps", "--limit", "2", "-o", "json"});
  EXPECT_NE(two.out.find("\"next\": \"job-5\""), std::string::npos) << two.out;
  EXPECT_EQ(two.out.find("job-3"), std::string::npos);
}

TEST_F(Asking, PsFiltersAtTheServer) {
  server.prepare("GET /v1/jobs failed", {{200, R"({"jobs":[]})"}});
  server.prepare("GET /v1/jobs", {{200, R"({"jobs":[]})"}});
  EXPECT_EQ(desk.suan({"ps", "-a", "--state", "failed", "-p", "lab a"}).out, "No jobs.\n");
  EXPECT_EQ(server.requests().back().target, "/v1/jobs?limit=50&project=lab%20a&state=failed");
  EXPECT_EQ(desk.suan({"ps", "-a"}).out, "No jobs.\n");
  EXPECT_EQ(server.requests().back().target, "/v1/jobs?limit=50");
  EXPECT_EQ(desk.suan({"ps", "--limit", "0"}).exit_code, 2);
}

TEST_F(Asking, OneJobByNameOrNumber) {
  server.prepare("GET /v1/jobs/job-42", {{200, R"({"id":"job-42","state":"running"})"}});
  EXPECT_EQ(desk.suan({"ps", "42"}).out, desk.suan({"ps", "job-42"}).out);
  for (const char* wrong : {"job-", "job-x", "-1", "0", "job-42x", "../me"}) {
    EXPECT_EQ(desk.suan({"why", wrong}).exit_code, 2) << wrong;
  }
}

TEST_F(Asking, JsonAndYamlAreTheServersWords) {
  server.prepare("GET /v1/jobs/job-1/why",
                 {{200, R"({"id":"job-1","text":"no","unheard_of":[1,2.50]})"}});
  EXPECT_EQ(desk.suan({"why", "1", "-o", "yaml"}).out,
            "id: job-1\ntext: \"no\"\nunheard_of:\n  - 1\n  - 2.50\n");
  EXPECT_NE(desk.suan({"why", "1", "-o", "json"}).out.find("2.50"), std::string::npos);
  const Ended newer = desk.suan({"why", "1"});
  EXPECT_EQ(newer.exit_code, 1);
  EXPECT_NE(newer.error.find("unheard_of"), std::string::npos) << newer.error;
}

TEST_F(Asking, FindAndPlanNeedNoCommand) {
  server.prepare("POST /v1/find", {{200, R"({"candidates":[]})"}});
  server.prepare("POST /v1/plans", {{200, R"({"text":"Would start now."})"}});
  EXPECT_EQ(desk.suan({"find", "--gpus", "H800:8", "--limit", "3"}).exit_code, 0);
  EXPECT_EQ(server.requests().back().target, "/v1/find?limit=3");
  EXPECT_EQ(server.requests().back().body, R"({"resources":{"accelerators":"H800:8"},"run":":"})");
  EXPECT_FALSE(server.requests().back().headers.find("idempotency-key"));
  EXPECT_EQ(desk.suan({"plan", "--", "x", "y"}).out, "Would start now.\n");
  EXPECT_EQ(server.requests().back().body, R"({"run":"x y"})");
}

TEST_F(Asking, LogsArePassedOnByteByByte) {
  const std::string bytes("\x1b[31m\0\xFF\n", 8);
  server.prepare("GET /v1/jobs/job-1/logs stdout", {{200, bytes}});
  EXPECT_EQ(desk.suan({"logs", "1"}).out, bytes);
  EXPECT_EQ(desk.suan({"logs", "-f", "--stderr", "--task", "3", "--attempt", "2", "1"}).exit_code,
            3);
  EXPECT_EQ(server.requests().back().target,
            "/v1/jobs/job-1/logs?task=3&stream=stderr&attempt=2&follow=true");
}

TEST_F(Asking, WatchGoesOnWhereItWasCutOff) {
  server.prepare("GET /v1/jobs/job-1", {{200, R"({"id":"job-1","state":"queued","sequence":5})"}});
  server.prepare("GET /v1/events",
                 {{200,
                   "id: 8.1\nevent: change\n"
                   "data: {\"sequence\":8,\"at\":\"2026-11-23T08:00:00Z\","
                   "\"event\":\"job_started\",\"job\":\"job-1\",\"state\":\"running\"}\n\n"}});
  std::thread user([this] {
    while (server.requests("GET /v1/events").size() < 2) std::this_thread::yield();
    ::kill(::getpid(), SIGINT);
  });
  const Ended ended = desk.suan({"ps", "-w", "job-1"});
  user.join();
  EXPECT_EQ(ended.exit_code, 130);
  EXPECT_NE(ended.out.find("2026-11-23T08:00:00Z  job-1  running  job_started\n"),
            std::string::npos)
      << ended.out;
  EXPECT_EQ(server.requests("GET /v1/events")[0].target, "/v1/events?after=5&job=job-1");
  EXPECT_EQ(server.requests("GET /v1/events")[1].target, "/v1/events?after=8.1&job=job-1");
}

TEST_F(Asking, StopTriesEveryJob) {
  server.prepare("POST /v1/jobs/job-2/cancel", {{202, R"({"id":"job-2","sequence":4})"}});
  server.prepare("POST /v1/jobs/job-1/cancel", {{404, R"({"detail":"there is no job job-1"})"}});
  const Ended ended = desk.suan({"stop", "job-1", "2"});
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_EQ(ended.out, "job-2 is stopping\n");
  EXPECT_EQ(ended.error, "error: job-1: there is no job job-1\n");
  EXPECT_EQ(desk.suan({"stop", "2", "wrong"}).exit_code, 2);
  EXPECT_EQ(server.requests().size(), 2U);
}

TEST_F(Asking, KeysAndProjects) {
  server.prepare("POST /v1/keys", {{201, R"({"id":"key-3","sequence":4,"secret":"suan_new"})"}});
  server.prepare("DELETE /v1/keys/key-3", {{200, R"({"id":"key-3","sequence":5})"}});
  server.prepare("POST /v1/projects", {{201, R"({"id":"project-1","sequence":6})"}});
  server.prepare("POST /v1/projects/lab-a/deposits", {{201, R"({"id":"project-1","sequence":7})"}});
  EXPECT_EQ(desk.suan({"key", "create", "alice", "-p", "lab-a", "-p", "b"}).out, "suan_new\n");
  EXPECT_EQ(server.requests().back().body,
            R"({"user":"alice","organisation":"","role":"consumer","projects":["lab-a","b"],)"
            R"("label":""})");
  EXPECT_EQ(desk.suan({"key", "revoke", "key-3"}).out, "key-3 is revoked\n");
  EXPECT_EQ(desk.suan({"project", "create", "lab-a"}).out, "project-1 is made\n");
  EXPECT_EQ(desk.suan({"project", "fund", "lab-a", "12.50"}).out, "project-1 is booked\n");
  EXPECT_EQ(server.requests().back().body, R"({"amount":"12.5","text":""})");
  for (const char* wrong : {"0", "-5", "1e3", "12.5000001", "abc"}) {
    EXPECT_EQ(desk.suan({"project", "fund", "lab-a", wrong}).exit_code, 2) << wrong;
  }
  EXPECT_EQ(desk.suan({"key", "list", "x"}).exit_code, 2);
  EXPECT_EQ(desk.suan({"key", "revoke"}).exit_code, 2);
}

TEST_F(Asking, JoinMakesTokensListsAndAnswers) {
  server.prepare("POST /v1/join-tokens",
                 {{201, R"({"id":"token-1","sequence":4,"secret":"join_new"})"}});
  server.prepare("GET /v1/members", {{200, R"({"sequence":5,"members":[],"parents":[]})"}});
  server.prepare("POST /v1/members/hu.bei-1/approve", {{200, R"({"id":"joiner-1","sequence":6})"}});
  server.prepare("POST /v1/members/hunan/refuse", {{200, R"({"id":"joiner-2","sequence":7})"}});
  const Ended made = desk.suan({"join", "token", "--label", "for hubei", "--lasts", "7d"});
  EXPECT_EQ(made.out, "join_new\n");
  EXPECT_NE(made.error.find("suan serve --join " + server.url() + " --join-token join_new\n"),
            std::string::npos)
      << made.error;
  EXPECT_EQ(server.requests().back().body, R"({"label":"for hubei","lasts":"7d"})");
  EXPECT_EQ(desk.suan({"join", "token", "-o", "yaml"}).out,
            "id: token-1\nsequence: 4\nsecret: join_new\n");
  EXPECT_EQ(server.requests().back().body, R"({"label":"","lasts":"24h"})");
  EXPECT_NE(desk.suan({"join", "list"}).out.find("suan join token"), std::string::npos);
  EXPECT_EQ(desk.suan({"join", "approve", "hu.bei-1"}).out, "hu.bei-1 is approved\n");
  EXPECT_EQ(desk.suan({"join", "refuse", "hunan"}).out, "hunan is refused\n");
  EXPECT_EQ(desk.suan({"join", "list", "x"}).exit_code, 2);
  EXPECT_EQ(desk.suan({"join", "approve"}).exit_code, 2);
  EXPECT_EQ(desk.suan({"join", "token", "x"}).exit_code, 2);
  EXPECT_EQ(desk.suan({"join", "list", "--lasts", "7d"}).exit_code, 2);
}

TEST_F(Asking, ASiteIsDrainedAndTakesWorkAgain) {
  server.prepare("POST /v1/sites/here/drain", {{200, R"({"id":"site-1","sequence":4})"}});
  server.prepare("POST /v1/sites/hubei.wuhan/resume", {{200, R"({"id":"site-2","sequence":5})"}});
  EXPECT_EQ(desk.suan({"site drain", "here"}).out,
            "here takes nothing new; what runs there finishes: suan ps\n");
  EXPECT_EQ(desk.suan({"site drain", "hubei.wuhan", "--undo"}).out,
            "hubei.wuhan takes work again\n");
  EXPECT_EQ(desk.suan({"site drain"}).exit_code, 2);
  EXPECT_EQ(desk.suan({"site drain", "here", "there"}).exit_code, 2);
}

TEST_F(Asking, LoginKeepsAKeyThatWorks) {
  server.prepare("GET /v1/me", {{401, "{}"}, {200, R"({"user":"alice","role":"consumer"})"}});
  const std::string url = server.url();
  EXPECT_EQ(desk.suan({"login", url, "--key-file", "-"}, "suan_wrong\n").exit_code, 3);
  EXPECT_NE(::access(config_path().c_str(), F_OK), 0);
  const Ended ended = desk.suan({"login", url + "/", "--key-file", "-"}, "suan_k\n");
  EXPECT_EQ(ended.exit_code, 0) << ended.error;
  EXPECT_EQ(ended.out, "You are alice (consumer) at " + url + "; kept in " + config_path() + "\n");
  struct stat status{};
  ASSERT_EQ(::stat(config_path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  ::unsetenv("SUAN_URL");
  ::unsetenv("SUAN_KEY");
  const Settings kept = *read_settings({});
  EXPECT_EQ(kept.url, url);
  EXPECT_EQ(kept.key, "suan_k");
  EXPECT_EQ(desk.suan({"login", "ftp://x", "--key-file", "-"}, "suan_k").exit_code, 2);
  EXPECT_EQ(desk.suan({"login", url, "--key-file", "-"}, "two words").exit_code, 2);
  EXPECT_EQ(desk.suan({"login", url}).exit_code, 2);
}

TEST(SettingsTest, AKeyGoesOnlyWhereItBelongs) {
  const TemporaryDirectory home;
  const Desk desk(home.path());
  EXPECT_EQ(read_settings({})->url, default_url);
  EXPECT_EQ(read_settings({})->key, "");
  ASSERT_TRUE(write_config({.url = "https://a.example", .key = "suan_a"}));
  EXPECT_EQ(read_settings({})->key, "suan_a");
  Arguments elsewhere;
  elsewhere.flags = {{"url", "https://b.example"}};
  EXPECT_EQ(read_settings(elsewhere)->key, "");
  ASSERT_TRUE(make_directories(state_directory()));
  ASSERT_TRUE(write_new_file(state_directory() + "/operator.key", "suan_operator\n"));
  if (::access("/var/lib/suan/operator.key", R_OK) == 0) GTEST_SKIP() << "a domain is installed";
  EXPECT_EQ(read_settings(elsewhere)->key, "");
  elsewhere.flags = {{"url", "http://127.0.0.1:9999/"}};
  EXPECT_EQ(read_settings(elsewhere)->key, "suan_operator");
  EXPECT_EQ(read_settings(elsewhere)->url, "http://127.0.0.1:9999");
  elsewhere.flags = {{"url", "http://127.0.0.1.evil.example"}};
  EXPECT_EQ(read_settings(elsewhere)->key, "");
  ::setenv("SUAN_KEY", "suan_environment", 1);
  EXPECT_EQ(read_settings(elsewhere)->key, "suan_environment");
  elsewhere.flags.emplace_back("key", "suan_flag");
  EXPECT_EQ(read_settings(elsewhere)->key, "suan_flag");
  ::setenv("SUAN_KEY", "bad\nkey", 1);
  EXPECT_FALSE(read_settings({}));
}

TEST(SettingsTest, ABrokenConfigIsNamed) {
  const TemporaryDirectory home;
  const Desk desk(home.path());
  ASSERT_TRUE(make_directories(desk.home() + "/.config/suan"));
  ASSERT_TRUE(write_new_file(config_path(), "{\"ulr\":\"x\"}"));
  const Ended ended = desk.suan({"ps"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.error.find(config_path()), std::string::npos);
  EXPECT_NE(ended.error.find("url"), std::string::npos);
}

}  // namespace
}  // namespace suan::cli
