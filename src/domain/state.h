#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ensure.h"
#include "base/table.h"
#include "catalogue/catalogue.h"
#include "domain/events.h"
#include "identity/identity.h"
#include "jobs/jobs.h"
#include "ledger/ledger.h"
#include "market/market.h"
#include "model/reading.h"
#include "placement/supply.h"

/// The truth of a domain, and what follows from it.
namespace suan::domain {

constexpr Span requests_remembered = hours(7 * 24);
constexpr Span clock_ahead_max = minutes(10);  // Of a client's clock, in a request id.
constexpr Span tentative_lease_lasts = seconds(30);
constexpr Span gang_gathers_for = seconds(60);  // Until all members of a gang keep their parts;
constexpr Span gang_returns_for = seconds(10);  // else it is placed anew after this.
constexpr Span ended_jobs_stay_hot = hours(1);
constexpr Span rolling_hold = hours(1);
constexpr Span rolling_margin = minutes(10);  // A rolling hold is renewed this long before it ends.
constexpr Span lost_after_default = minutes(10);
constexpr Span lost_after_min = seconds(10);
constexpr Span late_usage_awaited = hours(7 * 24);  // Of an attempt that was given up.
constexpr Span grace_max = minutes(30);
constexpr Span retry_pause_min = seconds(10);   // Before the second attempt, then twice as long,
constexpr Span retry_pause_max = minutes(10);   // up to this.
constexpr Span refused_pause_min = seconds(2);  // Before a unit that a member refused is placed
constexpr Span refused_pause_max = minutes(1);  // anew; twice as long after each refusal in a row.
constexpr Span budget_time_min = minutes(1);    // A budget must pay for at least this.
constexpr Span requests_forgotten_every = hours(1);

/// When the hold of a rolling unit is next renewed: early enough that the member, which must leave
/// itself the grace, hears of it before it begins to stop.
constexpr Moment hold_renewal(Moment paid_until, Span grace) {
  return paid_until - rolling_margin - grace;
}

/// What a timer is about.
enum class Due : std::uint8_t {
  lease_expiry,
  unit,
  job_eviction,
  requests,
  lost_attempt,
  promise,
  hour
};

/// Timers are derived from what they are about, so they need no events of their own.
struct Timer {
  Moment at;
  Due due = Due::unit;
  std::uint64_t id = 0;  // A LeaseId or a JobId.
  std::uint32_t unit = 0;

  friend constexpr auto operator<=>(const Timer&, const Timer&) = default;
};

/// An attempt that is with a sub-domain, or was when it was given up, and of which all is not told.
struct HostedKey {
  MemberId member;
  jobs::UnitKey unit;
  std::uint32_t attempt = 0;

  friend constexpr auto operator<=>(const HostedKey&, const HostedKey&) = default;
};

/// A unit that runs, and when its member must hear again that it may.
struct RenewalKey {
  MemberId member;
  Moment at;
  jobs::UnitKey unit;

  friend constexpr auto operator<=>(const RenewalKey&, const RenewalKey&) = default;
};

/// Numbers last issued.
struct Counters {
  std::uint64_t organisation = 0;
  std::uint64_t user = 0;
  std::uint64_t project = 0;
  std::uint64_t key = 0;
  std::uint64_t member = 0;
  std::uint64_t site = 0;
  std::uint64_t pool = 0;
  std::uint64_t hold = 0;
  std::uint64_t lease = 0;
  std::uint64_t lease_epoch = 0;
  std::uint64_t job = 0;
  std::uint64_t payload = 0;
  std::uint64_t parent = 0;
  std::uint64_t join_token = 0;
  std::uint64_t joiner = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "organisation", self.organisation);
    visit(2, "user", self.user);
    visit(3, "project", self.project);
    visit(4, "key", self.key);
    visit(5, "member", self.member);
    visit(6, "site", self.site);
    visit(7, "pool", self.pool);
    visit(8, "hold", self.hold);
    visit(9, "lease", self.lease);
    visit(10, "lease_epoch", self.lease_epoch);
    visit(11, "job", self.job);
    visit(12, "payload", self.payload);
    visit(13, "parent", self.parent);
    visit(14, "join_token", self.join_token);
    visit(15, "joiner", self.joiner);
  }
};

/// The small facts of a State, beside its tables.
struct Essence {
  std::string domain;          // Its name; "" = not founded yet.
  std::uint64_t sequence = 0;  // Of the last record applied.
  Moment now;                  // Of that record.
  Moment requests_forgotten;   // Requests made before this are refused as too old.
  Counters last;
  Moment requests_timer;  // When requests are next forgotten.
  Moment hour;            // Whose prices and carbon count now; 0 = nothing here goes by the hour.

  static void fields(auto&& visit, auto& self) {
    visit(1, "domain", self.domain);
    visit(2, "sequence", self.sequence);
    visit(3, "now", self.now);
    visit(4, "requests_forgotten", self.requests_forgotten);
    visit(5, "last", self.last);
    visit(6, "requests_timer", self.requests_timer);
    visit(7, "hour", self.hour);
  }
};

/// What was last seen of a pool, beside what was granted on it.
struct Sight {
  Moment at;
  std::uint32_t queued = 0;  // Work of others that waits for it.
  bool is_away = false;      // As in PoolReading.
};

/// A fold over the journal, and beside it what was seen of the world lately (`observe`) and learnt
/// from what was granted (`learn`): that informs supply() and where grants go, is no part of
/// snapshots and hashes, and no event is folded by it. Copying it is a fork: it costs O(n / 64) and
/// shares what neither side writes. One thread owns a State; it holds no lock, reads no clock and
/// does no I/O.
class State {
 public:
  const Essence& essence() const { return essence_; }
  const identity::Identity& identity() const { return identity_; }
  const ledger::Ledger& ledger() const { return ledger_; }
  const catalogue::Catalogue& catalogue() const { return catalogue_; }
  const market::Market& market() const { return market_; }
  const jobs::Jobs& jobs() const { return jobs_; }

