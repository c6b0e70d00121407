#include "domain/state.h"

#include <algorithm>
#include <utility>

#include "base/ensure.h"
#include "base/planted.h"
#include "domain/terms.h"
#include "energy/course.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

bool may_be_evicted(const jobs::Job& job) {
  if (job.outcome == jobs::Outcome::none) return false;
  if (job.lost_open > 0 && !planted(Bug::lost_job_evicted)) return false;
  return job.guest == nullptr || job.guest->is_let_go || planted(Bug::guest_evicted_before_let_go);
}

Timer timer_of(const UnitKey& key, const jobs::LostAttempt& lost) {
  return {lost.until, Due::lost_attempt, key.job.value, key.unit};
}

Need plus(const Need& a, const Need& b, std::int64_t sign) {
  return {a.card_milli + sign * b.card_milli, a.cpu_milli + sign * b.cpu_milli,
          a.memory_bytes + sign * b.memory_bytes};
}

// All of a pool; nothing of one that is closed.
Need size_of(const Pool& pool) {
  if (pool.state == ServingState::closed) return {};
  const std::int64_t nodes = pool.nodes;
  return {nodes * pool.cards_per_node * 1000, nodes * pool.cpu_milli_per_node,
          nodes * pool.memory_bytes_per_node};
}

Need times(const Need& need, std::int64_t n) {
  return {need.card_milli * n, need.cpu_milli * n, need.memory_bytes * n};
}

}  // namespace

std::optional<Timer> State::first_timer() const {
  if (timers_.empty()) return std::nullopt;
  return timers_.begin()->first;
}

void State::set_unit_timer(const UnitKey& key, Moment at) {
  jobs::Unit* unit = jobs_.edit_unit(key);
  if (unit == nullptr || unit->timer == at) return;
  if (unit->timer != Moment{}) {
    timers_.erase({unit->timer, Due::unit, key.job.value, key.unit});
    if (unit->placement.pool) {
      const MemberId member = catalogue_.pools().at(unit->placement.pool).member;
      if (renewals_.contains({member, unit->timer, key}))
        renewals_.erase({member, unit->timer, key});
    }
  }
  if (at != Moment{}) timers_.insert({at, Due::unit, key.job.value, key.unit}, true);
  unit->timer = at;
}

// Of a unit that runs the timer is when it must be renewed.
void State::index_renewal(const UnitKey& key, const jobs::Unit& unit) {
  const bool is_running = unit.phase == Phase::staging || unit.phase == Phase::running;
  if (!is_running || unit.timer == Moment{}) return;
  renewals_.put({catalogue_.pools().at(unit.placement.pool).member, unit.timer, key}, true);
}

// Counts a reservation on its way (sign 1), or its answer (sign -1).
void State::expect(const UnitKey& key, std::int64_t sign) {
  const jobs::Job* job = jobs_.find(key.job);
  const jobs::Unit& unit = job->units[key.unit];
  const Need all = times(unit.placement.need, sign * job->spec->nodes);
  const PoolId pool = unit.placement.pool;
  Expected* expected = expected_.edit(pool);
  if (expected == nullptr) expected = &expected_.insert(pool, {});
  Need& sum = expected->sum;
  sum = {sum.card_milli + all.card_milli, sum.cpu_milli + all.cpu_milli,
         sum.memory_bytes + all.memory_bytes};
  if (sign > 0) {
    expected->tasks += job->spec->nodes;
  } else {
    expected->tasks -= job->spec->nodes;
  }
  note_stale(pool);
}

// Counts a lease among what its project holds (sign 1), or no longer (sign -1).
void State::hold(const market::Lease& lease, std::int64_t sign) {
  const jobs::Job* job = jobs_.find(lease.holder.job);
  if (job == nullptr) return;
  const Grant& grant = lease.grant;
  const std::int64_t cards = std::int64_t{grant.card_milli} * std::ssize(grant.cards);
  const auto add = [&](auto& table, auto id) {
    Need* held = table.edit(id);
    if (held == nullptr) held = &table.insert(id, {});
    *held = plus(*held, {cards, grant.cpu_milli, grant.memory_bytes}, sign);
    if (*held == Need{}) table.erase(id);
  };
  add(projects_hold_, job->spec->project);
  const auto* project = identity_.projects().find(job->spec->project);
  if (project != nullptr) add(organisations_hold_, project->organisation);
}

