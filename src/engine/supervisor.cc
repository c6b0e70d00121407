#include "engine/supervisor.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>
#include <tuple>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/attempt_files.h"
#include "engine/container.h"
#include "engine/deadlines.h"
#include "engine/mover.h"
#include "engine/process.h"
#include "engine/work.h"

namespace suan::engine {
namespace {

// How long to try to kill what is left of an attempt before trying again; only processes stuck in
// the kernel take longer than a moment.
constexpr Span kill_patience = seconds(5);

Instant now() {
  return {monotonic_now(), boottime_now()};
}

// The engine of this state directory holds a lock on `lock` while it lives.
bool is_engine_there() {
  const Fd lock(::open("../../lock", O_RDONLY | O_CLOEXEC));
  struct flock probe{};
  probe.l_type = F_RDLCK;
  probe.l_whence = SEEK_SET;
  return lock && ::fcntl(lock.get(), F_OFD_GETLK, &probe) == 0 && probe.l_type != F_UNLCK;
}

// What a process that prepares an attempt, or clears up after it, leaves in the file `prepared`.
struct Preparation {
  PreparedImage image;
  std::string fault;  // "" = it is done.

  static void fields(auto&& visit, auto& self) {
    visit(1, "image", self.image);
    visit(2, "fault", self.fault);
  }
};

std::string print_fault(const Failure& failure) {
  return failure.text + (failure.place.empty() ? "" : " (" + failure.place + ")");
}

Preparation unpack_image(const LaunchRecord& record) {
  ::prctl(PR_SET_NAME, "suan-image");
  Preparation done;
  char* state = ::realpath("../..", nullptr);
  auto prepared = prepare_image(state != nullptr ? state : "", record.images, record.payload.image);
  if (prepared)
    done.image = *std::move(prepared);
  else
    done.fault = print_fault(prepared.error());
  return done;
}

Preparation report_on(const Result<void>& moved) {
  return {.image = {}, .fault = moved ? "" : print_fault(moved.error())};
}

Preparation bring_data(const LaunchRecord& record) {
  ::prctl(PR_SET_NAME, "suan-data");
  ::umask(0022);  // The user of an image may be another one.
  const Fd log = open_work_log("stderr");
  return report_on(bring_inputs(record.stores, record.launch, record.payload, {.log = log.get()}));
}

class Supervisor : private ChildWait {
 public:
  Supervisor(AttemptKey key, LaunchRecord record)
      : record_(std::move(record)),
        group_(record_.roots, record_.group),
        deadlines_(record_.launch, record_.received, now()) {
    exit_.key = key;
    exit_.state = AttemptState::ended;
  }

  int run() {
    if (is_stopped_before_start()) return finish();
    if (is_in_image()) {
      if (auto prepared = prepare(); !prepared) return finish_unstarted(prepared.error());
    }
    if (moves_data(record_.launch, record_.payload)) {
      auto brought = aside([&] { return bring_data(record_); });
      if (!brought) return finish_unstarted(brought.error());
    }
    if (auto made = make_group(); !made) {
      fail("the limits could not be set: " + made.error().text + " " + made.error().place);
      return finish();
    }
    // Before, not after: the work may have run for a while when this process is next on a core.
    const Instant before = now();
    auto started_work = is_in_image() ? start_in_image() : start_work(record_, group_);
    if (!started_work) {
      if (is_in_image()) end_rest();
      remove_group();
      return finish_unstarted(started_work.error());
    }
    work_ = *started_work;
    ::getrusage(RUSAGE_CHILDREN, &children_before_);
    started_ = is_in_image() ? start_of(work_) : before;
    // The work has not used a moment of max_duration yet; run_for counts from the launch.
    deadlines_ = Deadlines(record_.launch, record_.received, started_);
    renewals_ = 0;
    stop_grace_ = Span{INT64_MAX};
    read_control();
    const StartedRecord started{.work = identify(work_), .started = started_.monotonic};
    // Not synced, like the launch and the claim: a crash of the machine also ends the work, and
    // then the boot's name says so. If the disk is full the work runs all the same: it dies with
    // this process.
    RecordEntry entry;
    entry.started = started;
    std::ignore = append_record(AT_FDCWD, "record", entry);
    tell(SupervisorEvent::Kind::started, started);
    watch();
    end_rest();
    meter();
    conclude();
    keep_data();
    return finish();
  }

 private:
  Result<void> make_group() {
    return group_.make(
        {.cpu_milli = record_.quota_cpu_milli, .memory_bytes = record_.launch.grant.memory_bytes});
  }

  bool is_in_image() const { return !record_.payload.image.empty(); }

