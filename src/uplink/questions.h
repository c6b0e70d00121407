#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/callback.h"

namespace suan::uplink {

/// What other domains have been asked and have not answered yet. An Answer has a `problem`: why it
/// is none, for people. Runs on the worker.
template <class Answer>
class Questions {
 public:
  using Done = Callback<void(Answer)>;
  using Steady = std::chrono::steady_clock;

  /// The number to ask with. `done` is called once: with what `from` says, or after 10 s with the
  /// problem that it does not answer. 0 if too much is asked already; then `done` is not called.
  std::uint64_t expect(const void* from, std::string name_of_asked, Done done) {
    if (open_.size() >= open_max) return 0;
    open_.emplace(++last_, Open{from, std::move(name_of_asked), std::move(done),
                                Steady::now() + answered_within});
    return last_;
  }

  /// It could not be asked: `done` is not called.
  void forget(std::uint64_t number) { open_.erase(number); }

  void hear(const void* from, std::uint64_t number, const Answer& answer) {
    const auto at = open_.find(number);
    if (at == open_.end() || at->second.from != from) return;
    Done done = std::move(at->second.done);
    open_.erase(at);
    done(answer);
  }

  /// Ends questions that have waited too long; about once a second.
  void tick(Steady::time_point now) {
    std::vector<Open> late;
    for (auto at = open_.begin(); at != open_.end();) {
      if (at->second.until > now) {
        ++at;
        continue;
      }
      late.push_back(std::move(at->second));
      at = open_.erase(at);
    }
    for (Open& each : late) {
      Answer none;
      none.problem = "the domain " + each.name + " does not answer";
      each.done(std::move(none));
    }
  }

 private:
  static constexpr std::size_t open_max = 1000;
  static constexpr auto answered_within = std::chrono::seconds(10);

  struct Open {
    const void* from = nullptr;
    std::string name;
    Done done;
    Steady::time_point until;
  };

  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Open> open_;
};

}  // namespace suan::uplink