// Says when a lease ends, by the terms of the job that holds it.
void State::expect_end(const market::Lease& lease) {
  const jobs::Job* job = jobs_.find(lease.holder.job);
  if (job != nullptr) market_.expect_end(lease, ending_of(*job, lease));
}

void State::expect_end(LeaseId id) {
  const market::Lease* lease = market_.find_lease(id);
  if (lease != nullptr) expect_end(*lease);
}

// Hides the nodes of a pool that are promised from whoever has no claim on them.
void State::keep_promised(PoolId id) {
  const UnitKey* key = jobs_.promises().find(id);
  if (key == nullptr) return;
  const jobs::Job& job = *jobs_.find(key->job);
  const jobs::Promise& promise = job.units[key->unit].promise;
  const std::uint8_t rank = jobs::queue_key(*job.spec, *key).rank;
  market_.keep(catalogue_.pools().at(id), promise.nodes, {key->job, key->unit, rank, promise.by});
  timers_.put({promise.by, Due::promise, key->job.value, key->unit}, true);
  note_stale(id);
}

/// One function for each kind of event: the rooms fold what is theirs, then the indexes that cross
/// rooms follow.
struct Folding {
  State& state;
  Moment at;

  void operator()(const DomainFounded& event) const {
    state.essence_.domain = event.domain;
    set_requests_timer(at + requests_forgotten_every);
  }
  void operator()(const identity::OrganisationCreated& event) const {
    state.identity_.apply(event);
    state.essence_.last.organisation = event.organisation.id.value;
  }
  void operator()(const identity::UserCreated& event) const {
    state.identity_.apply(event);
    state.essence_.last.user = event.user.id.value;
  }
  void operator()(const identity::ProjectCreated& event) const {
    state.identity_.apply(event);
    state.essence_.last.project = event.project.id.value;
  }
  void operator()(const identity::SeatTaken& event) const { state.identity_.apply(event); }
  void operator()(const identity::KeyCreated& event) const {
    state.identity_.apply(event);
    state.essence_.last.key = event.key.id.value;
  }
  void operator()(const identity::KeyRevoked& event) const { state.identity_.apply(event); }
  void operator()(const identity::ParentJoined& event) const {
    state.identity_.apply(event);
    count(state.essence_.last.parent, event.parent.id.value);
  }
  void operator()(const identity::JoinTokenMade& event) const {
    state.identity_.apply(event);
    state.essence_.last.join_token = event.token.id.value;
  }
  void operator()(const identity::JoinAsked& event) const {
    state.identity_.apply(event);
    state.essence_.last.joiner = event.joiner.id.value;
  }
  void operator()(const identity::JoinAnswered& event) const { state.identity_.apply(event); }

  void operator()(const ledger::Deposited& event) const { state.ledger_.apply(event); }
  void operator()(const ledger::Withdrawn& event) const { state.ledger_.apply(event); }
  void operator()(const ledger::Held& event) const {
    state.ledger_.apply(event);
    state.essence_.last.hold = event.hold.value;
  }
  void operator()(const ledger::HoldExtended& event) const { state.ledger_.apply(event); }
  void operator()(const ledger::HoldReturned& event) const { state.ledger_.apply(event); }
  void operator()(const ledger::Charged& event) const { state.ledger_.apply(event); }
  void operator()(const ledger::Allotted& event) const { state.ledger_.apply(event); }

  void operator()(const catalogue::MemberStarted& event) const {
    state.catalogue_.apply(event);
    count(state.essence_.last.member, event.member.id.value);
  }
  void operator()(const catalogue::SiteDescribed& event) const {
    state.catalogue_.apply(event);
    state.supply_.describe(energy::at_hour(event.site, state.essence_.hour));
    count(state.essence_.last.site, event.site.id.value);
  }
  void operator()(const catalogue::PoolOffered& event) const {
    const Pool* known = state.catalogue_.pools().find(event.pool.id);
    const Pool before = known == nullptr ? Pool{} : *known;
    state.catalogue_.apply(event);
    state.capacity_ = plus(plus(state.capacity_, size_of(before), -1), size_of(event.pool), 1);
    if (!has_same_nodes(before, event.pool)) {
      state.market_.resize(before, event.pool);
      state.keep_promised(event.pool.id);
    }
    state.supply_pool(event.pool);
    state.note_stale(event.pool.id);
    count(state.essence_.last.pool, event.pool.id.value);
  }

