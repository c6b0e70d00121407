#include "policy.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <map>
#include <string>

#include "base/ensure.h"
#include "domain/decide.h"
#include "domain/effects.h"
#include "forecast.h"

namespace suan::bench {

namespace {

using domain::Caller;
using domain::Command;

constexpr std::size_t hours_foreseen = 48;
constexpr double list_usd_per_mwh = 100;  // For which a card costs its list price.
constexpr std::int64_t cards = 8;
constexpr Span after_the_hour = minutes(30);  // A deadline: whoever starts by the hour keeps it.
constexpr Span unknown_rtt = seconds(9);
constexpr Digest operator_key{{1}};

/// One domain, hour by hour, without a journal: commands are decided and applied as the core does
/// it.
class Country {
 public:
  Country(const Plant& plant, const Zones& past, std::span<const Job> jobs, Aim aim)
      : plant_(plant), jobs_(jobs), aim_(aim), forecasts_(plant.zones.zones.size()) {
    decided_.starts.resize(jobs.size());
    for (std::size_t zone = 0; zone < forecasts_.size(); ++zone) {
      const auto& values = series_of(past.zones[zone]);
      for (std::size_t i = 0; i < values.size(); ++i)
        forecasts_[zone].see(past.first_hour + static_cast<std::int64_t>(i), values[i]);
    }
    set_hour(0);
    run(domain::FoundDomain{"country", "acme", "root", operator_key});
    ask(domain::CreateProject{"lab", ""});
    ask(domain::Deposit{"lab", yuan(1'000'000'000), ""});
  }

  Decided go() {
    std::size_t next = 0;
    for (std::int64_t hour = 0; next < jobs_.size() || open_ > 0; ++hour) {
      set_hour(hour);
      end_jobs(hour);
      offer(hour);
      pass_time();
      for (; next < jobs_.size() && jobs_[next].arrival == hour; ++next) submit(next, true);
      place(hour);
      now_ = now_ + after_the_hour;  // Deadlines pass.
      pass_time();
      again(hour);
    }
    return std::move(decided_);
  }

 private:
  const std::vector<double>& series_of(const Zone& zone) const {
    return aim_ == Aim::usd ? zone.usd_per_mwh : zone.g_per_kwh;
  }

  void set_hour(std::int64_t hour) { now_ = Moment{} + hours(plant_.zones.first_hour + hour); }

  static Caller process() {
    return {.principal = {UserId{1}, identity::Role::operator_}, .request = {}, .body = {}};
  }

  bool run(const Command& command) { return decide(command, process()); }

  bool ask(const Command& command) {
    return decide(command, {.principal = process().principal,
                            .request = make_request_id(now_.us / 1000, 0, ++requests_),
                            .body = {}});
  }

  bool decide(const Command& command, const Caller& caller) {
    const auto decision = domain::decide(state_, command, caller, now_);
    if (!decision) return false;
    state_.apply(*decision, now_);
    state_.learn(*decision);
    for (const domain::Event& event : *decision) {
      if (const auto* placed = std::get_if<jobs::UnitPlaced>(&event))
        placed_.push_back(placed->unit);
      else if (std::holds_alternative<jobs::UnitPutOff>(event))
        ++decided_.put_off;
      else if (const auto* ended = std::get_if<jobs::JobEnded>(&event))
        note_end(ended->job);
    }
    return true;
  }

  // A job that is over without having run has missed its deadline.
  void note_end(JobId id) {
    const auto at = job_of_.find(id);
    if (at == job_of_.end()) return;
    if (!ends_.contains(id)) missed_.push_back(at->second);
    ends_.erase(id);
    job_of_.erase(at);
  }

  // What the sites say of this hour and of those to come.
  void offer(std::int64_t hour) {
    for (std::size_t zone = 0; zone < forecasts_.size(); ++zone) {
      const auto& values = series_of(plant_.zones.zones[zone]);
      const auto at = std::min(static_cast<std::size_t>(hour), values.size() - 1);
      forecasts_[zone].see(plant_.zones.first_hour + hour, values[at]);
      domain::StartMember start;
      start.name = start.site.name = site_name(zone);
      start.site.region = "cn-sh";
      start.site.latitude_micro = latitude_of(zone);
      start.site.longitude_micro = 1'000'000;
      start.site.pue_milli = 1000;
      Pool pool;
      pool.name = "nodes";
      pool.chip = "H800";
      pool.nodes = static_cast<std::uint32_t>(plant_.nodes);
      pool.cards_per_node = cards;
      pool.cpu_milli_per_node = 128'000;
      pool.memory_bytes_per_node = std::int64_t{1} << 40U;
      pool.price.card_hour = yuan(1);
      Hourly hourly{.from = hour_of(now_), .values = {}};
      const bool is_cost = aim_ == Aim::usd;
      const double unit = is_cost ? rate_usual / list_usd_per_mwh : 1;
      for (const double each : forecasts_[zone].from_now(hours_foreseen))
        hourly.values.push_back(static_cast<std::uint32_t>(
            std::min(std::llround(each * unit), static_cast<long long>(rate_max))));
      (is_cost ? pool.rates : start.site.carbon_hours) = std::move(hourly);
      start.pools = {std::move(pool)};
      ensure(run(start));
    }
    for (std::size_t from = 0; from < forecasts_.size(); ++from) {
      for (std::size_t to = 0; to < from; ++to) {
        const double ms = plant_.zones.rtt_ms[from][to];
        const Span rtt = ms < 0 ? unknown_rtt : Span{std::llround(ms * 1000)};
        state_.observe_link(site_of(from), site_of(to), {.p50 = rtt, .p99 = rtt, .at = now_});
      }
    }
  }

  static std::string site_name(std::size_t zone) { return "zone-" + std::to_string(zone); }

  // Apart, so that no site stands for another.
  static std::int32_t latitude_of(std::size_t zone) {
    return static_cast<std::int32_t>(zone) * 10'000'000 - 70'000'000;
  }

  SiteId site_of(std::size_t zone) const {
    return state_.catalogue().find_site(site_name(zone))->id;
  }

  void pass_time() {
    while (const auto timer = state_.first_timer()) {
      if (timer->at > now_ || !run(domain::Tick{})) return;
    }
  }

  void submit(std::size_t index, bool with_deadline) {
    const Job& job = jobs_[index];
    JobSpec spec;
    spec.project = ProjectId{1};
    spec.alternatives.push_back({.chip = "H800", .card_milli = cards * 1000, .payload = {}});
    spec.max_duration = hours(job.hours);
    spec.grace = {};
    spec.objective = aim_ == Aim::usd ? Objective::cost : Objective::carbon;
    if (with_deadline) {
      spec.window = aim_ == Aim::usd ? Window::cheapest : Window::greenest;
      spec.deadline = now_ + hours(job.slack) + after_the_hour;
    }
    if (job.rtt_max_ms > 0) {
      const auto zone = static_cast<std::size_t>(job.zone);
      spec.where.near = {site_name(zone), latitude_of(zone), 1'000'000};
      spec.where.max_rtt = Span{std::llround(job.rtt_max_ms * 1000)};
    }
    const JobId id{state_.essence().last.job + 1};
    job_of_.emplace(id, index);
    if (ask(domain::SubmitJob{std::move(spec), 0, {}})) {
      ++open_;
      return;
    }
    job_of_.erase(id);
    ++decided_.refused;
    decided_.starts[index] = {job.zone, job.arrival};
  }

  // Those that missed their deadlines run late.
  void again(std::int64_t hour) {
    for (const std::size_t index : std::exchange(missed_, {})) {
      --open_;
      submit(index, false);
    }
    now_ = now_ + Span{1};
    place(hour + 1);
  }

  void place(std::int64_t hour) {
    do {
      for (const jobs::UnitKey& key : std::exchange(placed_, {})) launch(key, hour);
    } while (run(domain::PlaceWaiting{}));
    for (const jobs::UnitKey& key : std::exchange(placed_, {})) launch(key, hour);
  }

  void launch(const jobs::UnitKey& key, std::int64_t hour) {
    if (!run(domain::Reserve{key, 1}) || !run(domain::Confirm{key, 1})) return;
    ensure(run(domain::Report{progress_of(key.job, AttemptState::running, AttemptEnd::none, {})}));
    const std::size_t index = job_of_.at(key.job);
    const PoolId pool = state_.jobs().find(key.job)->units.front().placement.pool;
    const std::string& site =
        state_.catalogue().sites().at(state_.catalogue().pools().at(pool).site).name;
    decided_.starts[index] = {std::stoi(site.substr(5)), hour};
    ends_.emplace(key.job, hour + jobs_[index].hours);
  }

  static Progress progress_of(JobId id, AttemptState state, AttemptEnd end, Span wall) {
    Progress progress;
    progress.key = {id, 0, 1};
    progress.state = state;
    progress.end = end;
    progress.usage.wall = wall;
    return progress;
  }

  void end_jobs(std::int64_t hour) {
    std::vector<JobId> over;
    for (const auto& [id, end] : ends_) {
      if (end <= hour) over.push_back(id);
    }
    for (const JobId id : over) {
      const Span wall = hours(jobs_[job_of_.at(id)].hours);
      ensure(run(domain::Report{progress_of(id, AttemptState::ended, AttemptEnd::exited, wall)}));
      --open_;
    }
  }

  const Plant& plant_;
  std::span<const Job> jobs_;
  Aim aim_;
  std::vector<Forecast> forecasts_;
  Moment now_;
  domain::State state_;
  Decided decided_;
  std::uint64_t requests_ = 0;
  std::size_t open_ = 0;
  std::map<JobId, std::size_t> job_of_;
  std::map<JobId, std::int64_t> ends_;
  std::vector<jobs::UnitKey> placed_;
  std::vector<std::size_t> missed_;
};

}  // namespace

Decided run_domain(const Plant& plant, const Zones& past, std::span<const Job> jobs, Aim aim) {
  return Country(plant, past, jobs, aim).go();
}

}  // namespace suan::bench
