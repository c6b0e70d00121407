#include <algorithm>
#include <array>
#include <cctype>

#include "slurm/cluster.h"

namespace suan::slurm {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return out;
}

}  // namespace

JobState parse_job_state(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, JobState>, 21> states{{
      {"PENDING", JobState::pending},
      {"REQUEUED", JobState::pending},
      {"REQUEUE_HOLD", JobState::pending},
      {"REQUEUE_FED", JobState::pending},
      {"RESV_DEL_HOLD", JobState::pending},
      {"SPECIAL_EXIT", JobState::pending},
      {"CONFIGURING", JobState::running},
      {"RUNNING", JobState::running},
      {"SIGNALING", JobState::running},
      {"STAGE_OUT", JobState::running},
      {"STOPPED", JobState::running},
      {"SUSPENDED", JobState::running},
      {"COMPLETING", JobState::completing},
      {"COMPLETED", JobState::completed},
      {"FAILED", JobState::failed},
      {"CANCELLED", JobState::cancelled},
      {"TIMEOUT", JobState::timed_out},
      {"DEADLINE", JobState::timed_out},
      {"OUT_OF_MEMORY", JobState::out_of_memory},
      {"NODE_FAIL", JobState::node_failed},
      {"PREEMPTED", JobState::preempted},
  }};
  if (name == "BOOT_FAIL") return JobState::node_failed;
  const auto* at = std::ranges::find(states, name, &std::pair<std::string_view, JobState>::first);
  return at == states.end() ? JobState::unknown : at->second;
}

bool takes_work(std::string_view state) {
  static constexpr std::array<std::string_view, 14> obstacles{
      "DOWN",    "DRAIN",       "DRAINED", "DRAINING",      "FAIL",           "FAILING", "FUTURE",
      "INVALID", "INVALID_REG", "MAINT",   "REBOOT_ISSUED", "NOT_RESPONDING", "UNKNOWN", "ERROR"};
  const std::string words = upper(state);
  // "DOWN*" is one that does not answer; "IDLE~" and POWERED_DOWN sleep until there is work.
  if (words.empty() || words.find('*') != std::string::npos) return false;
  std::string_view rest = words;
  while (!rest.empty()) {
    const std::size_t plus = std::min(rest.find('+'), rest.size());
    const std::string_view word =
        rest.substr(0, rest.substr(0, plus).find_last_not_of("~#!%$@^-") + 1);
    if (std::ranges::find(obstacles, word) != obstacles.end()) return false;
    rest.remove_prefix(std::min(rest.size(), plus + 1));
  }
  return true;
}

}  // namespace suan::slurm
