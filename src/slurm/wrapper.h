#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/attempt.h"

/// The program that runs one attempt on a node, and what it says. It is bash, as that is what every
/// node has, and all its words are single lines that end in " .", so that half a line is never
/// taken for a whole one.
namespace suan::slurm {

/// The wrapper itself: `bash wrapper.sh DIRECTORY`, see share.h for what lies there.
std::string_view wrapper_script();

/// `limits`: what it must know of the launch before it starts.
std::string print_limits(const Launch&);

/// `env`: the variables of the work, as bash assigns them. Names must be identifiers.
std::string print_environment(const std::map<std::string, std::string>&);

/// Whether bash can export a variable of this name.
bool is_identifier(std::string_view name);

/// `control`: the latest wishes, a line of always the same length that is overwritten in place: a
/// reader sees the old or the new, or a line whose two numbers differ.
struct Control {
  std::uint64_t number = 1;  // Counts up with every change.
  Span run_for;              // From when the file was written; 0 = no limit.
  AttemptEnd stop = AttemptEnd::none;
  Span grace{};

  friend bool operator==(const Control&, const Control&) = default;
};
std::string print_control(const Control&);
std::optional<Control> parse_control(std::string_view line);

/// `started`: where the work runs.
struct StartedWord {
  std::string node;
  std::uint64_t job = 0;  // Of Slurm.
};
std::optional<StartedWord> parse_started(std::string_view line);

/// `usage`: what it has used so far.
std::optional<Usage> parse_usage(std::string_view line);

/// `exit`: how it ended.
struct ExitWord {
  bool has_run = false;
  AttemptEnd stop = AttemptEnd::none;  // Why the wrapper stopped it, if it did.
  std::int32_t exit_code = 0;          // 128 + signal where one ended it.
  bool is_signalled = false;
  bool was_told = false;          // Slurm sent SIGTERM: a cancellation or its time limit.
  bool is_out_of_memory = false;  // Its control group counts a kill.
  Usage usage;
};
std::optional<ExitWord> parse_exit(std::string_view line);

}  // namespace suan::slurm
