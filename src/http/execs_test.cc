// Commands beside attempts, over a whole domain in this process and an engine that says back what
// it hears.
#include "http/execs.h"

#include <condition_variable>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "api/exec.h"
#include "net/websocket.h"
#include "net/wire_peer.h"
#include "testing/served_domain.h"
#include "wire/json.h"

namespace suan::http {
namespace {

using api::ExecKind;
using api::ExecMessage;

/// Runs nothing: a command's output is its input, and end of input ends it with code 5.
class EchoEngine final : public member::Engine {
 public:
  class Echo final : public member::Exec {
   public:
    Echo(EchoEngine& engine, member::ExecSink& sink) : engine_(engine), sink_(sink) {}
    Echo(const Echo&) = delete;
    Echo& operator=(const Echo&) = delete;
    ~Echo() override { ++engine_.left; }
    void write(std::string_view bytes) override {
      sink_.on_output(member::LogStream::output, bytes);
      sink_.on_taken(bytes.size());
    }
    void end_input() override { sink_.on_end({.exit_code = 5}); }
    void allow(std::size_t bytes) override { note("allow " + std::to_string(bytes)); }
    void resize(std::uint16_t rows, std::uint16_t columns) override {
      note("resize " + std::to_string(rows) + " " + std::to_string(columns));
    }
    void send_signal(int number) override { note("signal " + std::to_string(number)); }

   private:
    void note(const std::string& what) { sink_.on_output(member::LogStream::error, what); }
    EchoEngine& engine_;
    member::ExecSink& sink_;
  };

  std::vector<member::OfferedPool> pools() const override { return {}; }
  void attach(member::ProgressSink&) override {}
  void detach() override {}
  void launch(const Launch&, const Payload&) override {}
  void renew(const RenewAttempt&) override {}
  void stop(const StopAttempt&) override {}
  void forget(const ForgetAttempt&) override {}
  Result<member::LogPiece> read_log(const AttemptKey&, member::LogStream, std::uint64_t,
                                    std::size_t) override {
    return failure(Failure::Kind::not_found, "no log");
  }
  Result<std::unique_ptr<member::Exec>> exec(const AttemptKey& key, const member::ExecWish& wish,
                                             member::ExecSink& sink) override {
    if (wish.command.front() == "refuse")
      return failure(Failure::Kind::no_space, "too many commands");
    const std::lock_guard lock(mutex);
    asked_key = key;
    asked = wish;
    return std::make_unique<Echo>(*this, sink);
  }

  std::mutex mutex;
  AttemptKey asked_key;
  member::ExecWish asked;
  std::atomic<int> left = 0;
};

/// A client of one command.
class Client {
 public:
  Client(net::Dialler& dialler, ServedDomain& domain, const std::string& target,
         const std::string& key) {
    net::DialOptions options{.url = "ws://127.0.0.1:" + std::to_string(domain.server->port()) +
                                    target};
    options.headers.add("Authorization", "Bearer " + key);
    socket = dialler.dial(std::move(options), {.on_message =
                                                   [this](std::string&& text) {
                                                     const auto message = api::parse_exec(text);
                                                     ASSERT_TRUE(message);
                                                     const std::lock_guard lock(mutex);
                                                     heard.push_back(*message);
                                                   },
                                               .on_close =
                                                   [this](const net::SocketEnd& how) {
                                                     const std::lock_guard lock(mutex);
                                                     end = how;
                                                   }});
  }

  void say(const ExecMessage& message) { socket.send(api::print_exec(message)); }
  void begin(const api::ExecBegin& begin) {
    say({.kind = ExecKind::begin, .bytes = wire::to_json(begin)});
  }
  net::SocketEnd wait_end() {
    EXPECT_TRUE(net::becomes_true([this] {
      const std::lock_guard lock(mutex);
      return end.has_value();
    }));
    const std::lock_guard lock(mutex);
    return end.value_or(net::SocketEnd{.text = "still open"});
  }
  bool wait_heard(std::size_t count) {
    return net::becomes_true([this, count] {
      const std::lock_guard lock(mutex);
      return heard.size() >= count;
    });
  }

