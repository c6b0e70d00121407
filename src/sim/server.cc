#include <algorithm>
#include <utility>

#include "runtime/codec.h"
#include "sim/world.h"
#include "wire/bytes.h"

namespace suan::sim {

using journal::AppendFault;

namespace {

constexpr std::uint64_t examine_every = 1000;  // Records.
constexpr int steps_behind_max = 200;          // With a timer due and not done.

std::string effect_key(const char* what, const AttemptKey& key) {
  return std::string(what) + " " + print_key(key);
}

}  // namespace

Machine& World::machine_of(MemberId member) {
  const auto* known = audit_.shadow().catalogue().members().find(member);
  for (const auto& site : sites_) {
    if (known != nullptr && site->offer.member == known->name) return site->machine;
  }
  object("effects", "an effect for no member");
  return sites_.front()->machine;
}

void World::put(domain::Command command, bool must_be_stale) {
  if (!core_) return;
  runtime::Request request;
  request.command = std::move(command);
  request.caller.principal = {UserId{1}, identity::Role::operator_};
  request.reply = [this, must_be_stale](const runtime::Reply& reply) {
    check_durable("reply");
    if (!reply) coverage_.hit(reply.error().code);
    if (must_be_stale && (reply || reply.error().code != domain::Code::stale))
      object("fencing", "a message about an attempt that is over was taken");
  };
  inbox_.push_back(std::move(request));
  plan_step(milliseconds(random_.between(0, 5)));
}

// What a server must say again after a restart, by the state it starts with.
void World::expect_outstanding() {
  outstanding_.clear();
  for (const auto& [first, count] : audit_.shadow().doomed_payloads())
    outstanding_.insert("destroy " + std::to_string(first.value));
  for (const auto& [id, job] : audit_.shadow().jobs().all()) {
    if (job.outcome != jobs::Outcome::none) continue;
    for (std::uint32_t i = 0; i < job.units.size(); ++i) {
      const jobs::Unit& unit = job.units[i];
      const Pool* pool = audit_.shadow().catalogue().pools().find(unit.placement.pool);
      if (pool != nullptr && pool->remote) continue;  // Said again when the line is up again.
      for (std::uint32_t t = 0; t < unit.tasks.size(); ++t) {
        const AttemptKey key{id, i * job.spec->nodes + t, unit.attempt};
        const jobs::Phase phase = unit.tasks[t].phase;
        if (phase == jobs::Phase::stopping) outstanding_.insert(effect_key("stop", key));
        if (phase != jobs::Phase::staging && phase != jobs::Phase::running) continue;
        outstanding_.insert(effect_key("launch", key));
        const bool is_late = job.guest != nullptr && job.guest->lost_after > Span{};
        if (unit.run_for > Span{} && !is_late) outstanding_.insert(effect_key("renew", key));
      }
    }
  }
}

void World::check_outstanding() {
  if (!outstanding_.empty())
    object("outbox", "after a restart nobody says again: " + *outstanding_.begin());
}

void World::start_server() {
  ++restarts_;
  well_since_ = std::max(well_since_, now_);
  journal_ = std::make_unique<journal::MemoryJournal>(disk_);
  const auto epoch = journal_->claim_leadership();
  if (!epoch) return object("journal", "the lead cannot be taken: " + epoch.error().text);
  auto state = runtime::replay(*journal_);
  if (!state) return object("replay", "the server cannot start: " + state.error().text);
  if (journal_->head().sequence > 0)
    coverage_.hit(journal_->read_snapshot()->has_value() ? Fault::restarted_from_snapshot
                                                         : Fault::restarted_from_first_record);
  audit_.see_restart(*state, *journal_);
  if (is_over()) return;
  expect_outstanding();
  is_starting_ = true;
  const bool is_new = state->essence().domain.empty();
  runtime::CoreOptions options;
  options.answers_within_batch = random_.chance(1, 4);
  core_ =
      std::make_unique<runtime::Core>(std::move(*state), *journal_, *epoch, clock_, *this, options);
  for (const auto& [key, rtt] : links_) core_->observe_link(key.from, key.to, rtt);
  if (is_new) {
    put(domain::FoundDomain{name_, "operators", "root",
                            people_.empty() ? Digest{{1}} : people_.front().secret},
        false);
  }
  for (Line* line : lines_) {
    if (&line->parent() == this) line->forget_absence();
    if (&line->child() != this) continue;
    const Digest key = random_.chance(1, 2) ? line->parent().key() : Digest{};
    put(domain::JoinParent{line->parent().name(), key}, false);
  }
  for (const auto& site : sites_) {
    put(domain::StartMember{site->offer.member, "", site->offer.site, site->offer.pools}, false);
    site->engine = std::make_unique<SimEngine>(site->machine, std::vector<member::OfferedPool>{});
    site->machine.advance(now_);
    site->engine->attach(*this);
  }
  for (const auto& [pool, reading] : neighbours_) {
    audit_.observe(pool, {}, server_now());  // It knows nothing yet.
    tell_reading(pool);
  }
  if (chance(scenario_.append_fault * 2)) {
    coverage_.hit(Fault::killed_while_starting);
    disk_.fail_next_append(random_.chance(1, 2) ? AppendFault::crash_before
                                                : AppendFault::crash_after);
  }
  plan_step(milliseconds(1));
}

void World::crash_server(Span downtime) {
  ++life_;
  cut_lines();
  core_.reset();
  journal_.reset();
  inbox_.clear();
  step_at_.reset();
  for (const auto& site : sites_) {
    site->engine.reset();
    site->effects_until = now_;
  }
  if (downtime > minutes(20)) coverage_.hit(Fault::long_downtime);
  after(downtime, [this] { start_server(); });
}

// Another server takes the lead while this one still believes it has it.
void World::depose_leader() {
  coverage_.hit(Fault::leader_deposed);
  {
    journal::MemoryJournal other(disk_);
    if (!other.claim_leadership()) return object("journal", "the lead cannot be taken");
  }
  is_deposed_ = true;
  inbox_.clear();
  runtime::Request request;
  request.command = domain::CreateOrganisation{"late" + std::to_string(++names_)};
  request.caller.principal = {UserId{1}, identity::Role::operator_};
  request.reply = [this](const runtime::Reply& reply) {
    if (reply) object("deposed leader", "it acknowledges");
  };
  inbox_.push_back(std::move(request));
  if (core_->step(inbox_)) object("deposed leader", "it goes on");
  is_deposed_ = false;
  crash_server(milliseconds(random_.between(1, 3000)));
}

void World::plan_step(Span delay) {
  const Moment at = now_ + delay;
  if (step_at_ && *step_at_ <= at) return;
  step_at_ = at;
  this->at(at, [this, at, life = life_] {
    if (life == life_ && step_at_ == at) step();
  });
}

void World::break_next_append() {
  if (!chance(scenario_.append_fault)) return;
  static constexpr AppendFault faults[] = {AppendFault::crash_before, AppendFault::crash_after,
                                           AppendFault::io, AppendFault::no_space};
  disk_.fail_next_append(faults[random_.below(4U)]);
}

void World::step() {
  if (!core_) return;
  step_at_.reset();
  for (const auto& site : sites_) site->machine.advance(now_);
  if (random_.chance(1, 4)) core_->measure_space();
  break_next_append();
  const std::uint64_t durable = journal_->head().sequence;
  const auto result = core_->step(inbox_);
  if (is_over()) return;
  if (!result) {
    const bool is_power = random_.chance(1, 2);
    if (result.error().text == "the sync failed")
      coverage_.hit(is_power ? Fault::power_lost_at_sync : Fault::sync_failed);
    else
      coverage_.hit(journal::MemoryJournal(disk_).head().sequence == durable
                        ? Fault::crash_before_append
                        : Fault::crash_after_append);
    if (is_power) disk_.crash(random_);
    const bool is_long = random_.chance(1, 5);
    return crash_server(is_long ? seconds(random_.between(60, 9000))
                                : milliseconds(random_.between(10, 50'000)));
  }
  if (core_->is_stuck()) {
    coverage_.hit(Fault::no_space);
    return plan_step(milliseconds(random_.between(50, 2000)));
  }
  if (std::exchange(is_starting_, false)) check_outstanding();
  const domain::State& state = core_->state();
  if (state.essence().sequence >= examined_ + examine_every) {
    examined_ = state.essence().sequence;
    audit_.examine(&state, *journal_);
  }
  if (chance(scenario_.snapshot)) write_snapshot();
  const auto timer = state.first_timer();
  const bool is_behind = timer && timer->at <= server_now();
  steps_behind_ = is_behind ? steps_behind_ + 1 : 0;
  if (steps_behind_ > steps_behind_max) object("timers", "something stays due for ever");
  if (!inbox_.empty()) return plan_step(milliseconds(1));
  if (const auto next = core_->next_step())
    plan_step(std::max(*next - clock_.now(), milliseconds(1)));
}

void World::check_durable(std::string_view what) {
  if (core_ && core_->state().essence().sequence != journal_->head().sequence)
    object("durability", std::string(what) + " leaves before its record is durable");
  if (is_deposed_ && what != "reply") object("deposed leader", "an effect leaves");
}

void World::on_durable(std::shared_ptr<const runtime::DurableBatch> batch) {
  if (batch->records.size() > 1) coverage_.hit(Branch::several_in_a_batch);
  if (batch->head != journal_->head() || is_deposed_)
    object("durability", "a batch is told that is not the end of the journal");
  for (const runtime::DurableRecord& record : batch->records) {
    if (is_over()) return;
    audit_.see(record);
    const bool is_supply = std::ranges::any_of(record.events, [](const domain::Event& event) {
      return std::holds_alternative<catalogue::PoolOffered>(event) ||
             std::holds_alternative<catalogue::SiteDescribed>(event);
    });
    for (Line* line : lines_) {
      if (is_supply && &line->child() == this) line->note_supply();
    }
  }
}

void World::on_effect(const domain::Effect& effect) {
  check_durable("an effect");
  if (const auto* down = std::get_if<domain::TellMember>(&effect)) return say(*down);
  if (const auto* up = std::get_if<domain::TellParent>(&effect)) return say(*up);
  MemberId member;
  if (const auto* launch = std::get_if<domain::AskLaunch>(&effect)) {
    outstanding_.erase(effect_key("launch", launch->launch.key));
    member = launch->member;
  } else if (const auto* stop = std::get_if<domain::AskStop>(&effect)) {
    outstanding_.erase(effect_key("stop", stop->stop.key));
    member = stop->member;
  } else if (const auto* renew = std::get_if<domain::AskRenew>(&effect)) {
    outstanding_.erase(effect_key("renew", renew->renew.key));
    member = renew->member;
  } else if (const auto* forget = std::get_if<domain::AskForget>(&effect)) {
    member = forget->member;
  } else if (const auto* destroy = std::get_if<domain::DestroyPayloads>(&effect)) {
    outstanding_.erase("destroy " + std::to_string(destroy->first.value));
  }
  const auto site = std::ranges::find_if(sites_, [&](const auto& each) {
    const auto* known = audit_.shadow().catalogue().members().find(member);
    return known != nullptr && each->offer.member == known->name;
  });
  Site& channel = site == sites_.end() ? *sites_.front() : **site;
  const auto deliver_after = [&](Span delay) {
    after(delay, [this, effect, life = life_] {
      if (life != life_) return coverage_.hit(Fault::effect_lost_in_crash);
      deliver(effect);
    });
  };
  if (chance(scenario_.message_fault)) {
    coverage_.hit(Fault::effect_duplicated);
    deliver_after(milliseconds(random_.between(1, 30'000)));
  }
  if (chance(scenario_.message_fault)) {
    coverage_.hit(Fault::effect_overtaken);
    return deliver_after(milliseconds(random_.between(1000, 15'000)));
  }
  const Moment at = std::max(channel.effects_until, now_ + Span{random_.between(0, 20'000)});
  channel.effects_until = at;
  deliver_after(at - now_);
}

void World::launch(const domain::AskLaunch& ask) {
  const AttemptKey& key = ask.launch.key;
  const auto bytes = journal_->read_blob(ask.launch.payload.value);
  if (bytes) {
    const auto payload = wire::decode<Payload>(*bytes);
    if (!payload) return object("payload", "a payload is not what was submitted");
    Launch launch = ask.launch;
    if (!domain::count_down(launch.run_for, ask.decided, steady())) launch.run_for = Span{1};
    return machine_of(ask.member).launch(launch, *payload);
  }
  const jobs::Job* job = audit_.shadow().jobs().find(key.job);
  if (job != nullptr && job->outcome == jobs::Outcome::none)
    object("payload", "the payload of a live job is gone: " + print_key(key));
  Progress failed;
  failed.key = key;
  failed.state = AttemptState::ended;
  failed.end = AttemptEnd::launch_failed;
  on_progress(failed);
}

void World::deliver(const domain::Effect& effect) {
  if (!core_) return;
  for (const auto& site : sites_) site->machine.advance(now_);
  if (const auto* ask = std::get_if<domain::AskLaunch>(&effect)) {
    launch(*ask);
  } else if (const auto* renew = std::get_if<domain::AskRenew>(&effect)) {
    RenewAttempt rest = renew->renew;
    if (domain::count_down(rest.run_for, renew->decided, steady()))
      machine_of(renew->member).renew(rest);
  } else if (const auto* stop = std::get_if<domain::AskStop>(&effect)) {
    machine_of(stop->member).stop(stop->stop);
  } else if (const auto* forget = std::get_if<domain::AskForget>(&effect)) {
    machine_of(forget->member).forget(forget->forget);
  } else if (const auto* destroy = std::get_if<domain::DestroyPayloads>(&effect)) {
    coverage_.hit(Branch::payload_destroyed);
    for (std::uint32_t i = 0; i < destroy->count; ++i) {
      if (!journal_->delete_blob(destroy->first.value + i)) object("payload", "is not deleted");
    }
    put(domain::NotePayloadsDestroyed{destroy->first}, false);
  } else {
    object("effects", "a reservation leaves the core");
  }
}

void World::on_progress(const Progress& progress) {
  const auto deliver_after = [&](Span delay) {
    after(delay, [this, progress, life = life_] {
      if (life != life_) return coverage_.hit(Fault::progress_lost_in_crash);
      deliver(progress);
    });
  };
  if (chance(scenario_.message_fault)) {
    coverage_.hit(Fault::progress_dropped);
    return;
  }
  if (chance(scenario_.message_fault)) {
    coverage_.hit(Fault::progress_duplicated);
    deliver_after(milliseconds(random_.between(1, 60'000)));
  }
  if (chance(scenario_.message_fault)) {
    coverage_.hit(Fault::progress_overtaken);
    return deliver_after(milliseconds(random_.between(500, 40'000)));
  }
  deliver_after(Span{random_.between(100, 20'000)});
}

void World::on_observed(PoolId pool, const PoolReading& reading, Moment at) {
  audit_.observe(pool, reading, at);
}

void World::on_link_observed(SiteId from, SiteId to, const Rtt& rtt) {
  audit_.observe_link(from, to, rtt);
}

void World::tell_reading(PoolId pool) {
  after(milliseconds(random_.between(1, 8000)), [this, pool, life = life_] {
    if (life != life_ || !core_ || core_->is_stuck()) return;
    core_->observe(pool, neighbours_[pool]);
    plan_step(milliseconds(1));
  });
}

void World::deliver(const Progress& progress) {
  if (!core_) return;
  runtime::Request request;
  request.command = domain::Report{progress};
  request.caller.principal = {UserId{1}, identity::Role::operator_};
  request.reply = [this, key = progress.key, state = progress.state](const runtime::Reply& reply) {
    check_durable("reply");
    if (reply) return;
    coverage_.hit(reply.error().code);
    if (reply.error().code != domain::Code::stale || state != AttemptState::ended) return;
    after(milliseconds(2), [this, key] {
      for (const auto& site : sites_) site->machine.forget({key});
    });
  };
  inbox_.push_back(std::move(request));
  plan_step(Span{random_.between(0, 3000)});
}

}  // namespace suan::sim