  void operator()(const catalogue::HourTurned& event) const {
    Moment& hour = state.essence_.hour;
    const Moment before = hour;
    if (hour != Moment{}) state.timers_.erase({hour + hours(1), Due::hour, 0, 0});
    hour = event.hour;
    if (hour != Moment{}) state.timers_.insert({hour + hours(1), Due::hour, 0, 0}, true);
    if (planted(Bug::prices_of_the_first_hour)) return;
    std::vector<Site> sites;
    for (const auto& [id, site] : state.catalogue_.sites()) {
      if (site.carbon_hours.is_given()) sites.push_back(energy::at_hour(site, hour));
    }
    state.supply_.describe(sites);
    for (const auto& [id, pool] : state.catalogue_.pools()) {
      const bool is_changed =
          energy::rate_at(pool.rates, before) != energy::rate_at(pool.rates, hour);
      if (is_changed || before == Moment{}) state.supply_pool(pool);
    }
  }

  void operator()(const market::LeaseGranted& event) const {
    const market::Lease& lease = event.lease;
    state.market_.apply(event, state.catalogue_.pools().at(lease.pool));
    state.hold(lease, 1);
    state.expect_end(lease);
    if (lease.expires != Moment{})
      state.timers_.insert({lease.expires, Due::lease_expiry, lease.id.value, 0}, true);
    state.essence_.last.lease = lease.id.value;
    state.essence_.last.lease_epoch = lease.epoch;
    state.note_stale(lease.pool);
  }
  void operator()(const market::LeaseConfirmed& event) const {
    if (!planted(Bug::expiry_outlives_confirmation))
      drop_lease_timer(*state.market_.find_lease(event.lease));
    state.market_.apply(event);
  }
  void operator()(const market::LeaseReleased& event) const {
    const market::Lease& lease = *state.market_.find_lease(event.lease);
    const Pool& pool = state.catalogue_.pools().at(lease.pool);
    drop_lease_timer(lease);
    state.hold(lease, -1);
    state.market_.apply(event, pool);
    state.note_stale(pool.id);
  }

