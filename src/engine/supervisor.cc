#include "engine/supervisor.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <tuple>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/attempt_files.h"
#include "engine/deadlines.h"
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

class Supervisor {
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
    if (auto made = make_group(); !made) {
      fail("the limits could not be set: " + made.error().text + " " + made.error().place);
      return finish();
    }
    const auto work = start_work(record_, group_);
    if (!work) {
      group_.remove();
      fail(work.error().text);
      return finish();
    }
    work_ = *work;
    started_ = now();
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
    return finish();
  }

 private:
  Result<void> make_group() {
    return group_.make(
        {.cpu_milli = record_.quota_cpu_milli, .memory_bytes = record_.launch.grant.memory_bytes});
  }

  void fail(std::string reason) {
    exit_.end = AttemptEnd::launch_failed;
    exit_.reason = std::move(reason);
  }

  bool is_stopped_before_start() {
    read_control();
    Due due = Due::nothing;
    do due = deadlines_.due(now());
    while (due == Due::checkpoint);
    if (deadlines_.why() == AttemptEnd::none) return false;
    exit_.end = deadlines_.why();
    exit_.reason = "it was stopped before it started";
    return true;
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

  // Until the work itself has ended.
  void watch() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGCHLD);
    sigaddset(&signals, SIGUSR1);
    const Fd signal_fd(::signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK));
    Fd timer;
    // Also once at the start: the work may have ended before the descriptor was there.
    while (!reap()) {
      act();
      arm(timer);
      std::array<pollfd, 2> waits{pollfd{signal_fd.get(), POLLIN, 0},
                                  pollfd{timer.get(), POLLIN, 0}};
      ::poll(waits.data(), timer ? 2 : 1, -1);
      signalfd_siginfo signal{};
      bool has_control = false;
      while (::read(signal_fd.get(), &signal, sizeof signal) == sizeof signal)
        has_control = has_control || signal.ssi_signo == SIGUSR1;
      if (has_control) read_control();
      std::uint64_t expirations = 0;
      if (timer) static_cast<void>(::read(timer.get(), &expirations, sizeof expirations) > 0);
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

  std::vector<pid_t> processes() const {
    return group_.is_tracking() ? group_.processes() : descendants_of(::getpid());
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
  void end_rest() const {
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
    exit_.usage.cpu = reading.cpu.value_or(of(children.ru_utime) + of(children.ru_stime));
    exit_.usage.memory_peak_bytes =
        reading.memory_peak_bytes.value_or(std::int64_t{children.ru_maxrss} * 1024);
    oom_kills_ = reading.oom_kills;
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
  pid_t work_ = 0;
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
