#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "net/server.h"
#include "uplink/ground.h"
#include "uplink/pipe.h"
#include "uplink/rtt.h"

namespace suan::uplink {

/// A pool of a sub-domain in the books of this domain.
struct PoolSeen {
  PoolId id;
  std::uint32_t nodes = 0;
};

/// One connection of a sub-domain, at its parent: from the greeting to the last word. But for its
/// making, everything runs on the worker.
class Below : public std::enable_shared_from_this<Below> {
 public:
  /// Whoever keeps the connections.
  class Keeper {
   public:
    virtual ~Keeper() = default;
    virtual void on_live(const std::shared_ptr<Below>&) = 0;  // It is a member's; others of it end.
    virtual bool on_over(const std::shared_ptr<Below>&) = 0;  // Whether it was its member's.
    virtual std::vector<Digest> ancestors() const = 0;        // Of its sub-domains.
    virtual std::vector<std::string> path() const = 0;        // The same, by name.
    virtual void on_asked(MemberId, const AskWorkdir&) = 0;
    virtual void on_question(const std::shared_ptr<Below>&, const AskParent&) = 0;
    virtual void on_answer(const void* from, std::uint64_t number, const naming::NameAnswer&) = 0;
    virtual void on_answer(const void* from, const AnswerData&) = 0;
  };

  Below(const Ground& ground, Keeper& keeper) : ground_(ground), keeper_(keeper) {}

  /// Once, before anything else; on any thread.
  void prepare();

  /// Once, on any thread, when the worker has it.
  void accept(const net::Request&, net::Responder);

  /// `is_wanted`: there is room for it; else it is told to come again.
  void start(Moment now, bool is_wanted);

  /// What the core says to its members; it takes what is its own.
  void tell(const domain::TellMember&);
  void ask(const OpenStream&);

  /// Asks or answers about a name or data; false if it is not live, or speaks an older version.
  bool ask(const AskChild&);
  bool ask(const AskData&);
  bool answer(const AnswerChild&);

  /// An operator has said something about who may join.
  void look_again();
  void say_ancestors();
  void end(CloseCode, std::string_view reason);

  /// Ends a handshake that takes too long.
  void tick(Moment now);

  MemberId member() const { return sight_.member; }
  const std::string& name() const { return name_; }
  const Digest& key() const { return key_; }
  bool is_taken() const { return stage_ != Stage::greeting && stage_ != Stage::hello; }

 private:
  enum class Stage : std::uint8_t { greeting, hello, asking, pending, offering, live, over };

  /// The sub-domain in the books of this domain.
  struct Sight {
    MemberId member;                   // 0 = not known yet.
    std::map<PoolId, PoolSeen> pools;  // As it numbers them, and as they are here.
    std::vector<SiteId> sites;         // Its own, not those of others below it.
    std::vector<SiteId> sites_here;    // Of engines of this domain.
  };
  static Sight look_at(const domain::State&, const std::string& name);

  void hear(Frame&&);
  void hear(const Greeting&);
  void hear(const Hello&);
  void hear(OfferPart&&);
  void hear(const Heartbeat&);
  void hear(const SupplyReading&);
  void hear(const AskWorkdir&);
  void hear(const AskParent&);
  void hear(const AnswerParent&);
  void hear(const AnswerData&);
  void hear(const runtime::Up&);
  void on_asked(const runtime::Reply&);
  void look_at_standing(std::uint64_t sequence);
  void on_offered(const runtime::Reply&);
  void go_live(Sight, const domain::Effects& outstanding);
  void note_links();
  void say_in_time(const domain::TellMember&);
  void say(const runtime::Down&);
  void say_commit(const CommitUnit&);
  void say_keep(const ConfirmUnit&);
  void say_heartbeat(const RenewUnits&);
  void misbehave(std::string_view what);
  void on_end(const net::SocketEnd&);
  void note_presence(bool is_connected, const std::string& problem);

  const Ground& ground_;
  Keeper& keeper_;
  std::shared_ptr<Pipe> pipe_;
  Stage stage_ = Stage::greeting;
  Moment began_;
  bool is_wanted_ = true;
  Moment connected_;
  Moment heard_at_;
  Greeting greeting_;
  Challenge challenge_;
  std::string name_;
  Digest key_;
  Sight sight_;
  std::string offer_;        // The parts that have come.
  std::uint64_t heard_ = 0;  // The last heartbeat.
  RttWindow rtt_;
  bool is_collecting_ = false;  // Whatever is told waits until it is known what it follows.
  std::vector<domain::TellMember> collected_;
};

}  // namespace suan::uplink
