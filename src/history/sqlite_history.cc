// The history in SQLite: a writer on a thread of its own, and a reader beside it.
#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <span>
#include <thread>
#include <utility>

#include <sys/resource.h>
#include <unistd.h>

#include "history/history.h"
#include "history/rows.h"
#include "history/schema.h"
#include "runtime/codec.h"
#include "wire/bytes.h"
#include "wire/names.h"

namespace suan::history {

using journal::Database;
using journal::Reading;
using journal::Statement;

namespace {

constexpr std::size_t records_at_once = 4096;
constexpr int log_pages_max = 4000;             // Of 4 KiB, then they are copied into the file.
constexpr std::size_t batches_kept_max = 4096;  // Past it the journal is read instead.
constexpr int history_nice = 15;
constexpr auto gathered_for = std::chrono::milliseconds(50);  // Unless somebody waits for it.
constexpr std::size_t gathered_max = 64;                      // Batches.

std::int64_t number(const Statement& row, int column) {
  return static_cast<std::int64_t>(row.number(column));
}

// SQL that keeps only rows of some projects; the ids are numbers, so they cannot carry SQL.
std::string in_projects(const std::vector<ProjectId>& projects) {
  if (projects.empty()) return "1";
  std::string list;
  for (const ProjectId id : projects) list += (list.empty() ? "" : ",") + std::to_string(id.value);
  return "project IN (" + list + ")";
}

JobRow read_job(const Statement& row) {
  JobRow job;
  job.id = JobId{row.number(0)};
  job.project = ProjectId{row.number(1)};
  job.user = UserId{row.number(2)};
  job.name = row.bytes(3);
  job.kind = static_cast<JobKind>(row.number(4));
  job.nodes = static_cast<std::uint32_t>(row.number(5));
  job.elements = static_cast<std::uint32_t>(row.number(6));
  job.chip = row.bytes(7);
  job.need = {number(row, 8), number(row, 9), number(row, 10)};
  job.budget = {number(row, 11)};
  job.max_duration = {number(row, 12)};
  job.submitted = {number(row, 13)};
  job.sequence = row.number(14);
  job.started = {number(row, 15)};
  job.ended = {number(row, 16)};
  job.outcome = static_cast<jobs::Outcome>(row.number(17));
  job.exit_code = static_cast<std::int32_t>(row.number(18));
  job.reason = row.bytes(19);
  job.pool = PoolId{row.number(20)};
  job.hourly = {number(row, 21)};
  job.cost = {number(row, 22)};
  if (auto placement = wire::decode<jobs::Placement>(row.bytes(23)))
    job.placement = std::move(*placement);
  job.is_evicted = row.number(24) != 0;
  return job;
}

constexpr const char* job_columns =
    "SELECT id, project, user, name, kind, nodes, elements, chip, card_milli, cpu_milli, "
    "memory_bytes, "
    "budget, max_duration, submitted, sequence, started, ended, outcome, exit_code, reason, pool, "
    "hourly, "
    "cost, placement, evicted FROM jobs WHERE ";

/// Consecutive ones.
using Batches = std::span<const std::shared_ptr<const runtime::DurableBatch>>;

class SqliteHistory : public History {
 public:
  SqliteHistory(std::unique_ptr<Database> writer, std::unique_ptr<RowWriter> rows,
                std::unique_ptr<Database> reader, std::uint64_t sequence,
                const journal::Journal& journal)
      : journal_(journal),
        writer_(std::move(writer)),
        rows_(std::move(rows)),
        reader_(std::move(reader)),
        sequence_(sequence),
        thread_([this] { run(); }) {}

  ~SqliteHistory() override { stop(); }

  void feed(std::shared_ptr<const runtime::DurableBatch> batch) override {
    std::size_t gathered = 0;
    {
      const std::lock_guard lock(mutex_);
      if (batches_.size() >= batches_kept_max) batches_.clear();  // The journal has them.
      batches_.push_back(std::move(batch));
      gathered = batches_.size();
    }
    if (gathered == 1 || gathered == gathered_max) has_work_.notify_one();
  }

  std::uint64_t sequence() const override {
    const std::lock_guard lock(mutex_);
    return sequence_;
  }

