#include "runtime/codec.h"
#include "sim/world.h"

namespace suan::sim {

namespace {

constexpr Span offset_max = hours(60);  // So that requests do not seem too old for ever.

}  // namespace

void World::write_snapshot() {
  const domain::State& state = audit_.shadow();
  if (!journal_->write_snapshot(state.essence().sequence, runtime::encode_state(state)))
    object("journal", "a snapshot is refused");
}

void World::misfortune() {
  if (is_calm_) return;
  if (scenario_.misfortunes_per_hour == 0) return;
  const auto every = static_cast<std::int64_t>(7200 / scenario_.misfortunes_per_hour);
  after(seconds(random_.between(1, every + 1)), [this] { misfortune(); });
  for (const auto& site : sites_) site->machine.advance(now_);
  switch (random_.below(9U)) {
    case 0:
      if (!core_) return;
      coverage_.hit(Fault::killed_between_steps);
      return crash_server(random_.chance(1, 5) ? seconds(random_.between(60, 8000))
                                               : milliseconds(random_.between(1, 45'000)));
    case 1:
      if (core_) depose_leader();
      return;
    case 2:
      sites_[random_.below(sites_.size())]->machine.reboot();
      return;
    case 3:
      coverage_.hit(Fault::clock_stepped_back);
      clock_.step(Span{} - seconds(random_.between(1, 600)));
      break;
    case 4:
      coverage_.hit(Fault::clock_stepped_forward);
      if (clock_.offset() < offset_max) clock_.step(seconds(random_.between(1, 600)));
      break;
    case 5:
      if (clock_.offset() > offset_max || !random_.chance(1, 5)) return;
      coverage_.hit(Fault::clock_leapt);
      clock_.step(hours(random_.between(1, 20)));
      break;
    case 6:
      coverage_.hit(Fault::space_low);
      disk_.set_free_bytes(1000);
      if (core_) core_->measure_space();
      after(seconds(random_.between(1, 300)), [this] {
        disk_.set_free_bytes(std::uint64_t{1} << 40U);
        if (core_) core_->measure_space();
      });
      return;
    default:
      if (core_ && !core_->is_stuck()) write_snapshot();
      return;
  }
  if (core_) plan_step(milliseconds(1));
}

}  // namespace suan::sim
