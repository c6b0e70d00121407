#include "cli/interrupt.h"

#include <atomic>

namespace suan::cli {

namespace {

// A signal handler can reach nothing but a global.
std::atomic<bool>& raised() {
  static constinit std::atomic<bool> flag{false};
  return flag;
}

void note_signal(int) {
  raised().store(true, std::memory_order_relaxed);
}

}  // namespace

Interrupt::Interrupt() {
  raised() = false;
  struct sigaction action = {};
  action.sa_handler = note_signal;  // Without SA_RESTART, so that waiting calls return.
  ::sigaction(SIGINT, &action, &before_);
}

Interrupt::~Interrupt() {
  ::sigaction(SIGINT, &before_, nullptr);
}

bool Interrupt::is_raised() const {
  return raised().load(std::memory_order_relaxed);
}

}  // namespace suan::cli