  bool wait_for(std::uint64_t sequence, Span patience) override {
    std::unique_lock lock(mutex_);
    wanted_ = std::max(wanted_, sequence);
    has_work_.notify_one();
    return moved_.wait_for(lock, std::chrono::microseconds(patience.us), [&] {
      return sequence_ >= sequence || is_stopping_;
    }) && sequence_ >= sequence;
  }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      is_stopping_ = true;
    }
    has_work_.notify_all();
    moved_.notify_all();
    if (thread_.joinable()) thread_.join();
  }

  Result<std::vector<JobRow>> evicted_jobs(const Filter& filter) override {
    // The unary plus keeps several projects from being gathered and sorted by way of their index.
    const std::string among =
        (filter.projects.size() > 1 ? "+" : "") + in_projects(filter.projects);
    std::string sql = job_columns + ("evicted = 1 AND " + among);
    if (filter.user) sql += " AND user = " + std::to_string(filter.user.value);
    if (filter.outcome)
      sql += " AND outcome = " + std::to_string(static_cast<unsigned>(*filter.outcome));
    if (filter.before > 0) sql += " AND id < " + std::to_string(filter.before);
    sql += " ORDER BY id DESC LIMIT " + std::to_string(filter.limit);
    return collect<JobRow>(sql, read_job);
  }

  Result<std::optional<JobRow>> job(JobId id) override {
    SUAN_TRY(auto rows,
             collect<JobRow>(job_columns + ("id = " + std::to_string(id.value)), read_job));
    if (rows.empty()) return std::nullopt;
    return std::move(rows.front());
  }

  Result<std::vector<AttemptRow>> attempts(JobId id) override;
  Result<std::vector<PostingRow>> postings(const Filter& filter) override;
  Result<ChargePage> charges(const Filter& filter) override;

 private:
  template <class Row, class Read>
  Result<std::vector<Row>> collect(const std::string& sql, Read read) {
    const std::lock_guard lock(reading_);
    SUAN_TRY(Statement statement, reader_->prepare(sql.c_str()));
    const Reading end(statement);
    std::vector<Row> rows;
    while (true) {
      SUAN_TRY(const bool has_row, statement.step());
      if (!has_row) return rows;
      rows.push_back(read(statement));
    }
  }

  void run();
  Result<void> write(Batches);
  Result<void> write_missed(std::uint64_t last);
  Result<void> write_records(const std::vector<runtime::DurableRecord>&, std::uint64_t& next);
  Result<void> transact(Batches);

  const journal::Journal& journal_;
  std::unique_ptr<Database> writer_;
  std::unique_ptr<RowWriter> rows_;
  std::mutex reading_;
  std::unique_ptr<Database> reader_;

  mutable std::mutex mutex_;
  std::condition_variable has_work_;
  std::condition_variable moved_;
  std::vector<std::shared_ptr<const runtime::DurableBatch>> batches_;
  std::uint64_t sequence_;
  std::uint64_t wanted_ = 0;  // The last that somebody waited for.
  bool is_stopping_ = false;
  std::thread thread_;
};

Result<std::vector<AttemptRow>> SqliteHistory::attempts(JobId id) {
  const std::string sql =
      "SELECT job, task, attempt, pool, lease, started, ended, how, exit_code, wall, cpu, "
      "memory_peak, cost, "
      "reason FROM attempts WHERE job = " +
      std::to_string(id.value) + " ORDER BY task, attempt";
  return collect<AttemptRow>(sql, [](const Statement& row) {
    AttemptRow attempt;
    attempt.job = JobId{row.number(0)};
    attempt.task = static_cast<std::uint32_t>(row.number(1));
    attempt.attempt = static_cast<std::uint32_t>(row.number(2));
    attempt.pool = PoolId{row.number(3)};
    attempt.lease = LeaseId{row.number(4)};
    attempt.started = {number(row, 5)};
    attempt.ended = {number(row, 6)};
    attempt.end = static_cast<AttemptEnd>(row.number(7));
    attempt.exit_code = static_cast<std::int32_t>(row.number(8));
    attempt.usage = {{number(row, 9)}, {number(row, 10)}, number(row, 11)};
    attempt.cost = {number(row, 12)};
    attempt.reason = row.bytes(13);
    return attempt;
  });
}

