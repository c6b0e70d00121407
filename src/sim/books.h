#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "domain/state.h"
#include "runtime/core.h"
#include "sim/machine.h"
#include "sim/map_book.h"

/// The books of the auditors: each keeps its own account of what durable records say, by rules of
/// its own, and objects where the domain's does not agree. Nothing here asks the rooms what is
/// right.
namespace suan::sim {

/// A promise that was broken.
struct Objection {
  std::string auditor;  // Which promise, in a word or two.
  std::string text;
};

/// Keeps the first objection.
class Objections {
 public:
  void raise(std::string_view auditor, std::string text);
  /// Raises it unless `holds`.
  bool check(bool holds, std::string_view auditor, std::string_view text);

  const std::optional<Objection>& first() const { return first_; }
  bool any() const { return first_.has_value(); }

  std::uint64_t sequence = 0;  // Of the record looked at; part of every text.

 private:
  std::optional<Objection> first_;
};

std::string print_key(const AttemptKey&);
std::string print_key(const jobs::UnitKey&);

/// amount × numerator / denominator, half away from zero: the rule as the design states it.
std::int64_t rounded(std::int64_t amount, std::int64_t numerator, std::int64_t denominator);

/// What happens on the machines, as they see it themselves.
class GroundTruth : public Witness {
 public:
  explicit GroundTruth(Objections& objections) : objections_(objections) {}

  void on_started(const Launch&) override;
  void on_over(const AttemptKey&, const Progress&) override;

  /// A launch has become durable: only now may it start.
  void allow(const AttemptKey& key) { allowed_.insert(key); }
  /// It was refused: it never may.
  void forbid(const AttemptKey& key) { allowed_.erase(key); }

  bool is_running(const AttemptKey& key) const { return running_.contains(key); }
  /// How it really ended; nullptr if it has not.
  const Progress* end_of(const AttemptKey&) const;
  std::size_t running() const { return running_.size(); }
  const std::set<AttemptKey>& allowed() const { return allowed_; }

 private:
  Objections& objections_;
  std::set<AttemptKey> allowed_;
  std::map<AttemptKey, Launch> running_;
  std::map<TaskKey, AttemptKey> tasks_;
  std::map<AttemptKey, Progress> ended_;
  std::map<std::pair<PoolId, std::pair<std::uint32_t, std::uint32_t>>, std::uint32_t> cards_;
};

/// Capacity: leases against the pools as offered.
class LeaseBook {
 public:
  LeaseBook(Objections& objections, Coverage& coverage, const GroundTruth& truth)
      : objections_(objections), coverage_(coverage), truth_(truth) {}

  void see(const market::LeaseGranted&, Moment at);
  void see(const market::LeaseConfirmed&, Moment at);
  void see(const market::LeaseReleased&, Moment at);
  void see(const catalogue::PoolOffered&);

  /// What others hold of a pool, as the core knows it now.
  void observe(PoolId, const PoolReading&);

  struct Kept {
    market::Lease lease;
    bool is_confirmed = false;
  };
  const Kept* find(LeaseId) const;
  const Pool* pool(PoolId) const;
  const std::map<LeaseId, Kept>& all() const { return leases_; }
  const std::map<PoolId, Pool>& pools() const { return pools_; }
  void compare(const domain::State&) const;

 private:
  struct Node {
    std::map<std::uint32_t, std::uint32_t> cards;  // Thousandths taken of each.
    std::int64_t cpu_milli = 0;
    std::int64_t memory_bytes = 0;
  };
  void take(const market::Lease&, int sign);
  void check_beside_others(const market::Lease&, const Pool&);

  Objections& objections_;
  Coverage& coverage_;
  const GroundTruth& truth_;
  std::map<LeaseId, Kept> leases_;
  std::map<PoolId, Pool> pools_;
  std::map<std::pair<PoolId, std::uint32_t>, Node> nodes_;
  std::map<std::pair<PoolId, std::uint32_t>, NodeReading> others_;
  std::uint64_t last_epoch_ = 0;
};

/// Money: every posting, twice.
class MoneyBook {
 public:
  MoneyBook(Objections& objections, Coverage& coverage)
      : objections_(objections), coverage_(coverage) {}

  void see(const ledger::Deposited&);
  void see(const ledger::Withdrawn&);
  void see(const ledger::Held&);
  void see(const ledger::HoldExtended&);
  void see(const ledger::HoldReturned&);
  void see(const ledger::Charged&);
  void see(const ledger::Allotted&);
  /// The record is over: if it said anything about money, or anyhow, all balances and their sum.
  void close(const ledger::Ledger&, bool anyhow);

  Money charged(HoldId) const;
  std::int64_t balance(const ledger::AccountKey& key) const {
    const auto found = balances_.find(key);
    return found == balances_.end() ? 0 : found->second;
  }
  bool is_open(HoldId id) const { return holds_.contains(id); }

