#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// A command that somebody runs beside a running attempt: in its working directory and environment,
/// within its limits, and no longer than it.
namespace suan::member {

enum class LogStream : std::uint8_t { output, error };

/// What to run, and on what.
struct ExecWish {
  std::vector<std::string> command{};  // At least one word; none holds a zero byte.
  bool has_terminal = false;           // One terminal instead of three pipes; no error stream then.
  std::uint16_t rows = 24;
  std::uint16_t columns = 80;
  std::string terminal{};  // $TERM; "" = not set.

  static void fields(auto&& visit, auto& self) {
    visit(1, "command", self.command);
    visit(2, "has_terminal", self.has_terminal);
    visit(3, "rows", self.rows);
    visit(4, "columns", self.columns);
    visit(5, "terminal", self.terminal);
  }
};

/// How it ended.
struct ExecEnd {
  int exit_code = -1;    // 128 + signal when a signal ended it; -1 = it has none.
  std::string reason{};  // Why it has none, or why it could not start (126, 127); else "".
};

/// Bytes that may be under way in one direction before the other side has taken some.
inline constexpr std::size_t exec_window_bytes = 256U << 10U;

/// Hears of one command, on a thread of the engine, one call at a time, each soon to return. No
/// call may destroy the Exec.
class ExecSink {
 public:
  virtual ~ExecSink() = default;

  /// What it wrote, at most what it was allowed to (Exec::allow).
  virtual void on_output(LogStream, std::string_view bytes) = 0;

  /// So many bytes of input were taken, and as many more may come.
  virtual void on_taken(std::size_t bytes) = 0;

  /// The last call: nothing of it runs any more, and all its output has been told.
  virtual void on_end(const ExecEnd&) = 0;
};

/// One command. Any thread; nothing blocks for long. Destroying it ends the command with all its
/// processes; afterwards nothing is told.
class Exec {
 public:
  virtual ~Exec() = default;

  /// Input; at most `exec_window_bytes` that are not yet taken, or it is ended.
  virtual void write(std::string_view bytes) = 0;
  virtual void end_input() = 0;

  /// So many more bytes of output may be told; `exec_window_bytes` at first.
  virtual void allow(std::size_t bytes) = 0;

  /// Of the terminal.
  virtual void resize(std::uint16_t rows, std::uint16_t columns) = 0;

  /// To the command and all in its process group.
  virtual void send_signal(int number) = 0;
};

}  // namespace suan::member
