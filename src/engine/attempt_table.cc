#include "engine/attempt_table.h"

#include <algorithm>
#include <csignal>

#include <fcntl.h>
#include <unistd.h>

namespace suan::engine {
namespace {

constexpr Span kill_patience = seconds(2);

Result<void> sync_path(int state, const std::string& path) {
  const Fd file(::openat(state, path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || ::fsync(file.get()) != 0) return system_failure("cannot sync", path);
  return {};
}

Usage larger(const Usage& a, const Usage& b) {
  return {.wall = std::max(a.wall, b.wall),
          .cpu = std::max(a.cpu, b.cpu),
          .memory_peak_bytes = std::max(a.memory_peak_bytes, b.memory_peak_bytes)};
}

// Kills all processes of the session; false if one would not die.
bool end_session(const ProcessId& leader) {
  // A session's number is not given to another process while one of the session lives; but with the
  // leader gone too it may be somebody else's by now.
  if (leader.pid <= 0) return true;
  const auto status = read_process(leader.pid);
  if (status && status->start_ticks != leader.start_ticks) return true;
  const Span until = monotonic_now() + kill_patience;
  while (true) {
    const std::vector<pid_t> left = processes_in_session(leader.pid);
    if (left.empty()) return true;
    for (const pid_t pid : left) ::kill(pid, SIGKILL);
    if (monotonic_now() >= until) return false;
    ::usleep(1000);
  }
}

}  // namespace

Finding find_standing(int state, const AttemptKey& key, const Attempt& attempt,
                      const std::string& boot_id) {
  Finding finding;
  const std::string path = directory_of(key) + "/record";
  AttemptRecord record = read_record(state, path, key);
  if (!record.end && record.claim && attempt.boot_id == boot_id &&
      !is_alive(record.claim->supervisor)) {
    record = read_record(state, path, key);  // It may have written its last between the two looks.
    finding.reason = "its supervisor vanished without a word, so how it ended is not known";
  }
  finding.started = record.started;
  if (record.end) {
    finding.standing = Standing::ended;
    finding.end = std::move(record.end);
  } else if (!attempt.has_launch) {
    finding.reason = "what was written about it did not survive a crash";
  } else if (attempt.boot_id != boot_id) {
    finding.reason = "the machine was started anew while it ran";
  } else if (!record.claim) {
    finding.standing = Standing::unclaimed;
  } else if (finding.reason.empty()) {
    finding.standing = Standing::supervised;
    finding.claim = *record.claim;
  }
  return finding;
}

void read_attempt(int state, const AttemptKey& key, Attempt& attempt) {
  const std::string directory = directory_of(key);
  const AttemptRecord record = read_record(state, directory + "/record", key);
  attempt.has_launch = record.launch.has_value();
  if (record.launch) {
    attempt.boot_id = record.launch->boot_id;
    attempt.roots = record.launch->roots;
    attempt.group = record.launch->group;
    attempt.images = record.launch->images;
  }
  if (const auto control = read_control(state, directory + "/control")) attempt.control = *control;
}

std::optional<Usage> end_abandoned(const Attempt& attempt,
                                   const std::optional<StartedRecord>& started) {
  Usage usage;
  if (attempt.has_launch && attempt.boot_id == read_boot_id()) {
    const Cgroup group(attempt.roots, attempt.group);
    if (group.is_tracking() && !group.kill(kill_patience)) return std::nullopt;
    if (started && !group.is_tracking() && !end_session(started->work)) return std::nullopt;
    if (started) {
      const CgroupReading reading = group.read();
      usage.wall = monotonic_now() - started->started;
      usage.cpu = reading.cpu.value_or(Span{});
      usage.memory_peak_bytes = reading.memory_peak_bytes.value_or(0);
    }
    group.remove();
  }
  return larger(usage, attempt.latest.usage);
}

Usage meter(const Attempt& attempt) {
  const ProcessId& work = attempt.started.work;
  // The time first: if the work lives after that, its end cannot tell of less. One that has ended
  // is its supervisor's to tell about.
  Usage usage;
  usage.wall = monotonic_now() - attempt.started.started;
  const auto status = read_process(work.pid);
  if (work.pid == 0 || !status || !status->is_live || status->start_ticks != work.start_ticks)
    return attempt.latest.usage;
  const CgroupReading reading = Cgroup(attempt.roots, attempt.group).read();
  usage.memory_peak_bytes = reading.memory_peak_bytes.value_or(0);
  // Without a group only what the work did itself or waited for, until the end tells all.
  usage.cpu = reading.cpu.value_or(status->cpu + status->children_cpu);
  return larger(usage, attempt.latest.usage);
}

Result<void> write_end(int state, const Progress& progress) {
  const std::string path = directory_of(progress.key) + "/record";
  RecordEntry entry;
  entry.end = progress;
  const AttemptRecord record = read_record(state, path, progress.key);
  if (record.bytes_whole == 0) {
    SUAN_CHECK(begin_record(state, path, entry));
  } else {
    // Behind a torn entry this one would not be read.
    if (record.is_torn) {
      const Fd file(::openat(state, path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
      if (!file || ::ftruncate(file.get(), static_cast<off_t>(record.bytes_whole)) != 0)
        return system_failure("cannot shorten", path);
    }
    SUAN_CHECK(append_record(state, path, entry));
  }
  SUAN_CHECK(sync_end(state, progress.key));
  // And the name of the directory, which may be new as well.
  return sync_path(state, "attempts");
}

Result<void> sync_end(int state, const AttemptKey& key) {
  SUAN_CHECK(sync_path(state, directory_of(key) + "/record"));
  return sync_path(state, directory_of(key));
}

}  // namespace suan::engine
