#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "engine/uploads.h"
#include "member/reach.h"
#include "net/websocket.h"
#include "uplink/frames.h"
#include "uplink/worker.h"

/// Packed working directories on their way down: a sub-domain asks its parent, which opens a stream
/// and gives it the bytes. It speaks the messages of api/exec.h that a log speaks; an `end` with a
/// reason has the code 1 where asking again is in vain.
namespace suan::uplink {

/// What a sub-domain fetches. Its methods run on the worker, but for what sockets call.
class Fetches {
 public:
  using Done = Callback<void(Result<void>)>;

  /// One file, and whom to ask for it.
  struct Wish {
    std::string name;  // Of the upload.
    Workdir workdir;
    ParentId parent;
    UnitAttempt unit;  // As the parent numbers it.
  };

  Fetches(Worker& worker, engine::Uploads& uploads) : worker_(worker), uploads_(uploads) {}

  bool is_whole(const std::string& name, const Workdir&) const;

  /// Calls `done` once, when all of it is there or never will be.
  void add(Wish, Done done);

  /// Those that are to be asked for now; each again after a while, until it has come.
  std::vector<Wish> due();
  std::uint64_t offset_of(const Wish& wish) const;

  /// A parent has opened a stream of one of them: takes what comes. False if nobody waits for that.
  bool take(ParentId, const OpenStream&, net::Dialler&, net::DialOptions);

  /// Nobody needs it any more.
  void give_up(const std::string& name, const Failure& why);

  std::vector<std::string> names() const;

 private:
  struct Fetch {
    Wish wish;
    std::vector<Done> waiting;
    net::WebSocket socket;
    bool is_open = false;
    std::chrono::steady_clock::time_point next;
  };
  struct Stream;

  void end(const std::string& name, Result<void> outcome);
  void pause(const std::string& name);

  Worker& worker_;
  engine::Uploads& uploads_;
  std::map<std::string, Fetch> all_;
};

/// Reads an upload for a parent's end of a stream.
std::unique_ptr<member::LogReader> read_upload(const engine::Uploads&, std::string name,
                                               std::uint64_t offset);

}  // namespace suan::uplink
