#include "runtime/engine_link.h"

#include <utility>

#include "base/ensure.h"
#include "wire/bytes.h"

namespace suan::runtime {

EngineLink::EngineLink(journal::Journal& journal, Clock& clock)
    : journal_(journal), clock_(clock) {}

EngineLink::~EngineLink() {
  stop();
}

void EngineLink::Member::on_progress(const Progress& progress) {
  {
    const std::lock_guard lock(link.mutex_);
    link.items_.emplace_back(progress);
  }
  link.has_work_.notify_one();
}

void EngineLink::Member::on_reading(const PoolReading& reading) {
  const auto pool = pools.find(reading.pool);
  if (pool != pools.end()) link.core_->put_reading(pool->second, reading);
}

void EngineLink::add(MemberId member, member::Engine& engine, std::map<std::string, PoolId> pools) {
  members_.try_emplace(member, *this, engine).first->second.pools = std::move(pools);
}

void EngineLink::start(CoreThread& core, FileSource* files) {
  core_ = &core;
  files_ = files;
  thread_ = std::thread([this] { run(); });
  for (auto& [id, member] : members_) member.engine.attach(member);
}

void EngineLink::put(const domain::Effect& effect) {
  {
    const std::lock_guard lock(mutex_);
    items_.emplace_back(effect);
  }
  has_work_.notify_one();
}

void EngineLink::stop() {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return;
    is_stopping_ = true;
  }
  if (core_ != nullptr) {
    for (auto& [id, member] : members_) member.engine.detach();
  }
  has_work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void EngineLink::run() {
  std::deque<Item> items;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [&] { return is_stopping_ || !items_.empty(); });
      if (is_stopping_) return;  // What is left is done again after the restart.
      items.swap(items_);
    }
    for (const Item& item : items) {
      if (const auto* effect = std::get_if<domain::Effect>(&item))
        perform(*effect);
      else if (const auto* fetched = std::get_if<Fetched>(&item))
        perform(*fetched);
      else
        report(std::get<Progress>(item));
    }
    items.clear();
  }
}

// What it needs is brought first; nothing is held up by that but the attempt itself.
void EngineLink::prepare(const domain::AskLaunch& ask) {
  if (!ask.launch.workdir.is_given() || files_ == nullptr) return launch(ask);
  files_->fetch(ask.launch.key.job, [this, ask](Result<void> outcome) {
    {
      const std::lock_guard lock(mutex_);
      items_.emplace_back(Fetched{ask, std::move(outcome)});
    }
    has_work_.notify_one();
  });
}

void EngineLink::perform(const Fetched& fetched) {
  if (fetched.outcome) return launch(fetched.ask);
  Progress failed;
  failed.key = fetched.ask.launch.key;
  failed.state = AttemptState::ended;
  failed.end = AttemptEnd::launch_failed;
  failed.reason = fetched.outcome.error().text;
  report(failed);
}

// A launch whose payload cannot be read has failed, and says so like any other.
void EngineLink::launch(const domain::AskLaunch& ask) {
  Payload payload;
  if (ask.launch.payload) {
    const auto bytes = journal_.read_blob(ask.launch.payload.value);
    auto decoded =
        bytes ? wire::decode<Payload>(*bytes) : Result<Payload>(std::unexpected(bytes.error()));
    if (!decoded) {
      Progress failed;
      failed.key = ask.launch.key;
      failed.state = AttemptState::ended;
      failed.end = AttemptEnd::launch_failed;
      failed.reason = "its script cannot be read: " + decoded.error().text;
      report(failed);
      return;
    }
    payload = std::move(*decoded);
  }
  Launch launch = ask.launch;
  // One for which no time is left is launched all the same, so that its end is told.
  if (!domain::count_down(launch.run_for, ask.decided, clock_.steady())) launch.run_for = Span{1};
  members_.at(ask.member).engine.launch(launch, payload);
}

void EngineLink::renew(const domain::AskRenew& ask) {
  RenewAttempt renewal = ask.renew;
  if (domain::count_down(renewal.run_for, ask.decided, clock_.steady()))
    members_.at(ask.member).engine.renew(renewal);
}

void EngineLink::perform(const domain::Effect& effect) {
  if (const auto* start = std::get_if<domain::AskLaunch>(&effect)) {
    prepare(*start);
  } else if (const auto* ask = std::get_if<domain::AskRenew>(&effect)) {
    renew(*ask);
  } else if (const auto* stop = std::get_if<domain::AskStop>(&effect)) {
    members_.at(stop->member).engine.stop(stop->stop);
  } else if (const auto* forget = std::get_if<domain::AskForget>(&effect)) {
    members_.at(forget->member).engine.forget(forget->forget);
  } else if (const auto* destroy = std::get_if<domain::DestroyPayloads>(&effect)) {
    bool are_gone = true;
    for (std::uint32_t i = 0; i < destroy->count; ++i)
      are_gone = journal_.delete_blob(destroy->first.value + i).has_value() && are_gone;
    if (!are_gone) return;  // Asked for again by the next start.
    Request request;
    request.command = domain::NotePayloadsDestroyed{destroy->first};
    request.caller.principal = {UserId{1}, identity::Role::operator_};
    core_->put_patiently(std::move(request));
  } else {
    ensure(false);  // The core answers reservations for engines itself.
  }
}

void EngineLink::report(const Progress& progress) {
  Request request;
  request.command = domain::Report{progress};
  request.caller.principal = {UserId{1}, identity::Role::operator_};
  const bool has_ended = progress.state == AttemptState::ended;
  if (has_ended) {
    request.reply = [this, key = progress.key](const Reply& reply) {
      if (reply || reply.error().code != domain::Code::stale) return;
      // The end was recorded before, and the member missed that: it may forget.
      for (const auto& [id, member] : members_) put(domain::AskForget{id, ForgetAttempt{key}});
    };
  }
  // That it began is news for people, and they have time; what follows from its end is not.
  has_ended ? core_->put_waiting(std::move(request)) : core_->put_patiently(std::move(request));
}

}  // namespace suan::runtime
