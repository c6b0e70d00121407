#pragma once

#include <algorithm>
#include <tuple>
#include <vector>

#include "domain/state.h"

/// Whose turn it is: by priority, then the organisation, and in it the project, that holds the
/// least of what there is, then by age. The least by its dominant resource, of cards, cores and
/// memory the one of which it holds the largest part: A. Ghodsi et al., "Dominant Resource
/// Fairness" (NSDI 2011), with the hierarchy of organisations above it.
namespace suan::domain {

/// The larger of the parts of all cards, cores and memory that somebody holds, in millionths.
std::int64_t dominant_share(const State&, const Need& held);

/// A project with work that waits.
struct Asking {
  std::int64_t organisation_share = 0;
  std::int64_t project_share = 0;
  jobs::UnitKey first;  // Of its heads.
  ProjectId project;
};

/// The projects with work of a rank that waits, in turn.
std::vector<Asking> projects_in_turn(const State&, std::uint8_t rank);

/// How many projects come before that of a waiting unit.
std::size_t projects_before(const State&, const JobSpec&);

/// Calls visit(head) for the heads of all lines in turn, but for the first `skip`, until it returns
/// false.
template <class Visit>
void each_head_in_turn(const State& state, std::size_t skip, Visit visit) {
  const auto& heads = state.jobs().heads();
  for (auto at = heads.begin(); at != heads.end();) {
    const std::uint8_t rank = at->first.rank;
    for (const Asking& each : projects_in_turn(state, rank)) {
      for (auto head = heads.from({rank, each.project, {}}); head != heads.end(); ++head) {
        if (head->first.rank != rank || head->first.project != each.project) break;
        if (skip > 0) {
          --skip;
        } else if (!visit(head->first)) {
          return;
        }
      }
    }
    at = heads.from({static_cast<std::uint8_t>(rank + 1), {}, {}});
  }
}

}  // namespace suan::domain
