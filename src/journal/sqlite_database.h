#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

/// SQLite with our results, as little of it as the journal needs. Not for two threads at once.
namespace suan::journal {

/// A prepared statement. Blobs and texts given to `bind` must live until `reset`.
class Statement {
 public:
  Statement(sqlite3_stmt* statement);  // NOLINT(google-explicit-constructor)
  ~Statement();
  Statement(Statement&&) noexcept;
  Statement& operator=(Statement&&) noexcept;

  Statement& bind(std::uint64_t);  ///< The next parameter; at most INT64_MAX.
  Statement& bind(std::string_view bytes);

  /// True when there is a row. After a failure or the last row the statement is reset.
  Result<bool> step();

  /// Runs to the end.
  Result<void> run();

  /// Ends the reading and forgets the parameters. A statement left on a row keeps its view of the
  /// file, so every reader does this.
  void reset();

  std::uint64_t number(int column) const;
  std::string_view bytes(int column) const;  ///< Valid until the next step or reset.
  bool is_null(int column) const;

 private:
  sqlite3_stmt* statement_;
  int bound_ = 0;
};

/// Resets a statement at the end of a scope.
class Reading {
 public:
  explicit Reading(Statement& statement) : statement_(statement) {}
  ~Reading() { statement_.reset(); }
  Reading(const Reading&) = delete;
  Reading& operator=(const Reading&) = delete;

 private:
  Statement& statement_;
};

class Database {
 public:
  enum class Access : std::uint8_t { read, write };

  /// Opens a database file, and with `write` creates it. `vfs` is the name of a registered SQLite
  /// VFS,
  /// "" for the default one.
  static Result<std::unique_ptr<Database>> open(const std::string& path, Access,
                                                const std::string& vfs);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements that return nothing.
  Result<void> execute(const char* sql);

  Result<Statement> prepare(const char* sql);

  /// The first column of the first row, or 0 when there is none.
  Result<std::uint64_t> number(const char* sql);

  /// Copies the write-ahead log into the database file and syncs it. With `empty_log`, also waits a
  /// little for readers and cuts the log to nothing; `unavailable` when they did not leave.
  Result<void> checkpoint(bool empty_log);

  /// Pages in the write-ahead log after the last commit of this connection.
  int log_pages() const { return log_pages_; }

  /// Leaves the write-ahead log as it is when this connection is closed.
  void keep_log_on_close();

  /// The failure that a result code of this connection stands for.
  Failure failure_of(int code) const;

 private:
  Database() = default;

  sqlite3* database_ = nullptr;
  int log_pages_ = 0;
};

}  // namespace suan::journal
