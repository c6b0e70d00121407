#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "base/time.h"
#include "engine/file.h"

/// Processes of this machine, named so that a recycled pid is never mistaken for an old one.
namespace suan::engine {

/// A process of one boot: its pid and when it started, in clock ticks since the boot (field 22 of
/// /proc/pid/stat, see proc(5)). pid 0 names none.
struct ProcessId {
  std::int32_t pid = 0;
  std::uint64_t start_ticks = 0;

  friend bool operator==(const ProcessId&, const ProcessId&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "pid", self.pid);
    visit(2, "start_ticks", self.start_ticks);
  }
};

/// What /proc/pid/stat says of a process.
struct ProcessStatus {
  bool is_live = false;  // Some thread of it can still run.
  pid_t parent = 0;
  pid_t session = 0;
  std::uint64_t start_ticks = 0;
  Span cpu;           // Of the process itself.
  Span children_cpu;  // Of its children that it has waited for.
};

std::optional<ProcessStatus> read_process(pid_t pid);

/// The calling process.
ProcessId this_process();

/// The identity of a live process, or pid 0.
ProcessId identify(pid_t pid);

/// True while it runs; a zombie does not.
bool is_alive(const ProcessId&);

/// A descriptor that becomes readable when the process ends; empty if it has ended, or if there are
/// no descriptors left.
Fd watch_process(const ProcessId&);

/// The random name of this boot of the machine.
std::string read_boot_id();

/// Time since the boot, without (monotonic) and with (boottime) what the machine slept. Equal in
/// all processes of one boot.
Span monotonic_now();
Span boottime_now();

/// What boottime_now() was at a ProcessId::start_ticks, to a clock tick.
Span boottime_of(std::uint64_t start_ticks);

/// Every live process below `ancestor`, without it.
std::vector<pid_t> descendants_of(pid_t ancestor);

/// Every live process in the session that `leader` opened.
std::vector<pid_t> processes_in_session(pid_t leader);

/// True if the process has a function to call for the signal, so that it cannot die of it.
bool catches(pid_t pid, int signal);

/// The number of "USR1", "SIGUSR1" or "10"; nullopt if it is none that can be caught.
std::optional<int> parse_signal(std::string_view name);

}  // namespace suan::engine
