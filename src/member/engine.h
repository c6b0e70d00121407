#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "member/exec.h"
#include "model/attempt.h"
#include "model/reading.h"
#include "model/transfer.h"

/// The seam to whatever really runs attempts: one machine's processes, Slurm, Kubernetes, or a
/// simulated one. Its real and simulated implementations pass the same contract suite.
namespace suan::member {

/// Capacity of one kind that an engine offers; becomes a pool of the catalogue.
struct OfferedPool {
  std::string name;  // Unique within the engine, [a-z0-9-]{1,63}.
  std::string chip;  // Chip model of data/accelerators.csv, or as found; "" = none.
  std::uint32_t nodes = 1;
  std::uint32_t cards_per_node = 0;
  std::int64_t cpu_milli_per_node = 0;
  std::int64_t memory_bytes_per_node = 0;
  std::string topology;               // For people: sockets, cores, NUMA; may be empty.
  bool runs_images = false;           // Honours Payload::image.
  bool moves_data = false;            // Honours Payload::inputs and outputs,
  std::vector<std::string> stores{};  // which may name these, ascending.

  static void fields(auto&& visit, auto& self) {
    visit(1, "name", self.name);
    visit(2, "chip", self.chip);
    visit(3, "nodes", self.nodes);
    visit(4, "cards_per_node", self.cards_per_node);
    visit(5, "cpu_milli_per_node", self.cpu_milli_per_node);
    visit(6, "memory_bytes_per_node", self.memory_bytes_per_node);
    visit(7, "topology", self.topology);
    visit(8, "runs_images", self.runs_images);
    visit(9, "moves_data", self.moves_data);
    visit(10, "stores", self.stores);
  }
};

/// Receives what an engine reports. Called from a thread of the engine; must not block for long.
class ProgressSink {
 public:
  virtual ~ProgressSink() = default;
  virtual void on_progress(const Progress&) = 0;

  /// An engine that shares its nodes with others says what those hold: when it is attached, when
  /// that changes, and at least every 10 s.
  virtual void on_reading(const PoolReading&) {}
};

/// A piece of a log. `is_end` when the attempt has ended and nothing follows `bytes`.
struct LogPiece {
  std::string bytes;
  bool is_end = false;
};

/// Runs attempts. Every call is idempotent by AttemptKey, returns without waiting for the work, and
/// may come from any one thread at a time. Outcomes arrive at the sink, at least once, until
/// `forget`; after a restart the engine re-attaches to what still runs and reports what ended.
class Engine {
 public:
  virtual ~Engine() = default;

  /// The capacity found. Constant for the life of the object.
  virtual std::vector<OfferedPool> pools() const = 0;

  /// Says which of its pools the home knows under which id, by name: what a launch names. Before
  /// `attach`; an engine of one pool need not know.
  virtual void know_pools(const std::map<PoolId, std::string>&) {}

  /// Starts delivering to `sink`, beginning with the latest of every attempt not yet forgotten.
  /// `sink` outlives this object's `detach`.
  virtual void attach(ProgressSink& sink) = 0;

  /// Stops delivering. Attempts go on running.
  virtual void detach() = 0;

  /// Starts an attempt, or reports the state of the one already started. A key that was stopped or
  /// forgotten before never starts.
  virtual void launch(const Launch&, const Payload&) = 0;
  virtual void renew(const RenewAttempt&) = 0;
  virtual void stop(const StopAttempt&) = 0;
  virtual void forget(const ForgetAttempt&) = 0;

  /// At most `bytes_max` bytes of a log from `offset`. not_found when there is no such attempt
  /// here.
  virtual Result<LogPiece> read_log(const AttemptKey&, LogStream, std::uint64_t offset,
                                    std::size_t bytes_max) = 0;

  /// Runs a command beside a running attempt. Whatever goes wrong later is told to `sink`, which
  /// outlives the Exec. `unsupported` where the engine cannot do that, `no_space` when too many
  /// run.
  virtual Result<std::unique_ptr<Exec>> exec(const AttemptKey&, const ExecWish&, ExecSink&) {
    return failure(Failure::Kind::unsupported,
                   "the member that runs this job cannot run commands beside it");
  }

  /// Looks how much there is to bring. `done` is called once, on any thread, within seconds.
  virtual void survey(DataQuestion, Callback<void(DataAnswer)> done) {
    done({.problem = "the member there brings no inputs", .sources = {}});
  }
};

}  // namespace suan::member
