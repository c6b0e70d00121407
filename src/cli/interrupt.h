#pragma once

#include <csignal>

namespace suan::cli {

/// While one lives, Ctrl-C is noted instead of ending the program. One at a time.
class Interrupt {
 public:
  Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  ~Interrupt();

  /// Any thread.
  bool is_raised() const;

 private:
  struct sigaction before_ = {};
};

}  // namespace suan::cli
