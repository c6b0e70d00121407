#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/digest.h"
#include "naming/identifier.h"
#include "naming/records.h"
#include "uplink/questions.h"

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
class Names : public Questions<naming::NameAnswer> {
 public:
  /// Of Questions, and forgets what has grown old.
  void tick(Steady::time_point now);

  void keep(const naming::NameAnswer&, Steady::time_point now);
  std::optional<Resolution> find(const std::string& identifier, Steady::time_point now) const;

 private:
  struct Kept {
    naming::NameAnswer answer;
    Steady::time_point until;
  };

  std::map<std::string, Kept> kept_;
};

}  // namespace suan::uplink
