#include "domain/queue.h"

namespace suan::domain {

std::int64_t dominant_share(const State& state, const Need& held) {
  __extension__ using Wide = __int128;
  const Need& all = state.capacity();
  const auto part = [](std::int64_t held_of_it, std::int64_t there) {
    if (held_of_it <= 0) return std::int64_t{0};
    constexpr std::int64_t whole = 1'000'000;
    if (there <= 0) return whole;
    return static_cast<std::int64_t>(std::min(Wide{held_of_it} * whole / there, Wide{INT64_MAX}));
  };
  return std::max({part(held.card_milli, all.card_milli), part(held.cpu_milli, all.cpu_milli),
                   part(held.memory_bytes, all.memory_bytes)});
}

std::vector<Asking> projects_in_turn(const State& state, std::uint8_t rank) {
  std::vector<Asking> asking;
  const auto& heads = state.jobs().heads();
  for (auto at = heads.from({rank, {}, {}}); at != heads.end() && at->first.rank == rank;
       at = heads.from({rank, {at->first.project.value + 1}, {}}))
    asking.push_back({0, 0, at->first.unit, at->first.project});
  if (asking.size() < 2 || planted(Bug::fair_share_ignored)) return asking;
  for (Asking& each : asking) {
    const auto* project = state.identity().projects().find(each.project);
    const OrganisationId organisation =
        project == nullptr ? OrganisationId{} : project->organisation;
    each.project_share = dominant_share(state, state.held_by(each.project));
    each.organisation_share = dominant_share(state, state.held_by(organisation));
  }
  std::ranges::sort(asking, {}, [](const Asking& each) {
    return std::tuple(each.organisation_share, each.project_share, each.first);
  });
  return asking;
}

std::size_t projects_before(const State& state, const JobSpec& spec) {
  const auto asking = projects_in_turn(state, jobs::queue_key(spec, {}).rank);
  const auto own = std::ranges::find(asking, spec.project, &Asking::project);
  return own == asking.end() ? 0 : static_cast<std::size_t>(own - asking.begin());
}

}  // namespace suan::domain
