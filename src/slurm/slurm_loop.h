#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "engine/survey.h"
#include "slurm/courier.h"
#include "slurm/porter.h"
#include "slurm/readings.h"
#include "slurm/share.h"
#include "slurm/slurm_engine.h"

namespace suan::slurm {

/// The thread of a SlurmEngine, and all that belongs to it.
class SlurmEngine::Loop {
 public:
  /// What other threads ask of this one, or tell it.
  struct NewLaunch {
    Launch launch;
    Payload payload;
  };
  struct Names {
    std::map<PoolId, std::string> names;
  };
  struct Attach {};
  using Item = std::variant<NewLaunch, RenewAttempt, StopAttempt, ForgetAttempt, Names, Attach,
                            Answer, Moved>;

  static Result<std::unique_ptr<Loop>> open(const SlurmEngineOptions&, ClusterMaker make);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Any thread.
  void put(Item);
  void set_sink(member::ProgressSink*);

  const Offer& offer() const { return offer_; }
  const std::string& standing() const { return standing_; }
  engine::LogStore& logs() { return *logs_; }
  const engine::StoreHouse& stores() const { return stores_; }
  engine::Surveyor& data_surveyor() { return *data_surveyor_; }

 private:
  /// One attempt that the home has not forgotten. Times are of the monotonic clock; 0 = never.
  struct Attempt {
    Progress latest;
    Launch launch;
    Seat seat;
    Control control;
    JobFile job;
    Payload data;                  // Its inputs and outputs only.
    bool is_brought = false;       // Its inputs are there.
    bool is_moving = false;        // In or out.
    std::optional<Progress> kept;  // Its end, while its outputs are kept.
    bool is_started = false;       // Its wrapper says so.
    bool is_asking = false;        // A submission is under way.
    bool is_looking = false;
    int vanished = 0;  // How often Slurm did not know its job any more.
    int in_vain = 0;   // Errands in a row that nobody answered.
    Span next_try, next_look, next_report;
    Span lapse_at;    // Of one that has not started, on the clock that runs while it sleeps.
    Span gone_since;  // Slurm says it has ended, and its wrapper does not.
    Span cancel_at;   // When Slurm is to end what does not stop by itself.
    Span shut_since;  // It has not started, and its node takes no work.
    std::optional<ExitWord> exit;       // Waits for what Slurm says of it,
    Span exit_since;                    // since then.
    std::optional<Progress> unwritten;  // Its end, where the disk was too full to keep it.
  };

  explicit Loop(const SlurmEngineOptions&);

  Result<void> prepare(ClusterMaker& make);
  Result<void> make_offer(Cluster&);
  void recover(const AttemptKey&);
  void run();
  void tick();

  void fulfil(const NewLaunch&);
  void fulfil(const RenewAttempt&);
  void fulfil(const StopAttempt&);
  void fulfil(const ForgetAttempt&);
  void fulfil(const Names&);
  void fulfil(const Attach&);
  void fulfil(const Answer&);
  void fulfil(const Moved&);
  void hear(const Submitted&);
  void hear(const Looked&);
  void hear(const Cancelled&);
  void hear(const Surveyed&);

  const SlurmPool* find_pool(PoolId) const;
  std::string find_excess(const Launch&, const SlurmPool&) const;
  Submission submission_of(const AttemptKey&, const Attempt&) const;
  void submit(const AttemptKey&, Attempt&, Span now);
  void look(const AttemptKey&, Attempt&);
  void cancel(const AttemptKey&, const Attempt&);
  void read_news(Span now);
  void note_started(Attempt&, Span now);
  void note_state(const AttemptKey&, Attempt&, const Job&, Span now);
  void take_exit(Attempt&, const ExitWord&, Span now);
  void leave(const AttemptKey&, Attempt&, const std::optional<Job>&, Span now);
  void resubmit(const AttemptKey&, Attempt&, Span now);
  bool end_unclaimed(const AttemptKey&, Attempt&, Progress);
  void end_unstarted(const AttemptKey&, AttemptEnd, std::string reason);
  void bring(const AttemptKey&, Attempt&);
  void conclude(Attempt&, Progress);
  void give_up_outputs(const AttemptKey&, Attempt&, AttemptEnd why);
  void settle(Attempt&, Progress);
  void work_on(const AttemptKey&, Attempt&, Span now);
  void set_reason(Attempt&, std::string reason);
  void report(Attempt&);
  void survey(Span now);
  void displace(const std::vector<Node>&, Span now);
  void publish(Span now);
  Span pause_of(const Attempt&) const;

  SlurmEngineOptions options_;
  std::unique_ptr<Share> share_;
  engine::StoreHouse stores_;
  std::optional<engine::Surveyor> data_surveyor_;
  std::optional<engine::LogStore> logs_;
  Offer offer_;
  std::string standing_;
  std::map<PoolId, std::string> names_;
  std::map<AttemptKey, Attempt> attempts_;
  std::size_t live_ = 0;  // Of them, when the last tick counted.
  Span next_tick_, next_cut_;

  std::vector<PoolReading> readings_;
  bool is_surveying_ = false;
  Span next_survey_, next_publishing_;
  Span away_since_;  // Since when surveys have been in vain; 0 = they are not.

  std::mutex sink_mutex_;  // Held while the sink is called.
  member::ProgressSink* sink_ = nullptr;

  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<Item> items_;
  bool is_over_ = false;
  std::unique_ptr<Courier> errands_, surveyor_;  // Surveys may take long and hold up nothing.
  std::unique_ptr<Porter> porter_;
  std::thread thread_;
};

}  // namespace suan::slurm
