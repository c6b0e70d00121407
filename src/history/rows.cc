#include "history/rows.h"

#include <array>
#include <utility>
#include <variant>

#include "wire/bytes.h"

namespace suan::history {

using journal::Statement;

namespace {

std::uint64_t bits(std::int64_t number) {
  return number < 0 ? 0 : static_cast<std::uint64_t>(number);
}
template <class Enum>
std::uint64_t code(Enum value) {
  return static_cast<std::uint64_t>(value);
}

}  // namespace

/// One record being written; `result` keeps the first failure.
struct RowWriter::Writing {
  RowWriter& rows;
  std::uint64_t sequence;
  Moment at;
  std::uint64_t nth = 0;
  Result<void> result{};

  // Binds and runs one statement; later ones are left out after a failure.
  template <class... Value>
  void run(Sql sql, const Value&... values) {
    if (!result) return;
    Statement& statement = rows.statements_[sql];
    (statement.bind(values), ...);
    result = statement.run();
  }

  void post(PostingKind kind, ledger::AccountKey from, ledger::AccountKey to, Money amount,
            std::uint64_t project, const std::string& text) {
    if (amount == Money{}) return;
    run(posting, sequence, nth++, bits(at.us), code(kind), code(from.kind), from.owner,
        code(to.kind), to.owner, bits(amount.micro), project, std::uint64_t{0},
        std::string_view(text));
  }

  // A movement between a project's money and what is held of it, by the hold.
  void post_of_hold(PostingKind kind, ledger::AccountKind from, ledger::AccountKind to,
                    std::uint64_t other, HoldId hold, Money amount) {
    if (amount == Money{}) return;
    run(posting_of_hold, sequence, nth++, bits(at.us), code(kind), code(from), code(to), other,
        bits(amount.micro), hold.value);
  }

  void see_attempt(const AttemptKey& key) {
    run(attempt_seen, key.job.value, std::uint64_t{key.task}, std::uint64_t{key.attempt});
  }
  void move(JobId job) { run(moved, job.value, sequence); }

