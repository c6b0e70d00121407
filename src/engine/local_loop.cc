#include "engine/local_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>

#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/digest.h"
#include "engine/container.h"
#include "engine/discovery.h"
#include "engine/image_store.h"
#include "engine/work.h"

namespace suan::engine {
namespace {

constexpr std::size_t wishes_max = 65'536;
constexpr Span tick_pause = milliseconds(500);
constexpr Span report_pause_max = minutes(5);
constexpr Span spawner_pause = seconds(1);
constexpr int spawner_deaths_max = 5;  // In a row and without an answer; then launches fail.

enum : std::uint64_t { name_wake, name_ticks, name_events, name_spawner, name_first_watch };

void drain(const Fd& counter) {
  std::uint64_t count = 0;
  static_cast<void>(::read(counter.get(), &count, sizeof count) > 0);
}

Result<Fd> open_state(const std::string& path) {
  SUAN_CHECK(make_directory(AT_FDCWD, path));
  Fd state(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!state) return system_failure("cannot open the state directory", path);
  for (const char* each : {"attempts", "logs", "spares", "trash"})
    SUAN_CHECK(make_directory(state.get(), each));
  return state;
}

// A lock of the open file, not of the process: supervisors can ask whether it is held, and it is
// released however this process ends.
Result<Fd> lock_state(int state, const std::string& path) {
  Fd lock(::openat(state, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock) return system_failure("cannot open the lock", path);
  struct flock whole{};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(lock.get(), F_OFD_SETLK, &whole) != 0)
    return failure(Failure::Kind::conflict, "another engine uses this state directory", path);
  return lock;
}

Result<std::string> read_instance(int state) {
  if (auto known = read_file(state, "instance", 64); known && !known->empty()) return known;
  std::array<char, 6> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != std::ssize(bytes))
    return system_failure("cannot name the state directory", "instance");
  std::string instance = print_hex({bytes.data(), bytes.size()});
  SUAN_CHECK(replace_file(state, "instance", instance));
  return instance;
}

}  // namespace

struct LocalEngine::Loop::Parts {
  LocalEngineOptions options;
  Fd state, lock;
  std::string instance;
};

Result<std::unique_ptr<LocalEngine::Loop>> LocalEngine::Loop::open(
    const LocalEngineOptions& options) {
  if (options.report_every < milliseconds(100))
    return failure(Failure::Kind::invalid, "report_every is at least 100 ms");
  Parts parts{.options = options, .state = {}, .lock = {}, .instance = {}};
  SUAN_TRY(parts.state, open_state(options.state_directory));
  // The spawner gets the name, and the server may change its own directory by then.
  char* absolute = ::realpath(options.state_directory.c_str(), nullptr);
  if (absolute == nullptr) return system_failure("cannot resolve", options.state_directory);
  parts.options.state_directory = absolute;
  ::free(absolute);
  SUAN_TRY(parts.lock, lock_state(parts.state.get(), options.state_directory));
  SUAN_TRY(parts.instance, read_instance(parts.state.get()));
  std::unique_ptr<Loop> loop(new Loop(std::move(parts)));
  SUAN_CHECK(loop->prepare());
  return loop;
}

LocalEngine::Loop::Loop(Parts parts)
    : options_(std::move(parts.options)),
      cgroups_(find_cgroups(options_.cgroup_parent)),
      boot_id_(read_boot_id()),
      self_(this_process()),
      instance_("suan-" + parts.instance + "-"),
      state_(std::move(parts.state)),
      lock_(std::move(parts.lock)),
      logs_(state_.get(), options_.logs),
      spares_(state_.get()),
      trash_(state_.get()),
      spawner_(options_.executable, options_.state_directory),
      companions_(options_.executable, options_.state_directory),
      next_watch_(name_first_watch) {}

LocalEngine::Loop::~Loop() {
  {
    const std::scoped_lock lock(wishes_mutex_);
    is_over_ = true;
  }
  has_room_.notify_all();
  const std::uint64_t one = 1;
  if (wake_) static_cast<void>(::write(wake_.get(), &one, sizeof one) > 0);
  if (thread_.joinable()) thread_.join();
}

