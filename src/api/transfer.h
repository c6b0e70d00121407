#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/money.h"
#include "base/time.h"

/// What a plan says of the data that work needs; as in views.h.
namespace suan::api {

/// One input of a job, as whoever would bring it sees it now.
struct InputFound {
  std::string path;
  std::string source;
  std::int64_t bytes = 0;
  std::int64_t files = 0;
  std::int64_t bytes_per_second = 0;  // Of the last large transfer from there; 0 = none yet.
  Span speed_age;                     // How long ago that was.
  std::string problem;                // Why its size is not known, or "".

  static void fields(auto&& visit, auto& self) {
    visit(1, "path", self.path);
    visit(2, "source", self.source);
    visit(3, "bytes", self.bytes);
    visit(4, "files", self.files);
    visit(5, "bytes_per_second", self.bytes_per_second);
    visit(6, "speed_age", self.speed_age);
    visit(7, "problem", self.problem);
  }
};

/// What has to be brought before the work starts at the first of a plan's placements.
struct Transfer {
  std::string pool;
  std::int64_t bytes = 0;  // Of all inputs whose size is known.
  Span time;               // As lately; 0 = not known.
  Money cost;              // Nothing is charged while data moves.
  std::string text;        // For people, one sentence.
  std::vector<InputFound> inputs;

  static void fields(auto&& visit, auto& self) {
    visit(1, "pool", self.pool);
    visit(2, "bytes", self.bytes);
    visit(3, "time", self.time);
    visit(4, "cost", self.cost);
    visit(5, "text", self.text);
    visit(6, "inputs", self.inputs);
  }
};

}  // namespace suan::api
