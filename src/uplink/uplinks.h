#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "net/server.h"
#include "net/websocket.h"
#include "runtime/engine_link.h"
#include "uplink/above.h"
#include "uplink/below.h"
#include "uplink/fetches.h"
#include "uplink/ground.h"
#include "uplink/names.h"
#include "uplink/streams.h"

/// Moves the bytes of the member contract: the connections of one domain to its parents, which it
/// dials, and to its sub-domains, which dial it.
namespace suan::uplink {

struct UplinkParts {
  runtime::CoreThread& core;
  runtime::Follower& follower;
  runtime::Clock& clock;
  const journal::Journal& journal;
  const journal::SigningKey& key;
  member::Presences& presences;
  std::string domain;
  std::vector<ParentPlace> parents;
  Timing timing{};
  void (*tell)(const std::string&);  // What operators should know, a line each.
  engine::Uploads& uploads;
  std::uint32_t version = version_max;  // The newest to offer parents.
};

/// All of them. Any thread.
class Uplinks final : public member::Reach,
                      public runtime::FileSource,
                      private Asker,
                      private Above::Keeper,
                      private Below::Keeper {
 public:
  /// `io` when the system has no thread to give.
  static Result<std::unique_ptr<Uplinks>> make(UplinkParts);
  ~Uplinks() override;
  Uplinks(const Uplinks&) = delete;
  Uplinks& operator=(const Uplinks&) = delete;

  /// Begins to dial. `reach` is how the attempts of this domain are reached, for its parents.
  void start(member::Reach& reach);

  /// What to hang on the follower.
  std::unique_ptr<runtime::Watcher> watcher();

  /// Takes a TellMember or a TellParent; never blocks.
  void put(const domain::Effect&);

  /// A sub-domain has come: GET /v1/uplink.
  void accept(const net::Request&, net::Responder);

  /// It has opened a stream: GET /v1/uplink/streams/{id}.
  void accept_stream(const std::string& id, const net::Request&, net::Responder);

  /// Of units that are with sub-domains.
  std::unique_ptr<member::LogReader> read_log(const member::AttemptPlace&, member::LogStream,
                                              std::uint64_t offset) override;
  Result<std::unique_ptr<member::Exec>> exec(const member::AttemptPlace&, const member::ExecWish&,
                                             member::ExecSink&) override;
  void survey(MemberId, PoolId, DataQuestion, Callback<void(DataAnswer)> done) override;

  /// Brings the working directory of a job to this domain, from its parent if it is a guest, and
  /// keeps trying while the job is under way.
  void fetch(JobId, Callback<void(Result<void>)> done) override;

  /// What an identifier names, from here, from below or from above; also of a pool as the catalogue
  /// calls it, "site/pool". `done` is called once, on a thread of this room.
  void resolve(std::string text, Callback<void(Resolution)> done);

  /// Closes all connections, in good order if there is time for it.
  void stop();

 private:
  class Watch;

  Uplinks(UplinkParts, std::unique_ptr<net::Dialler>);

  Result<void> ask(MemberId, OpenStream) override;
  void on_live(const std::shared_ptr<Below>&) override;
  bool on_over(const std::shared_ptr<Below>&) override;
  std::vector<Digest> ancestors() const override;
  void on_ancestors() override;
  void on_asked(MemberId, const AskWorkdir&) override;
  std::vector<std::string> path() const override;
  void on_question(const std::shared_ptr<Below>&, const AskParent&) override;
  void on_question(const std::shared_ptr<Above>&, const AskChild&) override;
  void on_question(const std::shared_ptr<Above>&, const AskData&) override;
  void on_answer(const void* from, std::uint64_t number, const naming::NameAnswer&) override;
  void on_answer(const void* from, const AnswerData&) override;
  void find_name(const naming::Identifier&, Names::Done);
  void find_below(const naming::Identifier&, std::size_t depth, Names::Done);
  void answer_here(const naming::Identifier&, Names::Done);
  naming::NameAnswer certify(naming::NameRecord) const;
  using Path = std::vector<std::string>;
  std::vector<Path> paths() const;
  void name_pool(PoolId, const Path& own, Names::Done);
  void name_pool(const std::string& text, Names::Done);
  void ask_below(const std::string& child, const Path& own, AskChild, Names::Done);
  void ask_above(const naming::Identifier&, Names::Done);
  void give(MemberId, const AskWorkdir&, const std::string& name, const Result<void>& fetched);
  void ask_for_workdirs();
  void look_at_uploads();
  void on_stream(ParentId, const OpenStream&, net::DialOptions) override;
  void tick();
  void note_absence();
  void miss(MemberId, Moment since);
  void note_supply();
  void note_answers();

  Worker worker_;
  const std::unique_ptr<net::Dialler> dialler_;
  const Ground ground_;
  engine::Uploads& uploads_;
  LogPump pump_;
  Awaited awaited_;
  member::Reach* reach_ = nullptr;
  bool is_stopped_ = false;

  // The worker's own.
  std::vector<std::shared_ptr<Above>> above_;
  std::set<std::shared_ptr<Below>> below_;
  Fetches fetches_;
  const naming::Codecs codecs_;
  Names names_;
  Questions<DataAnswer> data_questions_;
  int ticks_ = 0;
  std::map<MemberId, Moment> away_;  // Who is not connected, since when by the steady clock.

  // Who may be asked, for any thread.
  std::mutex mutex_;
  std::map<MemberId, std::shared_ptr<Below>> live_;
  bool is_supply_noted_ = false;
};

}  // namespace suan::uplink