  void operator()(const jobs::JobSubmitted& event) const {
    state.jobs_.apply(event, at);
    state.essence_.last.job = event.job.value;
    state.essence_.last.payload += event.payloads;
    const bool must_wait = event.spec->not_before > at;
    for (std::uint32_t unit = 0; unit < event.spec->elements; ++unit) {
      if (!jobs::waits_itself(*event.spec, unit)) break;
      state.set_unit_timer({event.job, unit},
                           must_wait ? event.spec->not_before : event.spec->deadline);
    }
    touch(event.job);
    if (planted(Bug::live_job_evicted))
      state.timers_.insert({at + ended_jobs_stay_hot, Due::job_eviction, event.job.value, 0}, true);
  }
  void operator()(const jobs::UnitQueued& event) const {
    state.set_unit_timer(event.unit, {});
    state.jobs_.apply(event);
    state.set_unit_timer(event.unit, state.jobs_.find(event.unit.job)->spec->deadline);
    touch(event.unit.job);
  }
  void operator()(const jobs::UnitPutOff& event) const {
    state.jobs_.apply(event);
    state.set_unit_timer(event.unit, event.put_off.until);
    touch(event.unit.job);
  }
  void operator()(const jobs::UnitPromised& event) const {
    open_promised(event.unit);
    const PoolId pool = event.promise.pool;
    if (const UnitKey* other = pool ? state.jobs_.promises().find(pool) : nullptr)
      open_promised(*other);
    state.jobs_.apply(event);
    if (pool) state.keep_promised(pool);
    touch(event.unit.job);
  }
  void operator()(const jobs::PlaceCleared& event) const {
    state.jobs_.apply(event);
    touch(event.unit.job);
  }
  void operator()(const jobs::UnitPlaced& event) const {
    state.set_unit_timer(event.unit, {});
    state.jobs_.apply(event);
    state.expect(event.unit, 1);
    const jobs::Job& job = *state.jobs_.find(event.unit.job);
    if (job.spec->is_spread() && event.unit.unit == 0)
      state.set_unit_timer(event.unit, at + gang_gathers_for);
    const Pool& pool = state.catalogue_.pools().at(event.placement.pool);
    if (pool.remote) state.hosted_.insert({pool.member, event.unit, event.attempt}, true);
    touch(event.unit.job);
  }
  void operator()(const jobs::UnitGranted& event) const {
    state.expect(event.unit, -1);
    open_promised(event.unit);
    state.jobs_.apply(event);
    touch(event.unit.job);
  }
  void operator()(const jobs::UnitReturned& event) const {
    leave(event.unit);
    state.jobs_.apply(event, at);
    const JobSpec& spec = *state.jobs_.find(event.unit.job)->spec;
    if (jobs::waits_itself(spec, event.unit.unit))
      state.set_unit_timer(event.unit, event.queue_at > at ? event.queue_at : spec.deadline);
    touch(event.unit.job);
  }
  void operator()(const jobs::UnitLaunched& event) const {
    state.jobs_.apply(event, at);
    set_renewal(event.unit, event.run_for, event.paid_until);
    touch(event.unit.job);
  }
  void operator()(const jobs::UnitRenewed& event) const {
    state.jobs_.apply(event);
    set_renewal(event.unit, event.run_for, event.paid_until);
    touch(event.unit.job);
  }
  void operator()(const jobs::TaskStarted& event) const {
    state.jobs_.apply(event, at);
    const jobs::Job& job = *state.jobs_.find(event.key.job);
    const jobs::TaskPlace place = jobs::place_of(*job.spec, event.key.task);
    if (!planted(Bug::start_moves_no_lease_end))
      state.expect_end(job.units[place.unit].tasks[place.index].lease);
    touch(event.key.job);
  }
  void operator()(const jobs::TaskStopping& event) const {
    const jobs::Job& job = *state.jobs_.find(event.key.job);
    if (!planted(Bug::renewed_after_stop))
      state.set_unit_timer({event.key.job, jobs::place_of(*job.spec, event.key.task).unit}, {});
    state.jobs_.apply(event);
    touch(event.key.job);
  }
  void operator()(const jobs::TaskEnded& event) const {
    state.jobs_.apply(event, at);
    // Of a gang that is spread a unit may wait for others to end.
    const jobs::Job& job = *state.jobs_.find(event.key.job);
    if (job.spec->is_spread())
      state.set_unit_timer({event.key.job, jobs::place_of(*job.spec, event.key.task).unit}, {});
    touch(event.key.job);
  }
  void operator()(const jobs::AttemptLost& event) const {
    state.jobs_.apply(event, at);
    state.set_unit_timer(event.unit, {});
    state.timers_.insert(timer_of(event.unit, event.lost), true);
    touch(event.unit.job);
  }
  void operator()(const jobs::LostTaskTold& event) const {
    state.jobs_.apply(event);
    touch(event.key.job);
  }
  void operator()(const jobs::LostAttemptClosed& event) const {
    const jobs::Unit& unit = state.jobs_.find(event.unit.job)->units[event.unit.unit];
    for (const jobs::LostAttempt& lost : unit.lost) {
      if (lost.attempt == event.attempt) state.timers_.erase(timer_of(event.unit, lost));
    }
    // Of a gang that is spread it may be part of the present attempt, which others have not ended.
    const bool is_left =
        unit.attempt != event.attempt || unit.phase == Phase::waiting || unit.phase == Phase::ended;
    if (is_left)
      state.hosted_.erase(
          {state.catalogue_.pools().at(event.pool).member, event.unit, event.attempt});
    state.jobs_.apply(event);
    note_eviction(event.unit.job);
    touch(event.unit.job);
  }
  void operator()(const jobs::UnitEnded& event) const {
    leave(event.unit);
    state.jobs_.apply(event);
    touch(event.unit.job);
  }
  void operator()(const jobs::JobStopping& event) const {
    state.jobs_.apply(event);
    touch(event.job);
  }
  void operator()(const jobs::JobEnded& event) const {
    state.jobs_.apply(event, at);
    note_eviction(event.job);
    touch(event.job);
  }
  void operator()(const jobs::GuestCommitted& event) const {
    state.jobs_.apply(event);
    state.essence_.last.payload += event.payloads;
    for (const jobs::Task& task : state.jobs_.find(event.job)->units.front().tasks)
      state.expect_end(task.lease);  // How long it may run is known only now.
    touch(event.job);
  }
  void operator()(const jobs::GuestKept& event) const {
    state.jobs_.apply(event);
    touch(event.job);
  }
  void operator()(const jobs::GuestRefused& event) const {
    state.jobs_.apply(event);
    touch(event.job);
  }
  void operator()(const jobs::GuestLetGo& event) const {
    state.jobs_.apply(event);
    note_eviction(event.job);
    touch(event.job);
  }
  void operator()(const jobs::JobEvicted& event) const {
    const Moment ended = state.jobs_.find(event.job)->ended;
    state.timers_.erase({ended + ended_jobs_stay_hot, Due::job_eviction, event.job.value, 0});
    state.jobs_.apply(event);
    if (event.payloads > 0) state.doomed_.insert(event.first_payload, event.payloads);
  }
  void operator()(const PayloadsDestroyed& event) const { state.doomed_.erase(event.first); }