 private:
  struct Hold {
    ProjectId project;
    std::int64_t amount = 0;
    std::int64_t allotted = 0;
  };
  void move(const ledger::AccountKey& from, const ledger::AccountKey& to, Money);
  Hold* hold(HoldId);

  Objections& objections_;
  Coverage& coverage_;
  std::map<ledger::AccountKey, std::int64_t> balances_;
  std::map<HoldId, Hold> holds_;
  std::map<HoldId, Money> charged_;
  std::set<AttemptKey> settled_;
  bool has_moved_ = false;  // In this record.
};

/// What a request made, for ever.
struct Accepted {
  Digest body;
  std::string id;
  std::uint64_t sequence = 0;
  JobId job;                              // Of a submission.
  std::optional<jobs::Placement> placed;  // In the same record.
  Money placed_hourly{};                  // Of each task, in that hour.
};

/// Lives of jobs, rights of people, answers to requests.
class LifeBook {
 public:
  LifeBook(Objections& objections, Coverage& coverage, GroundTruth& truth, LeaseBook& leases,
           MoneyBook& money)
      : objections_(objections),
        coverage_(coverage),
        truth_(truth),
        leases_(leases),
        money_(money),
        map_(coverage) {}

  void see(const domain::Event&, std::uint64_t sequence, Moment at);
  void close();

  const Accepted* find_accepted(const domain::RequestKey&) const;
  bool is_key_revoked(const Digest& secret_hash) const { return revoked_.contains(secret_hash); }

  MapBook& map() { return map_; }

  /// Every unit that was launched has run to an end on every machine, and nothing else ran.
  void check_all_over() const;
  void compare_promises(const domain::State&) const;
  std::size_t live_jobs() const;

 private:
  struct Unit {
    jobs::Phase phase = jobs::Phase::waiting;
    bool is_queued = false;
    std::uint32_t attempt = 0;
    jobs::Placement placement;
    std::vector<LeaseId> leases;
    std::vector<jobs::Phase> tasks;
    bool has_died = false;  // A task of it ended badly.
    std::int64_t allowance = 0;
    Moment paid_until;
    Moment launched;
    Moment renewed;  // Or launched, for `run_for`.
    Span run_for;
    Moment queue_at;
    Moment put_off;
    Moment cleared_by;
    std::vector<Moment> started;  // Of the tasks of the latest attempt.
  };
  struct Job {
    std::shared_ptr<const JobSpec> spec;
    UserId user;
    HoldId hold;
    bool is_stopping = false;
    bool is_ended = false;
    Moment submitted;
    Moment ended;
    Money cost;  // Charged to `hold`;
    Money late;  // to those of lost attempts.
    Money owed;  // In those, or charged to them.
    std::uint64_t demand = 0;
    std::vector<Unit> units;
    bool is_guest = false;
    bool is_refused = false;
    bool is_let_go = false;
  };

  struct Lost {
    HoldId hold;
    Money hourly;
    Money left;
    Moment since;
    std::set<std::uint32_t> open;
    bool is_rated = false;
  };

  void seen(const jobs::JobSubmitted&);
  void seen(const jobs::UnitQueued&);
  void seen(const jobs::UnitPutOff&);
  void seen(const jobs::UnitPromised&);
  void seen(const jobs::PlaceCleared&);
  void seen(const jobs::UnitPlaced&);
  void seen(const jobs::UnitGranted&);
  void seen(const jobs::UnitReturned&);
  void seen(const jobs::UnitLaunched&);
  void seen(const jobs::UnitRenewed&);
  void seen(const jobs::TaskStarted&);
  void seen(const jobs::TaskStopping&);
  void seen(const jobs::TaskEnded&);
  void seen(const jobs::AttemptLost&);
  void seen(const jobs::LostTaskTold&);
  void seen(const jobs::LostAttemptClosed&);
  void seen(const jobs::UnitEnded&);
  void seen(const jobs::JobStopping&);
  void seen(const jobs::JobEnded&);
  void seen(const jobs::JobEvicted&);
  void seen(const jobs::GuestCommitted&);
  void seen(const jobs::GuestKept&);
  void seen(const jobs::GuestRefused&);
  void seen(const jobs::GuestLetGo&);
  void seen(const identity::ParentJoined& event) {
    parents_.insert(event.parent.project);
    unasked_.clear();
  }
  void seen(const ledger::Withdrawn&);
  void seen(const identity::OrganisationCreated&) { needs_operator_or_joining("organisation"); }
  void seen(const identity::UserCreated&);
  void seen(const identity::ProjectCreated& event) {
    needs_operator_or_joining("project");
    organisations_[event.project.id] = event.project.organisation;
  }
  void seen(const identity::SeatTaken&);
  void seen(const identity::KeyCreated&);
  void seen(const identity::KeyRevoked&);
  void seen(const identity::JoinTokenMade&);
  void seen(const identity::JoinAsked&);
  void seen(const identity::JoinAnswered&);
  void seen(const ledger::Deposited&);
  void seen(const ledger::Held& event) { money_.see(event); }
  void seen(const ledger::HoldExtended& event) { money_.see(event); }
  void seen(const ledger::HoldReturned& event);
  void seen(const ledger::Charged&);
  void seen(const ledger::Allotted& event) { money_.see(event); }
  void seen(const market::LeaseGranted& event) { leases_.see(event, at_); }
  void seen(const market::LeaseConfirmed&);
  void seen(const market::LeaseReleased& event) { leases_.see(event, at_); }
  void seen(const catalogue::PoolOffered&);
  void seen(const catalogue::MemberStarted&);
  void seen(const catalogue::HourTurned&);
  void seen(const catalogue::SiteDescribed&);
  void seen(const domain::DomainFounded&) { is_founding_ = true; }
  void seen(const domain::RequestAccepted&);
  void seen(const domain::RequestsForgotten&) {}
  void seen(const domain::PayloadsDestroyed&) {}

