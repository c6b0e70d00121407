#include <algorithm>

#include "sim/books.h"

namespace suan::sim {

using identity::Role;
using jobs::Phase;
using jobs::UnitKey;

namespace {

bool is_launched(Phase phase) {
  return phase == Phase::staging || phase == Phase::running || phase == Phase::stopping;
}

AttemptKey attempt_of(const UnitKey& key, const JobSpec& spec, std::uint32_t index,
                      std::uint32_t attempt) {
  return {key.job, key.unit * spec.nodes + index, attempt};
}

}  // namespace

LifeBook::Job* LifeBook::job(JobId id) {
  const auto found = jobs_.find(id);
  check(found != jobs_.end(), "lives", "an event about no live job " + std::to_string(id.value));
  return found == jobs_.end() ? nullptr : &found->second;
}

LifeBook::Unit* LifeBook::unit(const UnitKey& key) {
  Job* own = job(key.job);
  if (own == nullptr || !check(key.unit < own->units.size(), "lives", "there is no such unit"))
    return nullptr;
  return &own->units[key.unit];
}

void LifeBook::see(const domain::Event& event, std::uint64_t sequence, Moment at) {
  if (sequence != sequence_) {
    actor_ = {};
    accepted_now_ = nullptr;
    is_founding_ = false;
    heartbeat_ = {};
  }
  sequence_ = sequence;
  at_ = at;
  std::visit([&](const auto& each) { seen(each); }, event);
}

void LifeBook::close() {
  check(!charged_now_, "charge", "an attempt is charged that does not end");
  charged_now_.reset();
  check_cleared();
  check(unasked_.empty(), "rights", "nobody asked for this " + unasked_);
  unasked_.clear();
  for (const ProjectId project : parents_)
    check(money_.balance(ledger::project_account(project)) == 0, "allowance",
          "what a parent sent and nobody holds stays here");
  for (const JobId id : spread_now_) {
    if (const auto at = jobs_.find(id); at != jobs_.end()) check_gang(at->second);
  }
  spread_now_.clear();
  if (!dying_now_) return;
  const Unit* dying = unit(*dying_now_);
  dying_now_.reset();
  if (dying == nullptr || dying->phase == Phase::waiting || dying->phase == Phase::ended) return;
  coverage_.hit(Branch::gang_died_together);
  for (const Phase phase : dying->tasks)
    check(phase == Phase::stopping || phase == Phase::ended, "gang",
          "a gang goes on without one of its members");
}

const Accepted* LifeBook::find_accepted(const domain::RequestKey& key) const {
  const auto found = accepted_.find(key);
  return found == accepted_.end() ? nullptr : &found->second;
}

// Requests and rights.

void LifeBook::seen(const domain::RequestAccepted& event) {
  actor_ = event.key.user;
  const auto [at, is_new] =
      accepted_.insert({event.key, {event.body, event.id, sequence_, {}, std::nullopt}});
  check(is_new, "request done twice", "the request that made " + at->second.id + " is done again");
  accepted_now_ = &at->second;
}

void LifeBook::needs_actor(std::string_view what) {
  check(actor_ != UserId{} || is_founding_, "rights", "nobody asked for this " + std::string(what));
}

void LifeBook::needs_operator(std::string_view what) {
  needs_actor(what);
  if (actor_ != UserId{})
    check(roles_[actor_] == Role::operator_, "rights",
          "no operator made this " + std::string(what));
}

void LifeBook::needs_operator_or_joining(std::string_view what) {
  if (actor_ == UserId{} && !is_founding_)
    unasked_ = what;
  else
    needs_operator(what);
}

void LifeBook::needs_seat(ProjectId project) {
  needs_actor("job");
  const Role role = roles_[actor_];
  check(role == Role::operator_ || (role != Role::auditor && seats_.contains({project, actor_})),
        "rights",
        "user-" + std::to_string(actor_.value) + " has no seat in project-" +
            std::to_string(project.value));
}

void LifeBook::seen(const identity::UserCreated& event) {
  needs_operator_or_joining("user");
  roles_[event.user.id] = event.user.role;
}

void LifeBook::seen(const identity::SeatTaken& event) {
  needs_operator_or_joining("seat");
  seats_[{event.seat.project, event.seat.user}] = true;
}

void LifeBook::seen(const identity::KeyCreated& event) {
  needs_operator("key");
  keys_[event.key.id] = {event.key.user, event.key.secret_hash};
}

void LifeBook::seen(const identity::KeyRevoked& event) {
  needs_actor("revocation");
  const auto& [owner, secret] = keys_[event.key];
  check(actor_ == owner || roles_[actor_] == Role::operator_, "rights", "a foreign key is revoked");
  revoked_.insert(secret);
}

void LifeBook::seen(const ledger::Deposited& event) {
  if (!parents_.contains(event.project)) needs_operator("deposit");
  money_.see(event);
}

// Lives.

void LifeBook::seen(const ledger::Withdrawn& event) {
  check(parents_.contains(event.project), "money", "money leaves that no parent sent");
  money_.see(event);
}

void LifeBook::seen(const jobs::GuestCommitted& event) {
  Job* own = job(event.job);
  if (own == nullptr) return;
  check(own->is_guest && !own->is_let_go, "guest", "committed out of turn");
  auto spec = std::make_shared<JobSpec>(*own->spec);
  spec->max_duration = event.max_duration;
  own->spec = std::move(spec);
}

void LifeBook::seen(const jobs::GuestRefused& event) {
  Job* own = job(event.job);
  if (own == nullptr) return;
  check(own->is_guest && !own->is_ended, "guest", "refused out of turn");
  own->is_refused = true;
  coverage_.hit(Between::unit_refused);
}

void LifeBook::seen(const jobs::GuestLetGo& event) {
  Job* own = job(event.job);
  if (own == nullptr) return;
  check(own->is_guest && !own->is_let_go, "guest", "let go out of turn");
  own->is_let_go = true;
  coverage_.hit(Between::let_go);
}

void LifeBook::seen(const jobs::JobSubmitted& event) {
  if (event.guest == nullptr) needs_seat(event.spec->project);
  Job made;
  made.is_guest = event.guest != nullptr;
  if (made.is_guest)
    coverage_.hit(event.spec->nodes > 1 ? Between::gang_hosted : Between::unit_hosted);
  made.spec = event.spec;
  made.user = event.user;
  made.hold = event.hold;
  made.submitted = at_;
  made.demand = jobs::demand_fingerprint(*event.spec);
  made.units.resize(event.spec->elements);
  for (Unit& each : made.units) {
    each.tasks.resize(event.spec->nodes);
    const bool is_first = &each == &made.units.front();
    each.is_queued = event.spec->not_before <= at_ && (is_first || !event.spec->is_spread());
  }
  check(jobs_.insert({event.job, std::move(made)}).second, "lives", "a job is submitted twice");
  if (accepted_now_ != nullptr) {
    accepted_now_->job = event.job;
    check(accepted_now_->id == "job-" + std::to_string(event.job.value), "answer",
          "the answer names another job");
  }
}

void LifeBook::seen(const jobs::UnitQueued& event) {
  Unit* own = unit(event.unit);
  if (own == nullptr) return;
  check(own->phase == Phase::waiting && !own->is_queued, "lives", "queued out of turn");
  check(jobs_.at(event.unit.job).spec->not_before <= at_ && own->queue_at <= at_ &&
            own->put_off <= at_,
        "not_before", "queued too early");
  coverage_.hit(own->put_off == Moment{} ? Branch::waited_for_not_before
                                         : Branch::started_at_better_hour);
  own->is_queued = true;
}

void LifeBook::seen(const jobs::UnitPlaced& event) {
  Job* own = job(event.unit.job);
  Unit* placed = unit(event.unit);
  if (placed == nullptr) return;
  const std::string who = print_key(event.unit);
  check(placed->phase == Phase::waiting, "lives", who + " is placed and does not wait");
  check(!own->is_stopping, "lives", who + " is placed and its job was stopped");
  check(event.attempt == placed->attempt + 1, "attempts", who + " skips an attempt");
  check(own->spec->not_before <= at_ && placed->queue_at <= at_ && placed->put_off <= at_,
        "not_before", who + " is placed too early");
  check_queue_order(event.unit, *own);
  check_turn(event, *own);
  check_price(event, *own);
  if (accepted_now_ == nullptr && placed->attempt == 0 && !own->is_guest)
    coverage_.hit(Branch::waited_in_queue);
  const Pool* place = leases_.pool(event.placement.pool);
  if (own->is_guest && place != nullptr && place->remote)
    coverage_.hit(Between::unit_hosted_through);
  if (placed->attempt > 0) coverage_.hit(Branch::retried_elsewhere);
  placed->phase = Phase::reserving;
  placed->is_queued = false;
  placed->cleared_by = {};
  placed->attempt = event.attempt;
  placed->placement = event.placement;
  placed->allowance = event.placement.allowance.micro;
  placed->has_died = false;
  if (own->spec->is_spread()) spread_now_.insert(event.unit.job);
  placed->started.assign(placed->tasks.size(), Moment{});
  std::ranges::fill(placed->tasks, Phase::reserving);
  if (accepted_now_ != nullptr && event.unit.unit == 0) accepted_now_->placed = event.placement;
  if (accepted_now_ != nullptr && event.unit.unit == 0 && place != nullptr)
    accepted_now_->placed_hourly =
        Money{hourly_now(*place, event.placement.need, own->spec->is_spot)};
}

void LifeBook::seen(const jobs::UnitGranted& event) {
  Unit* own = unit(event.unit);
  if (own == nullptr) return;
  const JobSpec& spec = *jobs_.at(event.unit.job).spec;
  check(own->phase == Phase::reserving && event.leases.size() == spec.nodes, "gang",
        print_key(event.unit) + " is granted out of turn, or not as a whole");
  std::set<std::uint32_t> nodes;
  for (std::uint32_t i = 0; i < event.leases.size(); ++i) {
    const LeaseBook::Kept* kept = leases_.find(event.leases[i]);
    if (!check(kept != nullptr, "lease", "granted with a lease that is not there")) return;
    const market::Lease& lease = kept->lease;
    const std::int64_t cards =
        std::int64_t{lease.grant.card_milli} * static_cast<std::int64_t>(lease.grant.cards.size());
    const Need& need = own->placement.need;
    check(lease.holder == attempt_of(event.unit, spec, i, own->attempt) &&
              lease.pool == own->placement.pool && cards == need.card_milli &&
              lease.grant.cpu_milli == need.cpu_milli &&
              lease.grant.memory_bytes == need.memory_bytes,
          "lease", print_key(event.unit) + " is granted something else than it was placed for");
    check(nodes.insert(lease.grant.node).second, "gang", "two members of a gang on one node");
    check_promised(event.unit, lease.pool, lease.grant.node);
  }
  own->leases = event.leases;
  own->phase = Phase::confirming;
}

// Whether a unit that was launched at a sub-domain has been refused there: then none of it ran, and
// none of it will.
bool LifeBook::was_refused(const UnitKey& key, const Job& its, const Unit& own) {
  const Pool* pool = leases_.pool(own.placement.pool);
  if (pool == nullptr || !pool->remote) return false;
  for (std::uint32_t i = 0; i < own.tasks.size(); ++i) {
    const AttemptKey attempt = attempt_of(key, *its.spec, i, own.attempt);
    if (truth_.is_running(attempt) || truth_.end_of(attempt) != nullptr) return false;
  }
  for (std::uint32_t i = 0; i < own.tasks.size(); ++i) {
    const AttemptKey attempt = attempt_of(key, *its.spec, i, own.attempt);
    truth_.forbid(attempt);
    std::erase(launched_, attempt);
  }
  coverage_.hit(Between::refused_after_commit);
  return true;
}

void LifeBook::seen(const jobs::UnitReturned& event) {
  Job* own = job(event.unit.job);
  Unit* returned = unit(event.unit);
  if (returned == nullptr) return;
  const std::string who = print_key(event.unit);
  check(!own->is_stopping, "lives", who + " is tried again and its job was stopped");
  const bool is_refused = event.setback == jobs::Setback::refused && is_launched(returned->phase) &&
                          was_refused(event.unit, *own, *returned);
  if (event.setback == jobs::Setback::unanswered) coverage_.hit(Between::taken_back);
  if (event.setback == jobs::Setback::preempted) coverage_.hit(Branch::spot_preempted);
  if (is_launched(returned->phase) && !is_refused) {
    for (const Phase phase : returned->tasks)
      check(phase == Phase::ended, "gang", who + " is tried again while part of it runs");
  } else if (!is_refused) {
    check(returned->phase == Phase::reserving || returned->phase == Phase::confirming, "lives",
          who + " is returned to the queue from nowhere");
  }
  for (const LeaseId lease : returned->leases)
    check(leases_.find(lease) == nullptr, "lease kept", who + " returns and keeps a lease");
  if (own->spec->is_spread()) {
    coverage_.hit(Branch::gang_returned_whole);
    spread_now_.insert(event.unit.job);
  }
  returned->leases.clear();
  drop_promise(event.unit);
  returned->phase = Phase::waiting;
  returned->is_queued = event.queue_at <= at_ && (event.unit.unit == 0 || !own->spec->is_spread());
  returned->queue_at = event.queue_at;
  returned->allowance = 0;
  returned->paid_until = {};
}

void LifeBook::seen(const jobs::UnitLaunched& event) {
  Job* own = job(event.unit.job);
  Unit* launched = unit(event.unit);
  if (launched == nullptr) return;
  check(launched->phase == Phase::confirming, "lives", "launched out of turn");
  for (const LeaseId lease : launched->leases) {
    const LeaseBook::Kept* kept = leases_.find(lease);
    check(kept != nullptr && kept->is_confirmed, "gang",
          print_key(event.unit) + " is launched before all its leases are confirmed");
  }
  if (own->spec->is_spread()) spread_now_.insert(event.unit.job);
  if (own->spec->nodes > 1) coverage_.hit(Branch::gang_launched);
  if (own->spec->elements > 1) coverage_.hit(Branch::array_launched);
  if (own->spec->kind == JobKind::service) coverage_.hit(Branch::service_launched);
  launched->phase = Phase::staging;
  launched->paid_until = event.paid_until;
  launched->launched = launched->renewed = at_;
  launched->run_for = event.run_for;
  for (std::uint32_t i = 0; i < launched->tasks.size(); ++i) {
    launched->tasks[i] = Phase::staging;
    launched_.push_back(attempt_of(event.unit, *own->spec, i, launched->attempt));
    truth_.allow(launched_.back());
  }
}

// All that one heartbeat renews is with one member. Nothing is renewed twice as often as it must
// be, or paid long before it is due.
void LifeBook::check_heartbeat(const jobs::UnitRenewed& event, const Unit& own) {
  const Pool* pool = leases_.pool(own.placement.pool);
  const MemberId member = pool == nullptr ? MemberId{} : pool->member;
  check(!heartbeat_ || heartbeat_ == member, "renewal",
        "one heartbeat renews units of two members");
  if (heartbeat_) coverage_.hit(Branch::heartbeat_shared);
  heartbeat_ = member;
  if (event.paid_until == own.paid_until)
    check((at_ - own.renewed + Span{1}) * 6 >= own.run_for, "renewal",  // Thirds are rounded.
          print_key(event.unit) + " is renewed long before it must be");
  else
    check(own.paid_until - at_ <= minutes(30) + jobs_.at(event.unit.job).spec->grace, "renewal",
          print_key(event.unit) + " is paid long before it must be");
}

void LifeBook::seen(const jobs::UnitRenewed& event) {
  Unit* own = unit(event.unit);
  if (own == nullptr) return;
  check(own->phase == Phase::staging || own->phase == Phase::running, "renewal",
        print_key(event.unit) + " is renewed and does not run");
  check(event.paid_until >= own->paid_until, "renewal", "paid for less than before");
  if (jobs_.at(event.unit.job).is_guest) {
    if (event.allowance > Money{}) coverage_.hit(Between::allowance_renewed);
  } else {
    coverage_.hit(event.paid_until == own->paid_until ? Branch::heartbeat_sent
                                                      : Branch::hold_renewed);
    check_heartbeat(event, *own);
  }
  own->renewed = at_;
  own->run_for = event.run_for;
  own->paid_until = event.paid_until;
  own->allowance += event.allowance.micro;
}

void LifeBook::seen(const jobs::TaskStarted& event) {
  Job* own = job(event.key.job);
  if (own == nullptr) return;
  Unit* started = unit({event.key.job, event.key.task / own->spec->nodes});
  if (started == nullptr) return;
  Phase& phase = started->tasks[event.key.task % own->spec->nodes];
  check(started->attempt == event.key.attempt && is_launched(phase), "attempts",
        print_key(event.key) + " starts out of turn");
  started->started[event.key.task % own->spec->nodes] = at_;
  if (phase == Phase::staging) phase = Phase::running;
  if (started->phase == Phase::staging) started->phase = Phase::running;
}

void LifeBook::seen(const jobs::TaskStopping& event) {
  Job* own = job(event.key.job);
  if (own == nullptr) return;
  Unit* stopped = unit({event.key.job, event.key.task / own->spec->nodes});
  if (stopped == nullptr) return;
  Phase& phase = stopped->tasks[event.key.task % own->spec->nodes];
  check(
      stopped->attempt == event.key.attempt && (phase == Phase::staging || phase == Phase::running),
      "attempts", print_key(event.key) + " is stopped out of turn");
  check_preempted(event, *own, *stopped);
  if (own->is_guest && !own->is_stopping) coverage_.hit(Between::stopped_by_home);
  if (own->is_guest && own->is_stopping) coverage_.hit(Between::stopped_by_host);
  if (own->is_stopping)
    coverage_.hit(phase == Phase::staging ? Branch::stopped_while_staging
                                          : Branch::stopped_while_running);
  if (event.why == AttemptEnd::over_budget) coverage_.hit(Branch::renewal_unpaid);
  phase = Phase::stopping;
  stopped->phase = Phase::stopping;
}

void LifeBook::seen(const ledger::Charged& event) {
  check(!charged_now_, "double charge", "two charges for one end");
  charged_now_ = event;
  money_.see(event);
}

void LifeBook::seen(const ledger::HoldReturned& event) {
  money_.see(event);
}

void LifeBook::check_charge(const jobs::TaskEnded& event, const Job& own, Unit& ended) {
  const std::string who = print_key(event.key);
  const Span charged = charged_time(event, own, ended);
  const std::int64_t due = rounded(ended.placement.hourly.micro, charged.us, hours(1).us);
  const std::int64_t cost = std::min(due, ended.allowance);
  check(event.cost.micro == cost, "charge",
        who + " costs " + std::to_string(event.cost.micro) + ", due are " + std::to_string(cost));
  ended.allowance -= event.cost.micro;
  const bool is_rolling = own.spec->max_duration == Span{} && own.spec->budget == Money{};
  check(is_rolling || may_be_dearer(own, ended) || due - cost <= own.spec->nodes, "loss",
        who + " was let run beyond its money");
  check(charged_now_.has_value() == (due > 0), "charge", who + " is not charged as it should be");
  if (charged_now_) {
    check(charged_now_->attempt == event.key && charged_now_->wall == event.usage.wall &&
              charged_now_->priced == event.usage.priced && charged_now_->amount == event.cost &&
              charged_now_->loss.micro == due - cost && charged_now_->hold == own.hold,
          "charge", who + " is charged for something else");
  }
  charged_now_.reset();
  check_budget(own, who);
}

void LifeBook::check_budget(const Job& own, const std::string& who) {
  check(own.spec->budget == Money{} || money_.charged(own.hold) + own.late <= own.spec->budget,
        "budget", who + " goes beyond its job's budget");
}

void LifeBook::seen(const jobs::TaskEnded& event) {
  Job* own = job(event.key.job);
  if (own == nullptr) return;
  const UnitKey key{event.key.job, event.key.task / own->spec->nodes};
  Unit* ended = unit(key);
  if (ended == nullptr) return;
  const std::uint32_t index = event.key.task % own->spec->nodes;
  const std::string who = print_key(event.key);
  check(ended->attempt == event.key.attempt && is_launched(ended->tasks[index]), "attempts",
        who + " ends out of turn");
  const Progress* truth = truth_.end_of(event.key);
  const bool is_refused = truth == nullptr && own->spec->is_spread() &&
                          event.end == AttemptEnd::displaced && event.usage.wall == Span{} &&
                          was_refused(key, *own, *ended);
  check(is_refused || (truth != nullptr && truth->usage.wall == event.usage.wall), "usage",
        who + " ended otherwise than the machine says");
  if (own->spec->is_spread()) spread_now_.insert(event.key.job);
  check_charge(event, *own, *ended);
  own->cost = own->cost + event.cost;
  if (index < ended->leases.size())
    check(leases_.find(ended->leases[index]) == nullptr, "lease kept", who + " keeps its lease");
  ended->tasks[index] = Phase::ended;
  if (event.end != AttemptEnd::exited || event.exit_code != 0) {
    dying_now_ = key;
    ended->has_died = true;
  }
}

// Whether what a job has left is less than the share of one unit, and none of its units could bring
// any of it back.
bool LifeBook::budget_is_spent(const Job& its) const {
  const Money share = scale(its.spec->budget, 1, its.spec->elements);
  if (its.spec->budget == Money{} ||
      its.spec->budget - money_.charged(its.hold) - its.owed >= share)
    return false;
  return std::ranges::all_of(its.units, [](const Unit& each) {
    return each.phase == Phase::waiting || each.phase == Phase::ended;
  });
}

void LifeBook::seen(const jobs::UnitEnded& event) {
  Unit* own = unit(event.unit);
  if (own == nullptr) return;
  check(own->phase != Phase::ended, "lives", print_key(event.unit) + " ends twice");
  const Job& its = jobs_.at(event.unit.job);
  check_given_up(event, its);
  if (is_launched(own->phase)) {
    const bool all_ended =
        std::ranges::all_of(own->tasks, [](const Phase phase) { return phase == Phase::ended; });
    check(all_ended || was_refused(event.unit, its, *own), "gang",
          print_key(event.unit) + " ends while part of it runs");
  } else {
    const bool is_late = its.spec->deadline != Moment{} && its.spec->deadline <= at_;
    if (is_late && !its.is_stopping) coverage_.hit(Branch::deadline_missed);
    const bool is_spent = event.end == AttemptEnd::over_budget && own->phase == Phase::waiting &&
                          budget_is_spent(its);
    if (is_spent) coverage_.hit(Branch::budget_spent_by_others);
    check(its.is_stopping || is_late || is_spent || its.is_refused, "lives",
          "ends before it ran and unasked");
    coverage_.hit(own->phase == Phase::waiting ? Branch::stopped_while_waiting
                                               : Branch::stopped_while_confirming);
  }
  for (const LeaseId lease : own->leases)
    check(leases_.find(lease) == nullptr, "lease kept",
          print_key(event.unit) + " ends and keeps a lease");
  drop_promise(event.unit);
  own->phase = Phase::ended;
  own->is_queued = false;
  if (its.spec->is_spread()) spread_now_.insert(event.unit.job);
}

void LifeBook::seen(const jobs::JobStopping& event) {
  Job* own = job(event.job);
  if (own == nullptr) return;
  needs_seat(own->spec->project);
  check(!own->is_stopping && !own->is_ended, "lives", "a job is stopped twice");
  for (const Unit& each : own->units) {
    if (each.phase == Phase::stopping) coverage_.hit(Branch::stopped_while_stopping);
  }
  own->is_stopping = true;
}

void LifeBook::seen(const jobs::JobEnded& event) {
  Job* own = job(event.job);
  if (own == nullptr) return;
  check(!own->is_ended, "lives", "a job ends twice");
  for (const Unit& each : own->units)
    check(each.phase == Phase::ended, "lives", "a job ends before its units");
  check(!money_.is_open(own->hold), "hold", "a job ends and its hold stays open");
  check(money_.charged(own->hold) == own->cost, "charge", "charges do not add up to the cost");
  own->is_ended = true;
  own->ended = at_;
}

void LifeBook::seen(const jobs::JobEvicted& event) {
  Job* own = job(event.job);
  if (own == nullptr) return;
  check(!own->is_guest || own->is_let_go, "eviction",
        "a guest leaves hot state and its home has not let go of it");
  check(own->is_ended && at_ - own->ended >= hours(1), "eviction",
        "job-" + std::to_string(event.job.value) + " leaves hot state too early");
  const auto lost = lost_.lower_bound({{event.job, 0}, 0});
  check(lost == lost_.end() || lost->first.first.job != event.job, "eviction",
        "a job leaves hot state and a member has not told what it used");
  coverage_.hit(Branch::evicted);
  jobs_.erase(event.job);
}

void LifeBook::check_all_over() const {
  objections_.check(truth_.running() == 0, "liveness", "something still runs");
  objections_.check(lost_.empty(), "usage", "what a lost attempt used is never told");
  for (const AttemptKey& key : launched_)
    objections_.check(truth_.end_of(key) != nullptr, "gang",
                      print_key(key) + " was launched by a record and never by a machine");
}

std::size_t LifeBook::live_jobs() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(jobs_, [](const auto& each) { return !each.second.is_ended; }));
}

}  // namespace suan::sim
