#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/log_store.h"
#include "member/engine.h"
#include "slurm/cluster.h"
#include "slurm/offer.h"

namespace suan::slurm {

/// How to run attempts on a cluster of Slurm.
struct SlurmEngineOptions {
  std::string shared_directory;  // See share.h; of one engine at a time.
  OfferWish offer;
  Span look_every = seconds(3);    // Between questions about one live attempt; at least 100 ms.
  Span survey_every = seconds(5);  // Between questions about all nodes and jobs; the same.
  Span report_every = seconds(10);
  Span displaced_after = seconds(30);  // A node must take no work for so long.
  engine::LogLimits logs;
  std::string stores_file;        // Of rclone: the stores that jobs may name; "" = none.
  std::string uploads_directory;  // Where packed working directories lie; absolute; "" = nowhere.
};

/// Runs attempts as jobs of Slurm, one job each, pinned to the node that was granted. A wrapper on
/// the node (wrapper.h) keeps the attempt's limits and its end in a directory that the nodes share,
/// so that both outlive this object, the server and slurmctld. A new engine on the same directory
/// finds all attempts again.
///
/// Data is moved by this machine while an attempt holds no nodes: before its job is submitted, and
/// when it has ended.
///
/// Ends are seen in that directory, without asking Slurm. Slurm is asked about attempts that are
/// live, and for readings of the whole; never more than a twentieth of the time.
///
/// All work is done on one thread, which also calls the sink, and two that wait for Slurm; the sink
/// must not call `detach`.
class SlurmEngine final : public member::Engine {
 public:
  /// Takes the directory, asks the cluster what it has, and re-attaches to what runs. `make` is
  /// called here only. A cluster that cannot be reached is a failure unless it was known before.
  /// Failures: those of Share::open and of Cluster; `invalid` if there is nothing to offer.
  static Result<std::unique_ptr<SlurmEngine>> open(const SlurmEngineOptions&, ClusterMaker make);
  ~SlurmEngine() override;

  /// A sentence for people: which cluster this is and how it is reached.
  std::string standing() const;

  /// By what data is moved and between which stores, or why not; a sentence.
  std::string stores_note() const;

  /// What could not be offered; sentences for people.
  const std::vector<std::string>& notes() const;

  /// The partition of each pool, by the pool's name.
  std::map<std::string, std::string> partitions() const;

  std::vector<member::OfferedPool> pools() const override;
  void know_pools(const std::map<PoolId, std::string>&) override;
  void attach(member::ProgressSink&) override;
  void detach() override;
  void launch(const Launch&, const Payload&) override;
  void renew(const RenewAttempt&) override;
  void survey(DataQuestion, Callback<void(DataAnswer)> done) override;
  void stop(const StopAttempt&) override;
  void forget(const ForgetAttempt&) override;
  Result<member::LogPiece> read_log(const AttemptKey&, member::LogStream, std::uint64_t offset,
                                    std::size_t bytes_max) override;

 private:
  class Loop;
  explicit SlurmEngine(std::unique_ptr<Loop>);

  std::unique_ptr<Loop> loop_;
};

}  // namespace suan::slurm
