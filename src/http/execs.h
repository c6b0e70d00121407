#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "http/acquaintance.h"
#include "identity/records.h"
#include "member/reach.h"
#include "net/server.h"
#include "runtime/follower.h"
#include "uplink/exec_session.h"

namespace suan::http {

/// Beside which task somebody wants to run a command.
struct ExecPlace {
  JobId job;
  std::uint32_t task = 0;
  identity::Principal principal;
  Digest key;
};

/// Runs commands beside attempts for whoever may stop them: a WebSocket each, whose messages
/// api/exec.h has. A command ends when its client leaves, when the client's key no longer allows
/// it, with the attempt and with this.
class Execs {
 public:
  /// What is given outlives it.
  Execs(runtime::Follower& follower, const Acquaintance& acquaintance, member::Reach& reach);
  Execs(const Execs&) = delete;
  Execs& operator=(const Execs&) = delete;
  ~Execs();

  /// Makes the connection a WebSocket, or answers why not.
  void open(const ExecPlace&, net::Request&&, net::Responder);

  /// Ends all commands; later ones are refused.
  void stop();

 private:
  struct Session;

  void begin(const ExecPlace&, const runtime::View&, const net::Request&, net::Responder);
  void watch();

  runtime::Follower& follower_;
  const Acquaintance& acquaintance_;
  member::Reach& reach_;

  std::mutex mutex_;
  std::condition_variable is_due_;
  std::vector<Session> sessions_;
  bool is_stopping_ = false;
  std::thread thread_;  // Looks whether the keys still hold.
};

}  // namespace suan::http
