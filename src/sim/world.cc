#include "sim/world.h"

#include <algorithm>

#include "domain/terms.h"
#include "placement/rank.h"
#include "runtime/codec.h"
#include "wire/bytes.h"
#include "wire/hash.h"

namespace suan::sim {

namespace {

constexpr std::size_t waited_for = 40;  // Jobs of a crowd that are let run to their end.

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

World::World(const Scenario& scenario, std::uint64_t seed, Coverage& coverage, std::string name)
    : scenario_(drawn_from_seed(scenario, seed)),
      name_(std::move(name)),
      coverage_(coverage),
      random_(seed),
      now_(birth),
      audit_(coverage),
      clock_(now_) {
  clock_.set_rate(random_.between(-9, 9));
  for (Offer& offer : make_offers(random_, now_)) {
    sites_.push_back(std::unique_ptr<Site>(new Site{.offer = std::move(offer),
                                                    .machine = Machine(random_.split(), coverage),
                                                    .engine = nullptr,
                                                    .effects_until = {}}));
    sites_.back()->machine.set_witness(this);
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
  at(now_ + delay, std::move(act));
}

void World::at(Moment when, Callback<void()> act) {
  agenda_.plan(when, std::move(act));
  if (turns_ != nullptr) turns_->add(number_, when);
}

std::optional<Moment> World::next() const {
  std::optional<Moment> next;
  if (!agenda_.empty()) next = agenda_.next();
  for (const auto& site : sites_) {
    const auto wakes = site->machine.next();
    if (wakes && (!next || *wakes < *next)) next = wakes;
  }
  return next;
}

void World::pass_one() {
  const auto when = next();
  if (!when) return;
  now_ = std::max(now_, *when);
  for (const auto& site : sites_) {
    const auto wakes = site->machine.next();
    if (wakes && *wakes == *when) return site->machine.advance(now_);
  }
  agenda_.take()();
}

void World::wait_until(Moment limit) {
  now_ = std::max(now_, limit);
  for (const auto& site : sites_) site->machine.advance(now_);
}

void World::begin() {
  start_server();
  people_arrive();
  after(seconds(20), [this] { somebody_acts(); });
  after(seconds(30), [this] { misfortune(); });
}

std::optional<Objection> World::objection() const {
  std::optional<Objection> first = audit_.objections().first();
  if (first && !lines_.empty()) first->text = name_ + ", " + first->text;
  return first;
}

std::string World::end_hash() {
  const journal::MemoryJournal last(disk_);
  return print_digest(last.head().hash) + print_digest(runtime::state_hash(durable()));
}

// Whether a project is that of a parent: its money comes and goes with the units of that parent.
bool World::is_of_parent(ProjectId id) const {
  for (const auto& [parent_id, parent] : durable().identity().parents()) {
    if (parent.project == id) return true;
  }
  return false;
}

// A job that waits although it could start now.
void World::check_waiting_jobs() {
  const domain::State& state = audit_.shadow();
  for (const auto& [id, job] : state.jobs().all()) {
    if (job.outcome != jobs::Outcome::none || job.is_stopping) continue;
    const JobSpec& spec = *job.spec;
    if (is_of_parent(spec.project)) continue;  // Nobody pays anything in for such a job.
    for (std::uint32_t i = 0; i < job.units.size(); ++i) {
      const jobs::UnitKey key{id, i};
      if (job.units[i].phase == jobs::Phase::waiting) {
        if (!job.units[i].is_queued || spec.budget != Money{}) continue;
        const auto places = domain::places_now(state, spec, state.essence().now);
        if (places.empty()) continue;
        // At its dearest: a run may go on for years.
        const Pool& pool = state.catalogue().pools().at(places.front().pool);
        const std::uint32_t rate =
            pool.rates.is_given() ? std::ranges::max(pool.rates.values) : 1000;
        const Money price = scale(
            scale(hourly_price(price_in(pool, spec.is_spot), places.front().need), spec.nodes, 1),
            std::max(rate, 1000U), 1000);
        const Money has = state.ledger().balance(ledger::project_account(spec.project));
        if (domain::unit_allowance(spec, price) <= has)
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
  audit_.replay_all();
  if (!is_over()) audit_.examine(core_ ? &core_->state() : nullptr, *journal_);
}

void World::calm() {
  is_calm_ = true;
  if (clock_.offset() < Span{}) clock_.step(Span{} - clock_.offset());
  disk_.set_free_bytes(std::uint64_t{1} << 40U);
  disk_.fail_next_append(journal::AppendFault::none);
  for (Line* line : lines_) line->try_to_connect();
}

void World::open_up() {
  neighbours_leave();
  for (const auto& site : sites_) {
    open_wide(site->offer);
    insist(domain::DrainSite{site->offer.site.name, false});
    put(domain::StartMember{site->offer.member, "", site->offer.site, site->offer.pools}, false);
  }
  for (const auto& [id, project] : audit_.shadow().identity().projects())
    if (!is_of_parent(id))
      ask(people_.front(), domain::Deposit{project.name, yuan(100'000'000), "for the rest"});
  stop_jobs(JobKind::batch, waited_for);
}

void World::stop_services() {
  stop_jobs(JobKind::service, 0);
}

void World::stop_batches() {
  stop_jobs(JobKind::batch, 0);
}

void World::check_all_stopped() {
  if (audit_.lives().live_jobs() > 0) object("liveness", "a stopped job does not end");
}

void World::forget_answers() {
  clock_.step(hours(24 * 8));
  if (core_) plan_step(milliseconds(1));
}

}  // namespace suan::sim