Result<void> LocalEngine::Loop::prepare() {
  Discovery found = options_.offered
                        ? Discovery{.pool = *options_.offered, .devices = {}, .notes = {}}
                        : discover(options_.reserve);
  offered_ = std::move(found.pool);
  devices_ = std::move(found.devices);
  notes_ = std::move(found.notes);
  // Of a pool that was given and not found, the cards are the first ones.
  for (auto next = static_cast<std::uint32_t>(devices_.size()); next < offered_.cards_per_node;
       ++next)
    devices_.push_back(next);
  ::mkfifoat(state_.get(), "events", 0600);
  // For reading and writing, so that it never ends while no supervisor has it open.
  events_ = Fd(::openat(state_.get(), "events", O_RDWR | O_NONBLOCK | O_CLOEXEC));
  epoll_ = Fd(::epoll_create1(EPOLL_CLOEXEC));
  wake_ = Fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  ticks_ = Fd(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  itimerspec every{};
  every.it_interval.tv_nsec = std::min(tick_pause, options_.report_every).us * 1000;
  every.it_value = every.it_interval;
  if (!events_ || !ticks_ || ::timerfd_settime(ticks_.get(), 0, &every, nullptr) != 0 ||
      !wait_for(wake_.get(), name_wake) || !wait_for(ticks_.get(), name_ticks) ||
      !wait_for(events_.get(), name_events))
    return system_failure("cannot wait for events", options_.state_directory);
  SUAN_CHECK(prepare_images());
  offered_.runs_images = !images_.runtime.empty();
  SUAN_TRY(stores_, open_stores(options_.stores_file));
  stores_.uploads = options_.uploads_directory;
  stores_.speeds = std::filesystem::absolute(options_.state_directory) / "speeds";
  surveyor_.emplace(stores_);
  offered_.moves_data = !stores_.program.empty();
  offered_.stores = names_of(stores_);
  SUAN_CHECK(spawner_.start());
  if (!wait_for(spawner_.fd(), name_spawner)) return system_failure("cannot wait", "spawner");
  attach_to_all();
  thread_ = std::thread([this] { run(); });
  return {};
}

Result<void> LocalEngine::Loop::prepare_images() {
  images_note_ = "Images are refused: this server was not told where they are (--images DIR).";
  // Attempts of an earlier server may use images, whatever this one was told.
  SUAN_CHECK(open_image_store(options_.state_directory));
  if (options_.images_directory.empty()) return {};
  char* absolute = ::realpath(options_.images_directory.c_str(), nullptr);
  if (absolute == nullptr)
    return system_failure("cannot find the directory of images", options_.images_directory);
  images_.directory = absolute;
  ::free(absolute);
  if (images_.directory == "/")
    return failure(Failure::Kind::invalid, "images need a directory of their own", "/");
  images_.cache_bytes_max = options_.images_bytes_max;
  RuntimeFinding found = find_runtime(options_.state_directory + "/trial");
  images_.runtime = std::move(found.path);
  images_note_ = std::move(found.sentence);
  return {};
}

bool LocalEngine::Loop::wait_for(int fd, std::uint64_t name) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = name;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) == 0;
}

void LocalEngine::Loop::attach_to_all() {
  std::vector<std::string> groups;
  for (const std::string& name : names_in(state_.get(), "attempts")) {
    const auto key = parse_key(name);
    if (!key || logs_.is_forgotten(*key)) {
      if (key) logs_.forget(*key);  // A crash came between two steps of forgetting.
      trash_.put("attempts/" + name, name);
      continue;
    }
    Attempt& attempt = attempts_[*key];
    attempt.latest.key = *key;
    read_attempt(state_.get(), *key, attempt);
    look(*key, attempt);
    if (attempt.latest.state != AttemptState::ended) groups.push_back(attempt.group);
  }
  std::ranges::sort(groups);
  sweep_cgroups(cgroups_.roots, instance_, groups);
}

void LocalEngine::Loop::ask(Wish wish) {
  {
    std::unique_lock lock(wishes_mutex_);
    has_room_.wait(lock, [this] { return wishes_.size() < wishes_max || is_over_; });
    wishes_.push_back(std::move(wish));
    if (wishes_.size() > 1) return;  // The thread has been woken for those before it.
  }
  const std::uint64_t one = 1;
  static_cast<void>(::write(wake_.get(), &one, sizeof one) > 0);
}

void LocalEngine::Loop::set_sink(member::ProgressSink* sink) {
  const std::scoped_lock lock(sink_mutex_);
  sink_ = sink;
}

void LocalEngine::Loop::run() {
  while (true) {
    turn();
    const std::scoped_lock lock(wishes_mutex_);
    // What was asked before the end is done before it.
    if (is_over_ && wishes_.empty()) return;
  }
}

