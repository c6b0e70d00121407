#include "http/event_streams.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <map>
#include <utility>

#include "http/problem.h"
#include "http/show.h"
#include "runtime/codec.h"

namespace suan::http {

namespace {

constexpr std::size_t streams_max = 1024;
constexpr std::size_t recent_changes_max = 65'536;  // Some 3 MiB.
constexpr std::size_t page_records_max = 256;
constexpr std::size_t page_changes_max = 4096;  // Or one record that has more.
constexpr std::size_t event_bytes_max = 1024;
constexpr auto comment_when_quiet_for = std::chrono::seconds(15);
constexpr auto looked_after_every = std::chrono::seconds(1);
constexpr auto retried_every = std::chrono::milliseconds(50);

using Clock = std::chrono::steady_clock;

}  // namespace

/// Wakes the thread; outlives it, since connections and queries may ring late.
struct EventStreams::Bell {
  std::mutex mutex;
  std::condition_variable rung;
  bool is_ringing = false;

  void ring() {
    {
      const std::lock_guard lock(mutex);
      is_ringing = true;
    }
    rung.notify_one();
  }

  void wait(Clock::duration patience) {
    std::unique_lock lock(mutex);
    rung.wait_for(lock, patience, [&] { return is_ringing; });
    is_ringing = false;
  }
};

/// Records of the past. The read side fills in the jobs that are hot and then says so; the thread
/// looks the others up in the history.
struct EventStreams::Page {
  std::vector<std::shared_ptr<ChangedRecord>> records;
  std::atomic<bool> is_answered = false;
  bool is_whole = false;
};

struct EventStreams::Stream {
  EventWish wish;
  net::StreamWriter writer;
  std::shared_ptr<Page> page;  // The one at hand or asked for; null when there is none.
  bool must_retry = false;     // What it waits for does not ring.
  Clock::time_point spoke = Clock::now();
};

/// Passes durable records on from the follower.
class EventStreams::Tail : public runtime::Watcher {
 public:
  explicit Tail(EventStreams& streams) : streams_(streams) {}
  void on_record(const runtime::DurableRecord& record, const runtime::View& view) override {
    streams_.see(record, view);
  }

 private:
  EventStreams& streams_;
};

EventStreams::EventStreams(runtime::Follower& follower, history::History& history,
                           const journal::Journal& journal, const Acquaintance& acquaintance)
    : follower_(follower),
      history_(history),
      journal_(journal),
      acquaintance_(acquaintance),
      bell_(std::make_shared<Bell>()),
      newest_(follower.sequence()),
      thread_([this] { run(); }) {}

EventStreams::~EventStreams() {
  stop();
}

std::unique_ptr<runtime::Watcher> EventStreams::watcher() {
  return std::make_unique<Tail>(*this);
}

std::uint64_t EventStreams::newest() const {
  const std::lock_guard lock(mutex_);
  return newest_;
}

void EventStreams::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  bell_->ring();
  if (thread_.joinable()) thread_.join();
}

void EventStreams::add(const EventWish& wish, net::Responder responder) {
  auto stream = std::make_unique<Stream>();
  stream->wish = wish;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || streams_ >= streams_max) {
      responder.respond(problem(503, "overloaded", "too many watch this domain; try again"));
      return;
    }
    stream->writer = responder.stream(200, "text/event-stream", {{"Cache-Control", "no-store"}});
    stream->writer.on_room([bell = bell_] { bell->ring(); });
    new_streams_.push_back(std::move(stream));
    ++streams_;
  }
  bell_->ring();
}

// On the follower's thread: jobs are as they are right after the record.
void EventStreams::see(const runtime::DurableRecord& record, const runtime::View& view) {
  {
    const std::lock_guard lock(mutex_);
    if (streams_ == 0) {  // Whoever comes later reads the journal.
      recent_.clear();
      recent_changes_ = 0;
      newest_ = record.sequence;
      return;
    }
  }
  auto seen =
      std::make_shared<ChangedRecord>(list_changes(record.sequence, record.at, record.events));
  look_up_jobs(*seen, view.state);
  {
    const std::lock_guard lock(mutex_);
    newest_ = record.sequence;
    recent_changes_ += seen->changes.size();
    recent_.push_back(std::move(seen));
    while (recent_changes_ > recent_changes_max && recent_.size() > 1) {
      recent_changes_ -= recent_.front()->changes.size();
      recent_.pop_front();
    }
  }
  bell_->ring();
}

std::shared_ptr<const ChangedRecord> EventStreams::find_recent(std::uint64_t sequence) const {
  const std::lock_guard lock(mutex_);
  if (recent_.empty() || sequence < recent_.front()->sequence || sequence > newest_) return nullptr;
  return recent_[sequence - recent_.front()->sequence];
}

