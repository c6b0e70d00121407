#include "cli/session.h"

#include <algorithm>
#include <fstream>
#include <thread>

#include <dirent.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli/desk.h"
#include "cli/golden.h"
#include "testing/temporary_directory.h"

namespace suan::cli {
namespace {

constexpr const char* accepted = R"({"id":"job-42","sequence":7})";

std::vector<std::string> stored() {
  std::vector<std::string> names;
  if (DIR* directory = ::opendir(requests_directory().c_str())) {
    while (const dirent* entry = ::readdir(directory)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    ::closedir(directory);
  }
  return names;
}

class Submitting : public testing::Test {
 protected:
  Submitting() { server.prepare("POST /v1/jobs", {{201, accepted}}); }

  Ended suan(std::vector<std::string> words, const std::string& input = {}) {
    words.insert(words.begin() + 1, {"--url", server.url(), "--key", "suan_secret"});
    return desk.suan(words, input);
  }
  Ended ask(std::vector<std::string> words, const std::string& keys) {
    words.insert(words.begin() + 1, {"--url", server.url(), "--key", "suan_secret"});
    return desk.suan_on_terminal(words, keys);
  }

  TemporaryDirectory home;
  Desk desk{home.path()};
  PreparedServer server;
};

TEST_F(Submitting, DetachedIsOneRequestAndLeavesNothingBehind) {
  const Ended ended = suan({"run", "-d", "-y", "--", "hostname"});
  EXPECT_EQ(ended.exit_code, 0) << ended.error;
  EXPECT_EQ(ended.out, "job-42\n");
  EXPECT_EQ(ended.error, "");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].body, R"({"run":"hostname"})");
  EXPECT_EQ(*requests[0].headers.find("authorization"), "Bearer suan_secret");
  EXPECT_TRUE(parse_request_id(*requests[0].headers.find("idempotency-key")));
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(suan({"run", "-dy", "-o", "json", "x"}).out,
            "{\n  \"id\": \"job-42\",\n  \"sequence\": 7\n}\n");
}

TEST_F(Submitting, ABusyServerIsAskedAgainUnderTheSameId) {
  server.prepare("POST /v1/jobs", {{503, "{}"}, {503, "{}"}, {201, accepted}});
  EXPECT_EQ(suan({"run", "-d", "-y", "x"}).out, "job-42\n");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 3U);
  for (const net::Request& each : requests) {
    EXPECT_EQ(*each.headers.find("idempotency-key"), *requests[0].headers.find("idempotency-key"));
  }
}

TEST_F(Submitting, AnUncertainOneIsKeptAndCanBeSentAgain) {
  server.prepare("POST /v1/jobs", {{504, R"({"detail":"no answer in time"})"}, {201, accepted}});
  const Ended lost = suan({"run", "-d", "-y", "--", "echo", "a b"});
  EXPECT_EQ(lost.exit_code, 3);
  ASSERT_EQ(stored().size(), 1U);
  const std::string id = stored()[0];
  EXPECT_NE(lost.error.find("try: suan run --resume " + id), std::string::npos) << lost.error;
  struct stat status{};
  ::stat((requests_directory() + "/" + id).c_str(), &status);
  EXPECT_EQ(status.st_mode & 0777U, 0600U);
  EXPECT_EQ(suan({"run", "--resume", id}).out, "job-42\n");
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  EXPECT_EQ(requests[1].body, requests[0].body);
  EXPECT_EQ(requests[1].target, requests[0].target);
  EXPECT_EQ(*requests[1].headers.find("idempotency-key"), id);
  EXPECT_TRUE(stored().empty());
  EXPECT_EQ(suan({"run", "--resume", id}).exit_code, 2);
  EXPECT_EQ(suan({"run", "--resume", "../../etc/passwd"}).exit_code, 2);
}

TEST_F(Submitting, OneWhoseOutcomeIsUnknownIsKept) {
  Screen screen;
  Session session({.url = server.url(), .key = "suan_secret"}, screen, false, milliseconds(250));
  server.prepare("POST /v1/jobs", {{503, R"({"code":"journal_full"})"}});
  EXPECT_FALSE(session.change(net::Method::post, "/v1/jobs", "{}"));
  EXPECT_TRUE(stored().empty());  // Refused is not done.
  server.prepare("POST /v1/jobs",
                 {{503, R"({"code":"outcome_unknown"})"}, {503, R"({"code":"journal_full"})"}});
  const auto unknown = session.change(net::Method::post, "/v1/jobs", "{}");
  ASSERT_FALSE(unknown);
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_NE(unknown.error().remedy.find("suan run --resume " + stored()[0]), std::string::npos);
  server.prepare("POST /v1/jobs", {{201, accepted}});
  EXPECT_TRUE(session.resume(stored()[0]));
  EXPECT_TRUE(stored().empty());
}