  void operator()(const jobs::JobSubmitted& event) {
    const JobSpec& spec = *event.spec;
    const Alternative& first = spec.alternatives.front();
    run(job_submitted, event.job.value, spec.project.value, event.user.value,
        std::string_view(spec.name), code(spec.kind), std::uint64_t{spec.nodes},
        std::uint64_t{spec.elements}, std::string_view(first.chip), bits(first.card_milli),
        bits(spec.cpu_milli.least), bits(spec.memory_bytes.least), bits(spec.budget.micro),
        bits(spec.max_duration.us), bits(at.us), sequence);
    for (std::size_t i = 0; spec.alternatives.size() > 1 && i < spec.alternatives.size(); ++i)
      run(wish, event.job.value, std::uint64_t{i}, std::string_view(spec.alternatives[i].chip));
  }
  void operator()(const jobs::UnitPlaced& event) {
    const jobs::Placement& placement = event.placement;
    run(unit_placed, event.unit.job.value, std::uint64_t{event.unit.unit},
        std::uint64_t{event.attempt}, placement.pool.value, bits(placement.need.card_milli),
        bits(placement.need.cpu_milli), bits(placement.need.memory_bytes));
    if (event.unit.unit == 0) {
      const std::string record = wire::encode(placement);
      run(job_placed, event.unit.job.value, placement.pool.value, bits(placement.hourly.micro),
          std::string_view(record), std::uint64_t{placement.alternative},
          bits(placement.need.card_milli), bits(placement.need.cpu_milli),
          bits(placement.need.memory_bytes));
    }
    move(event.unit.job);
  }
  void operator()(const market::LeaseGranted& event) {
    see_attempt(event.lease.holder);
    run(attempt_leased, event.lease.holder.job.value, std::uint64_t{event.lease.holder.task},
        std::uint64_t{event.lease.holder.attempt}, event.lease.id.value);
  }
  void operator()(const jobs::TaskStarted& event) {
    see_attempt(event.key);
    run(attempt_started, event.key.job.value, std::uint64_t{event.key.task},
        std::uint64_t{event.key.attempt}, bits(at.us));
    run(job_started, event.key.job.value, bits(at.us));
    move(event.key.job);
  }
  void operator()(const jobs::TaskEnded& event) {
    see_attempt(event.key);
    run(attempt_ended, event.key.job.value, std::uint64_t{event.key.task},
        std::uint64_t{event.key.attempt}, bits(at.us), code(event.end), bits(event.exit_code),
        bits(event.usage.wall.us), bits(event.usage.cpu.us), bits(event.usage.memory_peak_bytes),
        bits(event.cost.micro), std::string_view(event.reason));
    run(job_cost, event.key.job.value, bits(event.cost.micro));
    move(event.key.job);
  }
  // A unit is a gang, or one element: its first task has its number.
  void operator()(const jobs::AttemptLost& event) {
    for (const std::uint32_t index : event.lost.open) {
      const std::uint64_t task = std::uint64_t{event.unit.unit} + index;
      const std::uint64_t none = 0;
      run(attempt_ended, event.unit.job.value, task, std::uint64_t{event.lost.attempt}, bits(at.us),
          code(AttemptEnd::lost), none, none, none, none, none, std::string_view(event.reason));
    }
    move(event.unit.job);
  }
  void operator()(const jobs::LostTaskTold& event) {
    run(attempt_told, event.key.job.value, std::uint64_t{event.key.task},
        std::uint64_t{event.key.attempt}, bits(event.usage.wall.us), bits(event.usage.cpu.us),
        bits(event.usage.memory_peak_bytes), bits(event.cost.micro));
    run(job_cost, event.key.job.value, bits(event.cost.micro));
    move(event.key.job);
  }
  void operator()(const jobs::JobEnded& event) {
    run(job_ended, event.job.value, bits(at.us), code(event.outcome), bits(event.exit_code),
        std::string_view(event.reason));
    move(event.job);
  }
  void operator()(const jobs::JobEvicted& event) { run(job_evicted, event.job.value); }
  void operator()(const jobs::UnitReturned& event) { move(event.unit.job); }
  void operator()(const jobs::UnitLaunched& event) { move(event.unit.job); }

