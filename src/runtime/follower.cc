#include "runtime/follower.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>

#include "base/ensure.h"

namespace suan::runtime {

namespace {

constexpr std::int64_t early_waits_ms = 5'000;
constexpr auto early_looked_at_every = std::chrono::milliseconds(50);

std::int64_t monotonic_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

Follower::Follower(domain::State state, journal::Head head, std::size_t queries_max)
    : state_(std::move(state)),
      head_(head),
      queries_max_(queries_max),
      folded_(state_.essence().sequence),
      thread_([this] { run(); }) {}

Follower::~Follower() {
  stop();
}

void Follower::feed(std::shared_ptr<const DurableBatch> batch) {
  {
    const std::lock_guard lock(mutex_);
    batches_.push_back(std::move(batch));
  }
  has_work_.notify_one();
}

void Follower::observe(PoolId pool, const PoolReading& reading, Moment at) {
  {
    const std::lock_guard lock(mutex_);
    seen_.pools[pool] = {reading, at};
  }
  has_work_.notify_one();
}

void Follower::observe_link(SiteId from, SiteId to, const Rtt& rtt) {
  {
    const std::lock_guard lock(mutex_);
    seen_.links[network::LinkKey::between(from, to)] = rtt;
  }
  has_work_.notify_one();
}

// The record that offers the pool, or describes the site, may still be on its way.
void Follower::observe(Sights& seen) {
  std::erase_if(seen.pools, [&](const auto& each) {
    if (!state_.catalogue().pools().contains(each.first)) return false;
    state_.observe(each.first, each.second.reading, each.second.at);
    return true;
  });
  const auto& sites = state_.catalogue().sites();
  std::erase_if(seen.links, [&](const auto& each) {
    if (!sites.contains(each.first.from) || !sites.contains(each.first.to)) return false;
    state_.observe_link(each.first.from, each.first.to, each.second);
    return true;
  });
}

bool Follower::ask(Query query, std::uint64_t after_sequence) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || questions_.size() >= queries_max_) return false;
    questions_.push_back({std::move(query), after_sequence, 0});
  }
  has_work_.notify_one();
  return true;
}

void Follower::watch(std::unique_ptr<Watcher> watcher) {
  const std::lock_guard lock(mutex_);
  new_watchers_.push_back(std::move(watcher));  // Taken up before what is fed after this.
}

std::uint64_t Follower::sequence() const {
  const std::lock_guard lock(mutex_);
  return folded_;
}

void Follower::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  has_work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Follower::fold(const DurableBatch& batch) {
  for (const DurableRecord& record : batch.records) {
    ensure(record.sequence == state_.essence().sequence + 1);
    state_.fold(record.events, record.at);
    const View view{state_, head_};
    for (const auto& watcher : watchers_) watcher->on_record(record, view);
  }
  state_.refresh();
  head_ = batch.head;
  const std::lock_guard lock(mutex_);
  folded_ = state_.essence().sequence;
}

void Follower::answer(std::vector<Question>& questions) {
  const View view{state_, head_};
  for (Question& question : questions) {
    if (question.after_sequence <= state_.essence().sequence) {
      question.query(view);
      continue;
    }
    question.give_up_ms = monotonic_ms() + early_waits_ms;
    early_.push_back(std::move(question));
  }
  const std::int64_t now = monotonic_ms();
  std::erase_if(early_, [&](Question& question) {
    if (question.after_sequence > state_.essence().sequence && now < question.give_up_ms)
      return false;
    question.query(view);
    return true;
  });
}

void Follower::run() {
  std::vector<std::shared_ptr<const DurableBatch>> batches;
  std::vector<Question> questions;
  Sights seen;
  for (bool is_ending = false; !is_ending;) {
    {
      std::unique_lock lock(mutex_);
      const auto has_some = [&] {
        return is_stopping_ || !batches_.empty() || !questions_.empty() || !seen_.empty();
      };
      if (early_.empty())
        has_work_.wait(lock, has_some);
      else
        has_work_.wait_for(lock, early_looked_at_every, has_some);
      batches.swap(batches_);
      questions.swap(questions_);
      for (auto& [pool, each] : seen_.pools) seen.pools[pool] = std::move(each);
      for (const auto& [key, rtt] : seen_.links) seen.links[key] = rtt;
      seen_ = {};
      std::ranges::move(new_watchers_, std::back_inserter(watchers_));
      new_watchers_.clear();
      is_ending = is_stopping_;
    }
    for (const auto& batch : batches) fold(*batch);
    batches.clear();
    observe(seen);
    answer(questions);
    questions.clear();
  }
  for (Question& question : early_) question.query({state_, head_});
}

}  // namespace suan::runtime
