#pragma once

#include <compare>
#include <cstdint>
#include <vector>

#include "base/table.h"
#include "jobs/records.h"

namespace suan::jobs {

/// The order of the queue: by priority, then by submission, as job ids grow. Spot work is behind
/// all other.
struct QueueKey {
  std::uint8_t rank = 0;  // 0 = high; of spot work 3 = high.
  UnitKey unit;

  friend constexpr auto operator<=>(const QueueKey&, const QueueKey&) = default;
};

/// The heads of the lines, those of one project and one rank together: whose turn it is among
/// projects depends on what they hold.
struct HeadKey {
  std::uint8_t rank = 0;
  ProjectId project;
  UnitKey unit;

  friend constexpr auto operator<=>(const HeadKey&, const HeadKey&) = default;
};

/// Units that ask for the same thing wait in one line: if its head fits nowhere, none of it does.
struct Line {
  Table<QueueKey, bool> units;
};

/// How the home of a guest names it.
struct GuestKey {
  ParentId parent;
  UnitAttempt home;

  friend constexpr auto operator<=>(const GuestKey&, const GuestKey&) = default;
};

/// Spot work of a pool that has been launched.
struct SpotKey {
  PoolId pool;
  UnitKey unit;

  friend constexpr auto operator<=>(const SpotKey&, const SpotKey&) = default;
};

/// How many jobs there are in hot state, by how far they are.
struct JobCounts {
  std::uint64_t waiting = 0;
  std::uint64_t active = 0;
  std::uint64_t ended = 0;
};

/// The jobs of one domain that are live or ended lately. Part of State: no lock, no clock, no I/O.
class Jobs {
 public:
  const Job* find(JobId id) const { return jobs_.find(id); }
  const Table<JobId, Job>& all() const { return jobs_; }

  /// The job that runs here for a parent; absent if it is not known (any more).
  const Job* find_guest(const GuestKey&) const;

  /// All guests, by parent and by how their homes name them.
  const Table<GuestKey, JobId>& guests() const { return guests_; }

  /// The lines of waiting units by a fingerprint of what they ask for. None is empty.
  const Table<std::uint64_t, Line>& lines() const { return lines_; }

  /// The lines by their heads.
  const Table<HeadKey, std::uint64_t>& heads() const { return heads_; }

  /// Units waiting in the queue.
  std::uint64_t waiting() const { return waiting_; }

  /// How many units of its own line stand before this one; 0 if it does not wait.
  std::uint64_t ahead_of(const UnitKey&) const;

  JobCounts counts() const { return counts_; }

  /// The pools in which nodes are kept, and for which unit: of each pool for one at most.
  const Table<PoolId, UnitKey>& promises() const { return promises_; }

  /// The units of spot work that have been launched and not ended, by pool.
  const Table<SpotKey, bool>& spots() const { return spots_; }

  void apply(const JobSubmitted&, Moment now);
  void apply(const UnitQueued&);
  void apply(const UnitPutOff&);
  void apply(const UnitPromised&);
  void apply(const PlaceCleared&);
  void apply(const UnitPlaced&);
  void apply(const UnitGranted&);
  void apply(const UnitReturned&, Moment now);
  void apply(const UnitLaunched&, Moment now);
  void apply(const UnitRenewed&);
  void apply(const TaskStarted&, Moment now);
  void apply(const TaskStopping&);
  void apply(const TaskEnded&, Moment now);
  void apply(const AttemptLost&, Moment now);
  void apply(const LostTaskTold&);
  void apply(const LostAttemptClosed&);
  void apply(const UnitEnded&);
  void apply(const JobStopping&);
  void apply(const JobEnded&, Moment now);
  void apply(const JobEvicted&);
  void apply(const GuestCommitted&);
  void apply(const GuestKept&);
  void apply(const GuestRefused&);
  void apply(const GuestLetGo&);

  /// To be called after the events of each record: units submitted by it and not placed at once
  /// join their lines.
  void settle();

  /// Notes the record that changed a job.
  void touch(JobId id, std::uint64_t sequence);

  /// For the keeper of timers: the unit to note its timer in.
  Unit* edit_unit(const UnitKey&);

  static void tables(auto&& visit, auto& self) { visit(1, "jobs", self.jobs_); }
  void reindex();

 private:
  Job& edit(JobId id);
  Unit& unit(const UnitKey&);
  Task& task(const AttemptKey&);
  void enqueue(const UnitKey&, const Job&);
  void dequeue(const UnitKey&, const Job&);
  void count(const Job&, std::int64_t sign);
  void drop_promise(Unit&);
  void drop_spot(const UnitKey&, const Job&);

  Table<JobId, Job> jobs_;

  Table<GuestKey, JobId> guests_;
  Table<std::uint64_t, Line> lines_;
  Table<HeadKey, std::uint64_t> heads_;
  Table<PoolId, UnitKey> promises_;
  Table<SpotKey, bool> spots_;
  std::uint64_t waiting_ = 0;
  JobCounts counts_;
  std::vector<UnitKey> arrivals_;  // In no line yet. Empty between records.
};

/// Where a unit of this job stands, or would stand, in the queue.
QueueKey queue_key(const JobSpec&, const UnitKey&);

/// A fingerprint of everything in a spec that decides where and when it fits.
std::uint64_t demand_fingerprint(const JobSpec&);

/// The unit and the index within it of a task of a job.
struct TaskPlace {
  std::uint32_t unit = 0;
  std::uint32_t index = 0;
};
TaskPlace place_of(const JobSpec&, std::uint32_t task);

/// Whether its latest attempt was given up, and its member has not told all of it.
bool is_lost(const Unit&);

/// The number of a task from its place.
std::uint32_t task_number(const JobSpec&, std::uint32_t unit, std::uint32_t index);

/// The units that start and end with this one: itself or, of a gang that may be spread, all.
std::vector<std::uint32_t> bound_with(const Job&, std::uint32_t unit);

/// Of a gang that may be spread only the first unit waits in the queue, for all of them.
bool waits_itself(const JobSpec&, std::uint32_t unit);

}  // namespace suan::jobs
