// Decides what a parent asks: units of it that run here as guests.
#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "base/planted.h"
#include "base/text.h"
#include "domain/deciding.h"
#include "domain/terms.h"

namespace suan::domain {

using jobs::Phase;
using jobs::UnitKey;

namespace {

constexpr std::uint32_t tasks_max = 1024;
constexpr std::size_t name_bytes_max = 256;
constexpr Span time_max = hours(100LL * 366 * 24);

std::string money_text(const State& state, const jobs::GuestKey& key) {
  return state.identity().parents().at(key.parent).name + " job-" +
         std::to_string(key.home.job.value) + " unit " + std::to_string(key.home.unit) +
         " attempt " + std::to_string(key.home.attempt);
}

// Whether a later attempt of the same unit has been heard of.
bool is_superseded(const State& state, const jobs::GuestKey& key) {
  jobs::GuestKey next = key;
  ++next.home.attempt;
  const auto at = state.jobs().guests().from(next);
  return at != state.jobs().guests().end() && at->first.parent == key.parent &&
         at->first.home.job == key.home.job && at->first.home.unit == key.home.unit;
}

// Everything of a message is checked: it comes from another machine.
// Names of projects and domains, with "@" between them: directories of stores are called so.
bool is_owner(std::string_view owner) {
  constexpr std::size_t owner_bytes_max = 512;
  return owner.size() <= owner_bytes_max && !owner.starts_with('.') &&
         std::ranges::all_of(owner, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
                  c == '.' || c == '@';
         });
}

bool is_workdir(const Workdir& workdir) {
  constexpr std::int64_t bytes_max = std::int64_t{1} << 30U;
  return workdir.bytes >= 0 && workdir.bytes <= bytes_max &&
         (!workdir.is_given() ||
          (workdir.sha256.size() == 64 &&
           workdir.sha256.find_first_not_of("0123456789abcdef") == std::string::npos));
}

Ruling check_wish(const HostUnit& wish, const Pool& pool) {
  const Need& need = wish.need;
  const bool is_share = need.card_milli > 0 && need.card_milli < 1000;
  const bool is_sane =
      wish.tasks >= 1 && wish.tasks <= tasks_max && need.card_milli >= 0 && need.cpu_milli >= 0 &&
      need.memory_bytes >= 0 && (is_share || need.card_milli % 1000 == 0) &&
      need.card_milli <= 64'000 && need.cpu_milli <= pool.cpu_milli_per_node &&
      need.memory_bytes <= pool.memory_bytes_per_node && wish.allowance >= Money{} &&
      wish.grace >= Span{} && wish.grace <= grace_max && wish.checkpoint_notice >= Span{} &&
      wish.checkpoint_notice <= time_max && wish.name.size() <= name_bytes_max &&
      wish.checkpoint_signal.size() <= name_bytes_max && wish.unit.attempt > 0 &&
      is_owner(wish.origin.owner) && is_workdir(wish.workdir);
  if (!is_sane) return refuse(Code::spec_invalid, "what is asked for is out of range");
  if (pool.state != ServingState::production)
    return refuse(Code::no_pool_fits, "the pool takes nothing new");
  if (need.card_milli > 0 && pool.chip != wish.chip)
    return refuse(Code::no_pool_fits, "the pool has other chips");
  if (wish.is_spot && pool.spot_milli == 0)
    return refuse(Code::no_pool_fits, "the pool takes no spot work");
  const bool is_price_same =
      wish.hourly == hourly_price(price_in(pool, wish.is_spot), need) && wish.rates == pool.rates;
  if (!is_price_same && !planted(Bug::guest_price_not_checked))
    return refuse(Code::plan_stale, "the price of the pool is another one now");
  return {};
}

std::shared_ptr<const JobSpec> spec_of(const HostUnit& wish, const identity::Parent& parent) {
  auto spec = std::make_shared<JobSpec>();
  spec->name = wish.name;
  spec->project = parent.project;
  spec->nodes = wish.tasks;
  spec->alternatives.push_back({.chip = wish.need.card_milli > 0 ? wish.chip : "",
                                .card_milli = wish.need.card_milli,
                                .payload = {}});
  spec->cpu_milli.least = wish.need.cpu_milli;
  spec->memory_bytes.least = wish.need.memory_bytes;
  spec->grace = wish.grace;
  spec->checkpoint_signal = wish.checkpoint_signal;
  spec->checkpoint_notice = wish.checkpoint_notice;
  spec->workdir = wish.workdir;
  spec->is_spot = wish.is_spot;
  return spec;
}

void pay_in(Deciding& deciding, const jobs::GuestKey& key, Money amount) {
  if (amount == Money{}) return;
  deciding.emit(ledger::Deposited{deciding.state.identity().parents().at(key.parent).project,
                                  amount, "allowance: " + money_text(deciding.state, key)});
}

bool is_sane(const CommitUnit& commit) {
  const auto is_time = [](Span span) { return span >= Span{} && span <= time_max; };
  const bool is_bound = commit.lost_after == Span{} ||
                        (commit.run_for > Span{} && commit.run_for <= commit.lost_after);
  return is_time(commit.run_for) && is_time(commit.max_duration) && is_time(commit.lost_after) &&
         is_bound;
}

bool is_sane(const jobs::Job& guest, const RenewUnit& renewal) {
  const Phase phase = guest.units.front().phase;
  return (phase == Phase::staging || phase == Phase::running) && renewal.run_for >= Span{} &&
         renewal.run_for <= time_max && renewal.allowance >= Money{};
}

void renew_guest(Deciding& deciding, const jobs::Job& job, const RenewUnit& renewal, Money more) {
  if (more > Money{}) {
    if (!planted(Bug::heartbeat_paid_in_once) || deciding.events.empty())
      pay_in(deciding, {job.guest->parent, renewal.unit}, more);
    deciding.emit(ledger::HoldExtended{job.hold, more});
    deciding.emit(ledger::Allotted{job.hold, more});
  }
  Span run_for = renewal.run_for;
  const Span most = job.guest->lost_after;
  if (most > Span{}) run_for = run_for == Span{} ? most : std::min(run_for, most);
  deciding.emit(jobs::UnitRenewed{
      .unit = {job.id, 0}, .run_for = run_for, .paid_until = {}, .allowance = more});
}

// Whether a grant of a guest has expired, though its timer has not said so yet.
bool has_expired(const Deciding& deciding, const jobs::Unit& unit) {
  return std::ranges::any_of(unit.tasks, [&](const jobs::Task& task) {
    const market::Lease& lease = *deciding.state.market().find_lease(task.lease);
    return lease.expires != Moment{} && lease.expires <= deciding.now;
  });
}

// The guest that a message is about, or the ruling that there is none any more.
std::expected<const jobs::Job*, Refusal> find_guest(const Deciding& deciding, ParentId parent,
                                                    const UnitAttempt& unit) {
  const jobs::Job* job = deciding.state.jobs().find_guest({parent, unit});
  if (job == nullptr || job->guest->is_refused) return stale();
  return job;
}

}  // namespace

