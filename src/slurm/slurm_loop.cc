#include "slurm/slurm_loop.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <tuple>
#include <utility>

#include "engine/attempt_files.h"
#include "engine/process.h"

// The part of the loop that is about the whole cluster; slurm_attempts.cc is about single attempts.
namespace suan::slurm {
namespace {

using engine::boottime_now;
using engine::monotonic_now;

constexpr Span tick_every = milliseconds(250);
constexpr Span cut_every = seconds(10);
constexpr Span publish_every = seconds(10);
constexpr Span interval_min = milliseconds(100);
constexpr std::int64_t idle_share = 20;  // Of the time, a question may take one part of this.
constexpr Span survey_pause_max = seconds(30);
constexpr Span away_after = seconds(30);  // Then nodes count as taking no work.
constexpr std::size_t nodes_bytes_max = 64 << 20U;

}  // namespace

Result<std::unique_ptr<SlurmEngine::Loop>> SlurmEngine::Loop::open(
    const SlurmEngineOptions& options, ClusterMaker make) {
  if (options.look_every < interval_min || options.survey_every < interval_min ||
      options.report_every < interval_min)
    return failure(Failure::Kind::invalid, "an interval is at least 100ms");
  std::unique_ptr<Loop> loop(new Loop(options));
  SUAN_CHECK(loop->prepare(make));
  loop->thread_ = std::thread([loop = loop.get()] { loop->run(); });
  return loop;
}

SlurmEngine::Loop::Loop(const SlurmEngineOptions& options) : options_(options) {}

SlurmEngine::Loop::~Loop() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  has_work_.notify_all();
  if (thread_.joinable()) thread_.join();
  surveyor_.reset();
  errands_.reset();
  porter_.reset();
}

Result<void> SlurmEngine::Loop::prepare(ClusterMaker& make) {
  SUAN_TRY(share_, Share::open(options_.shared_directory));
  SUAN_TRY(stores_, engine::open_stores(options_.stores_file));
  stores_.uploads = options_.uploads_directory;
  stores_.speeds = std::filesystem::absolute(options_.shared_directory) / "speeds";
  data_surveyor_.emplace(stores_);
  auto cluster = make();
  SUAN_CHECK(make_offer(*cluster));
  for (SlurmPool& pool : offer_.pools) {
    pool.offered.moves_data = !stores_.program.empty();
    pool.offered.stores = engine::names_of(stores_);
  }
  logs_.emplace(share_->fd(), options_.logs);
  porter_ = std::make_unique<Porter>(stores_, [this](Moved moved) { put(Item(std::move(moved))); });
  for (const AttemptKey& key : share_->attempts()) recover(key);
  errands_ = std::make_unique<Courier>(std::move(cluster),
                                       [this](Answer answer) { put(Item(std::move(answer))); });
  surveyor_ =
      std::make_unique<Courier>(make(), [this](Answer answer) { put(Item(std::move(answer))); });
  return {};
}

Result<void> SlurmEngine::Loop::make_offer(Cluster& cluster) {
  std::vector<SlurmPool> known;
  const std::string path = share_->path() + "/nodes";
  if (const auto text = engine::read_file(share_->fd(), "nodes", nodes_bytes_max)) {
    auto parsed = parse_nodes(*text);
    if (!parsed)
      return failure(Failure::Kind::invalid, parsed.error().text,
                     path + ", " + parsed.error().place);
    known = *std::move(parsed);
  }
  const auto greeting = cluster.greet();
  if (!greeting) {
    if (greeting.error().kind != Failure::Kind::unavailable || known.empty())
      return std::unexpected(greeting.error());
    offer_ = recall_offer(known, options_.offer);
    standing_ = "Slurm cannot be reached (" + greeting.error().text +
                "); its nodes are offered as they were known before.";
    return {};
  }
  SUAN_TRY(const auto partitions, cluster.partitions());
  SUAN_TRY(const auto nodes, cluster.nodes());
  SUAN_TRY(offer_, slurm::make_offer(partitions, nodes, options_.offer, known));
  if (offer_.pools.empty())
    return failure(Failure::Kind::invalid, "Slurm has no node to offer in these partitions");
  std::vector<SlurmPool> all = offer_.pools;
  all.insert(all.end(), offer_.idle.begin(), offer_.idle.end());
  SUAN_CHECK(engine::replace_file(share_->fd(), "nodes", print_nodes(all)));
  standing_ = "Slurm " + greeting->version + " by " + greeting->way + ".";
  return {};
}

void SlurmEngine::Loop::put(Item item) {
  {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }
  has_work_.notify_one();
}

void SlurmEngine::Loop::set_sink(member::ProgressSink* sink) {
  const std::lock_guard lock(sink_mutex_);
  sink_ = sink;
}

