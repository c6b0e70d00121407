#include "sim/line.h"

#include <algorithm>
#include <utility>

#include "domain/shown.h"
#include "sim/world.h"

namespace suan::sim {

namespace {

constexpr Span readings_every = seconds(10);

}  // namespace

void Line::try_to_connect() {
  if (is_up_) return;
  if (parent_.can_talk() && child_.can_talk() && child_.parent_id(parent_) &&
      (!asks_first_ || parent_.has_answered(child_)))
    return connect();
  child_.after(milliseconds(random_.between(500, 20'000)), [this] { try_to_connect(); });
}

void Line::connect() {
  is_up_ = true;
  connected_ = child_.now();
  ++session_;
  told_.clear();
  told_as_of_ = 0;
  down_until_ = up_until_ = {};
  tell_supply();
  tell_readings();
  for (const domain::Effect& effect :
       domain::outstanding_for(child_.durable(), child_.parent_id(parent_)))
    std::visit([&](const auto& message) { say(UpMessage(message)); },
               std::get<domain::TellParent>(effect).message);
  for (const domain::Effect& effect :
       domain::outstanding_for(parent_.durable(), parent_.member_id(child_)))
    parent_.tell(*this, std::get<domain::TellMember>(effect));
}

Moment Line::well_since() const {
  return is_up_ && !is_silent_down_ && !is_silent_up_ ? connected_ : never;
}

void Line::cut_one_way(bool is_downward, Span span) {
  if (!is_up_ || is_silent_down_ || is_silent_up_) return;
  coverage_.hit(Between::cut_one_way);
  (is_downward ? is_silent_down_ : is_silent_up_) = true;
  if (is_downward && random_.chance(2, 3)) {
    lingering_ = session_;
    span = std::max(span, minutes(random_.between(1, 300)));
  }
  child_.after(milliseconds(random_.between(1, 45'000)), [this, span, session = session_] {
    if (session == session_) cut(span);
  });
}

// The parent looks from time to time what it can no longer wait for.
void Line::miss() {
  const bool is_new = parent_.steady() - away_since_ < minutes(2);
  parent_.after(seconds(is_new ? random_.between(1, 20) : random_.between(20, 120)),
                [this, session = session_] {
                  if (session != session_) return;
                  parent_.miss(*this, away_since_);
                  miss();
                });
}

void Line::forget_absence() {
  away_since_ = parent_.steady();
  parent_.lose_sight(*this);
}

// Takes off what passed since the heartbeat that the parent had heard when it said this.
bool Line::is_in_time(runtime::Down& message, Moment heard) {
  Span* run_for = nullptr;
  if (auto* commit = std::get_if<CommitUnit>(&message)) run_for = &commit->run_for;
  auto* renewals = std::get_if<RenewUnits>(&message);
  const bool is_in_time =
      renewals != nullptr
          ? domain::count_down(*renewals, heard, child_.steady())
          : run_for == nullptr || domain::count_down(*run_for, heard, child_.steady());
  if (is_in_time) return true;
  coverage_.hit(Between::message_too_late);
  return false;
}

void Line::cut(Span span) {
  if (!is_up_) return;
  is_up_ = is_silent_down_ = is_silent_up_ = false;
  ++session_;
  away_since_ = parent_.steady();
  coverage_.hit(span > hours(1) ? Between::cut_for_long : Between::cut);
  parent_.lose_sight(*this);
  miss();
  child_.after(span, [this] { try_to_connect(); });
}

// In order, whatever each takes by itself.
Moment Line::arrival(Moment& until, Moment now) {
  const std::int64_t most = random_.chance(1, 50) ? 20'000 : 300;
  until = std::max(until, now + milliseconds(random_.between(1, most)));
  return until;
}

// What waits on the way while nothing gets through may arrive when the parent has long taken the
// connection for over.
void Line::say(runtime::Down message, std::string payload) {
  if (!is_up_) return;
  const bool is_stalled = is_silent_down_ && lingering_ == session_;
  if (is_silent_down_ && !is_stalled) return coverage_.hit(Between::message_lost_in_cut);
  const Moment heard = child_.steady() - milliseconds(random_.between(0, 5000));
  Moment arrives = arrival(down_until_, parent_.now());
  if (is_stalled) arrives = down_until_ = arrives + seconds(random_.between(0, 600));
  child_.at(arrives, [this, message = std::move(message), payload = std::move(payload), heard,
                      session = session_, lives = child_.restarts()]() mutable {
    const bool lingers = session == lingering_ && !is_up_ && lives == child_.restarts();
    if (session != session_ && !lingers) return coverage_.hit(Between::message_lost_in_cut);
    if (session != session_) coverage_.hit(Between::message_lingered);
    if (is_in_time(message, heard)) child_.hear(*this, message, payload);
  });
}

void Line::say(UpMessage message) {
  if (!is_up_) return;
  if (is_silent_up_) return coverage_.hit(Between::message_lost_in_cut);
  parent_.at(arrival(up_until_, child_.now()),
             [this, message = std::move(message), session = session_] {
               if (session != session_) return coverage_.hit(Between::message_lost_in_cut);
               parent_.hear(*this, message);
             });
}

void Line::note_supply() {
  if (!is_up_ || std::exchange(is_supply_new_, true)) return;
  child_.after(milliseconds(random_.between(1, 3000)), [this, session = session_] {
    if (session == session_) tell_supply();
    is_supply_new_ = false;
  });
}

void Line::tell_supply() {
  say(UpMessage(domain::offer_to_parents(child_.durable())));
}

void Line::tell_readings() {
  child_.after(readings_every, [this, session = session_] {
    if (session == session_) tell_readings();
  });
  const std::uint64_t seen = child_.seen();
  if (std::exchange(told_as_of_, seen) == seen) return;
  const auto readings = domain::readings_for(child_.durable(), child_.parent_id(parent_));
  for (const auto& [pool, reading] : readings) {
    const auto told = told_.find(pool);
    if (told != told_.end() && told->second == reading) continue;
    told_[pool] = reading;
    say(UpMessage(SupplyReading{pool, reading, {}}));
  }
}

}  // namespace suan::sim
