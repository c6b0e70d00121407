#include <cstdlib>
#include <string>

#include <termios.h>
#include <unistd.h>

#include "cli/call.h"
#include "cli/exec_link.h"

namespace suan::cli {

namespace {

/// A terminal that hands over every key as it is, Ctrl-C too, until the end of its life.
class RawTerminal {
 public:
  explicit RawTerminal(int terminal) : terminal_(terminal) {
    if (terminal_ < 0 || ::tcgetattr(terminal_, &before_) != 0) return;
    termios raw = before_;
    ::cfmakeraw(&raw);
    is_changed_ = ::tcsetattr(terminal_, TCSADRAIN, &raw) == 0;
  }
  RawTerminal(const RawTerminal&) = delete;
  RawTerminal& operator=(const RawTerminal&) = delete;
  ~RawTerminal() {
    if (is_changed_) ::tcsetattr(terminal_, TCSADRAIN, &before_);
  }

 private:
  int terminal_;
  termios before_{};
  bool is_changed_ = false;
};

}  // namespace

Outcome<int> exec(Call& call) {
  const Arguments& arguments = call.arguments;
  SUAN_TRY(const std::string job, job_name(arguments.words.front()));
  SUAN_TRY(const std::int64_t task, number_of(arguments, "task", 0, 0, UINT32_MAX));
  if (arguments.has("curl"))
    return fault(Exit::usage, "curl has no command that does the same: exec is a WebSocket");
  api::ExecBegin begin;
  begin.command.assign(arguments.words.begin() + 1, arguments.words.end());
  if (begin.command.size() == 1) begin.command = {"bash", "-c", begin.command.front()};
  Screen& screen = call.screen;
  const bool has_terminal = ::isatty(screen.in()) == 1 && screen.out_is_terminal();
  ExecPipes pipes{.input = screen.in(), .terminal = has_terminal ? screen.in() : -1};
  pipes.on_output = [&screen](std::string_view bytes) {
    screen.print(bytes);
    return screen.is_ok();
  };
  pipes.on_error = [&screen](std::string_view bytes) {
    screen.note(bytes);
    return true;
  };
  if (has_terminal) {
    begin.terminal = true;
    read_size(pipes.terminal, begin);
    if (const char* name = std::getenv("TERM")) begin.term = name;
  }
  const RawTerminal raw(pipes.terminal);
  return run_beside(call.session.settings(), job, task, begin, pipes);
}

}  // namespace suan::cli