Result<std::vector<PostingRow>> SqliteHistory::postings(const Filter& filter) {
  std::string sql =
      "SELECT sequence, nth, at, kind, from_kind, from_owner, to_kind, to_owner, amount, project, "
      "job, text "
      "FROM postings WHERE " +
      in_projects(filter.projects);
  if (filter.job) sql += " AND job = " + std::to_string(filter.job.value);
  if (filter.before > 0) sql += " AND sequence < " + std::to_string(filter.before);
  sql += " ORDER BY sequence DESC, nth DESC LIMIT " + std::to_string(filter.limit);
  return collect<PostingRow>(sql, [](const Statement& row) {
    PostingRow posting;
    posting.sequence = row.number(0);
    posting.index = static_cast<std::uint32_t>(row.number(1));
    posting.at = {number(row, 2)};
    posting.kind = wire::enum_name(static_cast<PostingKind>(row.number(3)));
    posting.from = {static_cast<ledger::AccountKind>(row.number(4)), row.number(5)};
    posting.to = {static_cast<ledger::AccountKind>(row.number(6)), row.number(7)};
    posting.amount = {number(row, 8)};
    posting.project = ProjectId{row.number(9)};
    posting.job = JobId{row.number(10)};
    posting.text = row.bytes(11);
    return posting;
  });
}

Result<ChargePage> SqliteHistory::charges(const Filter& filter) {
  std::string where = in_projects(filter.projects);
  if (filter.job) where += " AND job = " + std::to_string(filter.job.value);
  const std::string total_sql = "SELECT coalesce(sum(amount), 0) FROM charges WHERE " + where;
  std::string sql =
      "SELECT c.sequence, c.nth, c.job, c.task, c.attempt, c.project, c.pool, c.at, c.wall, "
      "c.hourly, c.amount, "
      "c.loss, c.priced, coalesce(a.card_milli, 0), coalesce(a.cpu_milli, 0), "
      "coalesce(a.memory_bytes, 0) "
      "FROM (SELECT * "
      "FROM charges WHERE " +
      where;
  if (filter.before > 0) sql += " AND sequence < " + std::to_string(filter.before);
  sql += " ORDER BY sequence DESC, nth DESC LIMIT " + std::to_string(filter.limit) +
         ") c LEFT JOIN attempts a ON a.job = c.job AND a.task = c.task AND a.attempt = c.attempt";
  ChargePage page;
  SUAN_TRY(const auto totals,
           collect<Money>(total_sql, [](const Statement& row) { return Money{number(row, 0)}; }));
  page.total = totals.front();
  SUAN_TRY(page.rows, collect<ChargeRow>(sql, [](const Statement& row) {
             ChargeRow charge;
             charge.sequence = row.number(0);
             charge.index = static_cast<std::uint32_t>(row.number(1));
             charge.attempt = {JobId{row.number(2)}, static_cast<std::uint32_t>(row.number(3)),
                               static_cast<std::uint32_t>(row.number(4))};
             charge.project = ProjectId{row.number(5)};
             charge.pool = PoolId{row.number(6)};
             charge.end = {number(row, 7)};
             charge.wall = {number(row, 8)};
             charge.start = charge.end - charge.wall;
             charge.hourly = {number(row, 9)};
             charge.amount = {number(row, 10)};
             charge.loss = {number(row, 11)};
             charge.priced = {number(row, 12)};
             charge.need = {number(row, 13), number(row, 14), number(row, 15)};
             return charge;
           }));
  return page;
}

// The rows and the cursor of some batches, all or none.
Result<void> SqliteHistory::transact(Batches batches) {
  SUAN_CHECK(writer_->execute("BEGIN IMMEDIATE"));
  Result<void> written;
  for (const auto& batch : batches) {
    for (const runtime::DurableRecord& record : batch->records) {
      if (written) written = rows_->write(record);
    }
  }
  const std::uint64_t last = batches.back()->records.back().sequence;
  const std::string cursor = "UPDATE cursor SET sequence = " + std::to_string(last);
  if (written) written = writer_->execute(cursor.c_str());
  if (written) written = writer_->execute("COMMIT");
  if (!written) {
    static_cast<void>(writer_->execute("ROLLBACK"));
    return written;
  }
  if (writer_->log_pages() > log_pages_max) SUAN_CHECK(writer_->checkpoint(false));
  const std::lock_guard lock(mutex_);
  sequence_ = last;
  moved_.notify_all();
  return {};
}