  Job* job(JobId);
  Unit* unit(const jobs::UnitKey&);
  void needs_operator(std::string_view what);
  void needs_operator_or_joining(std::string_view what);
  void needs_supplier(std::string_view what);
  void needs_seat(ProjectId);
  void needs_actor(std::string_view what);
  void check_heartbeat(const jobs::UnitRenewed&, const Unit&);
  void check_queue_order(const jobs::UnitKey&, const Job&);
  void check_turn(const jobs::UnitPlaced&, const Job&);
  std::pair<std::int64_t, std::int64_t> shares_of(ProjectId) const;
  void check_promised(const jobs::UnitKey&, PoolId, std::uint32_t node);
  void drop_promise(const jobs::UnitKey&);
  void check_preempted(const jobs::TaskStopping&, const Job&, const Unit&);
  void check_given_up(const jobs::UnitEnded&, const Job&);
  void check_cleared();
  void check_price(const jobs::UnitPlaced&, const Job&);
  std::int64_t hourly_now(const Pool&, const Need&, bool is_spot) const;
  Span charged_time(const jobs::TaskEnded&, const Job&, Unit&);
  bool may_be_dearer(const Job&, const Unit&) const;
  void check_charge(const jobs::TaskEnded&, const Job&, Unit&);
  void check_budget(const Job&, const std::string& who);
  bool budget_is_spent(const Job&) const;
  void check_gang(const Job&);
  bool was_refused(const jobs::UnitKey&, const Job&, const Unit&);
  bool check(bool holds, std::string_view auditor, const std::string& text) {
    return objections_.check(holds, auditor, text);
  }

  Objections& objections_;
  Coverage& coverage_;
  GroundTruth& truth_;
  LeaseBook& leases_;
  MoneyBook& money_;
  MapBook map_;

  std::map<JobId, Job> jobs_;
  std::map<std::pair<jobs::UnitKey, std::uint32_t>, Lost> lost_;
  struct Promised {
    jobs::UnitKey unit;
    std::vector<std::uint32_t> nodes;
    Moment by;
  };
  std::map<PoolId, Promised> promises_;
  std::map<ProjectId, OrganisationId> organisations_;
  Moment hour_;
  std::map<UserId, identity::Role> roles_;
  std::map<std::pair<ProjectId, UserId>, bool> seats_;
  std::map<KeyId, std::pair<UserId, Digest>> keys_;
  std::set<Digest> revoked_;
  std::set<ProjectId> parents_;  // Their projects: allowances come in and rests go out.
  std::map<JoinTokenId, identity::JoinToken> join_tokens_;
  std::map<JoinerId, identity::Joiner> joiners_;
  std::map<MemberId, std::string> members_;
  std::set<SiteId> drained_;
  std::map<domain::RequestKey, Accepted> accepted_;
  std::vector<AttemptKey> launched_;  // Every attempt that a durable record launched.

  // Of the record being looked at.
  std::uint64_t sequence_ = 0;
  Moment at_;
  UserId actor_;  // 0 = the process itself.
  Accepted* accepted_now_ = nullptr;
  bool is_founding_ = false;
  MemberId heartbeat_;   // With which the units are that this record renews; 0 = it renews none.
  std::string unasked_;  // Made by nobody: for a parent that joins, or wrongly.
  std::optional<ledger::Charged> charged_now_;
  std::optional<jobs::UnitKey> dying_now_;  // A member of its gang ended badly.
  PoolId cleared_now_;                      // A place in it, by this record;
  std::uint32_t preempted_now_ = 0;         // and how many tasks had to leave.
  std::set<JobId> spread_now_;  // Gangs that may be spread, and something of them changed.
};

}  // namespace suan::sim
