#include "member/reach.h"

#include <utility>

namespace suan::member {

namespace {

constexpr const char* nobody = "the member for this is not there any more";

class EngineLog final : public LogReader {
 public:
  EngineLog(Engine& engine, const AttemptKey& key, LogStream stream, std::uint64_t offset)
      : engine_(engine), key_(key), stream_(stream), offset_(offset) {}

  Result<Piece> next(std::size_t bytes_max) override {
    auto read = engine_.read_log(key_, stream_, offset_, bytes_max);
    if (!read) return std::unexpected(std::move(read).error());
    offset_ += read->bytes.size();
    const bool is_all = read->bytes.size() < bytes_max;
    return Piece{std::move(read->bytes), is_all, read->is_end};
  }

 private:
  Engine& engine_;
  const AttemptKey key_;
  const LogStream stream_;
  std::uint64_t offset_;
};

class NoLog final : public LogReader {
 public:
  Result<Piece> next(std::size_t) override { return failure(Failure::Kind::not_found, nobody); }
};

}  // namespace

EngineReach::EngineReach(std::map<MemberId, Engine*> engines, Reach* beyond)
    : engines_(std::move(engines)), beyond_(beyond) {}

std::unique_ptr<LogReader> EngineReach::read_log(const AttemptPlace& place, LogStream stream,
                                                 std::uint64_t offset) {
  const auto engine = engines_.find(place.member);
  if (engine != engines_.end())
    return std::make_unique<EngineLog>(*engine->second, place.key, stream, offset);
  if (beyond_ != nullptr) return beyond_->read_log(place, stream, offset);
  return std::make_unique<NoLog>();
}

Result<std::unique_ptr<Exec>> EngineReach::exec(const AttemptPlace& place, const ExecWish& wish,
                                                ExecSink& sink) {
  const auto engine = engines_.find(place.member);
  if (engine != engines_.end()) return engine->second->exec(place.key, wish, sink);
  if (beyond_ != nullptr) return beyond_->exec(place, wish, sink);
  return failure(Failure::Kind::not_found, nobody);
}

void EngineReach::survey(MemberId member, PoolId pool, DataQuestion question,
                         Callback<void(DataAnswer)> done) {
  const auto engine = engines_.find(member);
  if (engine != engines_.end()) return engine->second->survey(std::move(question), std::move(done));
  if (beyond_ != nullptr)
    return beyond_->survey(member, pool, std::move(question), std::move(done));
  done({.problem = nobody, .sources = {}});
}

}  // namespace suan::member
