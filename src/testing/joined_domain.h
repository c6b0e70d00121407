#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "testing/small_domain.h"
#include "testing/temporary_directory.h"
#include "uplink/uplinks.h"

/// A domain with its threads, a port and its uplinks; nobody runs its attempts but the test. Test
/// code only.
namespace suan::uplink {

/// Says of every log that it is its job's, and gives back what a command is told.
class EchoReach final : public member::Reach {
 public:
  class Log final : public member::LogReader {
   public:
    Log(std::string bytes, std::uint64_t offset) : bytes_(std::move(bytes)), at_(offset) {}
    Result<Piece> next(std::size_t bytes_max) override {
      Piece piece{bytes_.substr(std::min<std::size_t>(at_, bytes_.size()), bytes_max), false,
                  false};
      at_ += piece.bytes.size();
      piece.is_end = at_ >= bytes_.size();
      return piece;
    }

   private:
    const std::string bytes_;
    std::size_t at_;
  };
  class Echo final : public member::Exec {
   public:
    explicit Echo(member::ExecSink& sink) : sink_(sink) {}
    void write(std::string_view bytes) override {
      sink_.on_output(member::LogStream::output, bytes);
      sink_.on_taken(bytes.size());
    }
    void end_input() override { sink_.on_end({.exit_code = 5}); }
    void allow(std::size_t) override {}
    void resize(std::uint16_t, std::uint16_t) override {}
    void send_signal(int) override {}

   private:
    member::ExecSink& sink_;
  };

