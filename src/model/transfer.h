#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"

/// What has to be moved before work can start somewhere, as whoever would move it sees it. It
/// informs a plan; it is never part of a record.
namespace suan {

/// How much do these inputs hold, and how quickly do they come?
struct DataQuestion {
  std::string owner;                 // As in Origin: whose directories of stores are meant.
  std::vector<std::string> sources;  // As in Input::source.

  static void fields(auto&& visit, auto& self) {
    visit(1, "owner", self.owner);
    visit(2, "sources", self.sources);
  }
};

struct SourceFound {
  std::string problem;  // Why its size is not known, one sentence for people; "" = it is.
  std::int64_t bytes = 0;
  std::int64_t files = 0;
  std::int64_t bytes_per_second = 0;  // Of the last large transfer from that store; 0 = none yet.
  Span speed_age;                     // How long ago that was.

  friend bool operator==(const SourceFound&, const SourceFound&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "problem", self.problem);
    visit(2, "bytes", self.bytes);
    visit(3, "files", self.files);
    visit(4, "bytes_per_second", self.bytes_per_second);
    visit(5, "speed_age", self.speed_age);
  }
};

struct DataAnswer {
  std::string problem;               // Why nothing is said at all; "" = one for each source.
  std::vector<SourceFound> sources;  // In the order of the question.

  static void fields(auto&& visit, auto& self) {
    visit(1, "problem", self.problem);
    visit(2, "sources", self.sources);
  }
};

}  // namespace suan
