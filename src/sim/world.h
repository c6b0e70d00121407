#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "journal/memory_journal.h"
#include "runtime/core.h"
#include "sim/agenda.h"
#include "sim/audit.h"
#include "sim/crowd.h"
#include "sim/machine.h"
#include "sim/scenario.h"

namespace suan::sim {

/// The wall clock of the simulated server: true time plus a step that faults change.
class VirtualClock : public runtime::Clock {
 public:
  explicit VirtualClock(const Moment& true_now) : true_now_(true_now) {}
  Moment now() override { return true_now_ + step_; }
  void step(Span by) { step_ = step_ + by; }
  Span offset() const { return step_; }

 private:
  const Moment& true_now_;
  Span step_;
};

/// What came of one run.
struct Verdict {
  std::uint64_t seed = 0;
  std::optional<Objection> objection;
  Digest end_hash;  // Of the journal's head and the state: equal for equal runs.
  std::uint64_t records = 0;
  std::uint64_t events = 0;
  std::uint64_t jobs = 0;
  std::uint64_t restarts = 0;
  Span lived;  // Virtual time.
};

/// One domain, its disk, machines, people and misfortunes, from one seed.
class World : public runtime::Outlet, public member::ProgressSink {
 public:
  World(const Scenario&, std::uint64_t seed, Coverage&);
  ~World() override;

  /// Lives until the scenario's number of events has happened, then lets everything come to rest
  /// with faults off, and examines it.
  Verdict run();

  /// Prints every durable event to stderr.
  void trace() { audit_.trace(); }

 private:
  /// A request of somebody, with what became of it.
  struct Ask {
    domain::Command command;
    domain::Caller caller;
    std::vector<std::string> payloads;
    domain::PlanBinding plan;
    bool insists = false;  // Sends again even when refused.
    bool is_settled = false;
    std::uint32_t sent = 0;
    std::optional<domain::Answer> answer;
    domain::Code must_be = domain::Code::none;  // Nothing else will do.
  };
  struct Person {
    std::string name;
    Digest secret;
    identity::Role role = identity::Role::consumer;
    bool is_known = false;  // Somebody asked for the key.
  };
  struct Site {
    Offer offer;
    Machine machine;
    std::unique_ptr<SimEngine> engine;
    Moment effects_until;  // Effects arrive in order unless a fault says otherwise.
  };

  // The world's own time (world.cc).
  void after(Span delay, Callback<void()> act);
  void pass_until(Moment);
  bool pass_one(Moment limit);
  bool is_over() { return audit_.objections().any(); }
  void object(std::string_view auditor, std::string text);
  bool chance(std::uint32_t per_mille);
  void live();
  void come_to_rest();
  void check_waiting_jobs();
  void check_at_rest();
  std::size_t live_units() const;
  void stop_jobs(JobKind, std::size_t but);

  // The server (server.cc).
  void start_server();
  void crash_server(Span downtime);
  void depose_leader();
  void plan_step(Span delay);
  void step();
  void break_next_append();
  void expect_outstanding();
  void check_outstanding();
  void on_effect(const domain::Effect&) override;
  void on_durable(std::shared_ptr<const runtime::DurableBatch>) override;
  void on_progress(const Progress&) override;
  void on_observed(PoolId, const PoolReading&, Moment) override;
  void tell_reading(PoolId);
  void check_durable(std::string_view what);
  void deliver(const domain::Effect&);
  void deliver(const Progress&);
  void launch(const domain::AskLaunch&);
  Machine& machine_of(MemberId);
  void put(domain::Command, bool must_be_stale);

  // People (people.cc).
  void people_arrive();
  void somebody_acts();
  void submit();
  void stop_some_job();
  void repeat_something();
  void send_something_odd();
  void stray_message();
  void change_supply();
  void manage();
  void insist(domain::Command);
  std::optional<std::size_t> ask(const Person&, domain::Command, Span request_age = {});
  void send(std::size_t index);
  void arrive(std::size_t index);
  void answered(std::size_t index, const runtime::Reply&);
  void check_answer(const Ask&, const runtime::Reply&);
  Digest body();
  const Person& somebody();
  ProjectId some_project();
  Moment client_now() { return now_; }

  // Misfortunes (misfortunes.cc).
  void misfortune();
  void neighbours_act();
  void neighbours_leave();
  void write_snapshot();

  const Scenario scenario_;
  const std::uint64_t seed_;
  Coverage& coverage_;
  Random random_;
  Moment now_;
  Agenda agenda_;
  bool is_calm_ = false;

  Audit audit_;
  VirtualClock clock_;
  journal::MemoryDisk disk_;
  std::vector<std::unique_ptr<Site>> sites_;

  std::uint64_t life_ = 0;  // Of the server; messages of an earlier one are void.
  std::unique_ptr<journal::MemoryJournal> journal_;
  std::unique_ptr<runtime::Core> core_;
  std::vector<runtime::Request> inbox_;
  std::optional<Moment> step_at_;
  bool is_deposed_ = false;
  bool is_starting_ = false;
  bool is_space_low_ = false;
  std::set<std::string> outstanding_;
  std::map<PoolId, PoolReading> neighbours_;  // What others hold in truth.
  std::uint64_t restarts_ = 0;
  std::uint64_t examined_ = 0;
  int steps_behind_ = 0;

  std::vector<Person> people_;
  std::deque<Ask> asks_;
  std::uint64_t bodies_ = 0;
  std::uint64_t names_ = 0;
};

/// Runs one seed.
Verdict run_world(const Scenario&, std::uint64_t seed, Coverage&);

}  // namespace suan::sim
