#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "net/websocket.h"
#include "uplink/ground.h"
#include "uplink/pipe.h"
#include "uplink/rtt.h"

namespace suan::uplink {

/// Where a parent is, and how to be let in.
struct ParentPlace {
  std::string url;        // http(s)://host[:port].
  std::string token{};    // For a parent that does not know this domain yet; "" = none.
  std::string ca_file{};  // As in net::DialOptions.
};

/// The connection of this domain to one parent: dialled, and dialled again for as long as this
/// lives. Everything but `stop` runs on the worker.
class Above : public std::enable_shared_from_this<Above> {
 public:
  /// Whoever keeps the connections.
  class Keeper {
   public:
    virtual ~Keeper() = default;
    virtual void on_ancestors() = 0;  // Those of a parent are others now.

    virtual void on_question(const std::shared_ptr<Above>&, const AskChild&) = 0;
    virtual void on_question(const std::shared_ptr<Above>&, const AskData&) = 0;
    virtual void on_answer(const void* from, std::uint64_t number, const naming::NameAnswer&) = 0;

    /// The parent wants a stream; dial as `options` say.
    virtual void on_stream(ParentId, const OpenStream&, net::DialOptions) = 0;
  };

  Above(const Ground&, net::Dialler&, ParentPlace, Keeper&);

  void dial();

  /// What the core says to its parents; it takes what is its own.
  void tell(const domain::TellParent&);

  /// Supply has changed: say all of it again.
  void offer_again();

  /// Passes it on; false if this is not the connection to that parent, or there is none now.
  bool ask(ParentId, const AskWorkdir&);

  void beat();             // Every Timing::heartbeat.
  void look_at_reading();  // Every Timing::reading_look.
  void tick(Moment now);   // Often: ends a handshake that takes too long.

  /// The parent and all above it; empty while it is not known.
  const std::vector<Digest>& ancestors() const { return ancestors_; }
  const std::vector<std::string>& path() const { return path_; }
  const std::string& name() const { return challenge_.domain; }  // Of the parent.

  /// Asks or answers about a name or data; false if there is no connection now that could carry it.
  bool ask(const AskParent&);
  bool answer(const AnswerParent&);
  bool answer(const AnswerData&);

 private:
  enum class Stage : std::uint8_t { away, dialling, challenged, waiting, joining, live };
  using Steady = std::chrono::steady_clock;

  struct Said {  // Of a pool.
    PoolReading reading;
    Moment at;
  };

  void on_open();
  void hear(Frame&&);
  void hear(const Challenge&);
  void hear(const Pending&);
  void hear(const Welcome&);
  void hear(const Ancestry&);
  void hear(Commit&&);
  void hear(const Renewal&);
  void hear(Renewals&&);
  void hear_heartbeat(RenewUnits&&, std::uint64_t heard);
  void hear(const Echo&);
  void hear(const OpenStream&);
  void hear(const runtime::Down&, std::vector<std::string> payloads);
  void hear(const AskChild&);
  void hear(const AskData&);
  void hear(const AnswerChild&);
  bool take_ancestors(const std::vector<Digest>&, const std::vector<std::string>& path);
  void on_joined(const runtime::Reply&);
  void go_live(ParentId, std::string offer, const domain::Effects& outstanding);
  void say(const runtime::Up&);
  void say_offer(const std::string& bytes);
  void say_readings(const std::map<PoolId, PoolReading>&, const std::map<PoolId, Span>& ages);
  Span shortened(Span run_for, std::uint64_t heard) const;
  void misbehave(std::string_view what);
  void on_end(const net::SocketEnd&);
  void note(bool is_connected, const std::string& problem);
  net::DialOptions options(const std::string& path) const;

  const Ground& ground_;
  net::Dialler& dialler_;
  const ParentPlace place_;
  Keeper& keeper_;
  Random random_;
  std::shared_ptr<Pipe> pipe_;
  std::uint64_t turn_ = 0;  // Of the connection: what was asked for an earlier one is not heard.
  Stage stage_ = Stage::away;
  Moment began_;
  Moment connected_;
  Moment heard_at_;
  int failures_ = 0;  // In a row.
  Greeting greeting_;
  Challenge challenge_;
  ParentId parent_;  // 0 = not known yet.
  std::vector<Digest> ancestors_;
  std::vector<std::string> path_;
  std::string problem_;
  RttWindow rtt_;
  Span last_rtt_;
  std::uint64_t beats_ = 0;
  std::uint64_t first_measured_ = 0;  // What is measured of earlier ones is no round trip.
  Steady::time_point greeted_;
  std::map<std::uint64_t, Steady::time_point> sent_beats_;
  std::map<PoolId, Said> said_;
  bool is_looking_ = false;
  bool is_offering_ = false;
  bool must_offer_again_ = false;
  bool is_collecting_ = false;  // Whatever is told waits until it is known what it follows.
  std::vector<domain::TellParent> collected_;
};

}  // namespace suan::uplink