void LocalEngine::Loop::turn() {
  std::array<epoll_event, 128> ready{};
  const int count = ::epoll_wait(epoll_.get(), ready.data(), std::ssize(ready), -1);
  // The words of supervisors first, so that the start of an attempt comes before its end.
  for (int i = 0; i < count; ++i)
    if (ready[static_cast<std::size_t>(i)].data.u64 == name_events) take_events();
  for (int i = 0; i < count; ++i) {
    const std::uint64_t name = ready[static_cast<std::size_t>(i)].data.u64;
    if (name == name_wake) take_wishes();
    if (name == name_ticks) tick();
    if (name == name_spawner) take_answers();
    if (name < name_first_watch) continue;
    const auto watch = watches_.find(name);
    if (watch == watches_.end()) continue;
    const AttemptKey key = watch->second;
    Attempt& attempt = attempts_.at(key);
    unwatch(attempt);
    look(key, attempt);
  }
}

void LocalEngine::Loop::take_wishes() {
  drain(wake_);
  std::deque<Wish> wishes;
  {
    const std::scoped_lock lock(wishes_mutex_);
    wishes.swap(wishes_);
  }
  has_room_.notify_all();
  for (const Wish& wish : wishes) std::visit([this](const auto& each) { fulfil(each); }, wish);
}

void LocalEngine::Loop::take_answers() {
  while (auto answer = spawner_.receive()) {
    spawner_deaths_ = 0;
    const auto key = parse_key(answer->name);
    const auto at = key ? attempts_.find(*key) : attempts_.end();
    if (at == attempts_.end()) continue;
    Attempt& attempt = at->second;
    attempt.is_asked = false;
    if (attempt.latest.state == AttemptState::ended) continue;
    if (answer->supervisor && !attempt.supervisor)
      watch(at->first, attempt, std::move(answer->supervisor));
    else
      attempt.needs_look = true;
  }
  if (!spawner_.is_broken()) return;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, spawner_.fd(), nullptr);
  spawner_retry_at_ = monotonic_now() + spawner_pause;
  ++spawner_deaths_;
}

void LocalEngine::Loop::restart_spawner(Span now) {
  if (!spawner_.is_broken() || now < spawner_retry_at_) return;
  if (spawner_deaths_ >= spawner_deaths_max)
    for (auto& [key, attempt] : attempts_)
      if (attempt.is_asked && attempt.latest.state != AttemptState::ended)
        end_unclaimed(key, attempt, "the program that starts supervisors does not run");
  if (spawner_.start() && wait_for(spawner_.fd(), name_spawner)) return;
  spawner_retry_at_ = now + spawner_pause;
  ++spawner_deaths_;
}

void LocalEngine::Loop::take_events() {
  SupervisorEvent event;
  while (::read(events_.get(), &event, sizeof event) == sizeof event) {
    const auto at = attempts_.find({{event.job}, event.task, event.attempt});
    if (event.version != SupervisorEvent{}.version || at == attempts_.end()) continue;
    Attempt& attempt = at->second;
    if (event.kind == SupervisorEvent::Kind::started) {
      note_started(attempt, {{event.work_pid, event.work_start_ticks}, {event.started_us}});
    } else if (attempt.latest.state == AttemptState::running) {
      attempt.latest.state = AttemptState::stopping;
      attempt.latest.usage = meter(attempt);
      report(attempt);
    }
  }
}

void LocalEngine::Loop::tick() {
  drain(ticks_);
  const Span now = monotonic_now();
  restart_spawner(now);
  for (auto& [key, attempt] : attempts_) {
    if (attempt.needs_look) look(key, attempt);
    if (now >= attempt.next_report) report_due(key, attempt, now);
  }
}

void LocalEngine::Loop::report_due(const AttemptKey& key, Attempt& attempt, Span now) {
  if (attempt.latest.state == AttemptState::none) return;
  if (attempt.latest.state == AttemptState::ended) {
    if (!attempt.is_durable) {
      attempt.is_durable = sync_end(state_.get(), key).has_value();
      attempt.next_report = now + options_.report_every;
      return;
    }
    attempt.report_pause = std::min(attempt.report_pause * 2, report_pause_max);
    attempt.next_report = now + attempt.report_pause;
  } else {
    logs_.cut(key);
    attempt.latest.usage = meter(attempt);
    attempt.next_report = now + options_.report_every;
  }
  report(attempt);
}

void LocalEngine::Loop::report(Attempt& attempt) {
  const std::scoped_lock lock(sink_mutex_);
  if (sink_ != nullptr && attempt.latest.state != AttemptState::none)
    sink_->on_progress(attempt.latest);
}

}  // namespace suan::engine