  net::WebSocket socket;
  std::mutex mutex;
  std::vector<ExecMessage> heard;
  std::optional<net::SocketEnd> end;
};

class ExecsTest : public testing::Test {
 protected:
  ExecsTest() {
    domain.carry_out(runtime::small_job());
    domain.report(JobId{1}, 1, AttemptState::running);
    // Until the read side has it too.
    net::becomes_true([this] {
      return domain.get("/v1/jobs/job-1").body.find("\"state\":\"running\"") != std::string::npos;
    });
  }
  ~ExecsTest() override { dialler->stop(seconds(1)); }

  std::unique_ptr<Client> dial(const std::string& target = "/v1/jobs/job-1/exec",
                               const std::string& key = runtime::small_operator_key) {
    return std::make_unique<Client>(*dialler, domain, target, key);
  }

  EchoEngine engine;
  std::unique_ptr<net::Dialler> dialler = *net::Dialler::start();
  ServedDomain domain{{}, {{MemberId{1}, &engine}}};
};

TEST_F(ExecsTest, CarryACommandsBytesAndItsEnd) {
  const auto client = dial("/v1/jobs/job-1/exec?task=0");
  client->begin(
      {.command = {"cat", "-"}, .terminal = true, .rows = 10, .columns = 20, .term = "vt"});
  client->say({.kind = ExecKind::input, .bytes = "hello"});
  client->say({.kind = ExecKind::resize, .rows = 30, .columns = 40});
  client->say({.kind = ExecKind::signal, .number = 2});
  client->say({.kind = ExecKind::allow, .number = 77});
  client->say({.kind = ExecKind::end_input});
  EXPECT_EQ(client->wait_end().code, 1000);
  ASSERT_EQ(client->heard.size(), 6U);
  EXPECT_EQ(client->heard[0].bytes, "hello");
  EXPECT_EQ(client->heard[1].kind, ExecKind::taken);
  EXPECT_EQ(client->heard[1].number, 5U);
  EXPECT_EQ(client->heard[2].bytes, "resize 30 40");
  EXPECT_EQ(client->heard[3].bytes, "signal 2");
  EXPECT_EQ(client->heard[4].bytes, "allow 77");
  EXPECT_EQ(client->heard[5].kind, ExecKind::end);
  EXPECT_EQ(client->heard[5].exit_code, 5);
  EXPECT_EQ(engine.asked.command, (std::vector<std::string>{"cat", "-"}));
  EXPECT_TRUE(engine.asked.has_terminal);
  EXPECT_EQ(engine.asked.rows, 10);
  EXPECT_EQ(engine.asked_key, (AttemptKey{JobId{1}, 0, 1}));
  EXPECT_TRUE(net::becomes_true([this] { return engine.left == 1; }));
}

TEST_F(ExecsTest, AreRefusedBeforeThereIsASocket) {
  const auto status = [this](const std::string& target,
                             const std::string& key = runtime::small_operator_key) {
    const net::SocketEnd end = dial(target, key)->wait_end();
    EXPECT_EQ(end.kind, net::SocketEnd::Kind::refused) << target << end.text;
    return end.http_status;
  };
  EXPECT_EQ(status("/v1/jobs/job-1/exec", "suan_wrong"), 401);
  EXPECT_EQ(status("/v1/jobs/job-2/exec"), 404);
  EXPECT_EQ(status("/v1/jobs/nonsense/exec"), 404);
  EXPECT_EQ(status("/v1/jobs/job-1/exec?task=1"), 404);
  EXPECT_EQ(status("/v1/jobs/job-1/exec?task=x"), 400);
  EXPECT_EQ(status("/v1/jobs/job-1/exec?tusk=1"), 400);
  EXPECT_EQ(domain.get("/v1/jobs/job-1/exec").status, 426);
  domain.report(JobId{1}, 1, AttemptState::ended, AttemptEnd::exited);
  EXPECT_TRUE(net::becomes_true([&] { return status("/v1/jobs/job-1/exec") != 101; }));
  EXPECT_EQ(status("/v1/jobs/job-1/exec"), 409);
}

TEST_F(ExecsTest, AreForThoseWhoMayStopTheJobAndAsLongAsTheyMay) {
  const auto key_of = [this](const std::string& user, const std::string& role,
                             const std::string& project) {
    const net::Response made = domain.post(
        "/v1/keys", R"({"user":")" + user + R"(","role":")" + role + R"(","projects":[)" +
                        (project.empty() ? "" : "\"" + project + "\"") + "]}");
    const auto accepted = wire::from_json<api::Accepted>(made.body);
    EXPECT_TRUE(accepted) << made.body;
    return accepted ? *accepted : api::Accepted{};
  };
  const auto mine = key_of("alice", "consumer", "lab");
  const auto reader = key_of("audrey", "auditor", "");
  const auto stranger = key_of("mallory", "consumer", "");
  EXPECT_EQ(dial("/v1/jobs/job-1/exec", reader.secret)->wait_end().http_status, 403);
  EXPECT_EQ(dial("/v1/jobs/job-1/exec", stranger.secret)->wait_end().http_status, 404);
  const auto client = dial("/v1/jobs/job-1/exec", mine.secret);
  client->begin({.command = {"cat"}});
  client->say({.kind = ExecKind::input, .bytes = "x"});
  ASSERT_TRUE(client->wait_heard(2));
  auto revoke = domain.request(net::Method::delete_, "/v1/keys/" + mine.id);
  EXPECT_EQ(domain.client().send(revoke)->status, 200);
  const net::SocketEnd end = client->wait_end();
  EXPECT_EQ(end.code, 4403) << end.text;
  EXPECT_TRUE(net::becomes_true([this] { return engine.left == 1; }));
}

TEST_F(ExecsTest, EndWhoSpeaksOutOfTurn) {
  const auto refused = [this](const std::vector<std::string>& messages) {
    const auto client = dial();
    for (const std::string& each : messages) client->socket.send(each);
    return client->wait_end().code == 4400;
  };
  EXPECT_TRUE(refused({"ihello"}));
  EXPECT_TRUE(refused({"nonsense"}));
  EXPECT_TRUE(refused({""}));
  EXPECT_TRUE(refused({"b{}x"}));
  EXPECT_TRUE(refused({R"(b{"command":["a"],"rows":70000})"}));
  EXPECT_TRUE(refused({R"(b{"command":["a"]})", R"(b{"command":["a"]})"}));
  EXPECT_TRUE(refused({R"(b{"command":["a"]})", "oforged"}));
}

TEST_F(ExecsTest, TellWhyACommandDoesNotBegin) {
  const auto client = dial();
  client->begin({.command = {"refuse"}});
  EXPECT_EQ(client->wait_end().code, 1000);
  ASSERT_EQ(client->heard.size(), 1U);
  EXPECT_EQ(client->heard[0].exit_code, -1);
  EXPECT_EQ(client->heard[0].bytes, "too many commands");
}

TEST_F(ExecsTest, EndWithTheServer) {
  const auto client = dial();
  client->begin({.command = {"cat"}});
  client->say({.kind = ExecKind::input, .bytes = "x"});
  ASSERT_TRUE(client->wait_heard(2));
  domain.execs->stop();
  EXPECT_EQ(client->wait_end().code, 1001);
  EXPECT_TRUE(net::becomes_true([this] { return engine.left == 1; }));
  EXPECT_EQ(dial()->wait_end().http_status, 503);
}

}  // namespace
}  // namespace suan::http