void SlurmEngine::Loop::run() {
  std::deque<Item> items;
  next_tick_ = monotonic_now();
  while (true) {
    bool is_over = false;
    {
      std::unique_lock lock(mutex_);
      const Span left = std::max(next_tick_ - monotonic_now(), Span{});
      has_work_.wait_for(lock, std::chrono::microseconds(left.us),
                         [&] { return is_over_ || !items_.empty(); });
      items.swap(items_);
      is_over = is_over_;
    }
    // What was asked before the end is done before the end.
    for (const Item& item : items) std::visit([&](const auto& each) { fulfil(each); }, item);
    items.clear();
    if (is_over) return;
    if (monotonic_now() < next_tick_) continue;
    tick();
    next_tick_ = monotonic_now() + tick_every;
  }
}

void SlurmEngine::Loop::tick() {
  const Span now = monotonic_now();
  read_news(now);
  std::size_t live = 0;
  for (auto& [key, attempt] : attempts_) {
    if (attempt.latest.state != AttemptState::ended) ++live;
    work_on(key, attempt, now);
  }
  live_ = live;
  if (now >= next_cut_) {
    next_cut_ = now + cut_every;
    for (const auto& [key, attempt] : attempts_)
      if (attempt.is_started) std::ignore = logs_->cut(key);
  }
  survey(now);
  publish(now);
}

// Looking at one attempt takes a few milliseconds of slurmctld; many are looked at less often.
Span SlurmEngine::Loop::pause_of(const Attempt& attempt) const {
  constexpr Span each = milliseconds(40);
  const Span usual = std::max(options_.look_every, each * static_cast<std::int64_t>(live_));
  const int doublings = std::min(attempt.in_vain, 5);
  return std::min(usual * (std::int64_t{1} << doublings), std::max(usual, seconds(30)));
}

void SlurmEngine::Loop::fulfil(const Names& names) {
  names_ = names.names;
}

void SlurmEngine::Loop::fulfil(const Attach&) {
  for (auto& [key, attempt] : attempts_) report(attempt);
  next_publishing_ = {};
  publish(monotonic_now());
}

void SlurmEngine::Loop::fulfil(const Answer& answer) {
  std::visit([&](const auto& each) { hear(each); }, answer);
}

void SlurmEngine::Loop::survey(Span now) {
  if (is_surveying_ || now < next_survey_) return;
  is_surveying_ = true;
  surveyor_->send(SurveyErrand{});
}

void SlurmEngine::Loop::hear(const Surveyed& answer) {
  const Span now = monotonic_now();
  is_surveying_ = false;
  // One that Slurm did not answer says nothing about how long it takes.
  const Span pause = answer.survey ? std::min(answer.took * idle_share, survey_pause_max) : Span{};
  next_survey_ = now + std::max(options_.survey_every, pause);
  if (!answer.survey) {
    if (away_since_ == Span{}) away_since_ = now;
    if (now - away_since_ < away_after) return;
    // Whatever is launched would wait; what others hold is not known any more.
    std::vector<PoolReading> silent =
        read_pools(offer_.pools, {}, {}, [](const Job&) { return false; });
    if (silent == readings_) return;
    readings_ = std::move(silent);
  } else {
    away_since_ = {};
    displace(answer.survey->nodes, now);
    std::vector<PoolReading> fresh =
        read_pools(offer_.pools, answer.survey->nodes, answer.survey->jobs,
                   [this](const Job& job) { return share_->is_ours(job.name); });
    if (fresh == readings_) return;
    readings_ = std::move(fresh);
  }
  next_publishing_ = {};
  publish(now);
}

// What waits for a node that was drained, or is down, would wait for as long as that is so: it is
// put somewhere else. Whoever has the claim says so, so nothing of it runs.
void SlurmEngine::Loop::displace(const std::vector<Node>& nodes, Span now) {
  std::set<std::string_view> shut;
  for (const Node& node : nodes)
    if (!node.takes_work) shut.insert(node.name);
  for (auto& [key, attempt] : attempts_) {
    const bool waits = attempt.latest.state == AttemptState::staging && !attempt.is_started;
    if (!waits || !shut.contains(attempt.seat.node)) {
      attempt.shut_since = {};
      continue;
    }
    if (attempt.shut_since == Span{}) attempt.shut_since = now;
    if (now - attempt.shut_since < options_.displaced_after) continue;
    Progress end;
    end.key = key;
    end.state = AttemptState::ended;
    end.end = AttemptEnd::displaced;
    end.reason = "its node " + attempt.seat.node + " takes no work now, and it had not begun";
    std::ignore = end_unclaimed(key, attempt, std::move(end));
  }
}

void SlurmEngine::Loop::publish(Span now) {
  if (readings_.empty() || now < next_publishing_) return;
  const std::lock_guard lock(sink_mutex_);
  if (sink_ == nullptr) return;
  next_publishing_ = now + publish_every;
  for (const PoolReading& reading : readings_) sink_->on_reading(reading);
}

}  // namespace suan::slurm
