#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

/// What goes over the WebSocket of GET /v1/jobs/{job}/exec, one message each: a letter, and what
/// belongs to it. Numbers are big-endian. docs/api.md has the same table.
namespace suan::api {

inline constexpr std::size_t exec_piece_bytes_max = 32U << 10U;     // Of input or output.
inline constexpr std::size_t exec_begin_bytes_max = 96U << 10U;     // Of the first message.
inline constexpr std::size_t exec_message_bytes_max = 128U << 10U;  // Of any.

/// Of input and of output each, so many bytes may be under way before the other side has taken or
/// allowed some.
inline constexpr std::size_t exec_window_bytes = 256U << 10U;

/// The first message of a client: what to run.
struct ExecBegin {
  std::vector<std::string> command = {};
  bool terminal = false;  // One terminal instead of three pipes.
  std::uint32_t rows = 24;
  std::uint32_t columns = 80;
  std::string term = {};  // $TERM.

  static void fields(auto&& visit, auto& self) {
    visit(1, "command", self.command);
    visit(2, "terminal", self.terminal);
    visit(3, "rows", self.rows);
    visit(4, "columns", self.columns);
    visit(5, "term", self.term);
  }
};

enum class ExecKind : char {
  begin = 'b',      // Client: `bytes` is an ExecBegin as JSON; once, and first.
  input = 'i',      // Client: `bytes`.
  end_input = 'e',  // Client: nothing.
  resize = 'r',     // Client: `rows` and `columns` of the terminal, 2 bytes each.
  signal = 's',     // Client: `number`, 1 byte, 1 to 31.
  allow = 'a',      // Client: `number` of further bytes of output it takes, 4 bytes.
  output = 'o',     // Server: `bytes` of stdout, or of the terminal.
  error = 'x',      // Server: `bytes` of stderr.
  taken = 't',      // Server: `number` of bytes of input that were taken, 4 bytes.
  end = 'q',  // Server: `exit_code`, 4 bytes, -1 = none, and `bytes`, why it did not run; last.
};

/// A message; the members that belong to its kind are set.
struct ExecMessage {
  ExecKind kind = ExecKind::input;
  std::string bytes = {};
  std::uint32_t number = 0;
  std::uint16_t rows = 0;
  std::uint16_t columns = 0;
  std::int32_t exit_code = 0;
};

std::string print_exec(const ExecMessage&);

/// `invalid` when a message is of no kind, or not as long as its kind wants.
Result<ExecMessage> parse_exec(std::string_view message);

}  // namespace suan::api
