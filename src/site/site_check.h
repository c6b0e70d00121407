#pragma once

#include <string>

#include "base/callback.h"
#include "site/site_file.h"

/// Whether the world is as a site file says.
namespace suan::site {

/// One thing that was looked at.
struct Check {
  std::string name;  // "the shared directory"
  bool holds = false;
  std::string text;    // What was found.
  std::string remedy;  // What to do about it, where it does not hold.
};

/// Looks at everything in turn and tells each as it is known; what cannot be looked at because of
/// what went wrong before is left out. True if all held. With Slurm it runs one job, of a second,
/// and writes a directory of its own into the shared one, which it takes away again. Takes up to
/// `job_patience` while that job waits.
bool check_site(const SiteFile&, Callback<void(const Check&)> tell,
                Span job_patience = seconds(60));

/// "ok    the shared directory: …" or "FAIL  …", with the remedy in a second line.
std::string print_check(const Check&);

}  // namespace suan::site