  /// The pools as placement sees them, with what is free now. Not between fold() and refresh().
  const placement::Supply& supply() const {
    ensure(stale_pools_.empty());
    return supply_;
  }

  /// The answer given to a request before; absent if it is new or forgotten.
  const Answer* find_answer(const RequestKey& key) const { return requests_.find(key); }
  std::size_t requests() const { return requests_.size(); }

  const Table<Timer, bool>& timers() const { return timers_; }

  /// All that sub-domains have to answer for.
  const Table<HostedKey, bool>& hosted() const { return hosted_; }

  /// All units that run until they are renewed, by member and by when that is due.
  const Table<RenewalKey, bool>& renewals() const { return renewals_; }

  /// Payloads of evicted jobs that nobody has said to be destroyed: the first of each job and how
  /// many.
  const Table<PayloadId, std::uint32_t>& doomed_payloads() const { return doomed_; }

  /// The earliest timer; absent when nothing will ever be due.
  std::optional<Timer> first_timer() const;

  /// Folds all events of one record, which happened at `at`, no earlier than the record before.
  /// Aborts on events that contradict the state: then the journal or this code is wrong.
  void apply(const Events& events, Moment at) {
    fold(events, at);
    refresh();
  }

  /// apply() in two steps, for many records one after another: a pool that several of them change
  /// is looked at once, when somebody needs supply().
  void fold(const Events&, Moment at);
  void refresh();

  /// Takes a reading of a pool of this domain; the newest wins. Not between fold() and refresh().
  void observe(PoolId, const PoolReading&, Moment at);

  /// Takes what was granted by events that were folded, to pack the nodes for what comes; and once,
  /// before the first, what is granted now. Whoever decides calls it; nobody has to.
  void learn(const Events&);
  void learn_all();

  /// Takes what a round trip between two sites was measured to take; the newest wins. Sites that
  /// are not there, and a round trip of no time, say nothing.
  void observe_link(SiteId from, SiteId to, const Rtt&);

  /// When a pool was last seen; absent if it is only known by what was granted on it.
  const Sight* sight_of(PoolId id) const { return sights_.find(id); }

  /// All cards, cores and memory of the pools that are not closed; and what somebody has leased.
  const Need& capacity() const { return capacity_; }
  Need held_by(ProjectId id) const { return held_in(projects_hold_, id); }
  Need held_by(OrganisationId id) const { return held_in(organisations_hold_, id); }

  /// How many tasks have been reserved in a pool and not granted yet.
  std::uint32_t expected_in(PoolId id) const {
    const Expected* expected = expected_.find(id);
    return expected == nullptr ? 0 : expected->tasks;
  }

  /// The tables that are the truth, for snapshots and hashes. `reindex` makes the rest from them.
  static void tables(auto&& visit, auto& self) {
    visit(1, self.identity_);
    visit(2, self.ledger_);
    visit(3, self.catalogue_);
    visit(4, self.market_);
    visit(5, self.jobs_);
  }
  static void loose(auto&& visit, auto& self) {
    visit(1, self.essence_);
    visit(2, self.requests_);
    visit(3, self.doomed_);
  }
  void reindex();

 private:
  friend struct Folding;

  void refresh_free(PoolId);
  void supply_pool(const Pool&);
  void note_stale(PoolId pool) {
    if (stale_pools_.empty() || stale_pools_.back() != pool) stale_pools_.push_back(pool);
  }
  void set_unit_timer(const jobs::UnitKey&, Moment at);  // Moment{}: none.
  void index_renewal(const jobs::UnitKey&, const jobs::Unit&);
  void expect(const jobs::UnitKey&, std::int64_t sign);
  void index_hosted(const jobs::UnitKey&, const jobs::Unit&);
  void keep_promised(PoolId);
  void hold(const market::Lease&, std::int64_t sign);
  void expect_end(const market::Lease&);
  void expect_end(LeaseId);
  template <class Id>
  static Need held_in(const Table<Id, Need>& table, Id id) {
    const Need* held = table.find(id);
    return held == nullptr ? Need{} : *held;
  }

  Essence essence_;
  identity::Identity identity_;
  ledger::Ledger ledger_;
  catalogue::Catalogue catalogue_;
  market::Market market_;
  jobs::Jobs jobs_;
  Table<RequestKey, Answer> requests_;
  Table<PayloadId, std::uint32_t> doomed_;

  placement::Supply supply_;
  Table<Timer, bool> timers_;
  Table<HostedKey, bool> hosted_;
  Table<RenewalKey, bool> renewals_;
  Table<PoolId, Sight> sights_;

  // Reserved but not granted yet: not to be promised again.
  struct Expected {
    Need sum;
    std::uint32_t tasks = 0;
  };
  Table<PoolId, Expected> expected_;

  Need capacity_;
  Table<ProjectId, Need> projects_hold_;
  Table<OrganisationId, Need> organisations_hold_;

  // Of the record being applied: what is brought up to date once, at its end.
  std::vector<PoolId> stale_pools_;
  JobId touched_job_;
};

/// Exact answers about nodes for placement, from the leases of this domain.
class ExactNodes : public placement::NodeView {
 public:
  explicit ExactNodes(const State& state) : state_(state) {}
  std::uint32_t nodes_fitting(PoolId, const Need&, std::uint32_t limit) const override;

 private:
  const State& state_;
};

}  // namespace suan::domain
