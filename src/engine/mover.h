#pragma once

#include <string>

#include "base/result.h"
#include "engine/stores.h"
#include "model/attempt.h"

/// Brings the inputs of an attempt and keeps its outputs, by rclone. In the attempt's directory:
///
///     work/PATH   what has a path below the working directory
///     data/N      what has an absolute one, which a container shows there; see places_in_image
///
/// How far it is, and a reason for each file that could not be moved, go to the log. What is done
/// here can be done again after it was killed half way.
namespace suan::engine {

/// Where data is moved, and who watches.
struct MoveScene {
  std::string directory = ".";  // Of the attempt.
  int log = -1;                 // Gets lines for people.
  int stop = -1;                // When this can be read the transfer is given up; -1 = never.
};

/// One directory that is shown inside an image.
struct DataPlace {
  std::string path;       // Inside the image: "/data".
  std::string directory;  // "data/0".
};

/// The absolute paths of inputs and outputs, each once, ascending.
std::vector<DataPlace> places_in_image(const Payload&);

/// The directory that belongs to a path of an input or output.
std::string directory_of_data(const Payload&, const std::string& path);

/// Whether there is anything to do before the start.
bool moves_data(const Launch&, const Payload&);

/// Unpacks the working directory, makes all others, then fills those of inputs. Blocks. A failure
/// is a sentence for people, and the log has the details; `unavailable` if it was stopped.
Result<void> bring_inputs(const StoreHouse&, const Launch&, const Payload&, const MoveScene&);

/// Keeps the outputs whose time it is. Nothing of the attempt may run any more. Blocks. A failure
/// does not keep the others from being kept; `unavailable` if it was stopped.
Result<void> keep_outputs(const StoreHouse&, const Launch&, const Payload&, bool is_success,
                          const MoveScene&);

/// Whether there is anything to keep.
bool has_outputs(const Payload&, bool is_success);

/// The directory of an attempt below the place of an output: "job-12-0-1", of job, task, attempt.
std::string name_of_attempt(const Launch&);

}  // namespace suan::engine
