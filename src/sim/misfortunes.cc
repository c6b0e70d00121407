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

// Other users of a cluster start and end work on it, and nodes go down and come back.
void World::neighbours_act() {
  std::vector<PoolId> pools;
  for (const auto& [id, pool] : audit_.shadow().catalogue().pools()) {
    if (!pool.remote) pools.push_back(id);
  }
  if (pools.empty()) return;
  const Pool& pool = audit_.shadow().catalogue().pools().at(pools[random_.below(pools.size())]);
  const std::vector<NodeReading> before = neighbours_[pool.id].nodes;
  std::vector<NodeReading> now;
  const std::uint64_t most = random_.below(4U);  // Of four: how much of it is busy.
  for (std::uint32_t node = 0; node < pool.nodes; ++node) {
    if (random_.below(4U) >= most) continue;
    const bool is_down = random_.chance(1, 5);
    if (is_down) coverage_.hit(Fault::node_down);
    now.push_back({.node = node,
                   .takes_work = !is_down,
                   .cards = static_cast<std::uint32_t>(random_.below(pool.cards_per_node + 1ULL)),
                   .cpu_milli = random_.between(0, pool.cpu_milli_per_node),
                   .memory_bytes = random_.between(0, pool.memory_bytes_per_node)});
  }
  coverage_.hit(now.size() < before.size() ? Fault::neighbour_left : Fault::neighbour_came);
  neighbours_[pool.id] = {pool.name, std::move(now), 0};
  tell_reading(pool.id);
}

// Somebody measures how long a round trip between two sites takes.
void World::measure_link() {
  if (!core_ || core_->is_stuck()) return;
  std::vector<SiteId> sites;
  for (const auto& [id, site] : audit_.shadow().catalogue().sites()) sites.push_back(id);
  if (sites.empty()) return;
  const auto any = [&] { return sites[random_.below(sites.size())]; };
  const network::LinkKey key = network::LinkKey::between(any(), any());
  const Span p99 = microseconds(random_.between(100, 60'000));
  links_[key] = {.p50 = p99 / 2, .p99 = p99, .at = {}};
  core_->observe_link(key.from, key.to, links_[key]);
  plan_step(milliseconds(1));
}

void World::neighbours_leave() {
  for (auto& [pool, reading] : neighbours_) {
    reading.nodes.clear();
    tell_reading(pool);
  }
}

// Until the clock has come again to where it was nothing falls due.
void World::step_back(Span by) {
  clock_.step(Span{} - by);
  well_since_ = std::max(well_since_, now_) + by;
}

void World::misfortune() {
  if (is_calm_) return;
  if (scenario_.misfortunes_per_hour == 0) return;
  const auto every = static_cast<std::int64_t>(7200 / scenario_.misfortunes_per_hour);
  after(seconds(random_.between(1, every + 1)), [this] { misfortune(); });
  for (const auto& site : sites_) site->machine.advance(now_);
  if (random_.chance(1, 2)) measure_link();
  switch (random_.below(12U)) {
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
      step_back(seconds(random_.between(1, 600)));
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
    case 7:
    case 8:
    case 9:
      return neighbours_act();
    default:
      if (core_ && !core_->is_stuck()) write_snapshot();
      return;
  }
  if (core_) plan_step(milliseconds(1));
}

}  // namespace suan::sim
