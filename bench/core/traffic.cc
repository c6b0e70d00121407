#include "traffic.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <utility>

#include "base/ensure.h"

namespace suan::bench {

namespace {

constexpr std::array chips{"Ascend910B2", "Ascend910B4",   "Ascend910C", "MLU590",
                           "MLU370-X8",   "Hygon-K100-AI", "MTT-S4000",  "H20"};
constexpr std::array regions{"cn-bj", "cn-sh", "cn-gd", "cn-gz",
                             "cn-nm", "cn-gs", "cn-nx", "cn-sc"};
constexpr std::size_t sent_kept = 4096;
constexpr std::uint32_t projects = 10;

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

double wall_seconds() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(since).count();
}

// Cards, alternatives, places, lengths and budgets in fixed proportions.
JobSpec make_spec(Random& random, std::size_t number) {
  constexpr std::array<std::int64_t, 8> cards{1000, 1000, 2000, 4000, 8000, 8000, 500, 250};
  JobSpec spec;
  spec.name = "train-" + std::to_string(number);
  spec.project = ProjectId{1 + random.below(projects)};
  const std::size_t chip = number % chips.size();
  spec.alternatives.push_back({chips[chip], cards[random.below(cards.size())], {}});
  if (number % 3 == 0) {
    spec.alternatives.push_back(
        {chips[(chip + 1) % chips.size()], spec.alternatives[0].card_milli, {}});
    spec.is_ordered = number % 2 == 0;
  }
  if (number % 5 == 0) {
    spec.where.regions = {regions[number % regions.size()], regions[(number + 3) % regions.size()],
                          regions[(number + 5) % regions.size()]};
  }
  if (number % 7 == 0) spec.hourly_max = yuan(400);
  if (number % 8 != 1) spec.max_duration = minutes(30 + random.between(0, 24 * 60));
  if (number % 8 == 2) spec.budget = yuan(2000);
  spec.payload = PayloadId{1};
  spec.payload_digest.bytes.fill(static_cast<std::uint8_t>(number));
  return spec;
}

}  // namespace

Traffic::Traffic(const Scene& scene, journal::Journal& journal, std::uint64_t seed)
    : scene_(scene), random_(seed) {
  for (std::size_t i = 0; i < 96; ++i) specs_.push_back(make_spec(random_, i));
  core_ = std::make_unique<runtime::Core>(domain::State{}, journal, 1, clock_, centre_,
                                          runtime::CoreOptions{});
  found();
}