// Reads what was not fed from the journal.
Result<void> SqliteHistory::write_missed(std::uint64_t last) {
  while (sequence() < last) {
    SUAN_TRY(const auto missed, journal_.follow(sequence() + 1, records_at_once));
    if (missed.empty()) return failure(Failure::Kind::invalid, "the journal ends before its head");
    const auto batch = std::make_shared<runtime::DurableBatch>();
    for (const journal::Record& record : missed) {
      SUAN_TRY(auto events, runtime::decode_events(record.bytes));
      batch->records.push_back({record.sequence, record.moment, std::move(events)});
    }
    SUAN_CHECK(transact(std::array{std::shared_ptr<const runtime::DurableBatch>(batch)}));
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return {};
  }
  return {};
}

// What has gathered becomes one transaction: many small ones would write the same pages again and
// again.
Result<void> SqliteHistory::write(Batches batches) {
  while (!batches.empty()) {
    const std::uint64_t first = batches.front()->records.front().sequence;
    if (first > sequence() + 1) SUAN_CHECK(write_missed(first - 1));
    if (first <= sequence()) {
      batches = batches.subspan(1);
      continue;
    }
    std::size_t count = 0;
    for (std::size_t records = 0; count < batches.size() && records < records_at_once; ++count)
      records += batches[count]->records.size();
    SUAN_CHECK(transact(batches.first(count)));
    batches = batches.subspan(count);
  }
  return {};
}

void SqliteHistory::run() {
  // The past can wait: where processors are scarce, whoever asks for something new goes first.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), history_nice);
  std::vector<std::shared_ptr<const runtime::DurableBatch>> batches;
  Result<void> written = write_missed(journal_.head().sequence);
  for (bool is_ending = false; !is_ending;) {
    {
      std::unique_lock lock(mutex_);
      has_work_.wait_for(lock, std::chrono::seconds(1),
                         [&] { return is_stopping_ || !batches_.empty(); });
      // One transaction for many batches: each writes the same few pages again.
      has_work_.wait_for(lock, gathered_for, [&] {
        return is_stopping_ || wanted_ > sequence_ || batches_.size() >= gathered_max;
      });
      batches.swap(batches_);
      is_ending = is_stopping_;
    }
    if (!written)
      written = write_missed(journal_.head().sequence);  // Try again: space may be back.
    if (written) written = write(batches);
    batches.clear();
    if (!written)
      std::fprintf(stderr, "suan: history: %s; it will be tried again\n",
                   written.error().text.c_str());
  }
}

// The database if its tables are ours and not ahead of the journal; else nothing.
Result<std::uint64_t> check(Database& database, const journal::Journal& journal) {
  SUAN_TRY(const std::uint64_t version, database.number("SELECT version FROM cursor"));
  SUAN_TRY(const std::uint64_t sequence, database.number("SELECT sequence FROM cursor"));
  if (version != schema_version || sequence > journal.head().sequence)
    return failure(Failure::Kind::invalid, "the history is of another journal or version");
  return sequence;
}

}  // namespace

Result<std::unique_ptr<History>> open_history(const std::string& path,
                                              const journal::Journal& journal) {
  for (const bool is_second_try : {false, true}) {
    if (is_second_try) {
      for (const char* end : {"", "-wal", "-shm"}) std::remove((path + end).c_str());
    }
    auto writer = Database::open(path, Database::Access::write, "");
    if (!writer) {
      if (is_second_try) return std::unexpected(std::move(writer).error());
      continue;
    }
    const auto made = (*writer)->execute(schema_sql);
    const auto sequence =
        made ? check(**writer, journal) : Result<std::uint64_t>(std::unexpected(made.error()));
    if (!sequence) {
      if (is_second_try) return std::unexpected(sequence.error());
      continue;
    }
    SUAN_TRY(auto rows, RowWriter::open(**writer));
    SUAN_TRY(auto reader, Database::open(path, Database::Access::read, ""));
    return std::make_unique<SqliteHistory>(std::move(*writer), std::move(rows), std::move(reader),
                                           *sequence, journal);
  }
  return failure(Failure::Kind::io, "the history cannot be opened", path);
}

}  // namespace suan::history
