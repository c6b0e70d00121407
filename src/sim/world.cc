#include "sim/world.h"

#include <algorithm>

#include "domain/terms.h"
#include "placement/rank.h"
#include "runtime/codec.h"
#include "wire/bytes.h"
#include "wire/hash.h"

namespace suan::sim {

namespace {

constexpr Moment birth{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z.
constexpr std::size_t waited_for = 40;          // Jobs of a crowd that are let run to their end.
constexpr Span lives_at_most = hours(24 * 40);
constexpr Span patience_at_first = hours(30);
constexpr Span patience_for_a_unit = hours(12);  // Of a big array that runs one by one.

Scenario drawn(Scenario scenario, Random& random) {
  if (!scenario.swarm) return scenario;
  const auto vary = [&](std::uint32_t& chance) {
    static constexpr std::uint32_t tenths[] = {0, 5, 10, 10, 10, 20};
    chance = chance * tenths[random.below(6U)] / 10;
  };
  vary(scenario.stop);
  vary(scenario.supply);
  vary(scenario.odd);
  vary(scenario.repeat);
  vary(scenario.append_fault);
  vary(scenario.message_fault);
  vary(scenario.misfortunes_per_hour);
  vary(scenario.poor);
  // Most seeds have room, some are crowded.
  const auto most = static_cast<std::int64_t>(scenario.acts_every_s_max);
  const std::int64_t some = most / 6 + 1;
  scenario.acts_every_s_max = static_cast<std::uint64_t>(
      random.chance(1, 6) ? random.between(1, some) : random.between(some, 2 * most));
  return scenario;
}

Scenario drawn_from_seed(const Scenario& scenario, std::uint64_t seed) {
  Random random(seed ^ 0x5CE4A210U);
  return drawn(scenario, random);
}

}  // namespace

World::World(const Scenario& scenario, std::uint64_t seed, Coverage& coverage)
    : scenario_(drawn_from_seed(scenario, seed)),
      seed_(seed),
      coverage_(coverage),
      random_(seed),
      now_(birth),
      audit_(coverage),
      clock_(now_) {
  for (Offer& offer : make_offers(random_)) {
    sites_.push_back(std::unique_ptr<Site>(new Site{.offer = std::move(offer),
                                                    .machine = Machine(random_.split(), coverage),
                                                    .engine = nullptr,
                                                    .effects_until = {}}));
    sites_.back()->machine.set_witness(&audit_.truth());
    sites_.back()->machine.advance(now_);
  }
}

World::~World() = default;

void World::object(std::string_view auditor, std::string text) {
  audit_.objections().raise(auditor, std::move(text));
}

bool World::chance(std::uint32_t per_mille) {
  return !is_calm_ && random_.chance(std::min(per_mille, 1000U), 1000);
}

void World::after(Span delay, Callback<void()> act) {
  agenda_.plan(now_ + delay, std::move(act));
}

// Lets the next thing happen, on the agenda or on a machine, if it is due by `limit`.
bool World::pass_one(Moment limit) {
  Moment next = agenda_.empty() ? limit + Span{1} : agenda_.next();
  Site* first = nullptr;
  for (const auto& site : sites_) {
    const auto wakes = site->machine.next();
    if (!wakes || !(*wakes < next)) continue;
    next = *wakes;
    first = site.get();
  }
  if (next > limit) return false;
  now_ = std::max(now_, next);
  if (first != nullptr)
    first->machine.advance(now_);
  else
    agenda_.take()();
  return true;
}

void World::pass_until(Moment limit) {
  while (!is_over() && pass_one(limit)) {
  }
  now_ = std::max(now_, limit);
  for (const auto& site : sites_) site->machine.advance(now_);
}

void World::live() {
  start_server();
  people_arrive();
  after(seconds(20), [this] { somebody_acts(); });
  after(seconds(30), [this] { misfortune(); });
  const Moment limit = birth + lives_at_most;
  while (!is_over() && audit_.events() < scenario_.events && pass_one(limit)) {
  }
  if (now_ >= limit) object("simulator", "nothing happens any more");
}

// A job that waits although it could start now.
void World::check_waiting_jobs() {
  const domain::State& state = audit_.shadow();
  const domain::ExactNodes nodes(state);
  for (const auto& [id, job] : state.jobs().all()) {
    if (job.outcome != jobs::Outcome::none || job.is_stopping) continue;
    const JobSpec& spec = *job.spec;
    for (std::uint32_t i = 0; i < job.units.size(); ++i) {
      const jobs::UnitKey key{id, i};
      if (job.units[i].phase == jobs::Phase::waiting) {
        const auto place = placement::choose(state.supply(), placement::make_demand(spec), &nodes);
        if (place && spec.budget == Money{})
          object("liveness", print_key(key) + " waits although it could start");
      } else if (job.units[i].phase != jobs::Phase::ended && spec.kind == JobKind::batch) {
        object("liveness", print_key(key) + " does not end");
      }
    }
  }
}

// Stops all jobs of a kind but `but` of them, by somebody who may.
void World::stop_jobs(JobKind kind, std::size_t but) {
  std::vector<JobId> live;
  for (const auto& [id, job] : audit_.shadow().jobs().all()) {
    if (job.outcome == jobs::Outcome::none && job.spec->kind == kind) live.push_back(id);
  }
  for (; live.size() > but; live.pop_back()) {
    std::swap(live.back(), live[random_.below(live.size())]);
    ask(people_.front(), domain::StopJob{live.back()});
  }
}

std::size_t World::live_units() const {
  std::size_t live = 0;
  for (const auto& [id, job] : audit_.shadow().jobs().all())
    live += job.units.size() - job.units_ended;
  return live;
}

void World::check_at_rest() {
  const domain::State& state = audit_.shadow();
  const auto gone = [&](bool holds, const char* what) {
    if (!holds) object("rest", std::string(what) + " although everything is over");
  };
  gone(audit_.lives().live_jobs() == 0, "a job lives");
  gone(state.jobs().all().empty(), "a job is in hot state");
  gone(state.market().leases().empty(), "a lease is held");
  gone(state.ledger().holds().empty(), "money is held");
  gone(state.requests() == 0, "a request is remembered");
  gone(state.doomed_payloads().empty(), "a payload is to be destroyed");
  for (const auto& site : sites_) {
    gone(site->machine.live() == 0, "an attempt runs");
    gone(site->machine.known() == 0, "an attempt is not forgotten");
  }
  for (std::uint64_t id = 1; id <= state.essence().last.payload; ++id)
    gone(!journal_->read_blob(id).has_value(), "a payload can be read");
  audit_.lives().check_all_over();
}

void World::come_to_rest() {
  is_calm_ = true;
  if (clock_.offset() < Span{}) clock_.step(Span{} - clock_.offset());
  disk_.set_free_bytes(std::uint64_t{1} << 40U);
  disk_.fail_next_append(journal::AppendFault::none);
  pass_until(now_ + minutes(1));
  if (!core_ && !is_over()) pass_until(now_ + hours(9));
  if (is_over()) return;
  neighbours_leave();
  for (const auto& site : sites_) {
    open_wide(site->offer);
    put(domain::StartMember{site->offer.member, "", site->offer.site, site->offer.pools}, false);
  }
  for (const auto& [id, project] : audit_.shadow().identity().projects())
    ask(people_.front(), domain::Deposit{project.name, yuan(100'000'000), "for the rest"});
  stop_jobs(JobKind::batch, waited_for);
  // Work that ends by itself gets the time to; what beats its heart for ever is stopped first.
  pass_until(now_ + minutes(10));
  stop_jobs(JobKind::service, 0);
  std::size_t live = live_units();
  Moment patience = now_ + patience_at_first;
  while (!is_over() && now_ < patience && live > 0) {
    pass_until(now_ + minutes(20));
    if (live_units() < live) patience = now_ + patience_for_a_unit;
    live = live_units();
  }
  if (is_over()) return;
  check_waiting_jobs();
  stop_jobs(JobKind::batch, 0);
  pass_until(now_ + minutes(30));
  if (is_over()) return;
  if (audit_.lives().live_jobs() > 0) object("liveness", "a stopped job does not end");
  pass_until(now_ + hours(2));
  clock_.step(hours(24 * 8));  // Answers are forgotten.
  if (core_) plan_step(milliseconds(1));
  pass_until(now_ + minutes(30));
  if (is_over()) return;
  check_at_rest();
  audit_.examine(core_ ? &core_->state() : nullptr, *journal_);
}

Verdict World::run() {
  live();
  if (!is_over()) come_to_rest();
  Verdict verdict;
  verdict.seed = seed_;
  verdict.objection = audit_.objections().first();
  verdict.records = audit_.shadow().essence().sequence;
  verdict.events = audit_.events();
  verdict.jobs = audit_.shadow().essence().last.job;
  verdict.restarts = restarts_;
  verdict.lived = now_ - birth;
  const journal::MemoryJournal last(disk_);
  verdict.end_hash = wire::hash(print_digest(last.head().hash) +
                                print_digest(runtime::state_hash(audit_.shadow())));
  return verdict;
}

Verdict run_world(const Scenario& scenario, std::uint64_t seed, Coverage& coverage) {
  World world(scenario, seed, coverage);
  return world.run();
}

}  // namespace suan::sim