  void operator()(const RequestAccepted& event) const {
    if (planted(Bug::answer_not_remembered)) return;
    state.requests_.insert(event.key, {event.id, state.essence_.sequence, event.body});
  }
  void operator()(const RequestsForgotten& event) const {
    while (!state.requests_.empty()) {
      const RequestKey key = state.requests_.begin()->first;
      const Span too_early = planted(Bug::requests_forgotten_early) ? requests_remembered : Span{};
      if (key.request.unix_ms() * 1000 >= (event.before + too_early).us) break;
      state.requests_.erase(key);
    }
    state.essence_.requests_forgotten = event.before;
    set_requests_timer(at + requests_forgotten_every);
  }

 private:
  static void count(std::uint64_t& last, std::uint64_t issued) { last = std::max(last, issued); }

  static bool has_same_nodes(const Pool& a, const Pool& b) {
    return a.id == b.id && a.nodes == b.nodes && a.cards_per_node == b.cards_per_node &&
           a.cpu_milli_per_node == b.cpu_milli_per_node &&
           a.memory_bytes_per_node == b.memory_bytes_per_node;
  }

  void touch(JobId job) const {
    if (job == state.touched_job_) return;
    if (state.touched_job_) state.jobs_.touch(state.touched_job_, state.essence_.sequence);
    state.touched_job_ = job;
  }

  // An ended job leaves hot state after a while, a guest not before its home has let go of it.
  void note_eviction(JobId id) const {
    const jobs::Job& job = *state.jobs_.find(id);
    if (may_be_evicted(job))
      state.timers_.insert({job.ended + ended_jobs_stay_hot, Due::job_eviction, id.value, 0}, true);
  }

  // What is kept for a unit is open to all again, as far as the nodes are concerned.
  void open_promised(const UnitKey& key) const {
    const jobs::Promise& promise = state.jobs_.find(key.job)->units[key.unit].promise;
    if (!promise.pool) return;
    state.market_.open(state.catalogue_.pools().at(promise.pool), promise.nodes);
    const Timer timer{promise.by, Due::promise, key.job.value, key.unit};
    if (state.timers_.contains(timer)) state.timers_.erase(timer);
    state.note_stale(promise.pool);
  }

  // A unit leaves whatever it was doing.
  void leave(const UnitKey& key) const {
    state.set_unit_timer(key, {});
    open_promised(key);
    const jobs::Unit& unit = state.jobs_.find(key.job)->units[key.unit];
    if (unit.phase == Phase::reserving) state.expect(key, -1);
    if (unit.phase == Phase::waiting || jobs::is_lost(unit)) return;
    const Pool& pool = state.catalogue_.pools().at(unit.placement.pool);
    if (pool.remote) state.hosted_.erase({pool.member, key, unit.attempt});
  }

