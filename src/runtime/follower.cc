#include "runtime/follower.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/ensure.h"
#include "runtime/codec.h"

namespace suan::runtime {

namespace {

constexpr std::size_t watchers_max = 1024;
constexpr std::size_t backlog_records_at_once = 1024;
constexpr std::int64_t early_waits_ms = 5'000;
constexpr std::int64_t quiet_after_ms = 1'000;

std::int64_t monotonic_ms() {
  const auto since = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(since).count();
}

}  // namespace

Follower::Follower(domain::State state, journal::Head head, const journal::Journal& journal,
                   std::size_t queries_max)
    : state_(std::move(state)),
      head_(head),
      journal_(journal),
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

bool Follower::ask(Query query, std::uint64_t after_sequence) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || questions_.size() >= queries_max_) return false;
    questions_.push_back({std::move(query), after_sequence, 0});
  }
  has_work_.notify_one();
  return true;
}

bool Follower::watch(std::unique_ptr<Watcher> watcher, std::uint64_t after_sequence) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || new_watches_.size() >= watchers_max) return false;
    new_watches_.push_back({std::move(watcher), after_sequence + 1});
  }
  has_work_.notify_one();
  return true;
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
    state_.apply(record.events, record.at);
    const View view{state_, head_};
    std::erase_if(watches_, [&](Watch& watch) {
      watch.next = record.sequence + 1;
      return !watch.watcher->on_record(record, view);
    });
  }
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

// Tells a watcher of the past from the journal. False when it is gone.
bool Follower::catch_up(Watch& watch) {
  const View view{state_, head_};
  while (watch.next <= state_.essence().sequence) {
    const auto records = journal_.follow(watch.next, backlog_records_at_once);
    if (!records || records->empty()) return false;
    for (const journal::Record& record : *records) {
      if (record.sequence > state_.essence().sequence) break;
      auto events = decode_events(record.bytes);
      if (!events) return false;
      if (!watch.watcher->on_record({record.sequence, record.moment, std::move(*events)}, view))
        return false;
      watch.next = record.sequence + 1;
    }
  }
  return true;
}

void Follower::add_watches(std::vector<Watch>& added) {
  for (Watch& watch : added) {
    if (watches_.size() < watchers_max && catch_up(watch)) watches_.push_back(std::move(watch));
  }
}

void Follower::tell_quiet() {
  std::erase_if(watches_, [](Watch& watch) { return !watch.watcher->on_quiet(); });
}

void Follower::run() {
  std::vector<std::shared_ptr<const DurableBatch>> batches;
  std::vector<Question> questions;
  std::vector<Watch> added;
  std::int64_t quiet_told = monotonic_ms();
  for (bool is_ending = false; !is_ending;) {
    {
      std::unique_lock lock(mutex_);
      const auto patience = std::chrono::milliseconds(early_.empty() ? quiet_after_ms : 50);
      has_work_.wait_for(lock, patience, [&] {
        return is_stopping_ || !batches_.empty() || !questions_.empty() || !new_watches_.empty();
      });
      batches.swap(batches_);
      questions.swap(questions_);
      added.swap(new_watches_);
      is_ending = is_stopping_;
    }
    for (const auto& batch : batches) fold(*batch);
    batches.clear();
    answer(questions);
    questions.clear();
    add_watches(added);
    added.clear();
    if (monotonic_ms() - quiet_told >= quiet_after_ms) {
      quiet_told = monotonic_ms();
      tell_quiet();
    }
  }
  for (Question& question : early_) question.query({state_, head_});
}

}  // namespace suan::runtime
