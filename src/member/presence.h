#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/time.h"
#include "model/ids.h"

namespace suan::member {

/// How the connection to a sub-domain or to a parent is.
struct Presence {
  bool is_connected = false;
  Moment since;         // It is as it is; 0 = since this process began.
  Moment heard;         // The last message of the other side; 0 = none to this process.
  std::string problem;  // Why there is none: one sentence for people.
  Span rtt_p50;         // Of round trips over the connection, the last 120 of them; 0 = none yet.
  Span rtt_p99;
};

/// All of them, for whoever shows them. Any thread.
class Presences {
 public:
  void set(MemberId, const Presence&);
  void set(ParentId, const Presence&);
  Presence of(MemberId) const;  // One that was never set is not connected.
  Presence of(ParentId) const;

 private:
  mutable std::mutex mutex_;
  std::map<MemberId, Presence> members_;
  std::map<ParentId, Presence> parents_;
};

}  // namespace suan::member