Ruling decide_one(Deciding& deciding, const JoinParent& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_supply));
  SUAN_CHECK(check_name(command.name, "/name"));
  const identity::Identity& identity = deciding.state.identity();
  const identity::Parent* same = identity.find_parent(command.key);
  if (same != nullptr && same->name != command.name)
    return refuse(Code::name_taken, "that domain is known here as \"" + same->name + "\"", "/name");
  if (const identity::Parent* known = identity.find_parent(command.name)) {
    if (command.key == Digest{} || command.key == known->key) return nothing_new();
    if (known->key != Digest{})
      return refuse(Code::name_taken, "\"" + command.name + "\" is known here with another key",
                    "/name");
    identity::Parent parent = *known;
    parent.key = command.key;
    deciding.emit(identity::ParentJoined{parent});
    return {};
  }
  const std::string name = "via-" + command.name;
  if (identity.find_organisation(name) != nullptr || identity.find_user(name) != nullptr ||
      identity.find_project(name) != nullptr)
    return refuse(Code::name_taken, "the name " + name + " is taken", "/name");
  const Counters& last = deciding.state.essence().last;
  const OrganisationId organisation{last.organisation + 1};
  const UserId user{last.user + 1};
  const ProjectId project{last.project + 1};
  deciding.emit(identity::OrganisationCreated{{organisation, name}});
  deciding.emit(identity::UserCreated{{user, organisation, name, identity::Role::consumer}});
  deciding.emit(identity::ProjectCreated{{project, organisation, name}});
  deciding.emit(identity::SeatTaken{{project, user}});
  deciding.emit(identity::ParentJoined{
      {ParentId{last.parent + 1}, command.name, user, project, command.key}});
  return {};
}

