#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cli/fault.h"
#include "cli/verb.h"

namespace suan::cli {

/// What was typed behind a verb, checked against its flags.
class Arguments {
 public:
  bool has(std::string_view flag) const;

  /// The last value of a flag, or `otherwise`.
  std::string_view value(std::string_view flag, std::string_view otherwise = {}) const;

  /// Every value of a flag, in order.
  std::vector<std::string_view> values(std::string_view flag) const;

  std::vector<std::string> words;                          // Not flags; before the command.
  std::vector<std::string> command;                        // Of a verb that takes one.
  std::vector<std::pair<std::string, std::string>> flags;  // By long name; a switch has "".
  bool wants_help = false;
};

/// Reads the words behind the verb. A fault is of `usage` and names the nearest known flag or
/// choice.
Outcome<Arguments> parse_arguments(const Verb&, std::span<const char* const> typed);

/// The value of a flag as a whole number from `least` to `most`; a fault of `usage` otherwise.
Outcome<std::int64_t> number_of(const Arguments&, std::string_view flag, std::int64_t otherwise,
                                std::int64_t least, std::int64_t most);

/// "unknown verb" with the nearest one.
Fault unknown_verb(std::string_view typed);

}  // namespace suan::cli