  // Does what may take long in a process of its own, which is killed if the attempt is to stop.
  Result<Preparation> aside(auto&& task) {
    const pid_t parent = ::getpid();
    const pid_t child = ::fork();
    if (child == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      ::_exit(replace_file(AT_FDCWD, "prepared", frame(wire::encode(task()))) ? 0 : 1);
    }
    if (child < 0) return system_failure("cannot fork", {});
    SUAN_TRY(const int status, wait_for(child, {}));
    const auto file = read_file(AT_FDCWD, "prepared", record_bytes_max);
    ::unlink("prepared");
    const auto frames = file ? unframe(*file) : std::vector<std::string_view>();
    auto done =
        frames.empty() ? failure(Failure::Kind::io, "") : wire::decode<Preparation>(frames.front());
    if (status != 0 || !done)
      return failure(Failure::Kind::io, "what prepares the attempt ended without a word");
    if (!done->fault.empty()) return failure(Failure::Kind::invalid, std::move(done->fault));
    return done;
  }

  // Unpacks the image, if nobody has.
  Result<void> prepare() {
    constexpr int tries_max = 3;  // It may be removed for want of room before it is held.
    for (int tries = 0; tries < tries_max; ++tries) {
      SUAN_TRY(Preparation done, aside([&] { return unpack_image(record_); }));
      image_ = std::move(done.image);
      auto held = hold_image("../..", image_);
      if (!held && held.error().kind == Failure::Kind::not_found) continue;
      if (!held) return std::unexpected(std::move(held).error());
      image_lock_ = *std::move(held);
      return {};
    }
    return failure(Failure::Kind::no_space, "there is no room to keep the image unpacked");
  }

  Result<pid_t> start_in_image() {
    SUAN_TRY(RunningContainer running, start_container(record_, group_, image_, *this));
    first_ = running.first;
    leash_ = std::move(running.leash);
    return running.work;
  }

  // The work in a container runs a moment before the runtime says so.
  static Instant start_of(pid_t work) {
    Instant start = now();
    const auto status = read_process(work);
    if (!status) return start;
    const Span age = std::max(start.boottime - boottime_of(status->start_ticks), Span{});
    start.monotonic = start.monotonic - age;
    start.boottime = start.boottime - age;
    return start;
  }

  // Also while an image is prepared and a container started the attempt can be stopped.
  Result<int> wait_for(pid_t child, Span patience) override {
    const Fd signals = open_signals();
    Fd timer;
    std::optional<Span> until;  // monotonic
    while (true) {
      int status = 0;
      if (::waitpid(child, &status, WNOHANG) == child) return status;
      if (!until && is_due_to_stop()) until = monotonic_now() + patience;
      if (!until) {
        wait_for_event(signals, timer);
      } else if (monotonic_now() < *until) {
        ::usleep(1000);
      } else {
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        return failure(Failure::Kind::unavailable, "it was stopped before it started");
      }
    }
  }

  int finish_unstarted(const Failure& why) {
    fail(print_fault(why));
    if (deadlines_.why() != AttemptEnd::none) {
      exit_.end = deadlines_.why();
      exit_.reason = "it was stopped before it started";
    }
    return finish();
  }

  void remove_group() {
    if (is_in_image()) end_container(".", record_.images, record_.group);
    group_.remove();
  }

  void fail(std::string reason) {
    exit_.end = AttemptEnd::launch_failed;
    exit_.reason = std::move(reason);
  }

  bool is_stopped_before_start() {
    read_control();
    if (!is_due_to_stop()) return false;
    exit_.end = deadlines_.why();
    exit_.reason = "it was stopped before it started";
    return true;
  }

  // There is nothing yet that could make a checkpoint.
  bool is_due_to_stop() {
    Due due = Due::nothing;
    do due = deadlines_.due(now());
    while (due == Due::checkpoint);
    return deadlines_.why() != AttemptEnd::none;
  }

  void read_control() {
    const auto control = engine::read_control(AT_FDCWD, "control");
    if (!control) return;
    if (control->renewals > renewals_) {
      renewals_ = control->renewals;
      deadlines_.renew(control->run_for, control->renewed);
    }
    if (control->stop != AttemptEnd::none && control->grace < stop_grace_) {
      stop_grace_ = control->grace;
      deadlines_.stop(control->stop, control->grace, now());
    }
  }

  void tell(SupervisorEvent::Kind kind, const StartedRecord& started) const {
    SupervisorEvent event;
    event.kind = kind;
    event.job = exit_.key.job.value;
    event.task = exit_.key.task;
    event.attempt = exit_.key.attempt;
    event.work_pid = started.work.pid;
    event.work_start_ticks = started.work.start_ticks;
    event.started_us = started.started.us;
    // Without a reader, or with a full pipe, the engine learns it from the files.
    const Fd events(::open("../../events", O_WRONLY | O_NONBLOCK | O_CLOEXEC));
    if (events) static_cast<void>(::write(events.get(), &event, sizeof event) > 0);
  }

