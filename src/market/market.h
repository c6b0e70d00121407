#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/table.h"
#include "market/ending.h"
#include "market/foresight.h"
#include "market/nodes.h"
#include "market/records.h"

namespace suan::market {

/// The leases that this domain has granted on its own pools. It is the authority over that
/// capacity: no card is in two leases. Part of State: no lock, no clock, no I/O.
class Market {
 public:
  const Lease* find_lease(LeaseId id) const { return leases_.find(id); }

  /// The lease that an attempt holds; absent if it holds none.
  const Lease* lease_of(const AttemptKey&) const;

  const Table<LeaseId, Lease>& leases() const { return leases_; }
  const Nodes& nodes() const { return nodes_; }

  /// The leases of which somebody has said when they end, by pool and by that.
  const Table<EndingKey, bool>& endings() const { return endings_; }

  void apply(const LeaseGranted&, const Pool&);
  void apply(const LeaseConfirmed&);
  void apply(const LeaseReleased&, const Pool&);

  /// When a lease ends, in place of what was said before; follows from its holder's terms and is no
  /// part of what is recorded.
  void expect_end(const Lease&, const Ending&);

  /// A pool of this domain is new or has changed; `before` has no nodes when it is new.
  void resize(const Pool& before, const Pool& after);

  /// What others hold of a pool of this domain; no part of what is recorded.
  void observe(const Pool& pool, const std::vector<NodeReading>& others) {
    nodes_.observe(pool, others);
  }

  /// What was granted on a pool of this domain; no part of what is recorded either.
  void learn(const Pool& pool, const Grant& grant) { foresight_.learn(pool, grant, nodes_); }

  /// Grants for `count` tasks on distinct nodes, where least is lost by what was learnt, or else
  /// the tightest fits; empty if they do not fit.
  std::vector<Grant> fit(const Pool&, const Need&, std::uint32_t count) const;

  /// The same for somebody for whom nodes may be kept, or who may use those that are kept for
  /// others: first its own, then what is open to all, then the others'.
  std::vector<Grant> fit(const Pool&, const Need&, std::uint32_t count, const Claim&) const;

  /// Nodes of a pool are kept for somebody, or open to all again.
  void keep(const Pool& pool, const std::vector<std::uint32_t>& nodes, const Kept& kept) {
    nodes_.keep(pool, nodes, kept);
  }
  void open(const Pool& pool, const std::vector<std::uint32_t>& nodes) { nodes_.open(pool, nodes); }

  /// The latest job that was granted something in a pool; after a restart, of those that still
  /// hold it.
  JobId newest_in(PoolId pool) const {
    const JobId* job = newest_.find(pool);
    return job == nullptr ? JobId{} : *job;
  }

  static void tables(auto&& visit, auto& self) { visit(1, "leases", self.leases_); }
  void reindex(const Table<PoolId, Pool>& pools);

 private:
  Table<LeaseId, Lease> leases_;

  struct Holding {
    LeaseId lease;
    std::optional<Ending> ending;
  };

  void note_newest(const Lease&);

  Table<AttemptKey, Holding> holders_;
  Table<EndingKey, bool> endings_;
  Table<PoolId, JobId> newest_;
  Nodes nodes_;
  Foresight foresight_;
};

}  // namespace suan::market
