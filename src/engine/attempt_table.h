#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "engine/attempt_files.h"
#include "engine/cgroup.h"

/// What an engine knows of its attempts, and the rules by which it concludes how one stands from
/// what lies in its directory. One thread.
namespace suan::engine {

/// One attempt that is not forgotten.
struct Attempt {
  Progress latest;          // state none: nothing to report yet.
  Fd supervisor;            // Readable when the supervisor has ended; empty if none is watched.
  std::uint64_t watch = 0;  // Names `supervisor` among what the engine waits for.
  bool is_asked = false;    // The spawner has been asked and has not answered.
  bool needs_look = false;  // Nothing will wake the engine for it: look again soon.
  bool is_durable = false;  // The end has been synced to disk.
  int supervisors = 0;      // How many were asked for.
  bool has_launch = false;  // Its record has a launch, which says:
  std::string boot_id;
  CgroupRoots roots;
  std::string group;
  ImageHouse images;  // Of an attempt in an image; else its runtime is "".
  ControlRecord control;
  StartedRecord started;  // work.pid 0: not known to run.
  Span next_report;       // monotonic
  Span report_pause;      // Until the report after that.
};

/// How an attempt stands, by its files.
enum class Standing : std::uint8_t {
  ended,      // Its record says how.
  unclaimed,  // No supervisor has it.
  supervised,
  abandoned,  // Its supervisor vanished, or the machine was started anew, or files are damaged.
};

struct Finding {
  Standing standing = Standing::abandoned;
  std::optional<Progress> end;           // Of `ended`.
  ClaimRecord claim;                     // Of `supervised`.
  std::optional<StartedRecord> started;  // Where the work is known to have started.
  std::string reason;                    // Of `abandoned`: a sentence.
};

/// Reads `attempts/<name>/` of the state directory `state`, on the boot `boot_id`.
Finding find_standing(int state, const AttemptKey&, const Attempt&, const std::string& boot_id);

/// Loads what its launch and `control` say into `attempt`.
void read_attempt(int state, const AttemptKey&, Attempt& attempt);

/// Kills whatever is left of an attempt without a supervisor, by its control group, else by its
/// session, and returns what it used if that is known. nullopt if something would not die.
std::optional<Usage> end_abandoned(const Attempt&, const std::optional<StartedRecord>&);

/// What a running attempt has used, never less than `latest` says.
Usage meter(const Attempt&);

/// Records the end of an attempt that no supervisor will record, and syncs it. Makes the record if
/// there is none.
Result<void> write_end(int state, const Progress&);

/// Syncs an end that a supervisor left to the engine to sync.
Result<void> sync_end(int state, const AttemptKey&);

}  // namespace suan::engine
