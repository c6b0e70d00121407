#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "slurm/cluster.h"

/// What is said to slurmrestd and what it answers, as text: OpenAPI v0.0.36, v0.0.37 and v0.0.38
/// (Slurm 20.11 to 22.05 and those later ones that still serve them). Without I/O.
namespace suan::slurm {

/// The versions of the OpenAPI plugin that this program speaks, newest first.
enum class RestVersion : std::uint8_t { v38, v37, v36 };
inline constexpr std::string_view rest_versions_spoken = "v0.0.36, v0.0.37 and v0.0.38";

/// "v0.0.38".
std::string_view print_rest_version(RestVersion);

/// The newest version that both speak and that is not newer than `newest`, of the paths in an
/// OpenAPI document (/openapi/v3). `unsupported`, naming what the server has, if there is none;
/// `invalid` if it is no such document.
Result<RestVersion> choose_rest_version(std::string_view document,
                                        RestVersion newest = RestVersion::v38);

/// An error that slurmrestd found in the answer of slurmctld or of its own.
struct RestError {
  std::int64_t number = 0;  // Of Slurm, see slurm_errno.h; 0 = none given.
  std::string text;
};

/// The first error in an answer, if it has one. `invalid` if it is no answer of slurmrestd.
Result<std::optional<RestError>> read_rest_error(std::string_view answer);

/// The failure that an error means.
Failure to_failure(const RestError&);

/// The records of an answer; `invalid` with the place where it is not what it must be.
Result<std::vector<Partition>> read_rest_partitions(std::string_view answer);
Result<std::vector<Node>> read_rest_nodes(std::string_view answer, RestVersion);
Result<std::vector<Job>> read_rest_jobs(std::string_view answer);
Result<std::uint64_t> read_rest_job_id(std::string_view answer);
Result<std::string> read_rest_release(std::string_view answer);

/// The body of a request to submit.
std::string print_rest_submission(const Submission&, RestVersion);

}  // namespace suan::slurm
