// Domains in this process that join one another over real sockets, and parents and sub-domains that
// say what they should not.
#include "uplink/uplinks.h"

#include <future>

#include <gtest/gtest.h>

#include "domain/shown.h"
#include "net/socket_witness.h"
#include "net/wire_peer.h"
#include "testing/joined_domain.h"
#include "uplink/handshake.h"

namespace suan::uplink {
namespace {

using net::becomes_true;

constexpr const char* token = "join_test";

void invite(JoinedDomain& parent) {
  EXPECT_TRUE(parent.put(domain::MakeJoinToken{"test", wire::hash(token), hours(1)}));
}

bool approve(JoinedDomain& parent, const std::string& name) {
  return becomes_true([&] { return parent.put(domain::AnswerJoin{name, true}).has_value(); });
}

std::size_t pools_of(JoinedDomain& parent, const std::string& name) {
  return parent.look([&](const domain::State& state) {
    std::size_t count = 0;
    const auto* member = state.catalogue().find_member(name);
    for (const auto& [id, pool] : state.catalogue().pools())
      if (member != nullptr && pool.member == member->id && pool.state != ServingState::closed)
        ++count;
    return count;
  });
}

class Uplink : public testing::Test {
 protected:
  void join(std::uint32_t version = version_max) {
    invite(parent);
    child = std::make_unique<JoinedDomain>("child", std::vector<ParentPlace>{{parent.url(), token}},
                                           true, version);
    ASSERT_TRUE(approve(parent, "child"));
    ASSERT_TRUE(becomes_true([&] { return pools_of(parent, "child") == 1; }));
    // Its supply is durable a moment before it may be asked.
    ASSERT_TRUE(
        becomes_true([&] { return parent.presences.of(place_of({}).member).is_connected; }));
  }
  JobId submit(domain::SubmitJob job = runtime::small_job()) {
    const auto reply = parent.put(std::move(job));
    EXPECT_TRUE(reply) << reply.error().detail;
    return parent.look([](const domain::State& state) { return JobId{state.essence().last.job}; });
  }
  jobs::Job job(JobId id) {
    return parent.look([&](const domain::State& state) { return *state.jobs().find(id); });
  }
  void report(AttemptState state, Span wall = {}) {
    Progress progress;
    {
      const std::lock_guard lock(child->mutex);
      progress.key = child->launches.back().key;
    }
    progress.state = state;
    if (state == AttemptState::ended) progress.end = AttemptEnd::exited;
    progress.usage.wall = wall;
    EXPECT_TRUE(child->put(domain::Report{progress}));
  }
  member::AttemptPlace place_of(JobId id) {
    const MemberId member = parent.look(
        [](const domain::State& state) { return state.catalogue().find_member("child")->id; });
    return {member, {id, 0, 1}, 0, 0};
  }

