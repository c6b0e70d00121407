#pragma once

#include <cstdint>
#include <deque>
#include <expected>
#include <memory>
#include <memory_resource>
#include <optional>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "domain/decide.h"
#include "domain/effects.h"
#include "journal/journal.h"
#include "wire/bytes.h"

/// Drives decide and apply over the seams: in batches, so that one sync makes many commands
/// durable, and with one rule: nothing leaves before it is durable.
namespace suan::runtime {

/// The seam to time.
class Clock {
 public:
  virtual ~Clock() = default;

  /// The time of day. It may step; the core clamps it to be monotone.
  virtual Moment now() = 0;

  /// What runs on evenly from an unknown beginning, also while the machine sleeps. Never 0.
  virtual Moment steady() = 0;
};

/// What comes of a request: the lasting answer, or why not.
using Reply = std::expected<domain::Answer, domain::Refusal>;

/// One command on its way through the core.
struct Request {
  domain::Command command;
  domain::Caller caller;
  std::vector<std::string> payloads;   // Of SubmitJob: their plain bytes, the first is number 1.
  Callback<void(const Reply&)> reply;  // Called once, on the core's thread; may be empty.
  Moment received{};                   // By Clock::steady; 0 = when it is decided.
};

/// One record that is durable now.
struct DurableRecord {
  std::uint64_t sequence = 0;
  Moment at;
  domain::Events events;
};

/// A group of records that one sync made durable.
struct DurableBatch {
  std::pmr::monotonic_buffer_resource memory{64U << 10U};  // Where the core puts their events.
  std::vector<DurableRecord> records;
  journal::Head head;  // After the last of them.
};

/// Where the consequences of durable records go. Called on the core's thread; must not block.
class Outlet {
 public:
  virtual ~Outlet() = default;

  /// For a member of kind `engine` never AskReserve or AskConfirm: the core answers those itself.
  virtual void on_effect(const domain::Effect&) = 0;

  virtual void on_durable(std::shared_ptr<const DurableBatch>) = 0;

  /// The core has taken a reading; what is decided after it may rest on it.
  virtual void on_observed(PoolId, const PoolReading&, Moment) {}

  /// The core has taken what was measured of a link.
  virtual void on_link_observed(SiteId, SiteId, const Rtt&) {}

  /// Calls `reply_all`, which answers the requests of a batch: a place to send answers together.
  virtual void on_replies(Callback<void()> reply_all) { reply_all(); }
};

struct CoreOptions {
  std::uint64_t space_low_bytes = 64U << 20U;  // Below this much free disk, new work is refused.
  std::size_t batch_commands_max =
      128;  // Decided before the batch is closed: later ones are read meanwhile.
  // Members in this process answer within the batch that asks them. The simulator also has them
  // answer after it, as a member over a wire does.
  bool answers_within_batch = true;
};

/// What the core has done, for metrics. Counters only grow.
struct CoreCounts {
  std::uint64_t decided = 0;
  std::uint64_t refused = 0;
  std::uint64_t repeated = 0;  // Requests answered from memory.
  std::uint64_t records = 0;
  std::uint64_t batches = 0;
  std::uint64_t appends_refused = 0;  // For lack of space, tried again.
};

/// The one writer of a domain. Owns the State; used by one thread, or by the simulator step by
/// step. Reads no clock but the seam, starts no thread.
class Core {
 public:
  /// Takes over a state that is exactly what the journal holds. The effects still outstanding in it
  /// are sent at the first step.
  Core(domain::State state, journal::Journal& journal, std::uint64_t leader_epoch, Clock& clock,
       Outlet& outlet, CoreOptions options);

  /// Decides the requests in order, each with what it leads to inside (reservations and
  /// confirmations by members in this process), then timers and waiting units; makes all of it
  /// durable by one sync, and lets replies and effects leave. If the journal has no space the batch
  /// is kept, nothing leaves, and the next step tries again before it decides anything; `requests`
  /// is then left as it was. `io`: whether the last batch is durable is unknown; the process must
  /// end.
  Result<void> step(std::vector<Request>& requests);

  /// While a batch waits for space: answers the requests of clients, deciding none of them, and
  /// leaves those of the process itself in `requests`. One that is durably done gets its answer
  /// again; the others are refused `journal_full`, which is safe: under the same id they may be
  /// repeated whatever becomes of the batch.
  void turn_away(std::vector<Request>& requests);

  /// While a batch waits for space: tells the clients whose requests are in it `outcome_unknown`,
  /// for a batch that is kept may still become durable or be lost with the process.
  void tell_unknown();

  /// When a step is wanted even without requests; absent: only when requests come.
  std::optional<Moment> next_step() const;

  /// A batch waits for space.
  bool is_stuck() const { return !unsynced_.empty(); }

  /// Free disk is under the low-water mark; see `measure_space`.
  bool is_space_low() const { return is_space_low_; }

  /// Takes a reading of a pool; of one that is not there, or closed, it says nothing. Not recorded:
  /// the next decisions are informed by it.
  void observe(PoolId, const PoolReading&, Span age = {});

  /// Takes what a round trip between two sites was measured to take just now; of sites that are not
  /// there it says nothing. Not recorded, as readings are not.
  void observe_link(SiteId from, SiteId to, Rtt);

  /// Asks the journal how much space is left. Call about once a second.
  void measure_space();

  const domain::State& state() const { return state_; }
  const CoreCounts& counts() const { return counts_; }

 private:
  struct Pending {
    Callback<void(const Reply&)> reply;
    Reply answer;
    bool is_of_client = false;
  };

  Moment moment();
  void stamp_effects(std::size_t first);
  void take(Request&);
  void route_effects(std::size_t first);
  bool has_room() const;
  void take_inner();
  void take_time();
  bool take_due(Moment);
  Reply answer(const Request&, Moment);
  Reply commit(domain::Events&&, Moment, std::vector<std::string>* payloads);
  void note_hints(const domain::Events&);
  void expect_places();
  Result<void> sync();
  void release();

  domain::State state_;
  journal::Journal& journal_;
  std::uint64_t leader_epoch_;
  Clock& clock_;
  Outlet& outlet_;
  CoreOptions options_;
  CoreCounts counts_;

  journal::Batch unsynced_;
  std::shared_ptr<DurableBatch> batch_;
  std::vector<Pending> replies_;
  domain::Effects effects_;
  /// Answers to effects for members in this process.
  std::deque<std::variant<domain::Reserve, domain::Confirm>> inner_;
  wire::Writer scratch_;
  Moment received_;              // Of what is being decided; 0 = now.
  bool may_place_ = true;        // Something changed that a waiting unit may profit from.
  Moment promises_sought_;       // When nodes were last looked for to keep;
  bool seeks_later_ = false;     // it was too early to do so again.
  std::size_t lines_tried_ = 0;  // Since then, from the first on: none of them can start.
  bool is_space_low_ = false;
};

/// The state that a journal holds: its newest snapshot and the records after it. `unsupported` or
/// `invalid` say which record cannot be read.
Result<domain::State> replay(const journal::Journal&);

}  // namespace suan::runtime
