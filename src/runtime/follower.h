#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/core.h"

namespace suan::runtime {

/// What a query sees: the durable state up to one record.
struct View {
  const domain::State& state;
  const journal::Head& head;
};

/// Is told of every durable record, in order. Called on the follower's thread; must not block, and
/// not look at supply(), which is that of the batch before.
class Watcher {
 public:
  virtual ~Watcher() = default;

  virtual void on_record(const DurableRecord&, const View&) = 0;
};

/// The read side: a State folded from durable records only, on a thread of its own, that answers
/// queries. They never stall the core and never show what a crash could take back.
class Follower {
 public:
  using Query = Callback<void(const View&)>;

  /// `state` is what the journal holds up to `head`.
  Follower(domain::State state, journal::Head head, std::size_t queries_max);
  ~Follower();

  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  /// Records that have just become durable. Never refuses; called by the core's outlet.
  void feed(std::shared_ptr<const DurableBatch>);

  /// A reading that the core has taken. What was seen is shown at once: nothing rests on it that a
  /// crash could take back.
  void observe(PoolId, const PoolReading&, Moment);

  /// What the core has taken of a link, in the same way.
  void observe_link(SiteId from, SiteId to, const Rtt&);

  /// Runs a query on the follower's thread, once `after_sequence` has been folded, in the order of
  /// asking. False if too many wait.
  bool ask(Query query, std::uint64_t after_sequence = 0);

  /// Tells `watcher` of every record that is fed from now on. For the parts of the server, which
  /// are few: what one of them does delays every query.
  void watch(std::unique_ptr<Watcher> watcher);

  /// Answers what waits and ends the thread.
  void stop();

  /// The last record folded; any thread.
  std::uint64_t sequence() const;

 private:
  struct Question {
    Query query;
    std::uint64_t after_sequence = 0;
    std::int64_t give_up_ms = 0;  // Monotonic; then it runs anyway, and sees that it is too early.
  };
  struct Seen {
    PoolReading reading;
    Moment at;
  };
  struct Sights {
    std::map<PoolId, Seen> pools;
    std::map<network::LinkKey, Rtt> links;

    bool empty() const { return pools.empty() && links.empty(); }
  };
  void run();
  void observe(Sights&);
  void fold(const DurableBatch&);
  void answer(std::vector<Question>&);

  domain::State state_;
  journal::Head head_;
  const std::size_t queries_max_;
  std::vector<Question> early_;  // Wait for a later record.
  std::vector<std::unique_ptr<Watcher>> watchers_;

  mutable std::mutex mutex_;
  std::condition_variable has_work_;
  std::vector<std::shared_ptr<const DurableBatch>> batches_;
  std::vector<Question> questions_;
  Sights seen_;
  std::vector<std::unique_ptr<Watcher>> new_watchers_;
  std::uint64_t folded_ = 0;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace suan::runtime
