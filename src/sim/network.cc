#include "sim/network.h"

#include <algorithm>

#include "wire/hash.h"

namespace suan::sim {

namespace {

constexpr Span lives_at_most = hours(24 * 40);
constexpr Span patience_at_first = hours(30);
constexpr Span patience_for_a_unit = hours(12);  // Of a big array that runs one by one.

}  // namespace

Network::Network(const Scenario& scenario, std::uint64_t seed, Coverage& coverage)
    : scenario_(scenario), seed_(seed), coverage_(coverage), random_(seed ^ 0x7E7u), now_(birth) {
  worlds_.push_back(std::make_unique<World>(scenario, seed, coverage, "top"));
  if (scenario.provinces > 0) settle_provinces();
  turns_.emplace(worlds_.size());
  for (std::size_t i = 0; i < worlds_.size(); ++i) worlds_[i]->join_turns(*turns_, i);
}

void Network::settle_provinces() {
  const Scenario& scenario = scenario_;
  std::uint64_t provinces = 1 + random_.below(std::uint64_t{scenario.provinces});
  std::uint64_t sites = random_.below(scenario.sites + 1ULL);
  if (scenario.exact) {
    provinces = scenario.provinces;
    sites = scenario.sites;
  }
  for (std::uint64_t i = 0; i < provinces; ++i) {
    worlds_.push_back(std::make_unique<World>(scenario, random_.next(), coverage_,
                                              "province" + std::to_string(i)));
    join(*worlds_.back(), *worlds_.front());
  }
  for (std::uint64_t i = 0; i < sites; ++i) {
    World& parent = *worlds_[1 + random_.below(provinces)];
    worlds_.push_back(
        std::make_unique<World>(scenario, random_.next(), coverage_, "site" + std::to_string(i)));
    join(*worlds_.back(), parent);
  }
}

void Network::join(World& child, World& parent) {
  lines_.push_back(std::make_unique<Line>(parent, child, random_.split(), coverage_));
  parent.add_line(*lines_.back());
  child.add_line(*lines_.back());
}

void Network::trace() {
  for (const auto& world : worlds_) world->trace();
}

bool Network::is_over() const {
  return std::ranges::any_of(worlds_, [](const auto& world) { return world->is_over(); });
}

std::uint64_t Network::events() const {
  std::uint64_t sum = 0;
  for (const auto& world : worlds_) sum += world->events();
  return sum;
}

std::size_t Network::live_units() const {
  std::size_t live = 0;
  for (const auto& world : worlds_) live += world->live_units();
  return live;
}

// Lets the next thing happen anywhere, if it is due by `limit`.
bool Network::pass_one(Moment limit) {
  const Moment next = turns_->next();
  if (limit < next) return false;
  const std::size_t who = turns_->who();
  now_ = std::max(now_, next);
  worlds_[who]->pass_one();
  turns_->set(who, worlds_[who]->next());
  return true;
}

void Network::take_turns() {
  for (std::size_t i = 0; i < worlds_.size(); ++i) turns_->set(i, worlds_[i]->next());
}

void Network::pass(Span span) {
  take_turns();
  const Moment limit = now_ + span;
  while (!is_over() && pass_one(limit)) {
  }
  now_ = limit;
  for (const auto& world : worlds_) world->wait_until(limit);
}

void Network::cut_lines() {
  if (is_calm_ || scenario_.cuts_per_hour == 0) return;
  const auto every = static_cast<std::int64_t>(7200 / scenario_.cuts_per_hour);
  for (const auto& line : lines_) {
    worlds_.front()->after(seconds(random_.between(1, every)), [this, &line = *line] {
      if (is_calm_) return;
      if (random_.chance(1, 20)) line.parent().refuse_for(line, minutes(random_.between(1, 120)));
      const Span span = random_.chance(1, 12) ? minutes(random_.between(60, 600))
                                              : milliseconds(random_.between(1, 120'000));
      if (random_.chance(1, 2))
        line.cut_one_way(random_.chance(1, 2), span);
      else
        line.cut(span);
    });
  }
  worlds_.front()->after(seconds(every), [this] { cut_lines(); });
}

void Network::live() {
  for (const auto& world : worlds_) world->begin();
  for (const auto& line : lines_) line->try_to_connect();
  cut_lines();
  take_turns();
  const Moment limit = birth + lives_at_most;
  const std::uint64_t enough = scenario_.events * worlds_.size();
  while (!is_over() && events() < enough && pass_one(limit)) {
  }
  if (!is_over() && (now_ >= limit || events() < enough))
    worlds_.front()->object("simulator", "nothing happens any more");
}

void Network::wait_for_units() {
  std::size_t live = live_units();
  Moment patience = now_ + patience_at_first;
  while (!is_over() && now_ < patience && live > 0) {
    pass(minutes(20));
    if (live_units() < live) patience = now_ + patience_for_a_unit;
    live = live_units();
  }
}

void Network::come_to_rest() {
  is_calm_ = true;
  for (const auto& world : worlds_) world->calm();
  pass(minutes(1));
  const auto is_down = [](const auto& world) { return !world->is_running(); };
  if (std::ranges::any_of(worlds_, is_down) && !is_over()) pass(hours(10));
  if (is_over()) return;
  for (const auto& world : worlds_) world->open_up();
  // Work that ends by itself gets the time to; what beats its heart for ever is stopped first.
  pass(minutes(10));
  for (const auto& world : worlds_) world->stop_services();
  wait_for_units();
  if (is_over()) return;
  for (const auto& world : worlds_) world->check_waiting_jobs();
  for (const auto& world : worlds_) world->stop_batches();
  pass(minutes(30));
  if (is_over()) return;
  for (const auto& world : worlds_) world->check_all_stopped();
  pass(hours(2));
  for (const auto& world : worlds_) world->forget_answers();
  pass(minutes(30));
  for (const auto& world : worlds_) {
    if (!is_over()) world->check_at_rest();
  }
}

Verdict Network::run() {
  live();
  if (!is_over()) come_to_rest();
  Verdict verdict;
  verdict.seed = seed_;
  verdict.domains = worlds_.size();
  verdict.events = events();
  verdict.lived = now_ - birth;
  std::string ends;
  for (const auto& world : worlds_) {
    if (!verdict.objection) verdict.objection = world->objection();
    verdict.records += world->durable().essence().sequence;
    verdict.jobs += world->durable().essence().last.job;
    verdict.restarts += world->restarts();
    ends += world->end_hash();
  }
  verdict.end_hash = wire::hash(ends);
  return verdict;
}

Verdict run_network(const Scenario& scenario, std::uint64_t seed, Coverage& coverage) {
  Network network(scenario, seed, coverage);
  return network.run();
}

}  // namespace suan::sim
