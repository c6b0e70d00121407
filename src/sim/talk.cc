// What a domain of a network says to its parents and sub-domains, and hears from them.
#include <algorithm>
#include <utility>

#include "domain/terms.h"
#include "sim/world.h"
#include "wire/hash.h"

namespace suan::sim {

namespace {

constexpr Span ways_take = minutes(2);  // For all that is on its way, down and up again.

}  // namespace

bool World::can_talk() const {
  return core_ != nullptr && !core_->is_stuck() && !is_deposed_ &&
         core_->state().essence().sequence == durable().essence().sequence;
}

ParentId World::parent_id(const World& parent) const {
  const identity::Parent* known = durable().identity().find_parent(parent.name());
  return known == nullptr ? ParentId{} : known->id;
}

MemberId World::member_id(const World& child) const {
  const catalogue::Member* known = durable().catalogue().find_member(child.name());
  return known == nullptr ? MemberId{} : known->id;
}

Digest World::key() const {
  return wire::hash("key of " + name_);
}

bool World::has_answered(const World& child) {
  const Digest token = wire::hash("token for " + child.name());
  const identity::Joiner* joiner = durable().identity().find_joiner(child.key());
  if (joiner != nullptr && joiner->state != identity::JoinState::asked) return true;
  if (invited_.insert(child.name()).second) {
    insist(domain::MakeJoinToken{child.name(), token, hours(30 * 24)});
    insist(domain::AnswerJoin{child.name(), true});
  }
  put(domain::AskToJoin{token, child.name(), child.key(), "a simulated domain"}, false);
  return false;
}

void World::refuse_for(Line& line, Span span) {
  const std::string& child = line.child().name();
  if (durable().identity().find_joiner(std::string_view(child)) == nullptr) return;
  coverage_.hit(Between::member_refused);
  insist(domain::AnswerJoin{child, false});
  after(span, [this, child] { insist(domain::AnswerJoin{child, true}); });
  after(span + minutes(2), [&line] { line.note_supply(); });
}

void World::say(const domain::TellMember& effect) {
  for (Line* line : lines_) {
    if (&line->parent() == this && member_id(line->child()) == effect.member)
      return tell(*line, effect);
  }
  object("effects", "a message for no sub-domain");
}

void World::say(const domain::TellParent& effect) {
  const auto line = std::ranges::find_if(lines_, [&](const Line* each) {
    return &each->child() == this && parent_id(each->parent()) == effect.parent;
  });
  if (line == lines_.end()) return object("effects", "a message for no parent");
  const auto* report = std::get_if<TaskReport>(&effect.message);
  if (report != nullptr && report->progress.state == AttemptState::ended && !(*line)->is_up())
    coverage_.hit(Between::ended_while_cut);
  std::visit([&](const auto& message) { (*line)->say(UpMessage(message)); }, effect.message);
}

void World::tell(Line& line, const domain::TellMember& effect) {
  domain::TellMember rest = effect;
  std::string payload;
  bool is_in_time = true;
  if (auto* commit = std::get_if<CommitUnit>(&rest.message)) {
    is_in_time = domain::count_down(commit->run_for, effect.decided, steady());
    if (commit->payload) {
      auto bytes = journal_->read_blob(commit->payload.value);
      if (!bytes) return object("payload", "the payload of a unit to be committed is gone");
      payload = std::move(*bytes);
    }
  } else if (auto* renewals = std::get_if<RenewUnits>(&rest.message)) {
    is_in_time = domain::count_down(*renewals, effect.decided, steady());
  }
  if (is_in_time) line.say(std::move(rest.message), std::move(payload));
}

void World::lose_sight(const Line& line) {
  const MemberId member = member_id(line.child());
  if (!core_ || core_->is_stuck() || !member) return;
  for (const auto& [id, pool] : durable().catalogue().pools()) {
    if (pool.member == member && core_->state().catalogue().pools().contains(id))
      core_->observe(id, reading_of_nothing(pool.nodes));
  }
  plan_step(milliseconds(1));
}

void World::miss(Line& line, Moment since) {
  const MemberId member = member_id(line.child());
  if (!core_ || !member) return;
  runtime::Request request;
  request.command = domain::NoteAbsence{member, steady() - since};
  request.caller = runtime::link_caller();
  request.reply = [this, &line, since, session = line.session()](const runtime::Reply& reply) {
    check_durable("reply");
    if (!reply) return coverage_.hit(reply.error().code);
    after(milliseconds(1), [this, &line, since, session] {
      if (session == line.session()) miss(line, since);
    });
  };
  inbox_.push_back(std::move(request));
  plan_step(milliseconds(random_.between(0, 5)));
}

void World::hear(Line& line, const runtime::Down& message, const std::string& payload) {
  if (!core_) return;
  runtime::Request request;
  request.command = runtime::to_command(parent_id(line.parent()), message);
  request.caller = runtime::link_caller();
  request.received = steady();
  if (!payload.empty()) request.payloads.push_back(payload);
  request.reply = [this, &line, message, session = line.session()](const runtime::Reply& reply) {
    check_durable("reply");
    if (!reply) coverage_.hit(reply.error().code);
    if (!reply && reply.error().code == domain::Code::known_already &&
        std::holds_alternative<CommitUnit>(message))
      coverage_.hit(Between::commit_repeated);
    const auto answer = runtime::answer_to(message, reply);
    if (!answer || session != line.session()) return;
    std::visit([&](const auto& each) { line.say(UpMessage(each)); }, *answer);
  };
  inbox_.push_back(std::move(request));
  plan_step(milliseconds(random_.between(0, 5)));
}

// Newer than what the core knows by its own records, or older: it only informs.
void World::hear_reading(const World& child, const SupplyReading& message) {
  if (core_->is_stuck()) return;
  const MemberId member = member_id(child);
  for (const auto& [id, pool] : durable().catalogue().pools()) {
    if (pool.member == member && pool.remote == message.pool) {
      core_->observe(id, message.reading, message.age);
      return plan_step(milliseconds(1));
    }
  }
}

void World::hear(Line& line, const UpMessage& message) {
  if (!core_) return;
  if (const auto* offer = std::get_if<SupplyOffer>(&message))
    return put(domain::OfferSupply{line.child().name(), *offer}, false);
  if (const auto* reading = std::get_if<SupplyReading>(&message))
    return hear_reading(line.child(), *reading);
  const runtime::Up up = std::visit(
      [](const auto& each) -> runtime::Up {
        if constexpr (requires { runtime::Up(each); })
          return each;
        else
          return UnitRefused{};
      },
      message);
  runtime::Request request;
  request.command = runtime::to_command(member_id(line.child()), up);
  request.caller = runtime::link_caller();
  request.reply = [this, &line, up, session = line.session()](const runtime::Reply& reply) {
    check_durable("reply");
    if (!reply) coverage_.hit(reply.error().code);
    if (!reply && reply.error().code == domain::Code::known_already &&
        std::holds_alternative<TaskReport>(up))
      coverage_.hit(Between::report_repeated);
    const auto answer = runtime::answer_to(up, reply);
    if (answer && session == line.session()) tell(line, {member_id(line.child()), *answer});
  };
  inbox_.push_back(std::move(request));
  plan_step(milliseconds(random_.between(0, 5)));
}

void World::cut_lines() {
  for (Line* line : lines_) line->cut(milliseconds(random_.between(1, 30'000)));
}

// The attempt at home that a guest of this domain is; absent if the job is at home here.
std::optional<World::Home> World::home_of(const AttemptKey& key) {
  const jobs::Job* job = durable().jobs().find(key.job);
  if (job == nullptr || !job->guest) return std::nullopt;
  const jobs::Guest& guest = *job->guest;
  for (const Line* line : lines_) {
    if (&line->child() != this || parent_id(line->parent()) != guest.parent) continue;
    World& parent = line->parent();
    const jobs::Job* home = parent.durable().jobs().find(guest.home.job);
    if (home == nullptr) {
      object("guest", print_key(key) + " runs for a home that knows nothing of it");
      return std::nullopt;
    }
    return Home{.world = &parent,
                .well_since = line->well_since(),
                .key = {home->id, jobs::task_number(*home->spec, guest.home.unit, key.task),
                        guest.home.attempt},
                .pool = home->units[guest.home.unit].placement.pool};
  }
  return std::nullopt;
}

void World::on_started(const Launch& launch) {
  audit_.truth().on_started(launch);
  const auto home = home_of(launch.key);
  if (!home) return;
  Launch there = launch;
  there.key = home->key;
  there.pool = home->pool;
  home->world->on_started(there);
}

void World::on_over(const AttemptKey& key, const Progress& progress) {
  on_over(key, progress, birth);
}

void World::on_over(const AttemptKey& key, const Progress& progress, Moment well_since) {
  audit_.truth().on_over(key, progress);
  well_since = std::max(well_since, this->well_since());
  const auto home = home_of(key);
  if (home) {
    Progress there = progress;
    there.key = home->key;
    return home->world->on_over(there.key, there, std::max(well_since, home->well_since));
  }
  if (progress.end == AttemptEnd::lapsed) check_lapse(key, well_since);
}

// What is to stop when it is cut off goes on while it is not: whatever its home said of it in the
// time for which it ran has arrived, as nothing was away on the way there.
void World::check_lapse(const AttemptKey& key, Moment well_since) {
  const jobs::Job* job = durable().jobs().find(key.job);
  if (job == nullptr || job->guest) return;
  const Span most = domain::lost_after(*job);
  coverage_.hit(Between::lapsed);
  if (most > Span{} && now_ - well_since > most + job->spec->grace + ways_take)
    object("lapse", print_key(key) + " lapsed, and its home could have renewed it all the time");
}

}  // namespace suan::sim