  // The next moment at which the member must hear that the unit may go on.
  void set_renewal(const UnitKey& key, Span run_for, Moment paid_until) const {
    const jobs::Job& job = *state.jobs_.find(key.job);
    Moment next;
    if (paid_until != Moment{}) next = hold_renewal(paid_until, job.spec->grace);
    if (job.spec->partition.replace) {
      const Moment heartbeat = at + run_for / 3;
      if (next == Moment{} || heartbeat < next) next = heartbeat;
    }
    state.set_unit_timer(key, next);
    state.index_renewal(key, job.units[key.unit]);
  }

  void drop_lease_timer(const market::Lease& lease) const {
    if (lease.state == market::LeaseState::tentative && lease.expires != Moment{})
      state.timers_.erase({lease.expires, Due::lease_expiry, lease.id.value, 0});
  }

  void set_requests_timer(Moment next) const {
    Moment& timer = state.essence_.requests_timer;
    if (timer != Moment{}) state.timers_.erase({timer, Due::requests, 0, 0});
    timer = next;
    state.timers_.insert({next, Due::requests, 0, 0}, true);
  }
};

void State::fold(const Events& events, Moment at) {
  ensure(at >= essence_.now);
  essence_.now = at;
  ++essence_.sequence;
  for (const Event& event : events) std::visit(Folding{*this, at}, event);
  if (touched_job_) jobs_.touch(std::exchange(touched_job_, {}), essence_.sequence);
  jobs_.settle();
}

void State::index_hosted(const UnitKey& key, const jobs::Unit& unit) {
  for (const jobs::LostAttempt& lost : unit.lost) {
    timers_.insert(timer_of(key, lost), true);
    hosted_.insert({catalogue_.pools().at(lost.pool).member, key, lost.attempt}, true);
  }
  if (unit.phase == Phase::waiting || unit.phase == Phase::ended || jobs::is_lost(unit)) return;
  const Pool& pool = catalogue_.pools().at(unit.placement.pool);
  if (pool.remote) hosted_.insert({pool.member, key, unit.attempt}, true);
}

void State::reindex() {
  identity_.reindex();
  catalogue_.reindex();
  market_.reindex(catalogue_.pools());
  jobs_.reindex();
  supply_.clear();  // What was seen of links stays.
  timers_ = {};
  hosted_ = {};
  renewals_ = {};
  expected_ = {};
  capacity_ = {};
  projects_hold_ = {};
  organisations_hold_ = {};
  for (const auto& [id, pool] : catalogue_.pools()) {
    capacity_ = plus(capacity_, size_of(pool), 1);
    supply_pool(pool);
    note_stale(id);
  }
  for (const auto& [id, lease] : market_.leases()) {
    hold(lease, 1);
    expect_end(lease);
    if (lease.state == market::LeaseState::tentative && lease.expires != Moment{})
      timers_.insert({lease.expires, Due::lease_expiry, id.value, 0}, true);
  }
  for (const auto& [id, job] : jobs_.all()) {
    if (may_be_evicted(job))
      timers_.insert({job.ended + ended_jobs_stay_hot, Due::job_eviction, id.value, 0}, true);
    for (std::uint32_t unit = 0; unit < job.units.size(); ++unit) {
      if (job.units[unit].timer != Moment{} && !planted(Bug::timers_not_rebuilt))
        timers_.insert({job.units[unit].timer, Due::unit, id.value, unit}, true);
      if (job.units[unit].phase == Phase::reserving && !planted(Bug::reservations_not_rebuilt))
        expect({id, unit}, 1);
      index_hosted({id, unit}, job.units[unit]);
      if (!planted(Bug::renewals_not_rebuilt)) index_renewal({id, unit}, job.units[unit]);
    }
  }
  for (const auto& [id, unit] : jobs_.promises()) {
    if (!planted(Bug::promises_not_rebuilt)) keep_promised(id);
  }
  if (essence_.hour != Moment{}) timers_.insert({essence_.hour + hours(1), Due::hour, 0, 0}, true);
  if (!essence_.domain.empty())
    timers_.insert({essence_.requests_timer, Due::requests, 0, 0}, true);
  refresh();
}

}  // namespace suan::domain
