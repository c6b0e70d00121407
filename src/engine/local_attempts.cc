#include <algorithm>
#include <cerrno>
#include <csignal>
#include <tuple>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "engine/container.h"
#include "engine/discovery.h"
#include "engine/image_store.h"
#include "engine/local_loop.h"
#include "engine/mover.h"
#include "engine/work.h"

// The part of the loop that is about single attempts; local_loop.cc is about waiting.
namespace suan::engine {
namespace {

constexpr int supervisors_max = 3;  // Asked for in vain before an attempt ends as launch_failed.
constexpr Span sync_after = seconds(1);  // An end that is not forgotten by then is synced.

Progress ended(const AttemptKey& key, AttemptEnd end, std::string reason) {
  Progress progress;
  progress.key = key;
  progress.state = AttemptState::ended;
  progress.end = end;
  progress.reason = std::move(reason);
  return progress;
}

}  // namespace

std::string LocalEngine::Loop::find_excess(const Launch& launch) const {
  const Grant& grant = launch.grant;
  if (grant.node >= offered_.nodes) return "there is no such node in the pool";
  for (const std::uint32_t card : grant.cards)
    if (card >= offered_.cards_per_node) return "the node has no card " + std::to_string(card);
  if (grant.cpu_milli > offered_.cpu_milli_per_node) return "the node has fewer cores than granted";
  if (grant.memory_bytes > offered_.memory_bytes_per_node)
    return "the node has less memory than granted";
  if (grant.cpu_milli < 0 || grant.memory_bytes < 0) return "a grant is never negative";
  return {};
}

std::string LocalEngine::Loop::find_image_fault(const Payload& payload) const {
  if (payload.image.empty()) return {};
  if (images_.runtime.empty()) return "`image` cannot be honoured here. " + images_note_;
  return find_image_name_fault(images_, payload.image);
}

void LocalEngine::Loop::fulfil(const NewLaunch& wish) {
  const AttemptKey& key = wish.launch.key;
  if (const auto known = attempts_.find(key); known != attempts_.end()) {
    report(known->second);
    return;
  }
  if (logs_.is_forgotten(key)) return;
  if (wish.launch.is_late && wish.launch.run_for > Span{}) {
    end_unstarted(key, AttemptEnd::lapsed, "its launch came too late");
    return;
  }
  std::string fault = find_fault(wish.launch, wish.payload);
  if (fault.empty()) fault = find_excess(wish.launch);
  if (fault.empty()) fault = find_image_fault(wish.payload);
  if (fault.empty()) fault = find_data_fault(stores_, wish.launch, wish.payload);
  if (!fault.empty()) {
    end_unstarted(key, AttemptEnd::launch_failed, std::move(fault));
    return;
  }
  Attempt& attempt = attempts_[key];
  attempt.latest.key = key;
  attempt.latest.state = AttemptState::staging;
  attempt.next_report = monotonic_now() + options_.report_every;
  if (auto written = write_launch(wish, attempt); !written) {
    // Without a launch in it, the directory keeps the key from ever starting.
    std::ignore = make_directory(state_.get(), directory_of(key));
    Progress progress =
        ended(key, AttemptEnd::launch_failed, written.error().text + " " + written.error().place);
    std::ignore = write_end(state_.get(), progress);
    settle(attempt, std::move(progress));
    return;
  }
  ask_for_supervisor(key, attempt);
}

// Written before the directory is the attempt's: killed in between, this process leaves nothing
// that could be taken for an attempt whose record was lost, and the home sends the launch again.
// Not synced: a crash of the machine ends the work as well, and if the launch is lost with it the
// home sends it again or hears that the attempt is lost. It carries a checksum, and no supervisor
// looks before it is whole, so it needs no second file and no rename.
Result<void> LocalEngine::Loop::write_launch(const NewLaunch& wish, Attempt& attempt) {
  const std::string directory = directory_of(wish.launch.key);
  const Grant& grant = wish.launch.grant;
  LaunchRecord record;
  record.launch = wish.launch;
  record.payload = wish.payload;
  record.boot_id = boot_id_;
  record.received = boottime_now();
  record.roots = cgroups_.roots;
  record.group = instance_ + print_key(wish.launch.key);
  if (!wish.payload.image.empty()) record.images = images_;
  if (moves_data(wish.launch, wish.payload)) record.stores = stores_;
  // Who has all cores needs no quota.
  if (grant.cpu_milli < offered_.cpu_milli_per_node) record.quota_cpu_milli = grant.cpu_milli;
  record.hides_cards = offered_.cards_per_node > 0 && grant.cards.empty();
  for (const std::uint32_t card : grant.cards) record.devices.push_back(devices_[card]);
  SUAN_TRY(const std::string taken, spares_.take());
  RecordEntry entry;
  entry.launch = std::move(record);
  SUAN_CHECK(begin_record(state_.get(), taken + "/record", entry));
  SUAN_CHECK(spares_.put(taken, directory));
  attempt.has_launch = true;
  attempt.boot_id = boot_id_;
  attempt.roots = cgroups_.roots;
  attempt.group = entry.launch->group;
  attempt.images = entry.launch->images;
  return {};
}

void LocalEngine::Loop::fulfil(const RenewAttempt& wish) {
  const auto at = attempts_.find(wish.key);
  if (at == attempts_.end() || at->second.latest.state == AttemptState::ended) return;
  ControlRecord& control = at->second.control;
  ++control.renewals;
  control.run_for = wish.run_for;
  control.renewed = boottime_now();
  write_control(wish.key, at->second);
}

void LocalEngine::Loop::fulfil(const StopAttempt& wish) {
  const AttemptEnd why = wish.why == AttemptEnd::none ? AttemptEnd::cancelled : wish.why;
  const auto at = attempts_.find(wish.key);
  if (at == attempts_.end()) {
    if (!logs_.is_forgotten(wish.key))
      end_unstarted(wish.key, why, "it was stopped before it was launched");
    return;
  }
  Attempt& attempt = at->second;
  if (attempt.latest.state == AttemptState::ended) {
    report(attempt);
    return;
  }
  ControlRecord& control = attempt.control;
  if (control.stop == AttemptEnd::none) {
    control.stop = why;
    control.grace = wish.grace;
  } else {
    control.grace = std::min(control.grace, wish.grace);
  }
  write_control(wish.key, attempt);
  if (attempt.latest.state == AttemptState::running) {
    attempt.latest.state = AttemptState::stopping;
    attempt.latest.usage = meter(attempt);
  }
  report(attempt);
}

// The file first and then the signal; a supervisor reads the file first after its claim and then
// takes signals: so one of the two reaches it.
void LocalEngine::Loop::write_control(const AttemptKey& key, const Attempt& attempt) {
  std::ignore = replace_file(state_.get(), directory_of(key) + "/control",
                             frame(wire::encode(attempt.control)));
  if (attempt.supervisor)
    ::syscall(SYS_pidfd_send_signal, attempt.supervisor.get(), SIGUSR1, nullptr, 0);
}

void LocalEngine::Loop::fulfil(const ForgetAttempt& wish) {
  const auto at = attempts_.find(wish.key);
  if (at == attempts_.end()) {
    logs_.forget(wish.key);  // Its launch may still be on its way.
    return;
  }
  if (at->second.latest.state != AttemptState::ended) return;  // Nobody can have recorded its end.
  attempts_.erase(at);
  logs_.forget(wish.key);
  if (!spares_.keep(directory_of(wish.key)))
    trash_.put(directory_of(wish.key), print_key(wish.key));
}

void LocalEngine::Loop::fulfil(const Attach&) {
  for (auto& [key, attempt] : attempts_) report(attempt);
}

void LocalEngine::Loop::look(const AttemptKey& key, Attempt& attempt) {
  attempt.needs_look = false;
  if (attempt.latest.state == AttemptState::ended) return;
  Finding finding = find_standing(state_.get(), key, attempt, boot_id_);
  switch (finding.standing) {
    case Standing::ended:
      settle(attempt, *std::move(finding.end));
      return;
    case Standing::unclaimed:
      if (attempt.latest.state == AttemptState::none) attempt.latest.state = AttemptState::staging;
      ask_for_supervisor(key, attempt);
      return;
    case Standing::supervised:
      if (finding.claim.supervisor == self_) {  // A full disk kept it from being ended before.
        end_unclaimed(key, attempt, "no supervisor could be started for it");
        return;
      }
      if (attempt.latest.state == AttemptState::none) attempt.latest.state = AttemptState::staging;
      if (finding.started) note_started(attempt, *finding.started);
      if (!attempt.supervisor) watch(key, attempt, watch_process(finding.claim.supervisor));
      return;
    case Standing::abandoned:
      abandon(key, attempt, finding);
      return;
  }
}

void LocalEngine::Loop::ask_for_supervisor(const AttemptKey& key, Attempt& attempt) {
  if (attempt.is_asked) return;
  if (attempt.supervisors >= supervisors_max) {
    end_unclaimed(key, attempt, "no supervisor could be started for it");
    return;
  }
  ++attempt.supervisors;
  attempt.is_asked = true;
  spawner_.ask(print_key(key));
}

void LocalEngine::Loop::watch(const AttemptKey& key, Attempt& attempt, Fd supervisor) {
  // Ended meanwhile, or no descriptors left: the next tick looks again.
  attempt.needs_look = !supervisor;
  if (!supervisor) return;
  attempt.watch = next_watch_++;
  attempt.supervisor = std::move(supervisor);
  watches_.emplace(attempt.watch, key);
  if (!wait_for(attempt.supervisor.get(), attempt.watch)) {
    unwatch(attempt);
    attempt.needs_look = true;
    return;
  }
  // It may have read `control` before the engine wrote it and had no way yet to send the signal.
  const ControlRecord& control = attempt.control;
  if (control.renewals > 0 || control.stop != AttemptEnd::none)
    ::syscall(SYS_pidfd_send_signal, attempt.supervisor.get(), SIGUSR1, nullptr, 0);
}

void LocalEngine::Loop::unwatch(Attempt& attempt) {
  watches_.erase(attempt.watch);
  attempt.watch = 0;
  attempt.supervisor = {};  // Closing takes it out of epoll: nobody else has it open.
}

void LocalEngine::Loop::note_started(Attempt& attempt, const StartedRecord& started) {
  if (attempt.started.work.pid != 0 || attempt.latest.state == AttemptState::ended) return;
  attempt.started = started;
  attempt.latest.state =
      attempt.control.stop == AttemptEnd::none ? AttemptState::running : AttemptState::stopping;
  attempt.next_report = monotonic_now() + options_.report_every;
  report(attempt);
}

void LocalEngine::Loop::abandon(const AttemptKey& key, Attempt& attempt, const Finding& finding) {
  const auto usage = end_abandoned(attempt, finding.started);
  if (!usage) {
    attempt.needs_look = true;  // What will not die runs still, and so does the attempt.
    return;
  }
  end_container(options_.state_directory + "/" + directory_of(key), attempt.images, attempt.group);
  Progress progress = ended(key, AttemptEnd::lost, finding.reason);
  progress.usage = *usage;
  for (const char* name : {"/run", "/setup"})
    ::unlinkat(state_.get(), (directory_of(key) + name).c_str(), 0);
  if (!write_end(state_.get(), progress)) {
    attempt.needs_look = true;
    return;
  }
  attempt.is_durable = true;
  settle(attempt, std::move(progress));
}

// Only with the claim in its own hands may the engine say that an attempt never ran.
void LocalEngine::Loop::end_unclaimed(const AttemptKey& key, Attempt& attempt, std::string reason) {
  Progress progress = ended(key, AttemptEnd::launch_failed, std::move(reason));
  const std::string path = directory_of(key) + "/record";
  const bool is_ours = claim_record(state_.get(), path, key, {boot_id_, self_});
  if (!is_ours || !write_end(state_.get(), progress)) {
    attempt.needs_look = true;
    return;
  }
  attempt.is_durable = true;
  settle(attempt, std::move(progress));
}

// The directory alone keeps the key from ever starting. Synced, as the home relies on it.
void LocalEngine::Loop::end_unstarted(const AttemptKey& key, AttemptEnd end, std::string reason) {
  Attempt& attempt = attempts_[key];
  Progress progress = ended(key, end, std::move(reason));
  attempt.is_durable =
      make_directory(state_.get(), directory_of(key)) && write_end(state_.get(), progress);
  settle(attempt, std::move(progress));
}

void LocalEngine::Loop::settle(Attempt& attempt, Progress progress) {
  unwatch(attempt);
  attempt.latest = std::move(progress);
  companions_.end_all(attempt.latest.key);
  // The writable layer; a name that is new to the trash, as a key ends once.
  if (!attempt.images.runtime.empty()) {
    const AttemptKey& key = attempt.latest.key;
    trash_.put(directory_of(key) + "/container", print_key(key) + "-container");
  }
  attempt.report_pause = options_.report_every;
  attempt.next_report = monotonic_now() + (attempt.is_durable ? options_.report_every : sync_after);
  report(attempt);
}

}  // namespace suan::engine