Ruling decide_one(Deciding& deciding, const FromParent<HostUnit>& command) {
  const State& state = deciding.state;
  const HostUnit& wish = command.message;
  const identity::Parent* parent = state.identity().parents().find(command.parent);
  if (parent == nullptr) return refuse(Code::forbidden, "this domain has not joined that one");
  const jobs::GuestKey key{command.parent, wish.unit};
  if (state.jobs().find_guest(key) != nullptr) return nothing_new();
  if (is_superseded(state, key)) return stale();
  const Pool* pool = state.catalogue().pools().find(wish.pool);
  if (pool == nullptr) return refuse(Code::no_pool_fits, "there is no such pool");
  SUAN_CHECK(check_wish(wish, *pool));
  if (!may_come_in(state, wish.allowance))
    return refuse(Code::amount_too_large, "that allowance is more than this domain can keep");
  if (state.market().nodes().fitting(*pool, wish.need, wish.tasks).size() < wish.tasks)
    return refuse(Code::no_pool_fits, "its capacity is taken");

  const Counters& last = state.essence().last;
  const JobId id{last.job + 1};
  const HoldId hold{last.hold + 1};
  auto guest = std::make_shared<jobs::Guest>();
  guest->parent = command.parent;
  guest->home = wish.unit;
  guest->first_task = wish.first_task;
  guest->tasks_in_all = wish.tasks_in_all;
  guest->allowance = wish.allowance;
  guest->origin = wish.origin;
  if (!wish.origin.owner.empty()) guest->origin.owner += "@" + parent->name;
  deciding.emit(jobs::JobSubmitted{.job = id,
                                   .user = parent->user,
                                   .hold = hold,
                                   .spec = spec_of(wish, *parent),
                                   .held = wish.allowance,
                                   .is_rolling = false,
                                   .payloads = 0,
                                   .guest = std::move(guest)});
  pay_in(deciding, key, wish.allowance);
  deciding.emit(ledger::Held{hold, id, parent->project, wish.allowance});
  if (wish.allowance > Money{}) deciding.emit(ledger::Allotted{hold, wish.allowance});
  jobs::Placement placement;
  placement.pool = pool->id;
  placement.need = wish.need;
  placement.hourly = wish.hourly;
  placement.allowance = wish.allowance;
  placement.pools = 1;
  placement.rates = wish.rates;
  // Its home thinks of later starts too, so what it sends pays for as long as it says.
  if (wish.rates.is_given()) placement.starts_from = placement.starts_by = deciding.now;
  deciding.emit(jobs::UnitPlaced{{id, 0}, 1, std::move(placement)});
  return {};
}

Ruling decide_one(Deciding& deciding, const FromParent<ConfirmUnit>& command) {
  SUAN_TRY(const jobs::Job* job, find_guest(deciding, command.parent, command.message.unit));
  const jobs::Unit& unit = job->units.front();
  if (unit.phase != Phase::confirming || job->guest->keeping != jobs::Keeping::none)
    return nothing_new();
  if (has_expired(deciding, unit)) {
    refuse_guest(deciding, *job, "it was not kept in time");
    return {};
  }
  const bool is_hosted =
      static_cast<bool>(deciding.state.catalogue().pools().at(unit.placement.pool).remote);
  if (!is_hosted && !planted(Bug::part_not_kept)) keep_leases(deciding, unit);
  deciding.emit(jobs::GuestKept{job->id, !is_hosted});
  return {};
}

