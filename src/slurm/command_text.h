#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "slurm/cluster.h"

/// What the commands of Slurm print: `scontrol show … -o`, whose form is the same in all versions.
/// Without I/O.
namespace suan::slurm {

/// Lines of `scontrol show partition -o`, `scontrol show node -o` and `scontrol show job -d -o`.
/// `invalid` with the number of the line where it is not what it must be.
Result<std::vector<Partition>> read_partition_lines(std::string_view text);
Result<std::vector<Node>> read_node_lines(std::string_view text);
Result<std::vector<Job>> read_job_lines(std::string_view text);

/// The id in the answer of `sbatch --parsable`: "12" or "12;cluster".
Result<std::uint64_t> read_submitted_id(std::string_view text);

/// The release in the answer of `sinfo --version`: "slurm-wlm 22.05.8" or "slurm 23.11.4".
Result<std::string> read_version_line(std::string_view text);

/// The failure that a command's words on its standard error mean.
Failure read_complaint(std::string_view text);

}  // namespace suan::slurm
