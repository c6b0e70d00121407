#pragma once

#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "identity/records.h"
#include "member/reach.h"
#include "net/server.h"
#include "runtime/follower.h"

namespace suan::http {

/// Which log somebody reads.
struct LogWish {
  JobId job;
  std::uint32_t task = 0;
  std::optional<std::uint32_t> attempt;  // Absent: the latest when reading begins.
  member::LogStream stream = member::LogStream::output;
  std::uint64_t offset = 0;
  bool follow = false;
  identity::Principal principal;
  Digest key;  // Reading ends soon after it is revoked.
};

/// Reads logs to their readers on a thread of its own: what is there at once, the rest as it comes.
/// A reader may come before its attempt does; it then waits.
class Tails {
 public:
  Tails(runtime::Follower& follower, member::Reach& reach);
  ~Tails();

  Tails(const Tails&) = delete;
  Tails& operator=(const Tails&) = delete;

  /// Answers with the log, or with why not.
  void read(const LogWish&, net::Responder);

  /// Ends all reading.
  void stop();

 private:
  struct Tail;

  void run();
  void look(std::shared_ptr<Tail>);
  static void begin(Tail&, const Failure* why_not);
  static bool advance(Tail&);

  runtime::Follower& follower_;
  member::Reach& reach_;

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::list<std::shared_ptr<Tail>> tails_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace suan::http
