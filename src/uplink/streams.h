#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "api/exec.h"
#include "member/reach.h"
#include "net/server.h"
#include "net/websocket.h"
#include "uplink/frames.h"

/// Logs, shells and working directories of hosted units: a connection of their own each, which the
/// sub-domain dials when its parent asks for it, so that they never delay the rest. Both ends are
/// here. A shell speaks the messages of api/exec.h; a log those of them that fit: `output`;
/// `end_input`, that is all for now; `end`, with a reason if it cannot be read; and `allow`.
namespace suan::uplink {

/// Sockets that sub-domains were asked to open, until they do. Any thread.
class Awaited {
 public:
  using Arrive = Callback<void(const net::Request&, net::Responder)>;

  /// A fresh id for a stream. One of the two is called, once: `arrive` when somebody comes with it,
  /// or `late` after 15 s.
  std::string expect(Arrive arrive, Callback<void()> late);
  void forget(const std::string& id);

  /// Looks for those that are late; call it about once a second.
  void expire();

  /// Who comes with an id that nobody waits for gets 404.
  void accept(const std::string& id, const net::Request&, net::Responder);

 private:
  struct Waiter {
    Arrive arrive;
    Callback<void()> late;
    std::chrono::steady_clock::time_point until;
  };

  std::mutex mutex_;
  std::map<std::string, Waiter> all_;
};

/// Who passes on to a sub-domain that a stream is wanted. Any thread.
class Asker {
 public:
  virtual ~Asker() = default;

  /// `unavailable` while the member cannot be reached.
  virtual Result<void> ask(MemberId, OpenStream) = 0;
};

/// The parent's end of a log. `asker` and `awaited` outlive it.
std::unique_ptr<member::LogReader> read_remote_log(Asker& asker, Awaited& awaited,
                                                   const member::AttemptPlace&, member::LogStream,
                                                   std::uint64_t offset);

/// The parent's end of a command.
Result<std::unique_ptr<member::Exec>> run_remote_command(Asker& asker, Awaited& awaited,
                                                         const member::AttemptPlace&,
                                                         const member::ExecWish&,
                                                         member::ExecSink&);

/// The sub-domain's end of logs: reads them on a thread of its own to whoever asked.
class LogPump {
 public:
  explicit LogPump(net::Dialler& dialler);
  ~LogPump();
  LogPump(const LogPump&) = delete;
  LogPump& operator=(const LogPump&) = delete;

  void open(std::unique_ptr<member::LogReader>, net::DialOptions);

  /// The same for whoever has come for it.
  void serve(std::unique_ptr<member::LogReader>, const net::Request&, net::Responder);
  void stop();

 private:
  struct Log;

  static net::SocketListener listener_of(const std::shared_ptr<Log>&);
  void run();
  static bool advance(Log&);

  net::Dialler& dialler_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::list<std::shared_ptr<Log>> logs_;
  bool is_stopping_ = false;
  std::thread thread_;
};

/// Dials only to say why there is nothing to be had.
void decline_stream(net::Dialler&, net::DialOptions, const std::string& reason);

/// The same for whoever has come; `exit_code` 1 where coming again is in vain.
void decline_stream(const net::Request&, net::Responder, const std::string& reason, int exit_code);

}  // namespace suan::uplink
