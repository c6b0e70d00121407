#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <variant>

#include "member/engine.h"
#include "runtime/core_thread.h"

namespace suan::runtime {

/// Brings what attempts need before they are launched.
class FileSource {
 public:
  virtual ~FileSource() = default;

  /// Brings the working directory of a job. `done` is called once, on any thread: with a failure
  /// when that is in vain.
  virtual void fetch(JobId, Callback<void(Result<void>)> done) = 0;
};

/// Carries effects to the engines of this process and their progress back to the core, on a thread
/// of its own, so that neither waits for the other.
class EngineLink {
 public:
  /// `journal` holds the sealed payloads.
  EngineLink(journal::Journal& journal, Clock& clock);
  ~EngineLink();

  EngineLink(const EngineLink&) = delete;
  EngineLink& operator=(const EngineLink&) = delete;

  /// Says which engine is which member and what its pools are here, by their names there. Before
  /// `start`; the engine outlives the link.
  void add(MemberId, member::Engine&, std::map<std::string, PoolId> pools);

  /// Attaches the engines: their reports now go to `core`, which outlives `stop`, as does `files`.
  void start(CoreThread& core, FileSource* files = nullptr);

  /// Takes one effect; never blocks. Only those for engines, and DestroyPayloads.
  void put(const domain::Effect&);

  /// Detaches the engines and ends the thread. Attempts go on running.
  void stop();

 private:
  struct Member : member::ProgressSink {
    Member(EngineLink& its_link, member::Engine& its_engine) : link(its_link), engine(its_engine) {}
    void on_progress(const Progress&) override;
    void on_reading(const PoolReading&) override;
    EngineLink& link;
    member::Engine& engine;
    std::map<std::string, PoolId> pools;
  };
  struct Fetched {
    domain::AskLaunch ask;
    Result<void> outcome;
  };
  using Item = std::variant<domain::Effect, Progress, Fetched>;

  void run();
  void perform(const domain::Effect&);
  void prepare(const domain::AskLaunch&);
  void perform(const Fetched&);
  void launch(const domain::AskLaunch&);
  void renew(const domain::AskRenew&);
  void report(const Progress&);

  journal::Journal& journal_;
  Clock& clock_;
  std::map<MemberId, Member> members_;
  CoreThread* core_ = nullptr;
  FileSource* files_ = nullptr;

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<Item> items_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace suan::runtime
