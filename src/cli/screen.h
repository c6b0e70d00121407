#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cli/text_table.h"

namespace suan::cli {

/// The three streams of a command, and what they are. Results go to `print`, everything said about
/// them to `note`, so that a pipe gets only results.
class Screen {
 public:
  explicit Screen(int in = 0, int out = 1, int error = 2);

  void print(std::string_view text);
  void note(std::string_view text);

  /// One line on a terminal that the next one replaces; nothing elsewhere. "" clears it.
  void show_progress(std::string_view line);

  /// Somebody is there to answer: both stdin and stderr are terminals.
  bool can_ask() const { return in_is_terminal_ && error_is_terminal_; }

  /// Asks "question [Y/n] "; Enter means yes, the end of input no.
  bool confirm(std::string_view question);

  /// Asks for a line without showing what is typed. "" at the end of input.
  std::string ask_secret(std::string_view question);

  /// The file that stdin is.
  int in() const { return in_; }

  bool out_is_terminal() const { return out_is_terminal_; }

  /// Of stdout and of stderr: columns, and colour unless $NO_COLOR or TERM=dumb.
  Layout layout(bool is_wide = false) const;
  Layout note_layout() const;

  /// Print and note have all been written; false once stdout could not take it all.
  bool is_ok() const { return is_ok_; }

 private:
  int in_;
  int out_;
  int error_;
  bool in_is_terminal_;
  bool out_is_terminal_;
  bool error_is_terminal_;
  bool has_progress_ = false;
  bool is_ok_ = true;
};

/// Microseconds since 1970 on this machine's clock.
std::int64_t wall_clock_us();

}  // namespace suan::cli
