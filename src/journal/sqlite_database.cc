#include "journal/sqlite_database.h"

#include <utility>

#include <sqlite3.h>

#include "base/ensure.h"

namespace suan::journal {

using Kind = Failure::Kind;

namespace {

constexpr int busy_ms_max = 1'000;

Kind kind_of(int code) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return Kind::no_space;
    case SQLITE_CONSTRAINT:
      return Kind::conflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Kind::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Kind::invalid;
    default:
      return Kind::io;
  }
}

Failure failure_from(sqlite3* database, int code) {
  std::string text = sqlite3_errstr(code);
  if (database != nullptr && sqlite3_extended_errcode(database) == code)
    text = sqlite3_errmsg(database);
  return {.kind = kind_of(code),
          .text = "SQLite: " + text + " (code " + std::to_string(code) + ")",
          .place = {}};
}

}  // namespace

Statement::Statement(sqlite3_stmt* statement) : statement_(statement) {}
Statement::~Statement() {
  sqlite3_finalize(statement_);
}
Statement::Statement(Statement&& other) noexcept
    : statement_(std::exchange(other.statement_, nullptr)), bound_(other.bound_) {}
Statement& Statement::operator=(Statement&& other) noexcept {
  std::swap(statement_, other.statement_);
  std::swap(bound_, other.bound_);
  return *this;
}

Statement& Statement::bind(std::uint64_t number) {
  ensure(number <= static_cast<std::uint64_t>(INT64_MAX));
  ensure(sqlite3_bind_int64(statement_, ++bound_, static_cast<sqlite3_int64>(number)) == SQLITE_OK);
  return *this;
}

Statement& Statement::bind(std::string_view bytes) {
  // An empty view may have no address, which SQLite would take for NULL.
  const char* data = bytes.empty() ? "" : bytes.data();
  ensure(sqlite3_bind_blob64(statement_, ++bound_, data, bytes.size(), nullptr) == SQLITE_OK);
  return *this;
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    reset();
    return false;
  }
  Failure failed = failure_from(sqlite3_db_handle(statement_), code);
  reset();
  return std::unexpected(std::move(failed));
}

Result<void> Statement::run() {
  for (;;) {
    SUAN_TRY(const bool is_row, step());
    if (!is_row) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  bound_ = 0;
}

std::uint64_t Statement::number(int column) const {
  return static_cast<std::uint64_t>(sqlite3_column_int64(statement_, column));
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return data == nullptr ? std::string_view{} : std::string_view(data, size);
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Access access,
                                                 const std::string& vfs) {
  const int flags =
      SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
      (access == Access::write ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY);
  std::unique_ptr<Database> opened(new Database);
  const int code =
      sqlite3_open_v2(path.c_str(), &opened->database_, flags, vfs.empty() ? nullptr : vfs.c_str());
  if (code != SQLITE_OK) {
    Failure failed = failure_from(opened->database_, code);
    failed.place = path;
    return std::unexpected(std::move(failed));
  }
  sqlite3_busy_timeout(opened->database_, busy_ms_max);
  sqlite3_wal_hook(
      opened->database_,
      [](void* database, sqlite3*, const char*, int pages) {
        static_cast<Database*>(database)->log_pages_ = pages;
        return SQLITE_OK;
      },
      opened.get());
  return opened;
}

Database::~Database() {
  sqlite3_close_v2(database_);
}

Result<void> Database::execute(const char* sql) {
  const int code = sqlite3_exec(database_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(failure_of(code));
  return {};
}

Result<Statement> Database::prepare(const char* sql) {
  sqlite3_stmt* statement = nullptr;
  const int code =
      sqlite3_prepare_v3(database_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
  if (code != SQLITE_OK) return std::unexpected(failure_of(code));
  return Statement(statement);
}

Result<std::uint64_t> Database::number(const char* sql) {
  SUAN_TRY(Statement statement, prepare(sql));
  SUAN_TRY(const bool is_row, statement.step());
  return is_row ? statement.number(0) : 0;
}

Result<void> Database::checkpoint(bool empty_log) {
  const int mode = empty_log ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
  const int code = sqlite3_wal_checkpoint_v2(database_, nullptr, mode, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(failure_of(code));
  if (empty_log) log_pages_ = 0;
  return {};
}

void Database::keep_log_on_close() {
  sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Failure Database::failure_of(int code) const {
  return failure_from(database_, code);
}

}  // namespace suan::journal