  void operator()(const ledger::Deposited& event) {
    post(PostingKind::deposit, {ledger::AccountKind::funding, 0},
         ledger::project_account(event.project), event.amount, event.project.value, event.text);
  }
  void operator()(const ledger::Withdrawn& event) {
    post(PostingKind::withdrawal, ledger::project_account(event.project),
         {ledger::AccountKind::funding, 0}, event.amount, event.project.value, event.text);
  }
  void operator()(const ledger::Held& event) {
    run(hold_made, event.hold.value, event.job.value, event.project.value);
    post_of_hold(PostingKind::hold, ledger::AccountKind::project, ledger::AccountKind::held, 0,
                 event.hold, event.amount);
  }
  void operator()(const ledger::HoldExtended& event) {
    post_of_hold(PostingKind::hold, ledger::AccountKind::project, ledger::AccountKind::held, 0,
                 event.hold, event.amount);
  }
  void operator()(const ledger::HoldReturned& event) {
    post_of_hold(PostingKind::release, ledger::AccountKind::held, ledger::AccountKind::project, 0,
                 event.hold, event.amount);
  }
  void operator()(const ledger::Charged& event) {
    post_of_hold(PostingKind::charge, ledger::AccountKind::held, ledger::AccountKind::provider,
                 event.provider.value, event.hold, event.amount);
    post_of_hold(PostingKind::loss, ledger::AccountKind::loss, ledger::AccountKind::provider,
                 event.provider.value, event.hold, event.loss);
    run(charge, sequence, nth++, event.attempt.job.value, std::uint64_t{event.attempt.task},
        std::uint64_t{event.attempt.attempt}, event.hold.value, event.pool.value, bits(at.us),
        bits(event.wall.us), bits(event.hourly.micro), bits(event.amount.micro),
        bits(event.loss.micro), bits(event.priced.us));
  }
  void operator()(const auto&) {}
};

Result<std::unique_ptr<RowWriter>> RowWriter::open(journal::Database& database) {
  constexpr std::array<const char*, sql_count> texts{
      // job_submitted
      "INSERT OR REPLACE INTO jobs(id, project, user, name, kind, nodes, elements, chip, "
      "card_milli, "
      "cpu_milli, memory_bytes, budget, max_duration, submitted, sequence) VALUES "
      "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)",
      // wish
      "INSERT OR REPLACE INTO wishes VALUES (?1, ?2, ?3)",
      // unit_placed
      "INSERT OR REPLACE INTO units VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      // job_placed
      "UPDATE jobs SET pool = ?2, hourly = ?3 * nodes * elements, placement = ?4, chip = "
      "coalesce((SELECT "
      "chip FROM wishes WHERE job = ?1 AND alternative = ?5), chip), card_milli = ?6, cpu_milli = "
      "?7, "
      "memory_bytes = ?8 WHERE id = ?1",
      // attempt_seen
      "INSERT OR IGNORE INTO attempts(job, task, attempt, pool, card_milli, cpu_milli, "
      "memory_bytes) SELECT "
      "?1, ?2, ?3, u.pool, u.card_milli, u.cpu_milli, u.memory_bytes FROM jobs j JOIN units u ON "
      "u.job = j.id "
      "AND u.unit = ?2 / j.nodes WHERE j.id = ?1",
      // attempt_started
      "UPDATE attempts SET started = ?4 WHERE job = ?1 AND task = ?2 AND attempt = ?3",
      // job_started
      "UPDATE jobs SET started = ?2 WHERE id = ?1 AND started = 0",
      // attempt_leased
      "UPDATE attempts SET lease = ?4 WHERE job = ?1 AND task = ?2 AND attempt = ?3",
      // attempt_ended
      "UPDATE attempts SET ended = ?4, how = ?5, exit_code = ?6, wall = ?7, cpu = ?8, memory_peak "
      "= ?9, cost "
      "= ?10, reason = ?11 WHERE job = ?1 AND task = ?2 AND attempt = ?3",
      // attempt_told
      "UPDATE attempts SET wall = ?4, cpu = ?5, memory_peak = ?6, cost = ?7 WHERE job = ?1 AND "
      "task = ?2 AND attempt = ?3",
      // job_cost
      "UPDATE jobs SET cost = cost + ?2 WHERE id = ?1",
      // job_ended
      "UPDATE jobs SET ended = ?2, outcome = ?3, exit_code = ?4, reason = ?5 WHERE id = ?1",
      // job_evicted
      "UPDATE jobs SET evicted = 1 WHERE id = ?1",
      // hold_made
      "INSERT OR REPLACE INTO holds VALUES (?1, ?2, ?3)",
      // posting
      "INSERT OR REPLACE INTO postings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
      // posting_of_hold: the owner of a project's or held account is the project, else ?7.
      "INSERT OR REPLACE INTO postings SELECT ?1, ?2, ?3, ?4, ?5, iif(?5 IN (1, 2), project, ?7), "
      "?6, iif(?6 "
      "IN (1, 2), project, ?7), ?8, project, job, x'' FROM holds WHERE id = ?9",
      // charge
      "INSERT OR REPLACE INTO charges SELECT ?1, ?2, ?3, ?4, ?5, project, ?7, ?8, ?9, ?10, ?11, "
      "?12, ?13 FROM "
      "holds WHERE id = ?6",
      // moved
      "UPDATE jobs SET sequence = ?2 WHERE id = ?1",
  };
  std::vector<Statement> statements;
  for (const char* text : texts) {
    SUAN_TRY(Statement statement, database.prepare(text));
    statements.push_back(std::move(statement));
  }
  return std::unique_ptr<RowWriter>(new RowWriter(std::move(statements)));
}

Result<void> RowWriter::write(const runtime::DurableRecord& record) {
  Writing writing{*this, record.sequence, record.at};
  for (const domain::Event& event : record.events) std::visit(writing, event);
  return writing.result;
}

}  // namespace suan::history