  std::unique_ptr<member::LogReader> read_log(const member::AttemptPlace& place, member::LogStream,
                                              std::uint64_t offset) override {
    std::string text = "task " + std::to_string(place.key.task) + "\n";
    return std::make_unique<Log>(text + std::string(500'000, 'x'), offset);
  }
  Result<std::unique_ptr<member::Exec>> exec(const member::AttemptPlace&,
                                             const member::ExecWish& wish,
                                             member::ExecSink& sink) override {
    if (wish.command.front() == "refuse")
      return failure(Failure::Kind::no_space, "too many commands");
    return std::make_unique<Echo>(sink);
  }
  /// Every source holds as many bytes as its name and that of its owner have.
  void survey(MemberId, PoolId, DataQuestion question, Callback<void(DataAnswer)> done) override {
    DataAnswer answer;
    for (const std::string& each : question.sources) {
      SourceFound& found = answer.sources.emplace_back();
      found.bytes = static_cast<std::int64_t>(each.size() + question.owner.size());
    }
    done(std::move(answer));
  }
};

class JoinedDomain : public runtime::Outlet {
 public:
  explicit JoinedDomain(std::string its_name, std::vector<ParentPlace> parents = {},
                        bool has_engine = true, std::uint32_t version = version_max)
      : name(std::move(its_name)) {
    for (domain::Command& command : runtime::small_beginnings()) {
      if (auto* founding = std::get_if<domain::FoundDomain>(&command)) founding->domain = name;
      if (!has_engine && std::holds_alternative<domain::StartMember>(command)) continue;
      put(std::move(command));
    }
    follower.emplace(core.state(), journal.head(), 1024);
    thread.emplace(core, 65'536, [](const Failure& failure) { FAIL() << failure.text; });
    uplinks = *Uplinks::make({.core = *thread,
                              .follower = *follower,
                              .clock = clock,
                              .journal = journal,
                              .key = key,
                              .presences = presences,
                              .domain = name,
                              .parents = std::move(parents),
                              .timing = {.heartbeat = milliseconds(50),
                                         .reading_look = milliseconds(50),
                                         .reading_age = seconds(1),
                                         .handshake = milliseconds(1500),
                                         .redial_min = milliseconds(20),
                                         .redial_max = milliseconds(100)},
                              .tell = [](const std::string&) {},
                              .uploads = *uploads,
                              .version = version});
    follower->watch(uplinks->watcher());
    server = *net::Server::start({}, [this](net::Request&& request, net::Responder responder) {
      constexpr std::string_view streams = "/v1/uplink/streams/";
      if (request.path.starts_with(streams))
        uplinks->accept_stream(request.path.substr(streams.size()), request, std::move(responder));
      else
        uplinks->accept(request, std::move(responder));
    });
    {
      const std::lock_guard lock(mutex);
      is_connected = true;
    }
    uplinks->start(reach);
  }
  ~JoinedDomain() override {
    uplinks->stop();
    server->stop(seconds(1));
    thread->stop();
    follower->stop();
  }

  std::string url() const { return "http://127.0.0.1:" + std::to_string(server->port()); }

  void on_effect(const domain::Effect& effect) override {
    const std::lock_guard lock(mutex);
    if (const auto* launch = std::get_if<domain::AskLaunch>(&effect))
      launches.push_back(launch->launch);
    if (const auto* renew = std::get_if<domain::AskRenew>(&effect))
      renewals.push_back(renew->renew);
    const bool is_for_others = std::holds_alternative<domain::TellMember>(effect) ||
                               std::holds_alternative<domain::TellParent>(effect);
    if (is_for_others && is_connected) uplinks->put(effect);
  }
  void on_durable(std::shared_ptr<const runtime::DurableBatch> batch) override {
    if (follower) follower->feed(std::move(batch));
  }
  void on_observed(PoolId pool, const PoolReading& reading, Moment at) override {
    if (follower) follower->observe(pool, reading, at);
  }

  /// Waits until it is durable.
  runtime::Reply put(domain::Command command, domain::Caller caller = runtime::link_caller()) {
    std::vector<runtime::Request> requests(1);
    runtime::Request& request = requests.front();
    request.command = std::move(command);
    request.caller = caller;
    if (std::holds_alternative<domain::SubmitJob>(request.command)) {
      request.payloads = {"payload"};
      request.caller.request = make_request_id(clock.now().us / 1000, 1, ++ids);
    }
    std::optional<runtime::Reply> answer;
    std::mutex done_mutex;
    std::condition_variable done;
    request.reply = [&](const runtime::Reply& reply) {
      const std::lock_guard lock(done_mutex);
      answer = reply;
      done.notify_all();
    };
    if (!thread)
      EXPECT_TRUE(core.step(requests));
    else
      thread->put_waiting(std::move(request));
    std::unique_lock lock(done_mutex);
    done.wait(lock, [&] { return answer.has_value(); });
    return *answer;
  }

  /// What `ask` makes of the durable state.
  template <class Ask>
  auto look(Ask ask) {
    std::optional<decltype(ask(std::declval<const domain::State&>()))> answer;
    std::mutex done_mutex;
    std::condition_variable done;
    EXPECT_TRUE(follower->ask([&](const runtime::View& view) {
      const std::lock_guard lock(done_mutex);
      answer.emplace(ask(view.state));
      done.notify_all();
    }));
    std::unique_lock lock(done_mutex);
    done.wait(lock, [&] { return answer.has_value(); });
    return *std::move(answer);
  }

  std::size_t launched() {
    const std::lock_guard lock(mutex);
    return launches.size();
  }

  const std::string name;
  TemporaryDirectory directory;
  journal::SigningKey key = *journal::SigningKey::load_or_create(directory.path() + "/key");
  journal::MemoryDisk disk;
  runtime::FillableJournal journal{disk};
  runtime::SystemClock clock;
  runtime::Core core{domain::State{}, journal, *journal.claim_leadership(), clock, *this, {}};
  member::Presences presences;
  EchoReach reach;
  std::mutex mutex;  // Of what follows.
  std::vector<Launch> launches;
  std::vector<RenewAttempt> renewals;
  bool is_connected = false;
  std::uint64_t ids = 0;
  std::unique_ptr<engine::Uploads> uploads = *engine::Uploads::open(directory.path() + "/uploads");
  std::unique_ptr<Uplinks> uplinks;
  std::optional<runtime::Follower> follower;
  std::optional<runtime::CoreThread> thread;
  std::unique_ptr<net::Server> server;
};

}  // namespace suan::uplink
