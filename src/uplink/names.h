#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/digest.h"
#include "naming/identifier.h"
#include "naming/records.h"

/// Answers about names: what has been asked and not answered yet, and what may still be believed.
namespace suan::uplink {

/// What an identifier resolves to, for whoever asked here.
struct Resolution {
  naming::NameAnswer answer;
  Span left;               // It may be kept for so long.
  bool is_cached = false;  // From an earlier answer.
};

/// Why an answer is not to be believed; "" if it is. It must be of this identifier, signed by the
/// domain that the identifier names, whose key is vouched for from one of `trusted` on.
std::string find_name_fault(const naming::NameAnswer&, const naming::Identifier&,
                            const std::set<Digest>& trusted);

/// Runs on the worker.
class Names {
 public:
  using Done = Callback<void(naming::NameAnswer)>;
  using Steady = std::chrono::steady_clock;

  /// The number to ask with. `done` is called once: with what `from` says, or after 10 s with the
  /// problem that it does not answer. 0 if too much is asked already; then `done` is not called.
  std::uint64_t expect(const void* from, std::string name_of_asked, Done done);

  /// It could not be asked: `done` is not called.
  void forget(std::uint64_t number) { questions_.erase(number); }

  void hear(const void* from, std::uint64_t number, const naming::NameAnswer&);

  /// Ends questions that have waited too long, and forgets what has grown old; about once a second.
  void tick(Steady::time_point now);

  void keep(const naming::NameAnswer&, Steady::time_point now);
  std::optional<Resolution> find(const std::string& identifier, Steady::time_point now) const;

 private:
  struct Question {
    const void* from = nullptr;
    std::string name;
    Done done;
    Steady::time_point until;
  };
  struct Kept {
    naming::NameAnswer answer;
    Steady::time_point until;
  };

  std::uint64_t last_ = 0;
  std::map<std::uint64_t, Question> questions_;
  std::map<std::string, Kept> kept_;
};

}  // namespace suan::uplink
