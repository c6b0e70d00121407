// Spot work: who is stopped for whom, and that it is tried again.
#include "sim/books.h"

namespace suan::sim {

using jobs::Phase;

void LifeBook::seen(const jobs::PlaceCleared& event) {
  Unit* own = unit(event.unit);
  if (own == nullptr) return;
  const std::string who = print_key(event.unit);
  const Job& its = jobs_.at(event.unit.job);
  check(own->phase == Phase::waiting && own->is_queued && !its.is_guest, "spot",
        who + " gets a place cleared and does not wait for one");
  check(!its.spec->is_spot, "spot", who + " is spot work, and others are stopped for it");
  check(event.by > at_ && own->cleared_by <= at_, "spot",
        who + " gets a place cleared while it waits for another");
  own->cleared_by = event.by;
  cleared_now_ = event.pool;
  preempted_now_ = 0;
  coverage_.hit(Branch::place_cleared);
}

// Only spot work is, and for somebody: who waits here or, of a guest, at its home.
void LifeBook::check_preempted(const jobs::TaskStopping& event, const Job& own,
                               const Unit& stopped) {
  if (event.why != AttemptEnd::preempted) return;
  const std::string who = print_key(event.key);
  check(own.spec->is_spot, "spot", who + " is preempted and no spot work");
  check(cleared_now_ ? cleared_now_ == stopped.placement.pool : own.is_guest, "spot",
        who + " is preempted for nobody");
  ++preempted_now_;
  if (own.is_guest)
    coverage_.hit(cleared_now_ ? Between::preempted_by_host : Between::preempted_by_home);
}

void LifeBook::check_cleared() {
  check(!cleared_now_ || preempted_now_ > 0, "spot", "a place is cleared of nothing");
  cleared_now_ = {};
}

// Whoever was preempted is tried again, unless its user, its time or its money is against it.
void LifeBook::check_given_up(const jobs::UnitEnded& event, const Job& its) {
  if (event.end != AttemptEnd::preempted) return;
  const JobSpec& spec = *its.spec;
  const bool is_late = (spec.deadline != Moment{} && spec.deadline <= at_) ||
                       (spec.retry.duration > Span{} && at_ - its.submitted > spec.retry.duration);
  check(spec.is_spot && (its.is_guest || its.is_stopping || is_late), "spot",
        print_key(event.unit) + " was preempted and is not tried again");
}

}  // namespace suan::sim
