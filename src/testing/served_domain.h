#pragma once

#include <chrono>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "http/service.h"
#include "net/client.h"
#include "testing/small_domain.h"
#include "testing/temporary_directory.h"

/// The small domain with all its threads and a port of its own, over a journal in memory; nobody
/// runs its attempts. Test code only.
namespace suan::http {

class ServedDomain : public runtime::Outlet {
 public:
  explicit ServedDomain(net::ServerOptions listen = {},
                        std::map<MemberId, member::Engine*> engines = {}) {
    for (domain::Command& command : runtime::small_beginnings()) carry_out(std::move(command));
    history = *history::open_history(directory.path() + "/history.db", journal);
    follower.emplace(core.state(), journal.head(), 1024);
    acquaintance.set(core.state());
    events.emplace(*follower, *history, journal, acquaintance);
    follower->watch(std::make_unique<AcquaintanceKeeper>(acquaintance));
    follower->watch(events->watcher());
    reach.emplace(std::move(engines));
    tails.emplace(*follower, *reach);
    execs.emplace(*follower, acquaintance, *reach);
    lookups.emplace(*history);
    thread.emplace(core, 65'536, [](const Failure& failure) { FAIL() << failure.text; });
    service.emplace(ServiceParts{.core = *thread,
                                 .follower = *follower,
                                 .acquaintance = acquaintance,
                                 .tails = *tails,
                                 .execs = *execs,
                                 .event_streams = *events,
                                 .lookups = *lookups,
                                 .presences = presences,
                                 .reach = &*reach,
                                 .domain_secret = std::string(32, 's'),
                                 .version = "test",
                                 .started = clock.now()});
    auto started = net::Server::start(
        std::move(listen),
        [this](net::Request&& request, net::Responder responder) {
          service->serve(std::move(request), std::move(responder));
        },
        [this] { thread->wake(); });
    server = std::move(*started);
  }

  ~ServedDomain() override {
    service->close();
    tails->stop();
    execs->stop();
    events->stop();
    lookups->stop();
    server->stop(seconds(1));
    thread->stop();
    follower->stop();
    history->stop();
  }

  void on_effect(const domain::Effect& effect) override {
    if (const auto* ask = std::get_if<domain::AskLaunch>(&effect)) {
      const std::lock_guard lock(mutex);
      launched.insert(ask->launch.key);
    }
  }
  void on_link_observed(SiteId from, SiteId to, const Rtt& rtt) override {
    if (follower) follower->observe_link(from, to, rtt);
  }
  void on_durable(std::shared_ptr<const runtime::DurableBatch> batch) override {
    if (!follower) return;
    history->feed(batch);
    follower->feed(std::move(batch));
  }

  net::Client client() { return net::Client("http://127.0.0.1:" + std::to_string(server->port())); }

  net::Request request(net::Method method, std::string target, std::string body = "",
                       std::string key = runtime::small_operator_key) {
    net::Request request;
    request.method = method;
    request.target = std::move(target);
    request.headers.add("Authorization", "Bearer " + key);
    if (method != net::Method::get)
      request.headers.add("Idempotency-Key", print_request_id(new_id()));
    request.body = std::move(body);
    return request;
  }

  net::Response get(std::string target, std::string key = runtime::small_operator_key) {
    auto answer = client().send(request(net::Method::get, std::move(target), "", std::move(key)));
    return answer ? *answer : net::Response{.status = 0, .content_type = answer.error().text};
  }

  net::Response post(std::string target, std::string body) {
    auto answer = client().send(request(net::Method::post, std::move(target), std::move(body)));
    return answer ? *answer : net::Response{.status = 0, .content_type = answer.error().text};
  }

  RequestId new_id() { return make_request_id(clock.now().us / 1000, 2, ++ids); }

  /// Puts in a command of the process itself and waits until it is durable; false if refused.
  bool carry_out(domain::Command command) {
    std::vector<runtime::Request> requests(1);
    runtime::Request& request = requests.front();
    request.command = std::move(command);
    request.caller.principal = runtime::small_operator();
    if (std::holds_alternative<domain::SubmitJob>(request.command)) request.payloads = {"payload"};
    std::atomic<int> outcome = 0;
    request.reply = [&](const runtime::Reply& reply) {
      outcome = reply ? 1 : -1;
      outcome.notify_all();
    };
    if (!thread) {
      EXPECT_TRUE(core.step(requests));
    } else {
      thread->put_waiting(std::move(request));
      outcome.wait(0);
    }
    return outcome == 1;
  }

  /// Waits for an attempt of task 0 to be launched, and lets time pass if that is what it needs.
  bool is_launched(JobId job, std::uint32_t attempt) {
    for (int i = 0; i < 100; ++i) {
      for (int look = 0; look < 20; ++look) {
        {
          const std::lock_guard lock(mutex);
          if (launched.contains({job, 0, attempt})) return true;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
      clock.pass(seconds(5));
      carry_out(domain::Deposit{runtime::small_project, yuan(1), ""});
    }
    return false;
  }

  /// What its engine would say of an attempt of task 0, once it has been launched.
  bool report(JobId job, std::uint32_t attempt, AttemptState state,
              AttemptEnd end = AttemptEnd::none) {
    if (!is_launched(job, attempt)) return false;
    Progress progress;
    progress.key = {job, 0, attempt};
    progress.state = state;
    progress.end = end;
    return carry_out(domain::Report{progress});
  }

  TemporaryDirectory directory;
  journal::MemoryDisk disk;
  runtime::FillableJournal journal{disk};
  runtime::HandClock clock{runtime::SystemClock().now()};
  runtime::Core core{domain::State{}, journal, *journal.claim_leadership(), clock, *this, {}};
  std::unique_ptr<history::History> history;
  std::optional<runtime::Follower> follower;
  Acquaintance acquaintance;
  std::optional<EventStreams> events;
  std::optional<member::EngineReach> reach;
  std::optional<Tails> tails;
  std::optional<Execs> execs;
  std::optional<Lookups> lookups;
  member::Presences presences;
  std::optional<runtime::CoreThread> thread;
  std::optional<Service> service;
  std::unique_ptr<net::Server> server;
  std::uint64_t ids = 0;
  std::mutex mutex;
  std::set<AttemptKey> launched;
};

}  // namespace suan::http
