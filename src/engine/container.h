#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "engine/attempt_files.h"
#include "engine/cgroup.h"
#include "engine/image_store.h"

/// The work of an attempt inside an image: run by an OCI runtime (runc, crun), watched by the
/// supervisor like other work. Below the attempt's directory:
///
///     container/upper scratch rootfs    the writable layer, and where it and the image are joined
///     container/bundle runtime          config.json; what the runtime remembers
///
/// Inside, `/suan/work` is the attempt's `work/`, and the current directory.
namespace suan::engine {

/// Waits for processes on behalf of a container that is being started.
class ChildWait {
 public:
  virtual ~ChildWait() = default;

  /// The status of a child of this process, as waitpid(2) gives it. `unavailable` if the attempt is
  /// to stop: then the child had `patience` to end by itself, and was killed.
  virtual Result<int> wait_for(pid_t child, Span patience) = 0;
};

/// A container with the work in it. The work is a child of this process and not the first process
/// of its namespace: signals end it as they end other programs, and its status tells of them.
struct RunningContainer {
  pid_t work = 0;
  pid_t first = 0;  // A bash that waits; when it ends, all processes in the container do.
  Fd leash;         // It ends when this is closed, which the death of this process does as well.
};

/// Joins the calling process to a mount namespace of its own, and joins the image there with a
/// writable layer: by an overlay, else by a copy. Starts the container in `group` and the work in
/// it. The current directory is the attempt's. On failure nothing runs any more; end_container is
/// still to be called.
Result<RunningContainer> start_container(const LaunchRecord&, const Cgroup& group,
                                         const PreparedImage&, ChildWait&);

/// Makes the runtime forget the container of an attempt's directory, and kills what is left of it.
/// Of one that never was, nothing. Blocks for a moment.
void end_container(const std::string& attempt_directory, const ImageHouse&, const std::string& id);

/// What a program in the image is told: the variables of the image, then what work_environment
/// says without those of this machine.
std::map<std::string, std::string> container_environment(const LaunchRecord&, const ImageConfig&,
                                                         const ImageUser&);

/// Where the image has bash: one of the places where work is started from, followed inside the
/// image. "" if nowhere.
std::string find_bash(const std::string& rootfs);

/// What there is to run images with, tried by running a program.
struct RuntimeFinding {
  std::string path;      // Of the runtime; "" = images cannot be run, and
  std::string sentence;  // says by what images are run, or why not and what would help.
};

/// Tries runc, then crun, in the directories of PATH and sbin, in an empty directory `scratch`.
RuntimeFinding find_runtime(const std::string& scratch);

}  // namespace suan::engine
