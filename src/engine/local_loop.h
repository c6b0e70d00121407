#pragma once

#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <variant>
#include <vector>

#include "engine/attempt_table.h"
#include "engine/companions.h"
#include "engine/local_engine.h"
#include "engine/log_store.h"
#include "engine/spares.h"
#include "engine/spawner_link.h"
#include "engine/survey.h"
#include "engine/trash.h"

namespace suan::engine {

/// The thread of a LocalEngine, and all that belongs to it.
class LocalEngine::Loop {
 public:
  /// What other threads ask of this one.
  struct NewLaunch {
    Launch launch;
    Payload payload;
  };
  struct Attach {};
  using Wish = std::variant<NewLaunch, RenewAttempt, StopAttempt, ForgetAttempt, Attach>;

  static Result<std::unique_ptr<Loop>> open(const LocalEngineOptions&);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Any thread. `ask` waits while wishes_max are queued.
  void ask(Wish);
  void set_sink(member::ProgressSink*);

  const member::OfferedPool& offered() const { return offered_; }
  const std::vector<std::string>& notes() const { return notes_; }
  const CgroupFinding& cgroups() const { return cgroups_; }
  const std::string& images_note() const { return images_note_; }
  const StoreHouse& stores() const { return stores_; }
  Surveyor& surveyor() { return *surveyor_; }
  LogStore& logs() { return logs_; }
  Companions& companions() { return companions_; }

 private:
  struct Parts;
  explicit Loop(Parts);

  Result<void> prepare();
  Result<void> prepare_images();
  void attach_to_all();
  bool wait_for(int fd, std::uint64_t name);
  void run();
  void turn();
  void take_wishes();
  void take_answers();
  void take_events();
  void restart_spawner(Span now);
  void tick();

  void fulfil(const NewLaunch&);
  void fulfil(const RenewAttempt&);
  void fulfil(const StopAttempt&);
  void fulfil(const ForgetAttempt&);
  void fulfil(const Attach&);

  std::string find_excess(const Launch&) const;
  std::string find_image_fault(const Payload&) const;
  Result<void> write_launch(const NewLaunch&, Attempt&);
  void look(const AttemptKey&, Attempt&);
  void ask_for_supervisor(const AttemptKey&, Attempt&);
  void watch(const AttemptKey&, Attempt&, Fd supervisor);
  void unwatch(Attempt&);
  void write_control(const AttemptKey&, const Attempt&);
  void note_started(Attempt&, const StartedRecord&);
  void abandon(const AttemptKey&, Attempt&, const Finding&);
  void end_unclaimed(const AttemptKey&, Attempt&, std::string reason);
  void end_unstarted(const AttemptKey&, AttemptEnd, std::string reason);
  void settle(Attempt&, Progress);
  void report(Attempt&);
  void report_due(const AttemptKey&, Attempt&, Span now);

  LocalEngineOptions options_;
  member::OfferedPool offered_;
  std::vector<std::uint32_t> devices_;  // The driver's number of each card offered.
  std::vector<std::string> notes_;
  CgroupFinding cgroups_;
  ImageHouse images_;        // Without a runtime images are refused:
  std::string images_note_;  // this says why.
  StoreHouse stores_;
  std::optional<Surveyor> surveyor_;
  std::string boot_id_;
  ProcessId self_;
  std::string instance_;  // Starts the names of this state directory's control groups.
  Fd state_, lock_;
  LogStore logs_;
  Spares spares_;
  Trash trash_;
  SpawnerLink spawner_;
  Companions companions_;
  Fd epoll_, wake_, ticks_, events_;
  Span spawner_retry_at_;
  int spawner_deaths_ = 0;

  std::map<AttemptKey, Attempt> attempts_;
  std::unordered_map<std::uint64_t, AttemptKey> watches_;
  std::uint64_t next_watch_;

  std::mutex sink_mutex_;  // Held while the sink is called.
  member::ProgressSink* sink_ = nullptr;

  std::mutex wishes_mutex_;
  std::condition_variable has_room_;
  std::deque<Wish> wishes_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace suan::engine
