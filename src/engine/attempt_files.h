#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cgroup.h"
#include "engine/file.h"
#include "engine/image_house.h"
#include "engine/process.h"
#include "engine/stores.h"
#include "model/attempt.h"
#include "wire/bytes.h"

/// What an engine and its supervisors leave for each other on disk, in one directory per attempt:
///
///     <state>/attempts/<job>-<task>-<attempt>/
///       record    frames, appended one by one, each a RecordEntry:
///                   the launch, by the engine before it asks for a supervisor;
///                   the claim of a supervisor: the first in the file is the one that runs it;
///                   that the work has started, by that supervisor;
///                   the end, by that supervisor as its last act
///       control   one frame, replaced: the latest wishes, by the engine
///       run setup stdout stderr work/
///       container/  of an attempt in an image, until it has ended (container.h)
///       data/     what it has at absolute paths (mover.h)
///
/// A directory whose record has no launch is the mark of a key that must never start.
///
/// A frame is a length (4 bytes, little-endian), the FNV-1a-64 of the bytes (8 bytes,
/// little-endian) and the wire bytes of a record. Whatever follows a cut or damaged frame counts as
/// absent. Appends of one process do not mix with those of another (O_APPEND on a local file
/// system), so who sees its own claim first in the file is the only one that does.
namespace suan::engine {

/// Everything that a supervisor needs to know.
struct LaunchRecord {
  Launch launch;
  Payload payload;
  std::string boot_id;  // Of the machine when the engine received it.
  Span received;        // boottime_now() then.
  CgroupRoots roots;
  std::string group;                   // Name of the attempt's control group.
  std::int64_t quota_cpu_milli = 0;    // Of CPU to enforce; 0 = none.
  bool hides_cards = false;            // The machine has cards and the attempt has none of them.
  std::vector<std::uint32_t> devices;  // The driver's numbers of the granted cards.
  ImageHouse images;                   // Of a payload with an image.
  StoreHouse stores;                   // Of one that moves data.

  static void fields(auto&& visit, auto& self) {
    visit(1, "launch", self.launch);
    visit(2, "payload", self.payload);
    visit(3, "boot_id", self.boot_id);
    visit(4, "received", self.received);
    visit(5, "roots", self.roots);
    visit(6, "group", self.group);
    visit(7, "quota_cpu_milli", self.quota_cpu_milli);
    visit(8, "hides_cards", self.hides_cards);
    visit(9, "devices", self.devices);
    visit(10, "images", self.images);
    visit(11, "stores", self.stores);
  }
};

/// The exclusive right of one supervisor to run an attempt.
struct ClaimRecord {
  std::string boot_id;
  ProcessId supervisor;

  static void fields(auto&& visit, auto& self) {
    visit(1, "boot_id", self.boot_id);
    visit(2, "supervisor", self.supervisor);
  }
};

/// The work runs.
struct StartedRecord {
  ProcessId work;  // Opened a session of its own.
  Span started;    // monotonic_now() then.

  static void fields(auto&& visit, auto& self) {
    visit(1, "work", self.work);
    visit(2, "started", self.started);
  }
};

/// What the engine wants of a running attempt. A supervisor that missed a signal misses nothing.
struct ControlRecord {
  std::uint64_t renewals = 0;          // How many so far; the latest is:
  Span run_for;                        // 0 = no limit.
  Span renewed;                        // boottime_now() when the engine received it.
  AttemptEnd stop = AttemptEnd::none;  // Why to stop, if at all.
  Span grace;

  static void fields(auto&& visit, auto& self) {
    visit(1, "renewals", self.renewals);
    visit(2, "run_for", self.run_for);
    visit(3, "renewed", self.renewed);
    visit(4, "stop", self.stop);
    visit(5, "grace", self.grace);
  }
};

/// One step of an attempt; one member is set.
struct RecordEntry {
  std::optional<LaunchRecord> launch;
  std::optional<ClaimRecord> claim;
  std::optional<StartedRecord> started;
  std::optional<Progress> end;

  static void fields(auto&& visit, auto& self) {
    visit(1, "launch", self.launch);
    visit(2, "claim", self.claim);
    visit(3, "started", self.started);
    visit(4, "end", self.end);
  }
};

/// All that a `record` says: the first of each kind.
struct AttemptRecord : RecordEntry {
  std::size_t bytes_whole = 0;  // Length up to the first cut or damaged frame.
  bool is_torn = false;         // Something follows there.
};

/// A word from a supervisor to the engine, written at once to the FIFO `<state>/events`: only a
/// hint, as everything is in the files. Plain bytes of one machine; the size and the version never
/// change in meaning, as supervisors of an older program write to a newer engine.
struct SupervisorEvent {
  enum class Kind : std::uint32_t { started, stopping };
  std::uint32_t version = 1;
  Kind kind = Kind::started;
  std::uint64_t job = 0;
  std::uint32_t task = 0;
  std::uint32_t attempt = 0;
  std::int32_t work_pid = 0;
  std::uint32_t unused = 0;
  std::uint64_t work_start_ticks = 0;
  std::int64_t started_us = 0;
  std::array<std::uint64_t, 2> more{};
};
static_assert(sizeof(SupervisorEvent) == 64);

inline constexpr std::size_t record_bytes_max = 33 << 20U;
inline constexpr std::size_t control_bytes_max = 64 << 10U;

/// "12-0-1".
std::string print_key(const AttemptKey&);
std::optional<AttemptKey> parse_key(std::string_view name);

/// "attempts/12-0-1", below the state directory.
std::string directory_of(const AttemptKey&);

/// One frame of these bytes.
std::string frame(std::string_view bytes);

/// The bytes of the frames from the start up to the first that is cut or damaged.
std::vector<std::string_view> unframe(std::string_view file);

/// The record in a file's bytes. An entry of another key than `key` counts as damage, and so does
/// an end that is none; `key` nullptr allows any.
AttemptRecord parse_record(std::string_view file, const AttemptKey* key);

/// The same of the file at `path`; empty if it cannot be read.
AttemptRecord read_record(int directory, const std::string& path, const AttemptKey& key);

/// The record in `control`, if it is whole.
std::optional<ControlRecord> parse_control(std::string_view file);
std::optional<ControlRecord> read_control(int directory, const std::string& path);

/// Makes or replaces a whole record with this entry. Not durable.
Result<void> begin_record(int directory, const std::string& path, const RecordEntry&);

/// Appends an entry behind the whole ones. Not durable.
Result<void> append_record(int directory, const std::string& path, const RecordEntry&);

/// Appends a claim; true if it is the first in the file, so that its maker alone may go on.
bool claim_record(int directory, const std::string& path, const AttemptKey&, const ClaimRecord&);

}  // namespace suan::engine
