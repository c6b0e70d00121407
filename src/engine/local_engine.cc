#include "engine/local_engine.h"

#include <utility>

#include "engine/local_loop.h"

namespace suan::engine {

Result<std::unique_ptr<LocalEngine>> LocalEngine::open(const LocalEngineOptions& options) {
  SUAN_TRY(auto loop, Loop::open(options));
  return std::unique_ptr<LocalEngine>(new LocalEngine(std::move(loop)));
}

LocalEngine::LocalEngine(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
LocalEngine::~LocalEngine() = default;

Enforcement LocalEngine::enforcement() const {
  return loop_->cgroups().enforcement;
}
std::string LocalEngine::enforcement_note() const {
  return loop_->cgroups().sentence;
}
std::string LocalEngine::images_note() const {
  return loop_->images_note();
}
std::string LocalEngine::stores_note() const {
  return describe_stores(loop_->stores());
}
const std::vector<std::string>& LocalEngine::notes() const {
  return loop_->notes();
}

std::vector<member::OfferedPool> LocalEngine::pools() const {
  return {loop_->offered()};
}

void LocalEngine::attach(member::ProgressSink& sink) {
  loop_->set_sink(&sink);
  loop_->ask(Loop::Attach{});
}

void LocalEngine::detach() {
  loop_->set_sink(nullptr);
}

void LocalEngine::launch(const Launch& launch, const Payload& payload) {
  loop_->ask(Loop::NewLaunch{launch, payload});
}
void LocalEngine::renew(const RenewAttempt& renewal) {
  loop_->ask(renewal);
}
void LocalEngine::stop(const StopAttempt& stop) {
  loop_->ask(stop);
}
void LocalEngine::forget(const ForgetAttempt& forget) {
  loop_->ask(forget);
}

void LocalEngine::survey(DataQuestion question, Callback<void(DataAnswer)> done) {
  loop_->surveyor().ask(std::move(question), std::move(done));
}

Result<member::LogPiece> LocalEngine::read_log(const AttemptKey& key, member::LogStream stream,
                                               std::uint64_t offset, std::size_t bytes_max) {
  return loop_->logs().read(key, stream, offset, bytes_max);
}

Result<std::unique_ptr<member::Exec>> LocalEngine::exec(const AttemptKey& key,
                                                        const member::ExecWish& wish,
                                                        member::ExecSink& sink) {
  return loop_->companions().start(key, wish, sink);
}

std::string isolation_note() {
  return "A share of a card is accounted, not enforced: attempts that share a card see all of its "
         "memory and may take all of its time.";
}

}  // namespace suan::engine
