#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/discovery.h"

/// A first site file, from what a machine has.
namespace suan::site {

/// What was found around a Slurm.
struct SlurmFound {
  std::string version;
  std::vector<std::string> partitions;
  std::vector<std::string> gres;  // "gpu:fake910b", each once.
  std::string rest;               // Where a slurmrestd answers; "" = nowhere it was looked for.
};

/// What a machine has. `slurm.version` is "" where there is none.
struct Surroundings {
  SlurmFound slurm;
  std::string slurm_trouble;  // Why a Slurm that is installed does not answer; "" = it does.
  std::string chip;           // Of this machine's cards; "" = none were found.
  std::uint32_t cards = 0;
  std::int64_t cores = 0;
};

/// Where a slurmrestd is looked for: its usual port.
inline constexpr std::string_view usual_rest = "http://127.0.0.1:6820";

/// Asks the commands of Slurm, a slurmrestd at `rest`, and the machine itself. Takes seconds where
/// something does not answer.
Surroundings look_around(std::string_view rest = usual_rest);

/// A commented site file that read_site_file takes as it is.
std::string print_first_site_file(const Surroundings&);

}  // namespace suan::site
