#include "http/execs.h"

#include <chrono>
#include <utility>

#include "http/problem.h"
#include "identity/identity.h"
#include "net/websocket.h"

namespace suan::http {

namespace {

constexpr std::size_t sessions_max = 256;
constexpr auto look_every = std::chrono::seconds(1);
constexpr int code_forbidden = 4403;

}  // namespace

/// One client and its command.
struct Execs::Session {
  std::shared_ptr<uplink::ExecSession> command;
  Digest key;
  ProjectId project;

  bool is_allowed(const identity::Identity& identity) const {
    const auto principal = identity.authenticate(key);
    return principal && identity.may(*principal, identity::Action::run_in_project, project);
  }
};

Execs::Execs(runtime::Follower& follower, const Acquaintance& acquaintance, member::Reach& reach)
    : follower_(follower),
      acquaintance_(acquaintance),
      reach_(reach),
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
  std::vector<Session> all;
  {
    const std::lock_guard lock(mutex_);
    all.swap(sessions_);
  }
  for (const Session& each : all) each.command->close(1001, "the server is about to stop");
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
  const jobs::TaskPlace at = jobs::place_of(*job->spec, place.task);
  const jobs::Unit& unit = job->units[at.unit];
  if (unit.phase != jobs::Phase::running && unit.phase != jobs::Phase::stopping)
    return responder.respond(
        problem(409, "not_running", "that task does not run now; `suan why` says why"));
  const MemberId member = state.catalogue().pools().at(unit.placement.pool).member;
  Session session{
      .command = std::make_shared<uplink::ExecSession>(
          reach_,
          member::AttemptPlace{member, {place.job, place.task, unit.attempt}, at.unit, at.index}),
      .key = place.key,
      .project = job->spec->project};
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(sessions_, [](const Session& each) { return each.command->is_over(); });
    if (is_stopping_ || sessions_.size() >= sessions_max)
      return responder.respond(
          problem(503, "overloaded", "too many commands run beside jobs; try again later"));
    sessions_.push_back(session);
  }
  session.command->open(request, std::move(responder));
}

void Execs::watch() {
  std::unique_lock lock(mutex_);
  while (!is_stopping_) {
    is_due_.wait_for(lock, look_every);
    const auto all = sessions_;
    lock.unlock();
    const auto identity = acquaintance_.get();
    for (const Session& each : all) {
      if (!each.is_allowed(*identity))
        each.command->close(code_forbidden, "your key does not allow this any more");
    }
    lock.lock();
  }
}

}  // namespace suan::http