  JoinedDomain parent{"parent", {}, false};
  std::unique_ptr<JoinedDomain> child;
};

TEST_F(Uplink, AJobRunsBelowAndIsPaidAbove) {
  join();
  const JobId id = submit();
  ASSERT_TRUE(becomes_true([&] { return child->launched() == 1; }));
  EXPECT_EQ(child->journal.read_blob(child->launches.front().payload.value), "payload");
  report(AttemptState::running);
  ASSERT_TRUE(becomes_true([&] { return job(id).units.front().phase == jobs::Phase::running; }));
  report(AttemptState::ended, seconds(30));
  ASSERT_TRUE(becomes_true([&] { return job(id).outcome == jobs::Outcome::finished; }));
  EXPECT_EQ(job(id).cost, scale(Money{150'000}, 30, 3600));
  const auto presence = parent.presences.of(place_of(id).member);
  EXPECT_TRUE(presence.is_connected);
  ASSERT_TRUE(
      becomes_true([&] { return parent.presences.of(place_of(id).member).rtt_p99 > Span{}; }));
  EXPECT_TRUE(becomes_true([&] { return child->presences.of(ParentId{1}).rtt_p50 > Span{}; }));
}

DataAnswer ask_data(JoinedDomain& domain, MemberId member, PoolId pool) {
  std::promise<DataAnswer> promise;
  domain.uplinks->survey(member, pool, {"lab", {"hot:a", "hot:abc"}},
                         [&](DataAnswer answer) { promise.set_value(std::move(answer)); });
  return promise.get_future().get();
}

TEST_F(Uplink, AsksHowMuchThereIsToBringForAPoolBelow) {
  join();
  const MemberId member = place_of({}).member;
  const PoolId pool = parent.look([&](const domain::State& state) {
    PoolId remote;
    for (const auto& [id, each] : state.catalogue().pools())
      if (each.member == member) remote = each.remote;
    return remote;
  });
  const DataAnswer answer = ask_data(parent, member, pool);
  ASSERT_EQ(answer.sources.size(), 2U) << answer.problem;
  // Whose data is meant is said in the words of the site: lab@parent.
  EXPECT_EQ(answer.sources[0].bytes, 15);
  EXPECT_EQ(answer.sources[1].bytes, 17);
  EXPECT_EQ(ask_data(parent, member, {99}).problem, "there is no such pool");
  child.reset();
  EXPECT_TRUE(becomes_true([&] {
    return ask_data(parent, member, pool).problem == "its member cannot be reached now";
  }));
}

TEST_F(Uplink, AnOlderChildIsNotAskedWhatItDoesNotKnow) {
  join(2);
  EXPECT_EQ(ask_data(parent, place_of({}).member, {1}).problem,
            "the domain child cannot say that yet");
}

TEST_F(Uplink, WhatEndedWhileItWasAwayIsTold) {
  join();
  const JobId id = submit();
  ASSERT_TRUE(becomes_true([&] { return child->launched() == 1; }));
  report(AttemptState::running);
  ASSERT_TRUE(becomes_true([&] { return job(id).units.front().phase == jobs::Phase::running; }));
  {
    const std::lock_guard lock(child->mutex);
    child->is_connected = false;  // Nothing of what follows is said as it happens.
  }
  report(AttemptState::ended, seconds(3));
  const auto member = place_of(id).member;
  // Whoever else has its key takes its place, and it comes back.
  const Moment before = parent.presences.of(member).since;
  net::SocketWitness witness;
  const auto dialler = *net::Dialler::start();
  net::WebSocket socket =
      dialler->dial({.url = "ws" + parent.url().substr(4) + "/v1/uplink"}, witness.listener());
  const Greeting greeting{version_min, version_max, make_nonce()};
  socket.send(print_frame(greeting));
  ASSERT_TRUE(witness.wait_messages(1));
  Hello hello{"child", {}, "", "", ""};
  sign(hello, greeting, std::get<Challenge>(*parse_frame(witness.messages().front())), child->key);
  socket.send(print_frame(hello));
  ASSERT_TRUE(witness.wait_messages(2));
  EXPECT_TRUE(std::holds_alternative<Welcome>(*parse_frame(witness.messages()[1])));
  const auto offer = child->look(
      [](const domain::State& state) { return wire::encode(domain::offer_to_parents(state)); });
  socket.send(print_frame(OfferPart{offer, true}));
  ASSERT_TRUE(becomes_true([&] { return parent.presences.of(member).since > before; }));
  EXPECT_TRUE(becomes_true([&] { return job(id).outcome == jobs::Outcome::finished; }));
  dialler->stop({});
}

TEST_F(Uplink, LogsAndCommandsGoThroughIt) {
  join();
  const JobId id = submit();
  ASSERT_TRUE(becomes_true([&] { return child->launched() == 1; }));
  const auto log = parent.uplinks->read_log(place_of(id), member::LogStream::output, 5);
  std::string text;
  EXPECT_TRUE(becomes_true([&] {
    const auto piece = log->next(10'000);
    EXPECT_TRUE(piece) << piece.error().text;
    text += piece->bytes;
    return piece->is_end;
  }));
  EXPECT_EQ(text.size(), 500'002U);
  EXPECT_TRUE(text.starts_with("0\nxxx")) << text.substr(0, 10);

  struct Sink : member::ExecSink {
    void on_output(member::LogStream, std::string_view bytes) override {
      const std::lock_guard lock(mutex);
      output += bytes;
    }
    void on_taken(std::size_t) override {}
    void on_end(const member::ExecEnd& how) override {
      const std::lock_guard lock(mutex);
      end = how;
    }
    bool has_ended() {
      const std::lock_guard lock(mutex);
      return end.has_value();
    }
    std::mutex mutex;
    std::string output;
    std::optional<member::ExecEnd> end;
  } sink;
  auto exec = parent.uplinks->exec(place_of(id), {.command = {"cat"}}, sink);
  ASSERT_TRUE(exec);
  (*exec)->write("hello");
  (*exec)->end_input();
  ASSERT_TRUE(becomes_true([&] { return sink.has_ended(); }));
  EXPECT_EQ(sink.output, "hello");
  EXPECT_EQ(sink.end->exit_code, 5);
  Sink refused;
  auto none = parent.uplinks->exec(place_of(id), {.command = {"refuse"}}, refused);
  ASSERT_TRUE(becomes_true([&] { return refused.has_ended(); }));
  EXPECT_EQ(refused.end->reason, "too many commands");
}

TEST_F(Uplink, AnOlderChildIsUnderstood) {
  join(1);
  const JobId id = submit();
  ASSERT_TRUE(becomes_true([&] { return child->launched() == 1; }));
  report(AttemptState::running);
  report(AttemptState::ended, seconds(3));
  ASSERT_TRUE(becomes_true([&] { return job(id).outcome == jobs::Outcome::finished; }));
  const auto log = parent.uplinks->read_log(place_of(id), member::LogStream::output, 0);
  EXPECT_TRUE(becomes_true([&] { return !log->next(100)->bytes.empty(); }));
}

// Two units that began together: for how many records of the child one heartbeat is good.
class OneHeartbeat : public Uplink {
 protected:
  std::uint64_t records_for_two(std::uint32_t version) {
    join(version);
    domain::SubmitJob two = runtime::small_job();
    two.spec.elements = 2;
    two.spec.partition = {seconds(10), true};
    submit(std::move(two));
    EXPECT_TRUE(becomes_true([&] { return child->launched() == 2; }));
    const auto sequence = [&] {
      return child->look([](const domain::State& state) { return state.essence().sequence; });
    };
    const std::uint64_t before = sequence();
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));  // They are due after a third.
    EXPECT_TRUE(becomes_true([&] {
      const std::lock_guard lock(child->mutex);
      return child->renewals.size() == 2;
    }));
    return sequence() - before;
  }
};

TEST_F(OneHeartbeat, IsOneMessageAndOneRecord) {
  EXPECT_EQ(records_for_two(version_max), 1U);
}

TEST_F(OneHeartbeat, IsAMessageForEachUnitToAnOlderChild) {
  EXPECT_EQ(records_for_two(3), 2U);
}

TEST_F(Uplink, WhatIsKnownFromFurtherDownIsAsOldAsItIs) {
  join();
  child->thread->put_reading(PoolId{1}, {}, seconds(100));
  const auto age = [&] {
    return parent.look([&](const domain::State& state) {
      const auto ages = domain::reading_ages(state, parent.clock.now());
      return ages.empty() ? Span{} : ages.begin()->second;
    });
  };
  EXPECT_TRUE(becomes_true([&] { return age() >= seconds(100); }));
  EXPECT_LT(age(), seconds(130));
}

/// How a fetch ended, once it has.
struct Fetched {
  std::mutex mutex;
  std::optional<Result<void>> outcome;

  Callback<void(Result<void>)> done() {
    return [this](Result<void> how) {
      const std::lock_guard lock(mutex);
      outcome = std::move(how);
    };
  }
  bool has_ended() {
    const std::lock_guard lock(mutex);
    return outcome.has_value();
  }
};

TEST_F(Uplink, AWorkingDirectoryComesFromTheParent) {
  join();
  std::string bytes(3'000'000, 'x');
  for (std::size_t i = 0; i < bytes.size(); i += 7) bytes[i] = static_cast<char>(i);
  const Workdir workdir{std::string(64, 'a'), static_cast<std::int64_t>(bytes.size())};
  domain::SubmitJob wanted = runtime::small_job();
  wanted.spec.workdir = workdir;
  const JobId id = submit(std::move(wanted));
  ASSERT_TRUE(becomes_true([&] { return child->launched() == 1; }));
  Launch launch;
  {
    const std::lock_guard lock(child->mutex);
    launch = child->launches.back();
  }
  EXPECT_EQ(launch.workdir, workdir);
  EXPECT_EQ(launch.origin.job, id);
  // Nobody has brought it.
  Fetched missing;
  child->uplinks->fetch(launch.key.job, missing.done());
  ASSERT_TRUE(becomes_true([&] { return missing.has_ended(); }));
  ASSERT_FALSE(*missing.outcome);
  EXPECT_EQ(missing.outcome->error().kind, Failure::Kind::not_found);
  ASSERT_TRUE(parent.uploads->append(upload_name(job(id).user, workdir), 0, bytes));
  // A part of it is there already.
  ASSERT_TRUE(child->uploads->append(launch.upload, 0, std::string_view(bytes).substr(0, 1000)));
  Fetched whole;
  Fetched same;
  child->uplinks->fetch(launch.key.job, whole.done());
  child->uplinks->fetch(launch.key.job, same.done());
  ASSERT_TRUE(becomes_true([&] { return whole.has_ended() && same.has_ended(); }));
  EXPECT_TRUE(*whole.outcome && *same.outcome);
  EXPECT_EQ(*child->uploads->read(launch.upload, 0, 4'000'000), bytes);
}

TEST_F(Uplink, WhoIsAwayCannotBeReached) {
  join();
  const JobId id = submit();
  ASSERT_TRUE(becomes_true([&] { return child->launched() == 1; }));
  const auto place = place_of(id);
  child.reset();
  ASSERT_TRUE(becomes_true([&] { return !parent.presences.of(place.member).is_connected; }));
  // Nor does it get new work.
  const JobId next = submit();
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(job(next).units.front().phase, jobs::Phase::waiting);
  const auto log = parent.uplinks->read_log(place, member::LogStream::output, 0);
  const auto piece = log->next(100);
  ASSERT_FALSE(piece);
  EXPECT_EQ(piece.error().kind, Failure::Kind::unavailable);
}

/// Somebody who dials and says what the test wants.
class Stranger {
 public:
  explicit Stranger(JoinedDomain& parent)
      : dialler(*net::Dialler::start()),
        socket(dialler->dial({.url = "ws" + parent.url().substr(4) + "/v1/uplink"},
                             witness.listener())) {}
  ~Stranger() { dialler->stop({}); }
  Stranger(const Stranger&) = delete;
  Stranger& operator=(const Stranger&) = delete;

  int code() { return witness.wait_end().code; }

  net::SocketWitness witness;
  std::unique_ptr<net::Dialler> dialler;
  net::WebSocket socket;
};

TEST_F(Uplink, StrangersAreTurnedAway) {
  const auto after = [&](const std::vector<std::string>& messages) {
    Stranger stranger(parent);
    for (const std::string& each : messages) stranger.socket.send(each);
    return static_cast<CloseCode>(stranger.code());
  };
  EXPECT_EQ(after({"\x63"}), CloseCode::bad_frame);
  EXPECT_EQ(after({""}), CloseCode::bad_frame);
  EXPECT_EQ(after({print_frame(Hello{})}), CloseCode::bad_frame);
  EXPECT_EQ(after({print_frame(Heartbeat{1, {}})}), CloseCode::bad_frame);
  EXPECT_EQ(after({print_frame(LetGo{})}), CloseCode::bad_frame);
  EXPECT_EQ(after({print_frame(Greeting{9, 9, {}})}), CloseCode::version);
  EXPECT_EQ(after({print_frame(Greeting{1, 9, {}}), print_frame(Hello{"me", {}, "", "", ""})}),
            CloseCode::not_invited);
  EXPECT_EQ(after({}), CloseCode::late);
}

TEST_F(Uplink, ATokenIsGoodForOneDomain) {
  join();
  JoinedDomain thief("thief", {{parent.url(), token}});
  JoinedDomain nobody("nobody", {{parent.url(), ""}});
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_FALSE(parent.put(domain::AnswerJoin{"thief", true}));
  EXPECT_FALSE(parent.put(domain::AnswerJoin{"nobody", true}));
}

/// A parent that says what the test wants.
class ScriptedParent {
 public:
  ScriptedParent()
      : key(*journal::SigningKey::load_or_create(directory.path() + "/key")),
        server(*net::Server::start({}, [this](net::Request&& request, net::Responder responder) {
          const std::lock_guard lock(mutex);
          socket = responder.upgrade(
              request, {},
              {.on_message = [this](std::string&& message) { hear(message); },
               .on_close = [this](const net::SocketEnd& end) { code = end.code; }});
        })) {}

  void hear(const std::string& message) {
    const auto frame = parse_frame(message);
    ASSERT_TRUE(frame);
    const std::lock_guard lock(mutex);
    if (const auto* greeting = std::get_if<Greeting>(&*frame)) {
      Challenge challenge{version_max, "scripted", {}, make_nonce(), ""};
      sign(challenge, *greeting, key);
      socket.send(print_frame(challenge));
    } else if (const auto* hello = std::get_if<Hello>(&*frame)) {
      socket.send(print_frame(
          Welcome{is_circular ? std::vector<Digest>{hello->key} : std::vector<Digest>{}}));
    } else if (const auto* offer = std::get_if<OfferPart>(&*frame)) {
      pool = wire::decode<SupplyOffer>(offer->bytes)->pools.front();
    } else if (std::holds_alternative<UnitHosted>(*frame)) {
      is_hosted = true;
    } else if (const auto* beat = std::get_if<Heartbeat>(&*frame)) {
      beats = beat->number;
    }
  }
  void say(const Frame& frame) {
    const std::lock_guard lock(mutex);
    socket.send(print_frame(frame));
  }

  TemporaryDirectory directory;
  journal::SigningKey key;
  std::mutex mutex;
  net::WebSocket socket;
  Pool pool;
  std::atomic<bool> is_circular = false;
  std::atomic<int> code = 0;  // With which the last connection ended.
  std::atomic<bool> is_hosted = false;
  std::atomic<std::uint64_t> beats = 0;
  std::unique_ptr<net::Server> server;
};

TEST(Scripted, CountFromTheHeartbeatTheyName) {
  ScriptedParent parent;
  JoinedDomain child("child", {{"http://127.0.0.1:" + std::to_string(parent.server->port()), ""}});
  ASSERT_TRUE(becomes_true([&] { return parent.beats >= 3; }));
  HostUnit host;
  host.unit = {JobId{7}, 0, 1};
  {
    const std::lock_guard lock(parent.mutex);
    host.pool = parent.pool.id;
    host.need.cpu_milli = 1000;
    host.hourly = hourly_price(parent.pool.price, host.need);
  }
  host.allowance = yuan(1);
  parent.say(host);
  ASSERT_TRUE(becomes_true([&] { return parent.is_hosted.load(); }));
  parent.say(Commit{{host.unit, milliseconds(10), {}, {}, {}}, "", 1});  // On the way for too long.
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(child.launched(), 0U);
  parent.say(Commit{{host.unit, minutes(1), {}, {}, {}}, "", 1});
  ASSERT_TRUE(becomes_true([&] { return child.launched() == 1; }));
  {
    const std::lock_guard lock(child.mutex);
    EXPECT_LT(child.launches.front().run_for, minutes(1) - milliseconds(300));
    EXPECT_GT(child.launches.front().run_for, seconds(30));
  }
  parent.say(Renewal{{host.unit, milliseconds(300), yuan(1)}, 1});  // Void.
  parent.say(Renewal{{host.unit, minutes(2), yuan(1)}, 2});
  ASSERT_TRUE(becomes_true([&] {
    const std::lock_guard lock(child.mutex);
    return !child.renewals.empty();
  }));
  const RenewUnit much{host.unit, minutes(5), yuan(1)};
  const RenewUnit little{{JobId{7}, 1, 1}, milliseconds(300), yuan(1)};
  parent.say(Renewals{{{little, much}}, 2});
  ASSERT_TRUE(becomes_true([&] {
    const std::lock_guard lock(child.mutex);
    return child.renewals.size() > 1;
  }));
  const std::lock_guard lock(child.mutex);
  ASSERT_EQ(child.renewals.size(), 2U);
  EXPECT_LT(child.renewals.front().run_for, minutes(2) - milliseconds(250));
  EXPECT_GT(child.renewals.front().run_for, minutes(1));
  EXPECT_LT(child.renewals.back().run_for, minutes(5) - milliseconds(250));
  EXPECT_GT(child.renewals.back().run_for, minutes(4));
}

TEST(Scripted, ADomainDoesNotStandAboveItself) {
  ScriptedParent parent;
  parent.is_circular = true;
  const JoinedDomain child("child",
                           {{"http://127.0.0.1:" + std::to_string(parent.server->port()), ""}});
  EXPECT_TRUE(becomes_true([&] { return parent.code == static_cast<int>(CloseCode::refused); }));
  EXPECT_EQ(parent.beats, 0U);
}

}  // namespace
}  // namespace suan::uplink
