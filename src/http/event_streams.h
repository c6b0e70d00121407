#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "history/history.h"
#include "http/acquaintance.h"
#include "http/changes.h"
#include "journal/journal.h"
#include "net/server.h"
#include "runtime/follower.h"

namespace suan::http {

/// What somebody wants to be told of.
struct EventWish {
  EventPlace next;  // From here on.
  JobId job;        // Only of this job; none = everything.
  Digest key;       // When it is revoked the stream ends.
  identity::Principal principal;
};

/// Tells readers of what happens, on a thread of its own: each gets every event from its place on
/// that it may see, once and in order, at the pace at which it reads. One that is behind reads
/// pages of the journal; those that keep up share the newest records in memory. No reader holds
/// more than one page and the buffer of its connection, and none delays the read side.
class EventStreams {
 public:
  /// Begins behind the last record that `follower` has folded: nothing may be fed to it before
  /// `watcher` hangs on it.
  EventStreams(runtime::Follower& follower, history::History& history,
               const journal::Journal& journal, const Acquaintance& acquaintance);
  ~EventStreams();

  EventStreams(const EventStreams&) = delete;
  EventStreams& operator=(const EventStreams&) = delete;

  /// What to hang on the follower, after what keeps the acquaintance fresh; this object outlives
  /// it.
  std::unique_ptr<runtime::Watcher> watcher();

  /// Answers with a stream that does not end, or 503 when there are too many.
  void add(const EventWish&, net::Responder);

  /// The last record that is told of. Any thread.
  std::uint64_t newest() const;

  /// Ends all streams.
  void stop();

 private:
  class Tail;
  struct Bell;
  struct Page;
  struct Stream;

  void see(const runtime::DurableRecord&, const runtime::View&);
  void run();
  bool tell(Stream&);
  std::shared_ptr<const ChangedRecord> find(Stream&);
  std::shared_ptr<const ChangedRecord> find_recent(std::uint64_t sequence) const;
  void read_page(Stream&);
  bool look_up_past(Page&);

  runtime::Follower& follower_;
  history::History& history_;
  const journal::Journal& journal_;
  const Acquaintance& acquaintance_;
  const std::shared_ptr<Bell> bell_;

  mutable std::mutex mutex_;
  std::deque<std::shared_ptr<const ChangedRecord>> recent_;  // Without gaps, up to `newest_`.
  std::size_t recent_changes_ = 0;
  std::uint64_t newest_;
  std::size_t streams_ = 0;
  std::list<std::unique_ptr<Stream>> new_streams_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace suan::http
