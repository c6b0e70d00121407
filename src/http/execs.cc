#include "http/execs.h"

#include <chrono>
#include <utility>

#include "api/exec.h"
#include "http/problem.h"
#include "identity/identity.h"
#include "net/websocket.h"
#include "wire/json.h"

namespace suan::http {

namespace {

constexpr std::size_t sessions_max = 256;
constexpr auto look_every = std::chrono::seconds(1);
constexpr int code_bad_message = 4400;
constexpr int code_forbidden = 4403;
constexpr std::size_t reason_bytes_max = 1024;

static_assert(api::exec_window_bytes == member::exec_window_bytes);

constexpr net::SocketOptions limits{.message_bytes_max = api::exec_message_bytes_max,
                                    .queue_bytes_max = 1U << 20U};

}  // namespace

/// One client and its command. Kept alive by the callbacks of its socket.
class Execs::Session final : public member::ExecSink,
                             public std::enable_shared_from_this<Execs::Session> {
 public:
  Session(member::Engine& engine, const AttemptKey& attempt, const Digest& key, ProjectId project)
      : engine_(engine), attempt_(attempt), key_(key), project_(project) {}

  void open(const net::Request& request, net::Responder responder) {
    net::SocketListener listener{
        .on_message =
            [self = shared_from_this()](std::string&& message) { self->hear(std::move(message)); },
        .on_close = [self = shared_from_this()](const net::SocketEnd&) { self->leave(); }};
    const std::lock_guard lock(mutex_);  // The first message waits until there is a socket.
    socket_ = responder.upgrade(request, limits, std::move(listener));
  }

  void close(int code, std::string_view reason) { socket().close(code, reason); }

  bool is_allowed(const identity::Identity& identity) const {
    const auto principal = identity.authenticate(key_);
    return principal && identity.may(*principal, identity::Action::run_in_project, project_);
  }

  void on_output(member::LogStream stream, std::string_view bytes) override {
    const bool is_output = stream == member::LogStream::output;
    while (!bytes.empty()) {
      const std::string_view piece = bytes.substr(0, api::exec_piece_bytes_max);
      say({.kind = is_output ? api::ExecKind::output : api::ExecKind::error,
           .bytes = std::string(piece)});
      bytes.remove_prefix(piece.size());
    }
  }
  void on_taken(std::size_t bytes) override {
    say({.kind = api::ExecKind::taken, .number = static_cast<std::uint32_t>(bytes)});
  }
  void on_end(const member::ExecEnd& end) override {
    say({.kind = api::ExecKind::end,
         .bytes = end.reason.substr(0, reason_bytes_max),
         .exit_code = end.exit_code});
    close(1000, "the command has ended");
  }

 private:
  net::WebSocket socket() {
    const std::lock_guard lock(mutex_);
    return socket_;
  }

  // The windows keep what is queued far below the socket's limit, so it always fits.
  void say(const api::ExecMessage& message) { socket().send(api::print_exec(message)); }

  void hear(std::string&& text) {
    auto message = api::parse_exec(text);
    const bool is_begun = exec_ != nullptr;
    if (!message || (message->kind == api::ExecKind::begin) == is_begun)
      return close(code_bad_message, "that message does not belong here");
    switch (message->kind) {
      case api::ExecKind::begin:
        return begin(message->bytes);
      case api::ExecKind::input:
        return exec_->write(message->bytes);
      case api::ExecKind::end_input:
        return exec_->end_input();
      case api::ExecKind::resize:
        return exec_->resize(message->rows, message->columns);
      case api::ExecKind::signal:
        return exec_->send_signal(static_cast<int>(message->number));
      case api::ExecKind::allow:
        return exec_->allow(message->number);
      default:
        return close(code_bad_message, "only a server sends such messages");
    }
  }

  void begin(std::string_view text) {
    auto asked = wire::from_json<api::ExecBegin>(text);
    if (!asked) return close(code_bad_message, asked.error().text);
    if (asked->rows > UINT16_MAX || asked->columns > UINT16_MAX)
      return close(code_bad_message, "no terminal is that large");
    member::ExecWish wish{.command = std::move(asked->command),
                          .has_terminal = asked->terminal,
                          .rows = static_cast<std::uint16_t>(asked->rows),
                          .columns = static_cast<std::uint16_t>(asked->columns),
                          .terminal = std::move(asked->term)};
    auto started = engine_.exec(attempt_, wish, *this);
    if (!started) return on_end({.exit_code = -1, .reason = started.error().text});
    exec_ = *std::move(started);
  }

  void leave() { exec_.reset(); }

  member::Engine& engine_;
  const AttemptKey attempt_;
  const Digest key_;
  const ProjectId project_;
  std::unique_ptr<member::Exec> exec_;  // The socket's I/O thread alone.
  std::mutex mutex_;
  net::WebSocket socket_;
};

Execs::Execs(runtime::Follower& follower, const Acquaintance& acquaintance,
             std::map<MemberId, member::Engine*> engines)
    : follower_(follower),
      acquaintance_(acquaintance),
      engines_(std::move(engines)),
      thread_([this] { watch(); }) {}

Execs::~Execs() {
  stop();
}

void Execs::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  is_due_.notify_all();
  if (thread_.joinable()) thread_.join();
  std::vector<std::weak_ptr<Session>> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(sessions_);
  }
  for (const auto& each : all)
    if (const auto session = each.lock()) session->close(1001, "the server is about to stop");
}

