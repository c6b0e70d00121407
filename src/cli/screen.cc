#include "cli/screen.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>

#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "cli/width.h"

namespace suan::cli {

namespace {

constexpr std::size_t answer_bytes_max = 4096;

bool write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool wants_colour() {
  const char* no = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  return (no == nullptr || *no == 0) && std::string_view(terminal ? terminal : "dumb") != "dumb";
}

Layout layout_of(int file, bool is_terminal) {
  Layout layout{.now_us = wall_clock_us()};
  if (!is_terminal) return layout;
  winsize size{};
  layout.columns = 80;
  if (::ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) layout.columns = size.ws_col;
  layout.has_colour = wants_colour();
  return layout;
}

// A line without its end; `at_end` when there was none.
std::string read_line(int file, bool& at_end) {
  std::string line;
  char c = 0;
  while (true) {
    const ssize_t got = ::read(file, &c, 1);
    at_end = got <= 0 && line.empty();
    if (got <= 0 || c == '\n') return line;
    if (line.size() < answer_bytes_max) line.push_back(c);
  }
}

}  // namespace

std::int64_t wall_clock_us() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

Screen::Screen(int in, int out, int error)
    : in_(in),
      out_(out),
      error_(error),
      in_is_terminal_(::isatty(in) == 1),
      out_is_terminal_(::isatty(out) == 1),
      error_is_terminal_(::isatty(error) == 1) {}

void Screen::print(std::string_view text) {
  show_progress("");
  is_ok_ = write_all(out_, text) && is_ok_;
}

void Screen::note(std::string_view text) {
  show_progress("");
  write_all(error_, text);
}

void Screen::show_progress(std::string_view line) {
  if (!error_is_terminal_ || (line.empty() && !has_progress_)) return;
  std::string text = "\r\x1b[K";
  if (!line.empty()) {
    const Layout layout = note_layout();
    const std::string shown = cut_to(plain_line(line), layout.columns - 1);
    text += layout.has_colour ? paint(Colour::dim, shown) : shown;
  }
  has_progress_ = !line.empty();
  write_all(error_, text);
}

bool Screen::confirm(std::string_view question) {
  note(std::string(question) + " [Y/n] ");
  bool at_end = false;
  const std::string answer = read_line(in_, at_end);
  if (at_end) note("\n");
  return !at_end && (answer.empty() || answer == "y" || answer == "Y" || answer == "yes");
}

std::string Screen::ask_secret(std::string_view question) {
  note(question);
  termios before{};
  const bool is_hidden = ::tcgetattr(in_, &before) == 0;
  if (is_hidden) {
    termios quiet = before;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(in_, TCSAFLUSH, &quiet);
  }
  bool at_end = false;
  std::string answer = read_line(in_, at_end);
  if (is_hidden) {
    ::tcsetattr(in_, TCSAFLUSH, &before);
    note("\n");
  }
  return answer;
}

Layout Screen::layout(bool is_wide) const {
  Layout layout = layout_of(out_, out_is_terminal_);
  layout.is_wide = is_wide;
  if (is_wide) layout.columns = 0;
  return layout;
}

Layout Screen::note_layout() const {
  return layout_of(error_, error_is_terminal_);
}

}  // namespace suan::cli
