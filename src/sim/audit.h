#pragma once

#include <optional>
#include <string>

#include "journal/journal.h"
#include "sim/books.h"

namespace suan::sim {

/// All auditors of one simulated domain. Follows its durable records with a State of its own, as
/// the read side does.
class Audit {
 public:
  explicit Audit(Coverage& coverage);

  /// The next durable record.
  void see(const runtime::DurableRecord&);

  /// Everything that can be asked of a state at rest. `core` is null while the server is down or
  /// has records that are not durable.
  void examine(const domain::State* core, const journal::Journal&);

  /// The next replay begins with the first record, however short it is since the one before.
  void replay_all() { replay_again_at_ = 0; }

  /// A server is about to start with `state`: nothing that was durable may be missing, and what was
  /// durable and never told is told now.
  void see_restart(const domain::State& state, const journal::Journal&);

  /// The core has taken a reading, or has begun anew and knows none of this pool.
  void observe(PoolId, const PoolReading&, Moment at);

  /// The core has taken what was measured of a link.
  void observe_link(SiteId from, SiteId to, const Rtt&);

  /// Prints every event to stderr as it is seen.
  void trace() { is_traced_ = true; }

  const domain::State& shadow() const { return shadow_; }
  Objections& objections() { return objections_; }
  const Objections& objections() const { return objections_; }
  GroundTruth& truth() { return truth_; }
  const LifeBook& lives() const { return lives_; }
  std::uint64_t events() const { return events_; }
  /// Grows with everything that is recorded or observed.
  std::uint64_t seen() const { return shadow_.essence().sequence + observed_; }

 private:
  void check_returned(const jobs::UnitReturned&);
  void compare_derived(const domain::State&);
  void check_fork(const Digest& hash);
  void check_replay(const journal::Journal&, const Digest& hash);
  void check_start(const journal::Journal&, const Digest& hash);

  Coverage& coverage_;
  Objections objections_;
  GroundTruth truth_;
  LeaseBook leases_;
  MoneyBook money_;
  LifeBook lives_;
  domain::State shadow_;
  std::optional<domain::State> fork_;  // Taken some time ago, and its hash then.
  Digest fork_hash_;
  domain::State folded_;               // From the bytes of the journal,
  std::uint64_t replay_again_at_ = 0;  // and from the first of them again at so many records.
  std::uint64_t observed_ = 0;
  std::uint64_t events_ = 0;
  bool is_traced_ = false;
};

}  // namespace suan::sim
