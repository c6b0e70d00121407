#pragma once

#include <string>
#include <vector>

#include "base/digest.h"
#include "journal/heads.h"
#include "journal/journal.h"
#include "member/presence.h"
#include "member/reach.h"
#include "runtime/contract.h"
#include "runtime/core_thread.h"
#include "runtime/follower.h"
#include "uplink/worker.h"

namespace suan::uplink {

/// How long things take.
struct Timing {
  Span heartbeat = seconds(5);
  Span reading_look = seconds(2);  // What has changed is said then;
  Span reading_age = seconds(10);  // what has not, when it is so old.
  Span handshake = seconds(10);
  Span redial_min = milliseconds(500);
  Span redial_max = seconds(30);
};

/// What every connection of this domain stands on. All of it outlives them.
struct Ground {
  Worker& worker;
  runtime::CoreThread& core;
  runtime::Follower& follower;
  runtime::Clock& clock;
  const journal::Journal& journal;  // Holds the sealed payloads.
  const journal::SigningKey& key;
  member::Presences& presences;
  std::string domain;  // Its name.
  Timing timing;
  void (*tell)(const std::string&);  // What operators should know, a line each.
  std::uint32_t version;             // The newest to offer parents.

  Digest own_key() const { return {key.public_key()}; }

  /// Puts a command of the other end in, and calls `then` with its reply on the worker. The core
  /// takes commands in the order of these calls, and this waits for room.
  void put(domain::Command, std::vector<std::string> payloads,
           Callback<void(const runtime::Reply&)> then) const;

  /// Looks at the durable state once it has reached `sequence`, on the follower's thread; what
  /// `look` gives back runs on the worker. False if too many queries wait.
  using Then = Callback<void()>;
  bool look(Callback<Then(const runtime::View&)> look, std::uint64_t sequence = 0) const;
};

}  // namespace suan::uplink
