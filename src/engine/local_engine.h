#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/cgroup.h"
#include "engine/discovery.h"
#include "engine/log_store.h"
#include "member/engine.h"

namespace suan::engine {

/// How to run attempts on this machine.
struct LocalEngineOptions {
  std::string state_directory;  // Made if absent; of one engine at a time, on a local file system.
  // Calls supervise() for `supervise DIR` and accompany() for `accompany DIR ATTEMPT`.
  std::string executable = "/proc/self/exe";
  std::optional<member::OfferedPool> offered;  // What to offer; by default all that is found:
  Reserve reserve;                             // less this.
  std::string cgroup_parent;                   // See find_cgroups.
  Span report_every = seconds(10);             // Between reports of usage; at least 100 ms.
  LogLimits logs;
  std::string images_directory;  // Images that jobs may name are below it; "" = none.
  std::int64_t images_bytes_max = std::int64_t{50} << 30U;  // Kept unpacked, beyond those in use.
  std::string stores_file;        // Of rclone: the stores that jobs may name; "" = none.
  std::string uploads_directory;  // Where packed working directories lie; absolute; "" = nowhere.
};

/// Runs attempts as processes of this machine, each under a supervisor process of its own that
/// outlives this object and the server. A new engine on the same state directory finds them all
/// again: those that run, and those that ended meanwhile with their true ends.
///
/// All work is done on one thread, which also calls the sink; the sink must not call `detach`.
class LocalEngine final : public member::Engine {
 public:
  /// Takes the state directory and re-attaches to what is in it. Failures: conflict if another
  /// engine has the directory, io if it cannot be used or the supervisors' program not be started,
  /// invalid for options out of range.
  static Result<std::unique_ptr<LocalEngine>> open(const LocalEngineOptions&);
  ~LocalEngine() override;

  /// Whether CPU and memory limits are enforced on this machine, and by what or why not.
  Enforcement enforcement() const;
  std::string enforcement_note() const;

  /// Whether and by what images are run, or why not; a sentence.
  std::string images_note() const;

  /// By what data is moved and between which stores, or why not; a sentence.
  std::string stores_note() const;

  /// What discovery found and could not offer; sentences for people.
  const std::vector<std::string>& notes() const;

  std::vector<member::OfferedPool> pools() const override;
  void attach(member::ProgressSink&) override;
  void detach() override;
  void launch(const Launch&, const Payload&) override;
  void renew(const RenewAttempt&) override;
  void stop(const StopAttempt&) override;
  void forget(const ForgetAttempt&) override;
  Result<member::LogPiece> read_log(const AttemptKey&, member::LogStream, std::uint64_t offset,
                                    std::size_t bytes_max) override;
  Result<std::unique_ptr<member::Exec>> exec(const AttemptKey&, const member::ExecWish&,
                                             member::ExecSink&) override;
  void survey(DataQuestion, Callback<void(DataAnswer)> done) override;

 private:
  class Loop;
  explicit LocalEngine(std::unique_ptr<Loop>);

  std::unique_ptr<Loop> loop_;
};

/// A sentence for people: what keeps attempts that share one card apart.
std::string isolation_note();

}  // namespace suan::engine
