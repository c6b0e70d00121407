#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// The process that runs one command beside an attempt. It joins the attempt's control groups, so
/// that the command counts and ends with it, and ends the command when nobody holds the other end
/// of its control socket any more.
namespace suan::engine {

/// What a companion says on its control socket, one packet each: that the command has ended, or why
/// it never began.
struct CompanionReport {
  std::int32_t exit_code = -1;  // As ExecEnd has it.
  std::string reason{};

  static void fields(auto&& visit, auto& self) {
    visit(1, "exit_code", self.exit_code);
    visit(2, "reason", self.reason);
  }
};

inline constexpr int companion_control_fd = 3;
inline constexpr std::size_t companion_packet_bytes_max = 96U << 10U;

/// Nothing if the packet is none.
std::optional<CompanionReport> parse_companion_report(std::string_view packet);

/// The whole of `suan accompany STATE_DIR ATTEMPT`, to be called while the process has one thread;
/// returns the exit status. Descriptors 0 to 2 are the command's streams (all the same terminal if
/// it has one), 3 a socket of packets: first comes the ExecWish, later one byte for each signal to
/// send.
int accompany(const char* state_directory, const char* attempt);

}  // namespace suan::engine
