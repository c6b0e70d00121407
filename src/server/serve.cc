#include "server/serve.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include "domain/commands.h"
#include "http/service.h"
#include "journal/sqlite_journal.h"
#include "member/presence.h"
#include "runtime/engine_link.h"
#include "server/keeper.h"
#include "server/member_engine.h"
#include "server/secrets.h"
#include "uplink/uplinks.h"
#include "wire/hash.h"

namespace suan::server {

namespace {

constexpr std::size_t inbox_max = 65'536;
constexpr std::size_t queries_max = 16'384;
constexpr Span stop_grace = seconds(10);
constexpr const char* version = "0.1.0";

/// Where durable records and effects go: to whoever has been built by then.
class Outlets : public runtime::Outlet {
 public:
  explicit Outlets(runtime::EngineLink& link) : link_(link) {}

  void connect(runtime::Follower& follower, history::History& history) {
    follower_ = &follower;
    history_ = &history;
  }
  void connect(uplink::Uplinks& uplinks) { uplinks_ = &uplinks; }

  void on_effect(const domain::Effect& effect) override {
    const bool is_for_others = std::holds_alternative<domain::TellMember>(effect) ||
                               std::holds_alternative<domain::TellParent>(effect);
    if (!is_for_others) return link_.put(effect);
    uplink::Uplinks* const uplinks = uplinks_;
    if (uplinks != nullptr) uplinks->put(effect);  // Else it is said when they connect.
  }
  void on_durable(std::shared_ptr<const runtime::DurableBatch> batch) override {
    if (follower_ == nullptr) return;  // Not running yet: they begin behind this.
    history_->feed(batch);
    follower_->feed(std::move(batch));
  }
  void on_observed(PoolId pool, const PoolReading& reading, Moment at) override {
    if (follower_ != nullptr) follower_->observe(pool, reading, at);
  }
  void on_link_observed(SiteId from, SiteId to, const Rtt& rtt) override {
    if (follower_ != nullptr) follower_->observe_link(from, to, rtt);
  }
  void on_replies(Callback<void()> reply_all) override {
    const net::Burst burst;
    reply_all();
  }

