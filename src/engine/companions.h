#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <sys/types.h>

#include "base/result.h"
#include "engine/file.h"
#include "member/exec.h"
#include "model/attempt.h"

namespace suan::engine {

/// The commands that run beside the attempts of one engine: starts a companion process for each and
/// carries bytes between it and whoever asked, on a thread of its own.
class Companions {
 public:
  /// `executable` is a program that calls accompany() for `accompany STATE_DIR ATTEMPT`.
  Companions(std::string executable, std::string state_directory);
  Companions(const Companions&) = delete;
  Companions& operator=(const Companions&) = delete;
  ~Companions();  // Ends all commands.

  /// Any thread. `invalid` for a wish that is none, `no_space` when too many run, `io` when the
  /// system has no pipes, terminals or processes left.
  Result<std::unique_ptr<member::Exec>> start(const AttemptKey&, const member::ExecWish&,
                                              member::ExecSink&);

  /// The attempt has ended: so do its commands. Any thread.
  void end_all(const AttemptKey&);

 private:
  struct Running;
  class Handle;
  struct Streams;

  static Result<Streams> open_streams(const member::ExecWish&);
  Result<void> spawn(Running&, const Streams&) const;
  void wake() const;
  void run();
  void turn(std::vector<std::shared_ptr<Running>>& all);

  const std::string executable_;
  const std::string state_directory_;
  Fd wake_;
  std::mutex mutex_;
  std::vector<std::shared_ptr<Running>> running_;
  bool is_over_ = false;
  std::thread thread_;  // Begun by the first command.
};

}  // namespace suan::engine
