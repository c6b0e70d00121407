#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace suan::cli {

/// How `suan` ends. `run` ends as its job did instead, once there is one.
enum class Exit : std::uint8_t {
  ok = 0,
  failure = 1,      // This machine said no: a file, the disk, a broken answer.
  usage = 2,        // The command line or the job's file is wrong; nothing was sent.
  refused = 3,      // The server said no.
  unreachable = 4,  // No answer; a change may or may not have been made.
  interrupted = 130,
};

/// Why a verb ended early, for people. `exit` ok with an empty text means that all was said.
struct Fault {
  Exit exit = Exit::failure;
  std::string text = {};           // One or more sentences.
  std::string pointer = {};        // JSON pointer into the job's document, a path, or "".
  std::string remedy = {};         // What to try, or "".
  std::string code = {};           // Of a refusal: "plan_stale"; else "".
  int status = 0;                  // The HTTP status of a refusal.
  std::vector<Fault> others = {};  // What else is wrong with the same document.
};

template <class T>
using Outcome = std::expected<T, Fault>;

inline std::unexpected<Fault> fault(Exit exit, std::string text, std::string remedy = {}) {
  return std::unexpected(Fault{.exit = exit, .text = std::move(text), .remedy = std::move(remedy)});
}

/// A failure of a lower room: `unavailable` is unreachable, `invalid` is `exit_if_invalid`.
Fault to_fault(Failure, Exit exit_if_invalid = Exit::failure);

}  // namespace suan::cli
