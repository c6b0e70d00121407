#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>

#include "member/engine.h"
#include "member/exec.h"

/// The seam to what attempts write, to what runs beside them and to the data they need, whoever
/// runs them: an engine of this process, or a sub-domain.
namespace suan::member {

/// One attempt of a task, and where it is.
struct AttemptPlace {
  MemberId member;  // Who runs it.
  AttemptKey key;
  std::uint32_t unit = 0;   // Of the job;
  std::uint32_t index = 0;  // and the task's place within it.
};

/// Reads one log, from where it was asked for on. One thread at a time.
class LogReader {
 public:
  virtual ~LogReader() = default;

  struct Piece {
    std::string bytes;
    bool is_all = false;  // Nothing more is there now.
    bool is_end = false;  // Nothing more will come.
  };

  /// The next bytes, at most `bytes_max`; returns at once. `not_found` while there is no such
  /// attempt there, `unavailable` while the member cannot be reached.
  virtual Result<Piece> next(std::size_t bytes_max) = 0;
};

class Reach {
 public:
  virtual ~Reach() = default;

  virtual std::unique_ptr<LogReader> read_log(const AttemptPlace&, LogStream,
                                              std::uint64_t offset) = 0;

  /// As Engine::exec; `unavailable` while the member cannot be reached.
  virtual Result<std::unique_ptr<Exec>> exec(const AttemptPlace&, const ExecWish&, ExecSink&) = 0;

  /// As Engine::survey, of the member that grants a pool, by that member's number of it.
  virtual void survey(MemberId, PoolId, DataQuestion, Callback<void(DataAnswer)> done) = 0;
};

/// Reaches the engines of this process, and others through `beyond`, if there is one.
class EngineReach final : public Reach {
 public:
  explicit EngineReach(std::map<MemberId, Engine*> engines, Reach* beyond = nullptr);

  std::unique_ptr<LogReader> read_log(const AttemptPlace&, LogStream,
                                      std::uint64_t offset) override;
  Result<std::unique_ptr<Exec>> exec(const AttemptPlace&, const ExecWish&, ExecSink&) override;
  void survey(MemberId, PoolId, DataQuestion, Callback<void(DataAnswer)> done) override;

 private:
  const std::map<MemberId, Engine*> engines_;
  Reach* const beyond_;
};

}  // namespace suan::member
