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
#include "engine/process.h"
#include "model/attempt.h"
#include "wire/bytes.h"

/// What an engine and its supervisors leave for each other on disk, in one directory per attempt:
///
///     <state>/attempts/<job>-<task>-<attempt>/
///       launch    LaunchRecord, by the engine, before it asks for a supervisor
///       claim     ClaimRecord, then StartedRecord once the work runs; by the one supervisor
///       control   ControlRecord: the latest wishes, by the engine
///       exit      Progress, state `ended`: the last thing a supervisor writes
///       stdout stderr work/ run setup
///
/// A directory without `launch` is the mark of a key that must never start.
///
/// A file holds frames: length (4 bytes, little-endian), FNV-1a-64 of the bytes (8 bytes,
/// little-endian), wire bytes of a record. A frame that is cut or damaged counts as absent.
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

inline constexpr std::size_t launch_bytes_max = 32 << 20U;
inline constexpr std::size_t record_bytes_max = 64 << 10U;

/// "12-0-1".
std::string print_key(const AttemptKey&);
std::optional<AttemptKey> parse_key(std::string_view name);

/// One frame of these bytes.
std::string frame(std::string_view bytes);

/// The bytes of the frames from the start up to the first that is cut or damaged.
std::vector<std::string_view> unframe(std::string_view file);

template <wire::Record T>
std::string frame_record(const T& record) {
  return frame(wire::encode(record));
}

/// The record in the frame of that index; nullopt if it is absent, cut, damaged or another record.
template <wire::Record T>
std::optional<T> unframe_record(std::string_view file, std::size_t index = 0) {
  const auto frames = unframe(file);
  if (index >= frames.size()) return std::nullopt;
  auto record = wire::decode<T>(frames[index]);
  if (!record) return std::nullopt;
  return *std::move(record);
}

/// From a file in `directory`.
template <wire::Record T>
std::optional<T> read_record(int directory, const std::string& path, std::size_t index = 0) {
  const std::size_t bytes_max = std::same_as<T, LaunchRecord> ? launch_bytes_max : record_bytes_max;
  const auto file = read_file(directory, path, bytes_max);
  if (!file) return std::nullopt;
  return unframe_record<T>(*file, index);
}

/// The `exit` in an attempt's directory, if it is whole and of this key.
std::optional<Progress> read_exit(int directory, const std::string& path, const AttemptKey&);

/// Makes `path` for one caller only, whole from the first moment: conflict for the others.
Result<Fd> claim_file(int directory, const std::string& path, const ClaimRecord&);

}  // namespace suan::engine
