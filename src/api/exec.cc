#include "api/exec.h"

#include <utility>

namespace suan::api {

namespace {

void append(std::string& out, std::uint32_t number, int bytes) {
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8)
    out.push_back(static_cast<char>(number >> static_cast<unsigned>(shift) & 0xFFU));
}

std::uint32_t read(std::string_view bytes) {
  std::uint32_t number = 0;
  for (const char each : bytes) number = number << 8U | static_cast<unsigned char>(each);
  return number;
}

std::unexpected<Failure> malformed() {
  return failure(Failure::Kind::invalid, "that is no message of an exec stream");
}

}  // namespace

std::string print_exec(const ExecMessage& message) {
  std::string out(1, static_cast<char>(message.kind));
  switch (message.kind) {
    case ExecKind::resize:
      append(out, message.rows, 2);
      append(out, message.columns, 2);
      break;
    case ExecKind::signal:
      append(out, message.number, 1);
      break;
    case ExecKind::allow:
    case ExecKind::taken:
      append(out, message.number, 4);
      break;
    case ExecKind::end:
      append(out, static_cast<std::uint32_t>(message.exit_code), 4);
      break;
    case ExecKind::begin:
    case ExecKind::input:
    case ExecKind::end_input:
    case ExecKind::output:
    case ExecKind::error:
      break;
  }
  return out + message.bytes;
}

Result<ExecMessage> parse_exec(std::string_view message) {
  if (message.empty()) return malformed();
  ExecMessage out{.kind = static_cast<ExecKind>(message.front())};
  message.remove_prefix(1);
  bool is_right = false;
  switch (out.kind) {
    case ExecKind::begin:
      is_right = !message.empty() && message.size() <= exec_begin_bytes_max;
      out.bytes = message;
      break;
    case ExecKind::input:
    case ExecKind::output:
    case ExecKind::error:
      is_right = !message.empty() && message.size() <= exec_piece_bytes_max;
      out.bytes = message;
      break;
    case ExecKind::end_input:
      is_right = message.empty();
      break;
    case ExecKind::resize:
      is_right = message.size() == 4;
      if (!is_right) break;
      out.rows = static_cast<std::uint16_t>(read(message.substr(0, 2)));
      out.columns = static_cast<std::uint16_t>(read(message.substr(2)));
      break;
    case ExecKind::signal:
      out.number = read(message.substr(0, 1));
      is_right = message.size() == 1 && out.number >= 1 && out.number <= 31;
      break;
    case ExecKind::allow:
    case ExecKind::taken:
      out.number = read(message.substr(0, 4));
      is_right = message.size() == 4 && out.number >= 1 && out.number <= exec_window_bytes;
      break;
    case ExecKind::end:
      is_right = message.size() >= 4 && message.size() <= 4096;
      if (!is_right) break;
      out.exit_code = static_cast<std::int32_t>(read(message.substr(0, 4)));
      out.bytes = message.substr(4);
      is_right = out.exit_code >= -1 && out.exit_code <= 255;
      break;
  }
  if (!is_right) return malformed();
  return out;
}

}  // namespace suan::api