void Execs::open(const ExecPlace& place, net::Request&& request, net::Responder responder) {
  if (auto refusal = net::refuse_upgrade(request)) return responder.respond(std::move(*refusal));
  auto held = std::make_shared<net::Responder>(std::move(responder));
  const bool is_asked =
      follower_.ask([this, place, held, asked = std::move(request)](const runtime::View& view) {
        begin(place, view, asked, std::move(*held));
      });
  if (is_asked) return;
  held->respond(
      problem(503, "overloaded", "more queries wait than this domain can hold; try again"));
}

void Execs::begin(const ExecPlace& place, const runtime::View& view, const net::Request& request,
                  net::Responder responder) {
  const domain::State& state = view.state;
  const jobs::Job* const job = state.jobs().find(place.job);
  const auto may = [&](identity::Action action) {
    return state.identity().may(place.principal, action, job->spec->project);
  };
  if (job == nullptr || !may(identity::Action::read_project))
    return responder.respond(
        problem(404, "job_unknown", "there is no such job under way, or it is not yours to see"));
  if (!may(identity::Action::run_in_project))
    return responder.respond(problem(403, "forbidden",
                                     "only who may stop a job may run commands "
                                     "beside it"));
  if (place.task >= job->spec->tasks())
    return responder.respond(problem(404, "task_unknown", "that job has no such task"));
  const jobs::Unit& unit = job->units[jobs::place_of(*job->spec, place.task).unit];
  const auto engine = unit.phase == jobs::Phase::running || unit.phase == jobs::Phase::stopping
                          ? engines_.find(state.catalogue().pools().at(unit.placement.pool).member)
                          : engines_.end();
  if (engine == engines_.end())
    return responder.respond(
        problem(409, "not_running", "that task does not run now; `suan why` says why"));
  auto session =
      std::make_shared<Session>(*engine->second, AttemptKey{place.job, place.task, unit.attempt},
                                place.key, job->spec->project);
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(sessions_, [](const auto& each) { return each.expired(); });
    if (is_stopping_ || sessions_.size() >= sessions_max)
      return responder.respond(
          problem(503, "overloaded", "too many commands run beside jobs; try again later"));
    sessions_.push_back(session);
  }
  session->open(request, std::move(responder));
}

void Execs::watch() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    is_due_.wait_for(lock, look_every);
    const auto all = sessions_;
    lock.unlock();
    const auto identity = acquaintance_.get();
    for (const auto& each : all) {
      const auto session = each.lock();
      if (session && !session->is_allowed(*identity))
        session->close(code_forbidden, "your key does not allow this any more");
    }
    lock.lock();
  }
}

}  // namespace suan::http
