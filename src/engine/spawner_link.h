#pragma once

#include <deque>
#include <optional>
#include <string>

#include <sys/types.h>

#include "base/result.h"
#include "engine/file.h"

namespace suan::engine {

/// An engine's end of the socket to its spawner, the process that forks supervisors (supervisor.h).
/// One thread.
class SpawnerLink {
 public:
  /// `executable` is a program that calls supervise() for `supervise STATE_DIR`.
  SpawnerLink(std::string executable, std::string state_directory);
  SpawnerLink(const SpawnerLink&) = delete;
  SpawnerLink& operator=(const SpawnerLink&) = delete;
  /// Lets the spawner end, and waits for that. Supervisors go on.
  ~SpawnerLink();

  /// Starts the process; again after it died. What was asked and not answered is asked again.
  Result<void> start();

  /// Readable when there is an answer, or when the spawner has died.
  int fd() const { return socket_.get(); }

  /// Asks for a supervisor of the attempt of this name.
  void ask(const std::string& name);

  /// `supervisor` is a pidfd, or empty if none could be forked.
  struct Answer {
    std::string name;
    Fd supervisor;
  };

  /// The next answer; nullopt if there is none yet, or no spawner any more (`is_broken`).
  std::optional<Answer> receive();
  bool is_broken() const { return is_broken_; }

 private:
  void send_waiting();
  void end();

  std::string executable_;
  std::string state_directory_;
  Fd socket_;
  pid_t process_ = 0;
  bool is_broken_ = false;
  std::deque<std::string> asked_;    // In the spawner's hands, oldest first.
  std::deque<std::string> waiting_;  // Bounded by the attempts there are.
};

}  // namespace suan::engine
