#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/time.h"
#include "sim/replay.h"

namespace suan::sim {

/// A number over time, as its means over equal parts of it.
class Course {
 public:
  Course(Span lasts, std::size_t parts) : lasts_(lasts), areas_(parts) {}

  /// It changes; times never go back.
  void add(Span at, double change);

  /// Of the whole time; nothing may be added after this.
  std::vector<double> means();

 private:
  void go_on(Span to);

  Span lasts_;
  std::vector<double> areas_;
  Span at_;
  double value_ = 0;
};

/// Keeps the books of a replay: who holds what, and who waits since when.
class Tally {
 public:
  Tally(const NodeList&, const Workload&);

  /// Whether a job fits on any node, however empty; one that does not is refused and does not come.
  bool comes(std::size_t job);
  void starts(std::size_t job, Span at, std::uint32_t kind);
  void ends(std::size_t job, Span at);

  Replay finish();

 private:
  enum class State : std::uint8_t { elsewhere, waits, runs };  // To come, refused or over.
  struct Job {
    State state = State::elsewhere;
    std::uint32_t kind = 0;  // Of the node on which it runs,
    Span since;              // and since when.
  };

  SizeClass& size_of(std::size_t job);
  void count_use(std::size_t job, Span until);

  const NodeList& nodes_;
  const Workload& workload_;
  Course allocated_;
  Course waiting_;
  std::vector<Job> jobs_;
  Replay replay_;
};

}  // namespace suan::sim