Ruling decide_one(Deciding& deciding, const FromParent<CommitUnit>& command) {
  const CommitUnit& commit = command.message;
  SUAN_TRY(const jobs::Job* job, find_guest(deciding, command.parent, commit.unit));
  const jobs::Unit& unit = job->units.front();
  if (job->guest->is_committed || unit.phase == Phase::ended) return nothing_new();
  if (unit.phase != Phase::confirming || !is_sane(commit))
    return refuse(Code::spec_invalid, "a unit is committed once it is hosted");
  if (commit.is_late && commit.lost_after > Span{} && !planted(Bug::late_launch_starts)) {
    refuse_guest(deciding, *job, "it was not committed in time");
    return {};
  }
  if (has_expired(deciding, unit)) {
    refuse_guest(deciding, *job, "it was not committed in time");
    return {};
  }
  const PayloadId payload{commit.payload ? deciding.state.essence().last.payload + 1 : 0};
  deciding.emit(jobs::GuestCommitted{job->id, commit.max_duration, payload,
                                     commit.payload ? 1U : 0U, commit.lost_after});
  launch_unit(deciding, *job,
              {.unit = {job->id, 0},
               .run_for = commit.run_for,
               .max_duration = commit.max_duration,
               .paid_until = {}});
  return {};
}

Ruling decide_one(Deciding& deciding, const FromParent<RenewUnits>& command) {
  const std::vector<RenewUnit>& renewals = command.message.units;
  if (renewals.size() > renewals_max)
    return refuse(Code::spec_invalid, "more units than one heartbeat may renew");
  std::set<JobId> renewed;
  Money paid_in;
  for (const RenewUnit& renewal : renewals) {
    const jobs::Job* job = deciding.state.jobs().find_guest({command.parent, renewal.unit});
    if (job == nullptr || job->guest->is_refused || !is_sane(*job, renewal)) continue;
    const Money more = std::max(renewal.allowance - job->guest->allowance, Money{});
    if (!may_come_in(deciding.state, more) || !may_come_in(deciding.state, paid_in + more))
      continue;
    if (!renewed.insert(job->id).second) continue;
    paid_in = paid_in + more;
    renew_guest(deciding, *job, renewal, more);
  }
  return renewed.empty() ? Ruling(nothing_new()) : Ruling();
}

Ruling decide_one(Deciding& deciding, const FromParent<StopTask>& command) {
  const StopTask& stop = command.message;
  SUAN_TRY(const jobs::Job* job, find_guest(deciding, command.parent, stop.unit));
  const jobs::Unit& unit = job->units.front();
  if (stop.index >= unit.tasks.size() || stop.why == AttemptEnd::none) return nothing_new();
  const Phase phase = unit.tasks[stop.index].phase;
  if (phase != Phase::staging && phase != Phase::running) return nothing_new();
  deciding.emit(jobs::TaskStopping{{job->id, stop.index, unit.attempt}, stop.why});
  return {};
}

Ruling decide_one(Deciding& deciding, const FromParent<LetGo>& command) {
  const jobs::Job* job = deciding.state.jobs().find_guest({command.parent, command.message.unit});
  if (job == nullptr) return stale();
  if (job->guest->is_let_go) return nothing_new();
  const jobs::Unit& unit = job->units.front();
  if (unit.phase == Phase::reserving || unit.phase == Phase::confirming) {
    refuse_guest(deciding, *job, "its home gave it up");
  } else if (unit.phase != Phase::ended) {
    for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
      if (unit.tasks[t].phase == Phase::staging || unit.tasks[t].phase == Phase::running)
        deciding.emit(jobs::TaskStopping{{job->id, t, unit.attempt}, AttemptEnd::cancelled});
    }
  }
  deciding.emit(jobs::GuestLetGo{job->id});
  return {};
}

void refuse_guest(Deciding& deciding, const jobs::Job& job, std::string reason) {
  const UnitKey key{job.id, 0};
  give_up_placement(deciding, job, key);
  deciding.emit(jobs::GuestRefused{job.id, reason});
  const jobs::UnitEnded end{
      .unit = key, .end = AttemptEnd::launch_failed, .exit_code = 0, .reason = std::move(reason)};
  deciding.emit(end);
  end_job(deciding, job, jobs::Outcome::failed, end,
          deciding.state.ledger().holds().at(job.hold).amount);
}

}  // namespace suan::domain
