// Decides in which hour work with a start.window starts, and where.
#include <algorithm>
#include <limits>

#include "base/planted.h"
#include "domain/deciding.h"
#include "energy/course.h"

namespace suan::domain {

namespace {

constexpr std::size_t places_weighed_max = 64;  // The best of this hour.
constexpr Span run_assumed = hours(1);          // Of work that does not say how long it takes.
constexpr Span looked_ahead = hours(24 * (hourly_days_max + 1));  // Later hours repeat these.
constexpr std::int64_t gain_part_min = 20;    // Less than a twentieth is not worth the wait.
constexpr std::int64_t gain_part_given = 10;  // Of what is saved at most, for an earlier start.
constexpr std::int64_t slack_part_kept = 8;   // Of the time to the deadline, to find room in.
constexpr std::int64_t unknown = std::numeric_limits<std::int64_t>::max();

// What a run in one place comes to, by the hour in which it starts: see PutOff.
class Prospect {
 public:
  Prospect(const State& state, const JobSpec& spec, const placement::Candidate& candidate)
      : run_(spec.max_duration == Span{} ? run_assumed : spec.max_duration) {
    const Pool& pool = state.catalogue().pools().at(candidate.pool);
    if (spec.window == Window::cheapest) {
      steady_ =
          placement::hourly_cost(price_in(pool, spec.is_spot), candidate.need, spec.tasks()).micro;
      parts_ = std::int64_t{rate_usual} * 1000;
      if (pool.rates.is_given()) course_.emplace(pool.rates);
      return;
    }
    const Site& site = state.catalogue().sites().at(pool.site);
    steady_ = site.pue_milli;
    parts_ = 1000;
    if (site.carbon_hours.is_given())
      course_.emplace(site.carbon_hours);
    else
      steady_ *= site.carbon_g_per_kwh;
    if (steady_ == 0) steady_ = unknown;
  }

  bool is_steady() const { return !course_ || steady_ == unknown; }

  std::int64_t from(Moment start) const {
    if (is_steady()) return steady_;
    return scale(Money{steady_}, course_->mean_milli(start, run_), parts_).micro;
  }

 private:
  Span run_;
  std::int64_t steady_ = 0;  // What is the same at all hours; a mean in thousandths times this, by
  std::int64_t parts_ = 1;   // so many, is what a run comes to.
  std::optional<energy::Course> course_;
};

}  // namespace

namespace {

// The best hour to start in, after this one: of those that save nearly as much as any the first.
void find_hour(const std::vector<std::pair<PoolId, Prospect>>& prospects, Moment now, Moment latest,
               jobs::PutOff& best) {
  const auto each_start = [&](auto see) {
    for (Moment start = hour_of(now) + hours(1); start <= latest; start = start + hours(1)) {
      for (const auto& [pool, prospect] : prospects) {
        if (!prospect.is_steady() && !see(start, pool, prospect.from(start))) return;
      }
    }
  };
  std::int64_t least = best.now;
  each_start([&](Moment, PoolId, std::int64_t then) {
    least = std::min(least, then);
    return true;
  });
  const std::int64_t saved = best.now - least;
  if (saved <= best.now / gain_part_min) return;
  const std::int64_t enough = least + saved / gain_part_given;
  each_start([&](Moment start, PoolId pool, std::int64_t then) {
    if (best.until != Moment{} && best.until < start) return false;
    if (then > enough || (best.until == start && then >= best.then)) return true;
    best.until = start;
    best.pool = pool;
    best.then = then;
    return true;
  });
}

}  // namespace

std::optional<jobs::PutOff> better_hour(const State& state, const JobSpec& spec, Moment now) {
  if (spec.window == Window::none || spec.deadline <= now) return std::nullopt;
  const ExactNodes nodes(state);
  const auto ranking =
      placement::rank(state.supply(), placement::make_demand(spec), &nodes, places_weighed_max);
  Moment latest =
      std::min(spec.deadline - (spec.deadline - now) / slack_part_kept, now + looked_ahead);
  if (planted(Bug::put_off_past_the_deadline)) latest = spec.deadline + hours(6);
  jobs::PutOff best{.until = {}, .pool = {}, .pool_now = {}, .then = unknown, .now = unknown};
  std::int64_t anywhere_now = unknown;
  std::vector<std::pair<PoolId, Prospect>> prospects;
  for (const placement::Candidate& each : ranking.best) {
    // What is full now may be so then: it counts where all are.
    if (ranking.starts_now > 0 && !each.starts_now()) continue;
    const Prospect& prospect =
        prospects.emplace_back(each.pool, Prospect(state, spec, each)).second;
    const std::int64_t at_once = prospect.from(now);
    anywhere_now = std::min(anywhere_now, at_once);
    if (!each.starts_now() || at_once >= best.now) continue;
    best.now = at_once;
    best.pool_now = each.pool;
  }
  if (!best.pool_now) best.now = anywhere_now;  // It would wait, and cost this at the least.
  if (best.now == unknown) return std::nullopt;
  find_hour(prospects, now, latest, best);
  if (best.until == Moment{}) return std::nullopt;
  return best;
}

std::optional<Choice> choose_hour(const State& state, const JobSpec& spec, Moment now) {
  const placement::Demand demand = placement::make_demand(spec);
  const ExactNodes nodes(state);
  const auto ranking = placement::rank(state.supply(), demand, &nodes, places_weighed_max);
  const placement::Candidate* best = nullptr;
  std::int64_t least = 0;
  for (const placement::Candidate& each : ranking.best) {
    if (!each.starts_now()) continue;
    const std::int64_t value = Prospect(state, spec, each).from(now);
    if (best != nullptr && value >= least) continue;
    best = &each;
    least = value;
  }
  if (best == nullptr) return ranking.starts_now == 0 ? std::nullopt : choose_place(state, demand);
  return record_choice(state, demand, ranking, *best);
}

}  // namespace suan::domain