  static Fd open_signals() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGUSR1);
    return Fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
  }

  // A child's end, a change of `control`, which is read, or the next deadline.
  void wait_for_event(const Fd& signals, Fd& timer) {
    arm(timer);
    std::array<pollfd, 2> waits{pollfd{signals.get(), POLLIN, 0}, pollfd{timer.get(), POLLIN, 0}};
    ::poll(waits.data(), timer ? 2 : 1, -1);
    signalfd_siginfo signal{};
    bool has_control = false;
    while (::read(signals.get(), &signal, sizeof signal) == sizeof signal)
      has_control = has_control || signal.ssi_signo == SIGUSR1;
    if (has_control) read_control();
    std::uint64_t expirations = 0;
    if (timer) static_cast<void>(::read(timer.get(), &expirations, sizeof expirations) > 0);
  }

  // Until the work itself has ended.
  void watch() {
    const Fd signals = open_signals();
    Fd timer;
    // Also once at the start: the work may have ended before the descriptor was there.
    while (!reap()) {
      act();
      wait_for_event(signals, timer);
    }
  }

  // On the clock that goes on while the machine sleeps; a wake too early is only a look too many.
  void arm(Fd& timer) const {
    const auto next = deadlines_.next(now());
    if (!next && !timer) return;
    if (!timer) timer = Fd(::timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK));
    itimerspec at{};
    if (next) {
      const std::int64_t us = std::max<std::int64_t>(next->us, 1) + 500;
      at.it_value.tv_sec = us / 1'000'000;
      at.it_value.tv_nsec = us % 1'000'000 * 1000;
    }
    ::timerfd_settime(timer.get(), 0, &at, nullptr);
  }

  void act() {
    while (true) {
      const Due due = deadlines_.due(now());
      if (due == Due::nothing) return;
      if (due == Due::checkpoint) send_checkpoint();
      if (due == Due::terminate) {
        for (const pid_t pid : processes()) ::kill(pid, SIGTERM);
        tell(SupervisorEvent::Kind::stopping, {});
      }
      if (due == Due::kill) kill_all();
    }
  }

  // Only to those that have a function for it: shells and other programs die of most signals.
  void send_checkpoint() const {
    const auto signal = parse_signal(record_.launch.checkpoint_signal);
    if (!signal) return;
    for (const pid_t pid : processes())
      if (catches(pid, *signal)) ::kill(pid, *signal);
  }

  // The first process of a container is not of the work.
  std::vector<pid_t> processes() const {
    std::vector<pid_t> pids =
        group_.is_tracking() ? group_.processes() : descendants_of(::getpid());
    std::erase(pids, first_);
    return pids;
  }

  void kill_all() const {
    if (group_.is_tracking())
      group_.kill(kill_patience);
    else
      for (const pid_t pid : processes()) ::kill(pid, SIGKILL);
  }

  // Collects the dead; true once the work is among them. All that the work left behind becomes a
  // child of this process (PR_SET_CHILD_SUBREAPER).
  bool reap() {
    while (true) {
      int status = 0;
      const pid_t pid = ::waitpid(-1, &status, WNOHANG);
      if (pid == work_) status_ = status;
      if (pid <= 0) return status_.has_value();
    }
  }

  // Kills what the work left running and waits until nothing is left.
  void end_rest() {
    leash_.close();
    while (true) {
      const pid_t pid = ::waitpid(-1, nullptr, WNOHANG);
      if (pid < 0 && errno == ECHILD) return;
      if (pid > 0) continue;
      kill_all();
      const timespec pause{.tv_sec = 0, .tv_nsec = 200'000};
      sigset_t child;
      sigemptyset(&child);
      sigaddset(&child, SIGCHLD);
      ::sigtimedwait(&child, nullptr, &pause);
    }
  }

  void meter() {
    const CgroupReading reading = group_.read();
    rusage children{};
    ::getrusage(RUSAGE_CHILDREN, &children);
    const auto of = [](const timeval& time) {
      return seconds(time.tv_sec) + microseconds(time.tv_usec);
    };
    exit_.usage.wall = now().monotonic - started_.monotonic;
    exit_.usage.cpu =
        reading.cpu.value_or(of(children.ru_utime) + of(children.ru_stime) -
                             of(children_before_.ru_utime) - of(children_before_.ru_stime));
    exit_.usage.memory_peak_bytes =
        reading.memory_peak_bytes.value_or(std::int64_t{children.ru_maxrss} * 1024);
    oom_kills_ = reading.oom_kills;
    if (is_in_image()) end_container(".", record_.images, record_.group);
    if (group_.remove()) return;
    // Commands beside the attempt are no children of this process, and end with it all the same.
    kill_all();
    group_.remove();
  }

  void conclude() {
    const int status = status_.value_or(0);
    const bool is_signalled = WIFSIGNALED(status);
    exit_.exit_code = is_signalled ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    if (deadlines_.why() != AttemptEnd::none) {
      exit_.end = deadlines_.why();
    } else if (oom_kills_ > 0 && exit_.exit_code != 0) {
      exit_.end = AttemptEnd::out_of_memory;
      exit_.reason = "the kernel killed a process of it at its memory limit of " +
                     std::to_string(record_.launch.grant.memory_bytes) + " bytes";
    } else if (is_signalled) {
      exit_.end = AttemptEnd::signalled;
      const char* name = ::sigabbrev_np(WTERMSIG(status));
      exit_.reason = std::string("it died of SIG") +
                     (name != nullptr ? name : std::to_string(WTERMSIG(status)).c_str());
    } else {
      exit_.end = AttemptEnd::exited;
    }
  }

  // Keeps the outputs. The time for it is not metered, and max_duration does not count it; a stop
  // that is asked for now ends it, and so does a lapse: by then another attempt may run.
  void keep_data() {
    const bool is_success = exit_.end == AttemptEnd::exited && exit_.exit_code == 0;
    if (!has_outputs(record_.payload, is_success) || exit_.end == AttemptEnd::lapsed) return;
    Launch moving = record_.launch;
    moving.max_duration = {};
    deadlines_ = Deadlines(moving, record_.received, now());
    renewals_ = 0;
    read_control();
    const auto kept = aside([&] {
      ::prctl(PR_SET_NAME, "suan-data");
      const Fd log = open_work_log("stderr");
      return report_on(keep_outputs(record_.stores, record_.launch, record_.payload, is_success,
                                    {.log = log.get()}));
    });
    if (kept) return;
    const bool was_stopped = deadlines_.why() != AttemptEnd::none;
    std::string fault =
        was_stopped ? "it was stopped while its outputs were kept" : print_fault(kept.error());
    if (is_success) {
      constexpr int cannot_write = 74;  // EX_IOERR of sysexits(3).
      exit_.end = was_stopped ? deadlines_.why() : AttemptEnd::exited;
      exit_.exit_code = cannot_write;
    }
    exit_.reason += (exit_.reason.empty() ? "" : "; ") + fault;
  }

  // The last act. Appended behind a checksum, so it needs no second file and no rename: a reader
  // takes it for absent until it is whole.
  int finish() {
    empty_scripts();
    RecordEntry entry;
    entry.end = exit_;
    while (!append_record(AT_FDCWD, "record", entry)) {
      // The truth is worth waiting for: a full disk is emptied some day, and until then it runs.
      ::sleep(1);
      const AttemptRecord record = read_record(AT_FDCWD, "record", exit_.key);
      if (record.bytes_whole > 0 && record.is_torn)
        static_cast<void>(::truncate("record", static_cast<off_t>(record.bytes_whole)));
    }
    // While the engine lives it reports the end at once, and syncs the file itself if it cannot get
    // rid of it soon. Only an end that nobody is there to hear must survive a crash from here: one
    // sync for the file, and one for its name.
    if (is_engine_there()) return 0;
    const Fd file(::open("record", O_RDONLY | O_CLOEXEC));
    const Fd directory(::open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    return ::fsync(file.get()) == 0 && ::fsync(directory.get()) == 0 ? 0 : 1;
  }

  LaunchRecord record_;
  Cgroup group_;
  Deadlines deadlines_;
  Progress exit_;
  PreparedImage image_;
  Fd image_lock_;    // Keeps the image from being removed.
  pid_t first_ = 0;  // Of a container; 0 = none.
  Fd leash_;         // The same.
  pid_t work_ = 0;
  rusage children_before_{};  // Used by those that prepared and started the work.
  Instant started_;
  std::uint64_t renewals_ = 0;
  Span stop_grace_ = Span{INT64_MAX};
  std::optional<int> status_;
  std::int64_t oom_kills_ = 0;
};

}  // namespace

int supervise_attempt(const char* name) {
  ::setsid();
  ::prctl(PR_SET_NAME, "suan-attempt");
  ::prctl(PR_SET_CHILD_SUBREAPER, 1);
  ::signal(SIGPIPE, SIG_IGN);
  const auto key = parse_key(name);
  if (!key || ::chdir((std::string("attempts/") + name).c_str()) != 0) return 1;
  auto record = read_record(AT_FDCWD, "record", *key);
  if (!record.launch || record.claim || record.end) return 0;
  if (!claim_record(AT_FDCWD, "record", *key, {read_boot_id(), this_process()})) return 0;
  return Supervisor(*key, *std::move(record.launch)).run();
}

}  // namespace suan::engine
