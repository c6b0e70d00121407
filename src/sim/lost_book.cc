// Attempts that were given up because their members could not be reached, and what became of them.
#include <algorithm>

#include "sim/books.h"

namespace suan::sim {

using jobs::Phase;

namespace {

constexpr Span told_within = hours(7 * 24);

AttemptKey key_of(const jobs::UnitKey& unit, const JobSpec& spec, std::uint32_t index,
                  std::uint32_t attempt) {
  return {unit.job, unit.unit * spec.nodes + index, attempt};
}

}  // namespace

void LifeBook::seen(const jobs::AttemptLost& event) {
  Job* own = job(event.unit.job);
  Unit* given_up = unit(event.unit);
  if (given_up == nullptr) return;
  const std::string who = print_key(event.unit);
  const jobs::LostAttempt& lost = event.lost;
  const Pool* pool = leases_.pool(lost.pool);
  check(lost.attempt == given_up->attempt && lost.pool == given_up->placement.pool && pool &&
            pool->remote && !lost.open.empty(),
        "lost", who + " is given up and is not with a sub-domain");
  check(lost.hourly == given_up->placement.hourly && lost.rates == given_up->placement.rates &&
            static_cast<bool>(lost.hold) == (lost.hourly > Money{}) &&
            event.set_aside.micro <= given_up->allowance,
        "lost", who + " sets aside what it had not");
  check(own->spec->partition.replace || own->is_guest, "lost", who + " is given up and waits");
  coverage_.hit(own->is_guest ? Between::given_up_below : Between::given_up);
  Lost kept{lost.hold, lost.hourly, event.set_aside, at_, {}, lost.rates.is_given()};
  for (const std::uint32_t index : lost.open) {
    if (!check(index < given_up->tasks.size() && given_up->tasks[index] != Phase::ended, "lost",
               who + " loses a task that has ended"))
      return;
    const AttemptKey key = key_of(event.unit, *own->spec, index, lost.attempt);
    check(!truth_.is_running(key), "fencing", print_key(key) + " is given up while it runs");
    if (truth_.end_of(key) == nullptr) {
      coverage_.hit(Between::given_up_unrun);
      truth_.forbid(key);
      std::erase(launched_, key);
    }
    given_up->tasks[index] = Phase::ended;
    kept.open.insert(index);
    if (index < given_up->leases.size())
      check(leases_.find(given_up->leases[index]) == nullptr, "lease kept", who + " keeps a lease");
  }
  given_up->has_died = true;
  if (own->spec->is_spread()) spread_now_.insert(event.unit.job);
  given_up->allowance = 0;
  own->owed = own->owed + event.set_aside;
  check(lost_.emplace(std::pair(event.unit, lost.attempt), std::move(kept)).second, "lost",
        who + " is given up twice");
}

void LifeBook::seen(const jobs::LostTaskTold& event) {
  Job* own = job(event.key.job);
  if (own == nullptr) return;
  const std::string who = print_key(event.key);
  const jobs::UnitKey key{event.key.job, event.key.task / own->spec->nodes};
  const auto lost = lost_.find({key, event.key.attempt});
  if (!check(lost != lost_.end() && lost->second.open.erase(event.key.task % own->spec->nodes) == 1,
             "lost", who + " is told of out of turn"))
    return;
  const Progress* truth = truth_.end_of(event.key);
  check(truth != nullptr ? truth->usage.wall == event.usage.wall : event.usage.wall == Span{},
        "usage", who + " ended otherwise than the machine says");
  __extension__ using Wide = __int128;
  const Wide hour = hours(1).us;
  const Span charged = lost->second.is_rated ? event.usage.priced : event.usage.wall;
  const auto due = static_cast<std::int64_t>(
      (Wide{lost->second.hourly.micro} * charged.us * 2 + hour) / (hour * 2));
  const std::int64_t cost = std::min(due, lost->second.left.micro);
  check(event.cost.micro == cost, "charge", who + " costs something else, told late");
  check(charged_now_.has_value() == (due > 0), "charge", who + " is not charged as it should be");
  if (charged_now_)
    check(charged_now_->attempt == event.key && charged_now_->wall == event.usage.wall &&
              charged_now_->amount == event.cost && charged_now_->loss.micro == due - cost &&
              charged_now_->hold == lost->second.hold,
          "charge", who + " is charged for something else");
  charged_now_.reset();
  lost->second.left = lost->second.left - event.cost;
  own->late = own->late + event.cost;
  check_budget(*own, who);
  coverage_.hit(Between::told_late);
}

void LifeBook::seen(const jobs::LostAttemptClosed& event) {
  Job* own = job(event.unit.job);
  if (own == nullptr) return;
  const auto lost = lost_.find({event.unit, event.attempt});
  if (!check(lost != lost_.end(), "lost", print_key(event.unit) + " is closed out of turn")) return;
  for (const std::uint32_t index : lost->second.open) {
    const AttemptKey key = key_of(event.unit, *own->spec, index, event.attempt);
    check(truth_.end_of(key) == nullptr || at_ - lost->second.since >= told_within, "usage",
          print_key(key) + " is closed before its member told what it used");
  }
  check(event.returned == lost->second.left, "hold", "what a lost attempt left is not returned");
  check(!lost->second.hold || !money_.is_open(lost->second.hold), "hold",
        "the hold of a lost attempt stays open");
  own->owed = own->owed - event.returned;
  lost_.erase(lost);
}

}  // namespace suan::sim