// The next record of a stream; null when it is not at hand, and then either there is none yet or it
// has been asked for.
std::shared_ptr<const ChangedRecord> EventStreams::find(Stream& stream) {
  const std::uint64_t sequence = stream.wish.next.sequence;
  stream.must_retry = false;
  if (stream.page && !stream.page->is_answered) return nullptr;
  if (stream.page) {
    if (!stream.page->is_whole) stream.page->is_whole = look_up_past(*stream.page);
    stream.must_retry = !stream.page->is_whole;
    if (stream.must_retry) return nullptr;
    const auto& records = stream.page->records;
    const std::uint64_t first = records.front()->sequence;
    if (sequence - first < records.size()) return records[sequence - first];
    stream.page = nullptr;
  }
  if (sequence > newest()) return nullptr;
  if (auto recent = find_recent(sequence)) return recent;
  read_page(stream);
  return nullptr;
}

// Asks for the records of the past from the place of a stream on.
void EventStreams::read_page(Stream& stream) {
  stream.must_retry = true;
  const std::uint64_t last = newest();  // The read side has folded it.
  const auto records = journal_.follow(stream.wish.next.sequence, page_records_max);
  if (!records) return;
  auto page = std::make_shared<Page>();
  std::size_t changes = 0;
  for (const journal::Record& record : *records) {
    auto events = runtime::decode_events(record.bytes);
    if (!events || record.sequence > last) break;
    changes += events->size();
    if (changes > page_changes_max && !page->records.empty()) break;
    page->records.push_back(
        std::make_shared<ChangedRecord>(list_changes(record.sequence, record.moment, *events)));
  }
  if (page->records.empty()) return;
  const bool is_taken = follower_.ask([page, bell = bell_](const runtime::View& view) {
    for (const auto& record : page->records) look_up_jobs(*record, view.state);
    page->is_answered = true;
    bell->ring();
  });
  if (!is_taken) return;
  stream.page = std::move(page);
  stream.must_retry = false;
}

// Fills in the jobs that have left hot state. False while the history does not go so far.
bool EventStreams::look_up_past(Page& page) {
  const std::uint64_t written = history_.sequence();
  std::map<JobId, std::optional<history::JobRow>> known;
  for (const auto& record : page.records) {
    for (Change& change : record->changes) {
      if (!change.job || change.project) continue;
      const auto [at, is_new] = known.try_emplace(change.job);
      if (is_new) {
        auto row = history_.job(change.job);
        if (!row || (!*row && written < record->sequence)) return false;
        at->second = std::move(*row);
      }
      if (!at->second) continue;
      change.project = at->second->project;
      change.state = job_state(at->second->outcome);
    }
  }
  return true;
}

// Sends what there is and what fits. False when the reader has gone, or may not read any more.
bool EventStreams::tell(Stream& stream) {
  EventWish& wish = stream.wish;
  while (stream.writer.has_room(event_bytes_max)) {
    const auto record = find(stream);
    const auto identity = acquaintance_.get();  // After the record, so that it is not older.
    if (!identity->authenticate(wish.key)) return false;
    if (!record) break;
    for (; wish.next.index < record->changes.size(); ++wish.next.index) {
      const Change& change = record->changes[wish.next.index];
      if (wish.job && change.job != wish.job) continue;
      if (!may_see(*identity, wish.principal, change)) continue;
      if (!stream.writer.has_room(event_bytes_max)) return stream.writer.is_open();
      if (!stream.writer.write(print_change(*record, wish.next.index))) return false;
      stream.spoke = Clock::now();
    }
    wish.next = {record->sequence + 1, 0};
  }
  if (Clock::now() - stream.spoke >= comment_when_quiet_for &&
      stream.writer.has_room(event_bytes_max)) {
    stream.writer.write(": quiet\n\n");
    stream.spoke = Clock::now();
  }
  return stream.writer.is_open();
}

void EventStreams::run() {
  std::list<std::unique_ptr<Stream>> streams;
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (is_stopping_) break;
      streams.splice(streams.end(), new_streams_);
    }
    const std::size_t gone =
        std::erase_if(streams, [&](const auto& stream) { return !tell(*stream); });
    if (gone > 0) {
      const std::lock_guard lock(mutex_);
      streams_ -= gone;
    }
    const bool must_retry =
        std::ranges::any_of(streams, [](const auto& stream) { return stream->must_retry; });
    bell_->wait(must_retry ? Clock::duration(retried_every) : looked_after_every);
  }
  new_streams_.clear();
}

}  // namespace suan::http
