#pragma once

#include <array>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

#include "engine/attempt_files.h"

/// The work of an attempt: the user's bash script in a process of its own.
namespace suan::engine {

/// The environment of the work: PATH, HOME, LANG and USER of this process, SHELL, then the
/// variables of the job, then what Suanhe says (SUAN_…, CUDA_VISIBLE_DEVICES), which the job cannot
/// override. OMP_NUM_THREADS is the whole cores granted, unless the job sets it: under a CPU quota
/// OpenMP still sees every core of the machine, and threads beyond the quota only wait for one
/// another.
std::map<std::string, std::string> work_environment(const LaunchRecord&,
                                                    const std::map<std::string, std::string>& own);

/// The part of it that Suanhe says, over what is in `all` already.
void tell_work(const LaunchRecord&, std::map<std::string, std::string>& all);

/// Where bash may be, the likeliest first.
inline constexpr std::array<const char*, 3> bash_paths = {"/bin/bash", "/usr/bin/bash",
                                                          "/usr/local/bin/bash"};

/// The script `run`: the user's text, behind the setup in the same shell if there is one, so that
/// `cd`, `export` and `source` in the setup last. The user's lines keep their numbers.
std::string work_script(const Payload&);

/// What the user could not have meant; "" if there is nothing to object to.
std::string find_fault(const Launch&, const Payload&);

/// Makes `work/` and the scripts in the current directory.
Result<void> make_work_files(const LaunchRecord&);

/// Opens `stdout` or `stderr` of the current directory to append to it.
Fd open_work_log(const char* name);

/// Starts `bash -eo pipefail ../run` in `work/` of the attempt's directory, which is the current
/// one: leader of a session of its own, inside `group`, with stdin from /dev/null and both outputs
/// appended to `stdout` and `stderr`; it dies with the calling process. Returns once it has become
/// bash, with its pid, or why it could not. The script reaches bash by a file (mode 0600), as a
/// command line is open for everybody to read.
Result<pid_t> start_work(const LaunchRecord&, const Cgroup& group);

/// Takes the scripts, which may hold secrets, out of the current directory. Leaves `run` as an
/// empty file, for the next attempt to use.
void empty_scripts();

}  // namespace suan::engine
