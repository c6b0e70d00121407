#include "slurm/slurm_engine.h"

#include <utility>

#include "slurm/slurm_loop.h"

namespace suan::slurm {

Result<std::unique_ptr<SlurmEngine>> SlurmEngine::open(const SlurmEngineOptions& options,
                                                       ClusterMaker make) {
  SUAN_TRY(auto loop, Loop::open(options, std::move(make)));
  return std::unique_ptr<SlurmEngine>(new SlurmEngine(std::move(loop)));
}

SlurmEngine::SlurmEngine(std::unique_ptr<Loop> loop) : loop_(std::move(loop)) {}
SlurmEngine::~SlurmEngine() = default;

std::string SlurmEngine::standing() const {
  return loop_->standing();
}
std::string SlurmEngine::stores_note() const {
  return engine::describe_stores(loop_->stores());
}
const std::vector<std::string>& SlurmEngine::notes() const {
  return loop_->offer().notes;
}

std::map<std::string, std::string> SlurmEngine::partitions() const {
  std::map<std::string, std::string> all;
  for (const SlurmPool& pool : loop_->offer().pools) all[pool.offered.name] = pool.partition;
  return all;
}

std::vector<member::OfferedPool> SlurmEngine::pools() const {
  std::vector<member::OfferedPool> all;
  for (const SlurmPool& pool : loop_->offer().pools) all.push_back(pool.offered);
  return all;
}

void SlurmEngine::know_pools(const std::map<PoolId, std::string>& names) {
  loop_->put(Loop::Names{names});
}
void SlurmEngine::attach(member::ProgressSink& sink) {
  loop_->set_sink(&sink);
  loop_->put(Loop::Attach{});
}
void SlurmEngine::detach() {
  loop_->set_sink(nullptr);
}

void SlurmEngine::launch(const Launch& launch, const Payload& payload) {
  loop_->put(Loop::NewLaunch{launch, payload});
}
void SlurmEngine::survey(DataQuestion question, Callback<void(DataAnswer)> done) {
  loop_->data_surveyor().ask(std::move(question), std::move(done));
}
void SlurmEngine::renew(const RenewAttempt& renewal) {
  loop_->put(renewal);
}
void SlurmEngine::stop(const StopAttempt& stop) {
  loop_->put(stop);
}
void SlurmEngine::forget(const ForgetAttempt& forget) {
  loop_->put(forget);
}

Result<member::LogPiece> SlurmEngine::read_log(const AttemptKey& key, member::LogStream stream,
                                               std::uint64_t offset, std::size_t bytes_max) {
  return loop_->logs().read(key, stream, offset, bytes_max);
}

}  // namespace suan::slurm
