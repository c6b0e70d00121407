#include "sim/tally.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/ensure.h"

namespace suan::sim {

namespace {

constexpr std::size_t parts = 120;

}  // namespace

void Course::go_on(Span to) {
  const auto length = static_cast<double>(lasts_.us) / static_cast<double>(areas_.size());
  while (at_ < to) {
    const auto part =
        std::min(static_cast<std::size_t>(static_cast<double>(at_.us) / length), areas_.size() - 1);
    const bool is_last = part + 1 == areas_.size();
    const Span end{is_last ? lasts_.us
                           : static_cast<std::int64_t>(static_cast<double>(part + 1) * length) + 1};
    const Span until = std::min(to, end);
    areas_[part] += value_ * static_cast<double>((until - at_).us);
    at_ = until;
  }
}

void Course::add(Span at, double change) {
  ensure(at >= at_);
  go_on(std::min(at, lasts_));
  value_ += change;
}

std::vector<double> Course::means() {
  go_on(lasts_);
  std::vector<double> means = areas_;
  for (double& each : means)
    each *= static_cast<double>(areas_.size()) / static_cast<double>(lasts_.us);
  return means;
}

Tally::Tally(const NodeList& nodes, const Workload& workload)
    : nodes_(nodes),
      workload_(workload),
      allocated_(workload.lasts, parts),
      waiting_(workload.lasts, parts),
      jobs_(workload.arrivals.size()) {
  replay_.jobs = workload.arrivals.size();
}

SizeClass& Tally::size_of(std::size_t job) {
  const packing::Ask& ask = workload_.arrivals[job].ask;
  return replay_.sizes[ask.is_share() ? "share" : std::to_string(ask.cards)];
}

bool Tally::comes(std::size_t job) {
  const Arrival& arrival = workload_.arrivals[job];
  const bool fits = std::ranges::any_of(nodes_.kinds, [&](const packing::NodeKind& kind) {
    return packing::fits(packing::all_free(0, kind), kind, arrival.ask);
  });
  if (!fits) {
    ++replay_.refused;
    return false;
  }
  if (!arrival.was_there) ++size_of(job).came;
  waiting_.add(arrival.at, 1);
  jobs_[job].state = State::waits;
  return true;
}

void Tally::starts(std::size_t job, Span at, std::uint32_t kind) {
  const Arrival& arrival = workload_.arrivals[job];
  ensure(jobs_[job].state == State::waits);
  jobs_[job] = {State::runs, kind, at};
  waiting_.add(at, -1);
  allocated_.add(at, static_cast<double>(arrival.ask.cards_milli()));
  if (arrival.was_there) return;
  ++size_of(job).started;
  size_of(job).waits.push_back(at - arrival.at);
}

void Tally::ends(std::size_t job, Span at) {
  count_use(job, at);
  allocated_.add(at, -static_cast<double>(workload_.arrivals[job].ask.cards_milli()));
  jobs_[job].state = State::elsewhere;
}

void Tally::count_use(std::size_t job, Span until) {
  const Job& each = jobs_[job];
  ensure(each.state == State::runs);
  const CardTerms& terms = nodes_.terms[each.kind];
  const double cards =
      static_cast<double>(workload_.arrivals[job].ask.cards_milli()) / packing::card_milli;
  const double card_hours =
      cards * static_cast<double>((until - each.since).us) / static_cast<double>(hours(1).us);
  replay_.card_hours += card_hours;
  replay_.cost_cny += card_hours * static_cast<double>(terms.hourly.micro) / 1e6;
  replay_.energy_kwh += card_hours * static_cast<double>(terms.watts) / 1000;
}

Replay Tally::finish() {
  for (std::size_t job = 0; job < jobs_.size(); ++job) {
    const Arrival& arrival = workload_.arrivals[job];
    if (jobs_[job].state == State::runs) count_use(job, workload_.lasts);
    if (jobs_[job].state == State::waits && !arrival.was_there)
      size_of(job).waits.push_back(workload_.lasts - arrival.at);
  }
  for (auto& [name, size] : replay_.sizes) std::ranges::sort(size.waits);
  replay_.waiting_course = waiting_.means();
  replay_.allocation_course = allocated_.means();
  const double percent = 100 / static_cast<double>(nodes_.card_milli);
  for (double& each : replay_.allocation_course) each *= percent;
  const auto& course = replay_.allocation_course;
  replay_.allocation =
      std::accumulate(course.begin(), course.end(), 0.0) / static_cast<double>(course.size());
  return std::move(replay_);
}

}  // namespace suan::sim
