#pragma once

#include <algorithm>
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
#include "sim/line.h"
#include "sim/machine.h"
#include "sim/scenario.h"
#include "sim/turns.h"

namespace suan::sim {

constexpr Moment birth{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z.

/// The wall clock of the simulated server: true time plus a step that faults change.
class VirtualClock : public runtime::Clock {
 public:
  explicit VirtualClock(const Moment& true_now) : true_now_(true_now) {}
  Moment now() override { return true_now_ + step_; }
  Moment steady() override { return birth + (true_now_ - birth) * (1000 + rate_) / 1000; }
  void step(Span by) { step_ = step_ + by; }
  /// How much faster than true it runs, in thousandths, but for the time of day.
  void set_rate(std::int64_t rate) { rate_ = rate; }
  Span offset() const { return step_; }

 private:
  const Moment& true_now_;
  Span step_;
  std::int64_t rate_ = 0;
};

/// One domain, its disk, machines, people and misfortunes, from one seed.
class World : public runtime::Outlet, public member::ProgressSink, public Witness {
 public:
  World(const Scenario&, std::uint64_t seed, Coverage&, std::string name);
  ~World() override;

  /// Prints every durable event to stderr.
  void trace() { audit_.trace(); }

  /// A connection to a parent or a sub-domain. Before `begin`; outlives this.
  void add_line(Line& line) { lines_.push_back(&line); }

  // Its time.

  void begin();
  Moment now() const { return now_; }
  /// Since when nothing has kept its server from doing what was due; `never` if something does.
  Moment well_since() const { return core_ ? well_since_ : never; }
  Moment steady() { return clock_.steady(); }
  /// When the next thing happens, on the agenda or on a machine, if ever.
  std::optional<Moment> next() const;
  void pass_one();
  void wait_until(Moment);
  void after(Span delay, Callback<void()> act);
  void at(Moment when, Callback<void()> act);
  /// Says there when it has something to do, under that number.
  void join_turns(Turns& turns, std::size_t number) {
    turns_ = &turns;
    number_ = number;
  }

  // What it has come to.

  bool is_over() const { return audit_.objections().any(); }
  std::optional<Objection> objection() const;
  void object(std::string_view auditor, std::string text);
  std::uint64_t events() const { return audit_.events(); }
  std::uint64_t restarts() const { return restarts_; }
  std::string end_hash();
  /// The state as its durable records say.
  const domain::State& durable() const { return audit_.shadow(); }
  std::uint64_t seen() const { return audit_.seen(); }
  const std::string& name() const { return name_; }

  // The way to rest, step by step.

  void calm();
  bool is_running() const { return core_ != nullptr; }
  void open_up();
  void stop_services();
  void stop_batches();
  std::size_t live_units() const;
  void check_waiting_jobs();
  void check_all_stopped();
  void forget_answers();
  void check_at_rest();

  // Its connections (talk.cc).

  /// Whether the server is up and nothing of its state waits to become durable.
  bool can_talk() const;
  /// How this domain knows the other: 0 if it does not yet.
  ParentId parent_id(const World& parent) const;
  MemberId member_id(const World& child) const;
  void tell(Line&, const domain::TellMember&);
  void hear(Line&, const runtime::Down&, const std::string& payload);
  void hear(Line&, const UpMessage&);
  /// A child cannot be reached: nothing new goes there.
  void lose_sight(const Line&);
  /// A child has been away since `since`, by this domain's steady clock.
  void miss(Line&, Moment since);
  /// Its public key.
  Digest key() const;
  /// Whether this domain has answered a child that has to ask, which it does, until it is answered.
  bool has_answered(const World& child);
  /// Somebody here refuses a child that joined, and approves it again after `span`.
  void refuse_for(Line&, Span span);

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
  bool chance(std::uint32_t per_mille);
  void stop_jobs(JobKind, std::size_t but);
  bool is_of_parent(ProjectId) const;

  // What happens on machines, to be seen where the work is at home too (talk.cc).
  void on_started(const Launch&) override;
  void on_over(const AttemptKey&, const Progress&) override;
  void on_over(const AttemptKey&, const Progress&, Moment well_since);
  void check_lapse(const AttemptKey&, Moment well_since);
  struct Home {
    World* world = nullptr;
    Moment well_since;  // As well_since(), of the connection.
    AttemptKey key;
    PoolId pool;
  };
  std::optional<Home> home_of(const AttemptKey&);
  void hear_reading(const World& child, const SupplyReading&);
  void say(const domain::TellMember&);
  void say(const domain::TellParent&);
  void cut_lines();

  // The server (server.cc).
  /// What a server that runs takes for now; its clock may be hours from true time.
  Moment server_now() { return std::max(clock_.now(), core_->state().essence().now); }
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
  void on_link_observed(SiteId from, SiteId to, const Rtt&) override;
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
  void step_back(Span by);
  void neighbours_act();
  void measure_link();
  void neighbours_leave();
  void write_snapshot();

  const Scenario scenario_;
  const std::string name_;
  Coverage& coverage_;
  Random random_;
  Moment now_;
  Moment well_since_;
  Agenda agenda_;
  Turns* turns_ = nullptr;
  std::size_t number_ = 0;
  bool is_calm_ = false;

  Audit audit_;
  VirtualClock clock_;
  journal::MemoryDisk disk_;
  std::vector<std::unique_ptr<Site>> sites_;
  std::vector<Line*> lines_;

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
  std::set<std::string> invited_;             // Children that somebody has made a token for.
  std::map<network::LinkKey, Rtt> links_;     // As last measured; told again to each new core.
  std::uint64_t restarts_ = 0;
  std::uint64_t examined_ = 0;
  int steps_behind_ = 0;

  std::vector<Person> people_;
  std::deque<Ask> asks_;
  std::uint64_t bodies_ = 0;
  std::uint64_t names_ = 0;
};

}  // namespace suan::sim
