#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "member/engine.h"
#include "sim/coverage.h"

namespace suan::sim {

/// What a piece of simulated work does once it runs.
struct Course {
  Span runs;
  std::int32_t exit_code = 0;
  std::int32_t signal = 0;    // Ends by it, if not 0.
  Span term_takes;            // From SIGTERM to the end.
  bool ignores_term = false;  // Then only SIGKILL ends it.
  bool leaks_memory = false;  // Ends out of memory instead.
  bool fails_to_launch = false;
  std::string output;
  std::string error;

  static void fields(auto&& visit, auto& self) {
    visit(1, "runs", self.runs);
    visit(2, "exit_code", self.exit_code);
    visit(3, "signal", self.signal);
    visit(4, "term_takes", self.term_takes);
    visit(5, "ignores_term", self.ignores_term);
    visit(6, "leaks_memory", self.leaks_memory);
    visit(7, "fails_to_launch", self.fails_to_launch);
    visit(8, "output", self.output);
    visit(9, "error", self.error);
  }
};

/// The payload that makes a machine run this course, and back.
Payload write_course(const Course&);
Course read_course(const Payload&);

/// Sees what really happens on a machine, whatever anybody reports.
class Witness {
 public:
  virtual ~Witness() = default;
  virtual void on_started(const Launch&) = 0;
  virtual void on_over(const AttemptKey&, const Progress&) = 0;
};

/// The part of a simulated cluster that outlives its engine and the server: attempts, their logs
/// and what was forgotten. Lives in virtual time: nothing moves but by `advance`.
class Machine {
 public:
  Machine(Random random, Coverage& coverage) : random_(random), coverage_(coverage) {}

  /// Lets everything happen that is due by `now`.
  void advance(Moment now);

  /// When something is next due, if ever.
  std::optional<Moment> next() const;

  /// Power comes and goes: everything that ran is lost.
  void reboot();

  /// Attempts that have not ended.
  std::size_t live() const { return live_; }
  /// Attempts that are not forgotten.
  std::size_t known() const { return attempts_.size() - tombs_; }

  void set_witness(Witness* witness) { witness_ = witness; }

  // The engine's side.
  void attach(member::ProgressSink*);
  void launch(const Launch&, const Payload&);
  void renew(const RenewAttempt&);
  void stop(const StopAttempt&);
  void forget(const ForgetAttempt&);
  Result<member::LogPiece> read_log(const AttemptKey&, member::LogStream, std::uint64_t offset,
                                    std::size_t bytes_max) const;

 private:
  struct Attempt {
    Launch launch;
    Course course;
    Progress latest;
    bool is_tomb = false;  // Forgotten, or never to start.
    Moment wakes;          // The moment in wakes_; 0 = none.
    Moment runs_at;
    Moment started;
    Moment lapses;  // 0 = never.
    Moment ends;    // By itself, or by SIGTERM.
    Moment killed;
    AttemptEnd why = AttemptEnd::none;
    Span repeat_after;
  };

  Attempt& find(const AttemptKey&);
  void wake(Attempt&);
  void plan(Attempt&);
  void begin_stop(Attempt&, AttemptEnd why, Span grace);
  void over(Attempt&, AttemptEnd, std::int32_t exit_code, std::string reason);
  void meter(Attempt&) const;
  void report(const Attempt&);

  Random random_;
  Coverage& coverage_;
  Witness* witness_ = nullptr;
  member::ProgressSink* sink_ = nullptr;
  Moment now_{1};
  std::map<AttemptKey, Attempt> attempts_;
  std::set<std::pair<Moment, AttemptKey>> wakes_;
  std::size_t live_ = 0;
  std::size_t tombs_ = 0;
};

/// The simulated engine: what a server opens on a machine.
class SimEngine : public member::Engine {
 public:
  SimEngine(Machine& machine, std::vector<member::OfferedPool> pools)
      : machine_(machine), pools_(std::move(pools)) {}
  ~SimEngine() override { machine_.attach(nullptr); }

  std::vector<member::OfferedPool> pools() const override { return pools_; }
  void attach(member::ProgressSink& sink) override { machine_.attach(&sink); }
  void detach() override { machine_.attach(nullptr); }
  void launch(const Launch& launch, const Payload& payload) override {
    machine_.launch(launch, payload);
  }
  void renew(const RenewAttempt& renew) override { machine_.renew(renew); }
  void stop(const StopAttempt& stop) override { machine_.stop(stop); }
  void forget(const ForgetAttempt& forget) override { machine_.forget(forget); }
  Result<member::LogPiece> read_log(const AttemptKey& key, member::LogStream stream,
                                    std::uint64_t offset, std::size_t bytes_max) override {
    return machine_.read_log(key, stream, offset, bytes_max);
  }

 private:
  Machine& machine_;
  std::vector<member::OfferedPool> pools_;
};

}  // namespace suan::sim