TEST_F(Submitting, ANeverSentOneIsNotKept) {
  const Ended ended = desk.suan({"run", "-dy", "--url", "http://127.0.0.1:1", "x"});
  EXPECT_EQ(ended.exit_code, 4);
  EXPECT_NE(ended.error.find("nobody listens"), std::string::npos) << ended.error;
  EXPECT_TRUE(stored().empty());
}

TEST_F(Submitting, ATornStoreIsNeverSent) {
  StoredRequest request{.id = new_request_id(), .url = server.url(), .method = "POST"};
  request.target = "/v1/jobs";
  request.body = R"({"run":"x"})";
  ASSERT_TRUE(store_request(request));
  const std::string id = print_request_id(request.id);
  const std::string path = requests_directory() + "/" + id;
  ASSERT_EQ(read_stored_request(id)->body, request.body);
  std::ifstream file(path);
  const std::string whole((std::istreambuf_iterator<char>(file)), {});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    std::ofstream(path) << whole.substr(0, length);
    EXPECT_FALSE(read_stored_request(id)) << length;
  }
}

TEST_F(Submitting, RefusalsSayWhereInTheFile) {
  server.prepare("POST /v1/jobs",
                 {{422, R"({"detail":"there is no chip H880","pointer":"/resources/accelerators",
                            "code":"invalid","suggestion":"H800-SXM","status":422,"errors":[
                            {"detail":"there is no chip H880"},
                            {"detail":"shm_size is not honoured by this domain yet",
                             "pointer":"/resources/shm_size"}]})"}});
  const std::string path =
      desk.write("run.yaml", "resources:\n  accelerators: H880:8\n  shm_size: 1GB\nrun: x\n");
  const Ended ended = suan({"run", "-dy", "-f", path});
  EXPECT_EQ(ended.exit_code, 3);
  std::string error = ended.error;
  for (std::size_t at = 0; (at = error.find(desk.home())) != error.npos;) {
    error.replace(at, desk.home().size() + 1, "");
  }
  expect_golden("refused", error);
  EXPECT_NE(suan({"run", "-dy", "--gpus", "H880:8", "x"}).error.find("at: --gpus"), error.npos);
}

TEST_F(Submitting, AsksOnATerminalAndOnlyThere) {
  server.prepare("POST /v1/plans", {{200, R"({"plan_id":"p/1","text":"Would start now."})"}});
  EXPECT_EQ(suan({"run", "x"}).exit_code, 2);
  EXPECT_TRUE(server.requests().empty());
  const Ended no = ask({"run", "-d", "x"}, "n\n");
  EXPECT_EQ(no.exit_code, 1);
  EXPECT_NE(no.error.find("Would start now."), std::string::npos) << no.error;
  EXPECT_NE(no.error.find("Run it? [Y/n]"), std::string::npos) << no.error;
  EXPECT_TRUE(server.requests("POST /v1/jobs").empty());
  EXPECT_EQ(ask({"run", "-d", "x"}, "\n").out, "job-42\n");
  EXPECT_EQ(server.requests("POST /v1/jobs").at(0).target, "/v1/jobs?plan_id=p%2F1");
}

TEST_F(Submitting, AStalePlanIsShownAgain) {
  server.prepare("POST /v1/plans", {{200, R"({"plan_id":"1","text":"First."})"},
                                    {200, R"({"plan_id":"2","text":"Second."})"}});
  server.prepare("POST /v1/jobs", {{409, R"({"code":"plan_stale","detail":"it no longer holds"})"},
                                   {201, accepted}});
  const Ended ended = ask({"run", "-d", "x"}, "y\ny\n");
  EXPECT_EQ(ended.out, "job-42\n") << ended.error;
  EXPECT_NE(ended.error.find("Second."), std::string::npos);
  EXPECT_EQ(server.requests("POST /v1/jobs").at(1).target, "/v1/jobs?plan_id=2");
}

TEST_F(Submitting, APlanThatWouldBeRefusedIsNotSubmitted) {
  server.prepare("POST /v1/plans", {{200, R"({"refused":"the project has no money"})"}});
  const Ended ended = ask({"run", "x"}, "y\n");
  EXPECT_EQ(ended.exit_code, 3);
  EXPECT_TRUE(server.requests("POST /v1/jobs").empty());
  EXPECT_EQ(suan({"run", "-n", "x"}).exit_code, 3);
}

TEST_F(Submitting, DryRunOnlyPlans) {
  server.prepare("POST /v1/plans", {{200, R"({"text":"Would start now."})"}});
  const Ended ended = suan({"run", "-n", "x"});
  EXPECT_EQ(ended.exit_code, 0) << ended.error;
  EXPECT_EQ(ended.out, "Would start now.\n");
  EXPECT_EQ(server.requests().size(), 1U);
}

TEST_F(Submitting, CurlShowsTheRequestAndSendsNothing) {
  std::string out = suan({"run", "--curl", "--", "echo", "it's"}).out + "\n";
  out += suan({"ps", "--curl", "-a"}).out + "\n" + suan({"stop", "job-1", "--curl"}).out;
  for (std::size_t at = 0; (at = out.find(server.url())) != out.npos;) {
    out.replace(at, server.url().size(), "http://SERVER");
  }
  for (std::size_t at = 0; (at = out.find("Idempotency-Key: ", at)) != out.npos; ++at) {
    out.replace(at + 17, 36, "UUID");
  }
  expect_golden("curl", out);
  EXPECT_TRUE(server.requests().empty());
  EXPECT_TRUE(stored().empty());
}

class Following : public Submitting {
 protected:
  Following() {
    server.prepare("GET /v1/jobs/job-42/logs stdout", {{200, "to stdout\n"}});
    server.prepare("GET /v1/jobs/job-42/logs stderr", {{200, "to stderr\n"}});
    server.prepare("POST /v1/plans", {{200, R"({"text":"Would start now."})"}});
  }
  static std::string job(const std::string& state, int exit_code, const std::string& attempts) {
    return R"({"id":"job-42","state":")" + state + R"(","exit_code":)" + std::to_string(exit_code) +
           R"(,"reason":"because","tasks":[{"task":0,"attempts":[)" + attempts + "]}]}";
  }
  const std::string one = R"({"number":1,"started":"2026-11-23T08:00:00Z"})";
  const std::string two = R"(,{"number":2,"started":"2026-11-23T08:01:00Z"})";

  int exit_code_of(const std::string& state, int exit_code, const std::string& attempts) {
    server.prepare("GET /v1/jobs/job-42", {{200, job(state, exit_code, attempts)}});
    return suan({"run", "-y", "x"}).exit_code;
  }
};

TEST_F(Following, PrintsBothStreamsAndEndsAsTheJobDid) {
  server.prepare("GET /v1/jobs/job-42", {{200, job("queued", 0, "")},
                                         {503, "{}"},
                                         {200, job("running", 0, one)},
                                         {200, job("running", 0, one)},
                                         {200, job("failed", 7, one)}});
  const Ended ended = suan({"run", "-y", "x"});
  EXPECT_EQ(ended.exit_code, 7);
  EXPECT_EQ(ended.out, "to stdout\n");
  EXPECT_EQ(server.requests("GET /v1/jobs/job-42")[0].target, "/v1/jobs/job-42?after_sequence=7");
  EXPECT_EQ(ended.error, "Would start now.\nto stderr\njob-42 failed: because\n");
}

TEST_F(Following, ARetriedJobIsFollowedToItsLastAttempt) {
  server.prepare("GET /v1/jobs/job-42",
                 {{200, job("running", 0, one)}, {200, job("finished", 0, one + two)}});
  const Ended ended = suan({"run", "-y", "x"});
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, "to stdout\nto stdout\n");
  const auto logs = server.requests("GET /v1/jobs/job-42/logs stdout");
  ASSERT_EQ(logs.size(), 2U);
  EXPECT_EQ(*logs[1].find_query("attempt"), "2");
}

TEST_F(Following, ExitCodes) {
  EXPECT_EQ(exit_code_of("finished", 0, one), 0);
  EXPECT_EQ(exit_code_of("failed", 1, one), 1);
  EXPECT_EQ(exit_code_of("failed", 137, one), 137);
  EXPECT_EQ(exit_code_of("failed", 0, ""), 3);
  EXPECT_EQ(exit_code_of("cancelled", 143, one), 3);
}

TEST_F(Following, CtrlCLeavesTheJobRunning) {
  server.prepare("GET /v1/jobs/job-42", {{200, job("queued", 0, "")}});
  std::thread user([this] {
    while (server.requests("GET /v1/jobs/job-42").size() < 3) std::this_thread::yield();
    ::kill(::getpid(), SIGINT);
  });
  const Ended ended = suan({"run", "-y", "x"});
  user.join();
  EXPECT_EQ(ended.exit_code, 130);
  EXPECT_NE(ended.error.find("job-42 goes on; stop it with `suan stop job-42`"), std::string::npos);
}

}  // namespace
}  // namespace suan::cli