 private:
  runtime::EngineLink& link_;
  runtime::Follower* follower_ = nullptr;
  history::History* history_ = nullptr;
  std::atomic<uplink::Uplinks*> uplinks_ = nullptr;  // Comes while the core runs.
};

int complain(const Failure& failure) {
  std::fprintf(stderr, "suan serve: %s%s%s\n", failure.text.c_str(),
               failure.place.empty() ? "" : " at ", failure.place.c_str());
  return 1;
}

Result<void> make_directory(const std::string& path) {
  for (std::size_t at = path.find('/', 1); at != std::string::npos; at = path.find('/', at + 1))
    ::mkdir(path.substr(0, at).c_str(), 0755);
  if (::mkdir(path.c_str(), 0700) == 0 || errno == EEXIST) return {};
  return failure(Failure::Kind::io, path + ": " + std::strerror(errno), path);
}

// Waits for the signals that end a server; the caller has blocked them in every thread. SIGHUP only
// reads the TLS files again.
void wait_for_end(const sigset_t& signals, net::Server& server) {
  int received = 0;
  while (sigwait(&signals, &received) != 0 || received == SIGHUP) {
    if (received != SIGHUP) continue;
    received = 0;
    if (const auto read = server.reload_tls(); !read)
      std::fprintf(stderr, "suan serve: %s; nothing has changed\n", read.error().text.c_str());
    else
      std::fprintf(stderr, "suan serve: the TLS certificate has been read again\n");
  }
}

bool is_loopback(const std::string& host) {
  return host.starts_with("127.") || host == "localhost" || host == "::1" || host == "[::1]";
}

// Keys that cross a network in plain text are anybody's.
void warn_of_plain_http(const ServeOptions& options) {
  if (!options.tls_certificate_file.empty() || is_loopback(options.host)) return;
  std::fprintf(
      stderr,
      "suan serve: warning: keys and data travel to %s unencrypted; give --tls-certificate "
      "and --tls-key, or put a proxy with TLS in front\n",
      options.host.c_str());
}

sigset_t block_signals(bool has_tls) {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  if (has_tls) sigaddset(&signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

// Carries out commands of the process itself before any thread runs.
Result<void> carry_out(runtime::Core& core, domain::Command command) {
  std::vector<runtime::Request> requests(1);
  requests.front().command = std::move(command);
  requests.front().caller.principal = {UserId{1}, identity::Role::operator_};
  Result<void> outcome;
  requests.front().reply = [&](const runtime::Reply& reply) {
    if (!reply) outcome = failure(Failure::Kind::invalid, reply.error().detail);
  };
  SUAN_CHECK(core.step(requests));
  if (core.is_stuck())
    return failure(Failure::Kind::no_space,
                   "the disk is full: a domain cannot start without room to write");
  return outcome;
}

/// A domain whose parts have been opened and whose journal has been read.
struct Domain {
  std::unique_ptr<journal::SqliteJournal> journal;
  MemberEngine member;
  std::string operator_key;
  std::string domain_secret;
  std::optional<journal::SigningKey> key;  // Heads and the domain itself are known by it.
  std::unique_ptr<engine::Uploads> uploads;
};

Result<Domain> open_domain(const ServeOptions& options) {
  const std::string& directory = options.state_directory;
  SUAN_CHECK(make_directory(directory));
  Domain domain;
  SUAN_TRY(domain.journal, journal::SqliteJournal::open({.directory = directory + "/journal"}));
  SUAN_TRY(domain.domain_secret,
           read_or_make_secret(directory + "/domain.secret", random_bytes(32)));
  SUAN_TRY(domain.operator_key, read_or_make_secret(directory + "/operator.key",
                                                    "suan_" + print_hex(random_bytes(20)) + "\n"));
  while (!domain.operator_key.empty() && domain.operator_key.back() == '\n')
    domain.operator_key.pop_back();
  SUAN_TRY(domain.key, journal::SigningKey::load_or_create(directory + "/domain.key"));
  SUAN_TRY(domain.uploads, engine::Uploads::open(uploads_directory(options)));
  SUAN_TRY(domain.member, open_member_engine(options));
  return domain;
}

Result<void> begin(const ServeOptions& options, Domain& domain, runtime::Core& core) {
  if (core.state().essence().domain.empty()) {
    SUAN_CHECK(
        carry_out(core, domain::FoundDomain{.domain = options.name,
                                            .organisation = options.name,
                                            .operator_name = "operator",
                                            .operator_key_hash = wire::hash(domain.operator_key)}));
  }
  SUAN_CHECK(check_same_member(core.state(), domain.member));
  if (!domain.member.engine) return {};
  return carry_out(core, offer_of(options, domain.member));
}

// Which engine is which member; none where only joined domains run the jobs.
std::map<MemberId, member::Engine*> introduce_engine(const domain::State& state,
                                                     const MemberEngine& member,
                                                     runtime::EngineLink& link) {
  if (!member.engine) return {};
  const MemberId id = state.catalogue().find_member(member.name)->id;
  link.add(id, *member.engine, introduce_pools(state, id, *member.engine));
  return {{id, member.engine.get()}};
}

std::vector<uplink::ParentPlace> parents_of(const ServeOptions& options) {
  std::vector<uplink::ParentPlace> parents;
  for (const std::string& url : options.join.urls)
    parents.push_back({url, options.join.token, options.join.ca_file});
  return parents;
}

void note(const std::string& line) {
  std::fprintf(stderr, "suan serve: %s\n", line.c_str());
}

Result<std::unique_ptr<journal::HeadWriter>> open_heads(const ServeOptions& options) {
  journal::HeadSettings settings;
  settings.key_path = options.state_directory + "/domain.key";
  settings.files.push_back(options.state_directory + "/heads");
  if (!options.heads_file.empty()) settings.files.push_back(options.heads_file);
  return journal::HeadWriter::open(std::move(settings));
}

/// Ends the process at once: what the journal holds is uncertain, so nothing more may leave.
void end_uncertain(const Failure& failure) {
  std::fprintf(stderr,
               "suan serve: the journal is uncertain and this process ends; start it again: %s\n",
               failure.text.c_str());
  ::_exit(70);
}

// What requests ask of the core is handed over when all that arrived together have been read.
Result<std::unique_ptr<net::Server>> start_server(const ServeOptions& options,
                                                  http::Service& service,
                                                  runtime::CoreThread& core_thread) {
  net::ServerOptions listen;
  listen.host = options.host;
  listen.port = options.port;
  listen.tls_certificate_file = options.tls_certificate_file;
  listen.tls_key_file = options.tls_key_file;
  return net::Server::start(
      listen,
      [&service](net::Request&& request, net::Responder responder) {
        service.serve(std::move(request), std::move(responder));
      },
      [&core_thread] { core_thread.wake(); });
}

void announce(const ServeOptions& options, const std::string& domain, std::uint16_t port) {
  std::printf("suan serve: domain %s is ready at %s://%s:%u (operator key: %s/operator.key)\n",
              domain.c_str(), options.tls_certificate_file.empty() ? "http" : "https",
              options.host.c_str(), unsigned{port}, options.state_directory.c_str());
  std::fflush(stdout);
}

// What the connections to other domains stand on.
struct Footing {
  runtime::CoreThread& core;
  runtime::Follower& follower;
  runtime::Clock& clock;
  member::Presences& presences;
};

Result<std::unique_ptr<uplink::Uplinks>> make_uplinks(const ServeOptions& options,
                                                      const Domain& domain,
                                                      const runtime::Core& core,
                                                      const Footing& footing) {
  return uplink::Uplinks::make({.core = footing.core,
                                .follower = footing.follower,
                                .clock = footing.clock,
                                .journal = *domain.journal,
                                .key = *domain.key,
                                .presences = footing.presences,
                                .domain = core.state().essence().domain,
                                .parents = parents_of(options),
                                .tell = [](const std::string& line) { note(line); },
                                .uploads = *domain.uploads});
}

// Takes nothing more from clients and ends what they are being told.
void close(http::Service& service) {
  std::printf("suan serve: stopping; jobs go on\n");
  std::fflush(stdout);
  service.close();
  service.parts().tails.stop();
  service.parts().execs.stop();
  service.parts().event_streams.stop();
  service.parts().lookups.stop();
}

Result<void> run(const ServeOptions& options, Domain& domain, const sigset_t& signals) {
  journal::SqliteJournal& journal = *domain.journal;
  SUAN_TRY(const std::uint64_t epoch, journal.claim_leadership());
  SUAN_TRY(domain::State replayed, runtime::replay(journal));
  const std::uint64_t replayed_sequence = replayed.essence().sequence;

  runtime::SystemClock clock;
  runtime::EngineLink link(journal, clock);
  Outlets outlets(link);
  runtime::Core core(std::move(replayed), journal, epoch, clock, outlets,
                     {.space_low_bytes = options.space_low_bytes});
  SUAN_CHECK(begin(options, domain, core));
  const auto engines = introduce_engine(core.state(), domain.member, link);

  SUAN_TRY(const auto history,
           history::open_history(options.state_directory + "/history.db", journal));
  SUAN_TRY(auto heads, open_heads(options));
  Keeper keeper(journal, std::move(heads), replayed_sequence);
  member::Presences presences;
  std::unique_ptr<uplink::Uplinks> uplinks;  // The follower and the core call it to their end.
  runtime::Follower follower(core.state(), journal.head(), queries_max);
  outlets.connect(follower, *history);
  http::Acquaintance acquaintance;
  acquaintance.set(core.state());
  http::EventStreams event_streams(follower, *history, journal, acquaintance);
  follower.watch(std::make_unique<http::AcquaintanceKeeper>(acquaintance));  // Before the streams.
  follower.watch(event_streams.watcher());
  follower.watch(keeper.watcher());

  runtime::CoreThread core_thread(core, inbox_max,
                                  [](const Failure& failure) { end_uncertain(failure); });
  SUAN_TRY(uplinks, make_uplinks(options, domain, core, {core_thread, follower, clock, presences}));
  outlets.connect(*uplinks);
  follower.watch(uplinks->watcher());
  member::EngineReach reach(engines, uplinks.get());
  http::Tails tails(follower, reach);
  http::Execs execs(follower, acquaintance, reach);
  http::Lookups lookups(*history);
  http::Service service({.core = core_thread,
                         .follower = follower,
                         .acquaintance = acquaintance,
                         .tails = tails,
                         .execs = execs,
                         .event_streams = event_streams,
                         .lookups = lookups,
                         .presences = presences,
                         .reach = &reach,
                         .domain_secret = domain.domain_secret,
                         .version = version,
                         .started = clock.now(),
                         .uplinks = uplinks.get(),
                         .uploads = domain.uploads.get(),
                         .more_chips = chips_of(domain.member)});
  SUAN_TRY(const auto server, start_server(options, service, core_thread));
  link.start(core_thread, uplinks.get());
  uplinks->start(reach);
  warn_of_plain_http(options);
  announce(options, core.state().essence().domain, server->port());

  wait_for_end(signals, *server);
  close(service);
  uplinks->stop();
  server->stop(stop_grace);
  link.stop();
  core_thread.stop();
  follower.stop();
  history->stop();
  keeper.stop(core.state());
  return {};
}

}  // namespace

void take_site_file(ServeOptions& options, site::SiteFile file) {
  const site::SiteDocument& document = file.document;
  if (document.site) {
    options.site = document.site->name.value_or(options.site);
    options.city = document.site->city.value_or(options.city);
    options.region = document.site->region.value_or(options.region);
  }
  if (document.prices) {
    options.card_hour = document.prices->card_hour.value_or(options.card_hour);
    options.core_hour = document.prices->core_hour.value_or(options.core_hour);
  }
  options.cores = document.cores.value_or(options.cores);
  options.stores_file = document.stores.value_or(options.stores_file);
  options.site_file = std::move(file);
}

int serve(const ServeOptions& options) {
  const sigset_t signals = block_signals(!options.tls_certificate_file.empty());
  auto domain = open_domain(options);
  if (!domain) return complain(domain.error());
  if (const auto ran = run(options, *domain, signals); !ran) return complain(ran.error());
  return 0;
}

}  // namespace suan::server
