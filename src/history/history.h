#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/result.h"
#include "base/time.h"
#include "jobs/records.h"
#include "journal/journal.h"
#include "ledger/records.h"
#include "model/ids.h"
#include "runtime/core.h"

/// What people look up later: all jobs and attempts ever, postings and charges, as tables in a
/// database of their own. Written behind the journal, from nothing but its records, so it can be
/// thrown away and made again; its cursor lies in the same transaction as its rows.
namespace suan::history {

/// One job as the records tell it.
struct JobRow {
  JobId id;
  ProjectId project;
  UserId user;
  std::string name;
  JobKind kind = JobKind::batch;
  jobs::Outcome outcome = jobs::Outcome::none;
  std::int32_t exit_code = 0;
  std::string reason;
  Moment submitted;
  Moment started;
  Moment ended;
  PoolId pool;  // Of the latest placement of its first unit.
  std::string chip;
  Need need;
  std::uint32_t nodes = 1;
  std::uint32_t elements = 1;
  Money hourly;  // The whole job, at the latest placement.
  Money cost;
  Money budget;
  Span max_duration;
  std::uint64_t sequence = 0;  // Of the last record about it.
  bool is_evicted = false;
  jobs::Placement placement;  // Of the latest placement of its first unit.
};

/// One attempt of one task.
struct AttemptRow {
  JobId job;
  std::uint32_t task = 0;
  std::uint32_t attempt = 0;
  PoolId pool;
  LeaseId lease;
  Moment started;
  Moment ended;
  AttemptEnd end = AttemptEnd::none;
  std::int32_t exit_code = 0;
  Usage usage;
  Money cost;
  std::string reason;
};

/// One side-to-side movement of money.
struct PostingRow {
  std::uint64_t sequence = 0;
  std::uint32_t index = 0;  // Within its record.
  Moment at;
  std::string kind;  // deposit, hold, release, charge, loss.
  ledger::AccountKey from;
  ledger::AccountKey to;
  Money amount;
  ProjectId project;  // Whose money it is about.
  JobId job;
  std::string text;
};

/// One charge line.
struct ChargeRow {
  std::uint64_t sequence = 0;
  std::uint32_t index = 0;
  AttemptKey attempt;
  ProjectId project;
  PoolId pool;
  Moment start;  // end - wall.
  Moment end;
  Need need;  // What was held while it ran.
  Span wall;
  Span priced;  // As in ledger::Charged.
  Money hourly;
  Money amount;
  Money loss;
};

/// Which rows, newest first. An empty list of projects means all of them.
struct Filter {
  std::vector<ProjectId> projects;
  JobId job;                             // Only of this job; none = all.
  UserId user;                           // Jobs: only of this user; none = all.
  std::optional<jobs::Outcome> outcome;  // Jobs: only with this one.
  std::uint64_t before =
      0;  // Jobs: only ids below; rows: only sequences below. 0 = from the newest.
  std::size_t limit = 50;
};

struct ChargePage {
  std::vector<ChargeRow> rows;
  Money total;  // Of all rows that the filter matches, on any page.
};

class History {
 public:
  virtual ~History() = default;

  /// Records that have just become durable; never blocks. Those it missed it reads from the
  /// journal.
  virtual void feed(std::shared_ptr<const runtime::DurableBatch>) = 0;

  /// The last record whose rows are there. Any thread.
  virtual std::uint64_t sequence() const = 0;

  /// Waits until `sequence` is there; false after `patience`.
  virtual bool wait_for(std::uint64_t sequence, Span patience) = 0;

  // Queries; any thread, each sees one consistent state of the tables.

  /// Jobs that have left hot state.
  virtual Result<std::vector<JobRow>> evicted_jobs(const Filter&) = 0;
  virtual Result<std::optional<JobRow>> job(JobId) = 0;
  virtual Result<std::vector<AttemptRow>> attempts(JobId) = 0;
  virtual Result<std::vector<PostingRow>> postings(const Filter&) = 0;
  virtual Result<ChargePage> charges(const Filter&) = 0;

  /// Writes what has been fed and closes.
  virtual void stop() = 0;
};

/// Opens or makes the database at `path`. One that is damaged, of another version, or ahead of the
/// journal is made again from the journal's first record. Starts a thread.
Result<std::unique_ptr<History>> open_history(const std::string& path, const journal::Journal&);

}  // namespace suan::history
