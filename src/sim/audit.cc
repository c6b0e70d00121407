#include "sim/audit.h"

#include <cstdio>

#include "base/text.h"
#include "runtime/codec.h"
#include "sim/trace.h"

namespace suan::sim {

using domain::State;

Audit::Audit(Coverage& coverage)
    : coverage_(coverage),
      truth_(objections_),
      leases_(objections_, coverage, truth_),
      money_(objections_, coverage),
      lives_(objections_, coverage, truth_, leases_, money_) {}

void Audit::see(const runtime::DurableRecord& record) {
  objections_.sequence = record.sequence;
  if (!objections_.check(record.sequence == shadow_.essence().sequence + 1, "journal",
                         "records are told out of order"))
    return;
  objections_.check(record.at >= shadow_.essence().now, "time",
                    "a record is before the one before");
  for (const domain::Event& event : record.events) {
    coverage_.hit(event);
    if (is_traced_) {
      std::fprintf(stderr, "%llu %s %s\n", static_cast<unsigned long long>(record.sequence),
                   print_moment(record.at).c_str(), print_event(event).c_str());
    }
    if (const auto* returned = std::get_if<jobs::UnitReturned>(&event)) check_returned(*returned);
    lives_.see(event, record.sequence, record.at);
    ++events_;
  }
  if (objections_.any()) return;  // The shadow may not survive what is wrong already.
  shadow_.apply(record.events, record.at);
  lives_.close();
  money_.close(shadow_.ledger(), false);
}

// Nobody is sent back for want of nodes that are open to all.
void Audit::check_returned(const jobs::UnitReturned& event) {
  if (event.setback != jobs::Setback::capacity_taken) return;
  const jobs::Job* job = shadow_.jobs().find(event.unit.job);
  if (job == nullptr || job->spec->is_spread()) return;
  const jobs::Placement& placement = job->units[event.unit.unit].placement;
  const Pool* pool = shadow_.catalogue().pools().find(placement.pool);
  if (pool == nullptr || pool->remote) return;
  const std::uint32_t tasks = job->spec->nodes;
  const auto open = shadow_.market().nodes().fitting(*pool, placement.need, tasks);
  objections_.check(open.size() < tasks, "refused room",
                    print_key(event.unit) + " is sent back though there are nodes for it");
}

void Audit::observe(PoolId pool, const PoolReading& reading, Moment at) {
  ++observed_;
  shadow_.observe(pool, reading, at);
  leases_.observe(pool, reading);
  lives_.map().pass(at);
}

void Audit::observe_link(SiteId from, SiteId to, const Rtt& rtt) {
  coverage_.hit(Branch::link_measured);
  shadow_.observe_link(from, to, rtt);
  lives_.map().observe_link(from, to, rtt);
}

// What is derived from the tables must be what reindex derives from them.
void Audit::compare_derived(const State& state) {
  State again = state;
  again.reindex();
  const auto same = [&](bool holds, const char* what) {
    objections_.check(holds, "derived index", std::string(what) + " is not what the tables say");
  };
  const jobs::Jobs& a = state.jobs();
  const jobs::Jobs& b = again.jobs();
  same(a.waiting() == b.waiting() && a.lines().size() == b.lines().size(), "the queue");
  same(a.guests().size() == b.guests().size(), "the guests");
  same(a.heads().size() == b.heads().size(), "the heads of the queue");
  for (auto one = a.heads().begin(), two = b.heads().begin();
       one != a.heads().end() && two != b.heads().end(); ++one, ++two)
    same(one->first == two->first && one->second == two->second, "a head of the queue");
  same(a.counts().waiting == b.counts().waiting && a.counts().active == b.counts().active &&
           a.counts().ended == b.counts().ended,
       "the count of jobs");
  same(state.timers().size() == again.timers().size(), "the number of timers");
  for (auto one = state.timers().begin(), two = again.timers().begin();
       one != state.timers().end() && two != again.timers().end(); ++one, ++two)
    same(one->first == two->first, "a timer");
  same(state.hosted().size() == again.hosted().size(), "the number of units with sub-domains");
  for (auto one = state.hosted().begin(), two = again.hosted().begin();
       one != state.hosted().end() && two != again.hosted().end(); ++one, ++two)
    same(one->first == two->first, "a unit with a sub-domain");
  same(state.renewals().size() == again.renewals().size(), "the number of units to be renewed");
  for (auto one = state.renewals().begin(), two = again.renewals().begin();
       one != state.renewals().end() && two != again.renewals().end(); ++one, ++two)
    same(one->first == two->first, "a unit to be renewed");
  const auto& ends = state.market().endings();
  same(ends.size() == again.market().endings().size(), "the number of leases that end");
  for (auto one = ends.begin(), two = again.market().endings().begin();
       one != ends.end() && two != again.market().endings().end(); ++one, ++two)
    same(one->first == two->first, "when a lease ends");
  same(state.capacity() == again.capacity(), "what there is");
  for (const auto& [id, project] : state.identity().projects())
    same(state.held_by(id) == again.held_by(id) &&
             state.held_by(project.organisation) == again.held_by(project.organisation),
         "what a project holds");
  for (const auto& [id, pool] : state.catalogue().pools()) {
    same(state.supply().free_of(id) == again.supply().free_of(id), "what is free in a pool");
    const market::PoolFree one = state.market().nodes().free_in(pool);
    const market::PoolFree two = again.market().nodes().free_in(pool);
    same(one.card_milli == two.card_milli && one.cpu_milli == two.cpu_milli &&
             one.memory_bytes == two.memory_bytes && one.nodes_idle == two.nodes_idle &&
             one.cards_on_a_node == two.cards_on_a_node &&
             one.cpu_milli_on_a_node == two.cpu_milli_on_a_node &&
             one.share_milli_of_a_card == two.share_milli_of_a_card,
         "a sum over nodes");
  }
  for (const auto& [id, lease] : state.market().leases())
    same(again.market().lease_of(lease.holder) != nullptr &&
             state.market().lease_of(lease.holder) != nullptr &&
             state.market().lease_of(lease.holder)->id == id,
         "the holder of a lease");
  for (const auto& [id, user] : state.identity().users())
    same(state.identity().find_user(user.name) != nullptr, "a name");
}

// A fork keeps what it saw, and what is done to a fork stays there.
void Audit::check_fork(const Digest& hash) {
  if (fork_)
    objections_.check(runtime::state_hash(*fork_) == fork_hash_, "fork",
                      "a fork changed when its origin did");
  fork_ = shadow_;
  fork_hash_ = hash;
  State what_if = shadow_;
  const domain::Counters& last = shadow_.essence().last;
  domain::Events events;
  for (const auto& [id, project] : shadow_.identity().projects())
    events.emplace_back(ledger::Deposited{id, yuan(1), "what if"});
  events.emplace_back(
      identity::OrganisationCreated{{OrganisationId{last.organisation + 1}, "what-if"}});
  for (const auto& [id, pool] : shadow_.catalogue().pools()) {
    Pool closed = pool;
    closed.state = ServingState::closed;
    closed.nodes += 1;
    events.emplace_back(catalogue::PoolOffered{closed});
  }
  for (const auto& [id, job] : shadow_.jobs().all()) {
    if (job.outcome == jobs::Outcome::none && !job.is_stopping)
      events.emplace_back(jobs::JobStopping{id, UserId{1}});
  }
  what_if.apply(events, what_if.essence().now);
  objections_.check(runtime::state_hash(shadow_) == fork_hash_, "fork",
                    "what is done to a fork shows in its origin");
}

// From the first record, whenever there are twice as many; between that only what is new.
void Audit::check_replay(const journal::Journal& journal, const Digest& hash) {
  if (shadow_.essence().sequence >= replay_again_at_) {
    folded_ = State();
    replay_again_at_ = shadow_.essence().sequence * 2;
  }
  while (folded_.essence().sequence < shadow_.essence().sequence) {
    const auto records = journal.follow(folded_.essence().sequence + 1, 4096);
    if (!objections_.check(records && !records->empty(), "replay", "the journal cannot be read"))
      return;
    for (const journal::Record& record : *records) {
      if (record.sequence > shadow_.essence().sequence) break;
      const auto events = runtime::decode_events(record.bytes);
      if (!objections_.check(events.has_value(), "replay", "a record cannot be read")) return;
      folded_.apply(*events, record.moment);
    }
  }
  objections_.check(runtime::state_hash(folded_) == hash, "replay",
                    "from the first record leads elsewhere");
  compare_derived(folded_);
}

// What a server would start with now, if it would not begin with the first record.
void Audit::check_start(const journal::Journal& journal, const Digest& hash) {
  const auto snapshot = journal.read_snapshot();
  if (snapshot && !snapshot->has_value()) return;
  const auto replayed = runtime::replay(journal);
  if (!objections_.check(replayed.has_value(), "replay", "the journal cannot be replayed")) return;
  objections_.check(runtime::state_hash(*replayed) == hash, "replay",
                    "from the snapshot leads elsewhere");
}

void Audit::examine(const State* core, const journal::Journal& journal) {
  money_.close(shadow_.ledger(), true);
  leases_.compare(shadow_);
  lives_.compare_promises(shadow_);
  const Digest hash = runtime::state_hash(shadow_);
  check_fork(hash);
  check_replay(journal, hash);
  compare_derived(shadow_);
  if (core == nullptr) return;
  objections_.check(runtime::state_hash(*core) == hash, "core",
                    "the core's state is not what its records say");
  check_start(journal, hash);
}

void Audit::see_restart(const State& state, const journal::Journal& journal) {
  objections_.check(journal.head().sequence >= shadow_.essence().sequence, "lost record",
                    "the journal ends before what was acknowledged");
  while (!objections_.any() && shadow_.essence().sequence < journal.head().sequence) {
    const auto records = journal.follow(shadow_.essence().sequence + 1, 4096);
    if (!objections_.check(records && !records->empty(), "replay", "the journal cannot be read"))
      return;
    for (const journal::Record& record : *records) {
      auto events = runtime::decode_events(record.bytes);
      if (!objections_.check(events.has_value(), "replay", "a record cannot be read")) return;
      see({record.sequence, record.moment, std::move(*events)});
    }
  }
  if (objections_.any()) return;
  objections_.check(runtime::state_hash(state) == runtime::state_hash(shadow_), "replay",
                    "the server starts with another state than its records say");
  objections_.check(state.requests() == shadow_.requests(), "replay", "answers are missing");
  compare_derived(state);
}

}  // namespace suan::sim
