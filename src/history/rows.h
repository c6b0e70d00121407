#pragma once

#include <memory>
#include <vector>

#include "history/history.h"
#include "journal/sqlite_database.h"

/// Records to rows. Not for other rooms.
namespace suan::history {

enum class PostingKind : std::uint8_t { deposit, hold, release, charge, loss, withdrawal };

/// Writes the rows of records, within the caller's transaction. One thread.
class RowWriter {
 public:
  /// The database has the tables of schema.h.
  static Result<std::unique_ptr<RowWriter>> open(journal::Database&);

  Result<void> write(const runtime::DurableRecord&);

 private:
  enum Sql : std::size_t {
    job_submitted,
    wish,
    unit_placed,
    job_placed,
    attempt_seen,
    attempt_started,
    job_started,
    attempt_leased,
    attempt_ended,
    attempt_told,
    job_cost,
    job_ended,
    job_evicted,
    hold_made,
    posting,
    posting_of_hold,
    charge,
    moved,
    sql_count
  };
  explicit RowWriter(std::vector<journal::Statement> statements)
      : statements_(std::move(statements)) {}

  struct Writing;

  std::vector<journal::Statement> statements_;
};

}  // namespace suan::history