void Traffic::found() {
  carry_out(domain::FoundDomain{"bench", "bench", "operator", {}});
  for (std::uint32_t i = 0; i < projects; ++i) {
    const std::string name = "project-" + std::to_string(i);
    carry_out(domain::CreateProject{name, ""});
    carry_out(domain::Deposit{name, yuan(900'000'000), ""});
  }
  for (std::size_t site = 0; site < regions.size(); ++site) {
    domain::StartMember start;
    start.name = start.site.name = "site-" + std::to_string(site);
    start.site.region = regions[site];
    const std::uint32_t pools_of_site = scene_.pools / static_cast<std::uint32_t>(regions.size());
    for (std::uint32_t i = 0; i < pools_of_site; ++i) {
      const char* chip = chips[(site + i) % chips.size()];
      Pool pool;
      pool.name = std::string(chip) + "-" + std::to_string(i);
      pool.chip = chip;
      const auto number = static_cast<std::uint32_t>(site) * pools_of_site + i;
      pool.nodes = scene_.nodes / scene_.pools + (number < scene_.nodes % scene_.pools ? 1 : 0);
      pool.cards_per_node = 8;
      pool.cpu_milli_per_node = 192'000;
      pool.memory_bytes_per_node = std::int64_t{1536} << 30;
      pool.price = {Money{random_.between(4'000'000, 24'000'000)}, Money{40'000}};
      start.pools.push_back(std::move(pool));
    }
    carry_out(std::move(start));
  }
}

runtime::Request Traffic::request(domain::Command command) {
  runtime::Request request;
  request.command = std::move(command);
  request.caller.principal = {UserId{1}, identity::Role::operator_};
  request.caller.request = make_request_id(clock_.now().us / 1000, random_.next(), random_.next());
  const std::uint64_t body = random_.next();
  for (std::size_t i = 0; i < 8; ++i)
    request.caller.body.bytes[i] = static_cast<std::uint8_t>(body >> (8 * i));
  request.reply = [this](const runtime::Reply& reply) { refused_ += reply ? 0U : 1U; };
  return request;
}

void Traffic::carry_out(domain::Command command) {
  std::vector<runtime::Request> requests;
  requests.push_back(request(std::move(command)));
  requests.front().caller.request = {};
  ensure(core_->step(requests).has_value() && refused_ == 0);
}

runtime::Request Traffic::submit() {
  domain::SubmitJob command;
  command.spec = specs_[random_.below(specs_.size())];
  command.payloads = 1;
  runtime::Request made = request(std::move(command));
  made.payloads.emplace_back(200, 'x');
  Sent sent{made.caller, std::get<domain::SubmitJob>(made.command).spec};
  if (sent_.size() < sent_kept) {
    sent_.push_back(std::move(sent));
  } else {
    sent_[next_sent_++ % sent_kept] = std::move(sent);
  }
  return made;
}

runtime::Request Traffic::finish() {
  Progress progress;
  progress.state = AttemptState::ended;
  if (!centre_.stopping.empty()) {
    progress.key = centre_.stopping.front();
    centre_.stopping.pop_front();
    progress.end = AttemptEnd::signalled;
    progress.exit_code = 143;
  } else {
    ensure(!centre_.running.empty());
    AttemptKey& any = centre_.running[random_.below(centre_.running.size())];
    progress.key = std::exchange(any, centre_.running.back());
    centre_.running.pop_back();
    progress.end = AttemptEnd::exited;
    progress.exit_code = random_.chance(1, 10) ? 1 : 0;
  }
  progress.usage = {seconds(random_.between(1, 1500)), seconds(1), 1 << 30};
  runtime::Request made = request(domain::Report{std::move(progress)});
  made.caller.request = {};
  return made;
}

runtime::Request Traffic::cancel() {
  ensure(!centre_.running.empty());
  AttemptKey& any = centre_.running[random_.below(centre_.running.size())];
  const AttemptKey key = std::exchange(any, centre_.running.back());
  centre_.running.pop_back();
  return request(domain::StopJob{key.job});
}

runtime::Request Traffic::duplicate() {
  const Sent& sent = sent_[random_.below(sent_.size())];
  domain::SubmitJob command;
  command.spec = sent.spec;
  command.payloads = 1;
  runtime::Request made = request(std::move(command));
  made.caller = sent.caller;
  made.payloads.emplace_back(200, 'x');
  return made;
}

runtime::Request Traffic::make(Kind kind) {
  switch (kind) {
    case Kind::submit:
      return submit();
    case Kind::finish:
      return finish();
    case Kind::cancel:
      return cancel();
    case Kind::duplicate:
      return duplicate();
  }
  ensure(false);
  return {};
}

// One step of the core, timed. Its inner commands are those that earlier steps led to.
void Traffic::add(Tally& tally, std::vector<runtime::Request>& requests) {
  clock_.pass(scene_.between_steps);
  const std::uint64_t decided = core_->counts().decided;
  const std::size_t commands = requests.size();
  const double wall_start = wall_seconds();
  const double start = processor_seconds();
  const bool stepped = core_->step(requests).has_value();
  tally.seconds += processor_seconds() - start;
  const double wall = wall_seconds() - wall_start;
  tally.wall_seconds += wall;
  if (commands > 0) tally.steps.push_back(wall);
  ensure(stepped && requests.empty());
  tally.commands += commands;
  tally.inner += core_->counts().decided - decided - commands;
}

// Steps until nothing is left to do inside.
void Traffic::settle(Tally& tally) {
  std::vector<runtime::Request> none;
  std::uint64_t before = 0;
  do {
    before = core_->counts().decided;
    add(tally, none);
  } while (core_->counts().decided != before);
}

Tally Traffic::repeat(Kind kind, std::size_t count) {
  Tally tally;
  std::vector<runtime::Request> requests;
  while (tally.commands < count) {
    while (requests.size() < scene_.commands_per_step) requests.push_back(make(kind));
    add(tally, requests);
  }
  settle(tally);
  return tally;
}

Tally Traffic::mix(std::size_t count) {
  constexpr std::array<Kind, 20> kinds{Kind::submit, Kind::finish, Kind::submit, Kind::submit,
                                       Kind::finish, Kind::submit, Kind::submit, Kind::finish,
                                       Kind::submit, Kind::cancel, Kind::submit, Kind::finish,
                                       Kind::submit, Kind::submit, Kind::finish, Kind::submit,
                                       Kind::submit, Kind::finish, Kind::submit, Kind::duplicate};
  Tally tally;
  std::vector<runtime::Request> requests;
  std::size_t turn = 0;
  while (tally.commands < count) {
    while (requests.size() < scene_.commands_per_step)
      requests.push_back(make(kinds[turn++ % kinds.size()]));
    add(tally, requests);
  }
  settle(tally);
  return tally;
}

void Traffic::churn(std::uint32_t percent) {
  const PoolId id{1 + churned_ % scene_.pools};
  const Pool& pool = core_->state().catalogue().pools().at(id);
  const std::uint64_t turn = churned_++ / scene_.pools;
  const std::uint32_t count = (pool.nodes * percent + 99) / 100;
  PoolReading reading;
  reading.pool = pool.name;
  for (std::uint32_t i = 0; i < count; ++i) {
    NodeReading node;
    node.node = static_cast<std::uint32_t>((turn * count + i) % pool.nodes);
    node.takes_work = false;
    reading.nodes.push_back(node);
  }
  std::ranges::sort(reading.nodes, {}, &NodeReading::node);
  core_->observe(id, reading);
}

void Traffic::fill(std::size_t jobs) {
  repeat(Kind::submit, jobs);
}

Tally Traffic::drain(std::size_t jobs) {
  const std::size_t live = centre_.running.size() + centre_.stopping.size();
  return live > jobs ? repeat(Kind::finish, live - jobs) : Tally{};
}

}  // namespace suan::bench
