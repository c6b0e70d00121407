#include "engine/work.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include <fcntl.h>
#include <linux/sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/process.h"

namespace suan::engine {
namespace {

enum class Step : std::uint8_t { session, enter_group, directory, streams, exec };

struct Fault {
  Step step = Step::session;
  int error = 0;
};

// All that the child uses between fork and exec, made before: there it may call nothing that locks
// or allocates.
struct Start {
  std::vector<Fd> v1_entries;
  Fd v2_entry;  // Only where the kernel could not fork into the group.
  Fd input, output, error;
  Fd report;
  std::vector<std::string> variables;
  std::vector<char*> environment;
  pid_t parent = 0;
};

[[noreturn]] void fail(const Start& start, Step step) {
  const Fault fault{step, errno};
  if (::write(start.report.get(), &fault, sizeof fault) < 0) ::_exit(126);
  ::_exit(127);
}

void enter(const Start& start, const Fd& group) {
  if (::write(group.get(), "0", 1) != 1) fail(start, Step::enter_group);
}

[[noreturn]] void become_work(const Start& start) {
  // Both first, so that a signal to the session reaches all that comes later.
  if (::setsid() < 0) fail(start, Step::session);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != start.parent) ::_exit(126);
  if (start.v2_entry) enter(start, start.v2_entry);
  for (const Fd& entry : start.v1_entries) enter(start, entry);
  if (::chdir("work") != 0) fail(start, Step::directory);
  if (::dup2(start.input.get(), 0) < 0 || ::dup2(start.output.get(), 1) < 0 ||
      ::dup2(start.error.get(), 2) < 0)
    fail(start, Step::streams);
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::array<char, 5> name{'b', 'a', 's', 'h', 0};
  std::array<char, 4> flags{'-', 'e', 'o', 0};
  std::array<char, 9> option{'p', 'i', 'p', 'e', 'f', 'a', 'i', 'l', 0};
  std::array<char, 7> script{'.', '.', '/', 'r', 'u', 'n', 0};
  std::array<char*, 5> arguments{name.data(), flags.data(), option.data(), script.data(), nullptr};
  for (const char* path : bash_paths) ::execve(path, arguments.data(), start.environment.data());
  fail(start, Step::exec);
}

// Forks straight into the version 2 group: moving a process there later would make the kernel wait
// until no thread of the machine is between two instructions of a fork.
pid_t fork_into(const Fd& group, Start& start) {
  if (group) {
    clone_args arguments{};
    arguments.flags = CLONE_INTO_CGROUP;
    arguments.exit_signal = SIGCHLD;
    arguments.cgroup = static_cast<unsigned>(group.get());
    const long child = ::syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child >= 0) return static_cast<pid_t>(child);
    start.v2_entry = Fd(::openat(group.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
  }
  return ::fork();
}

std::string print_fault(const Fault& fault) {
  const char* doing = "become a session leader";
  switch (fault.step) {
    case Step::session:
      break;
    case Step::enter_group:
      doing = "enter its control group";
      break;
    case Step::directory:
      doing = "enter its working directory";
      break;
    case Step::streams:
      doing = "open its streams";
      break;
    case Step::exec:
      doing = "start bash";
      break;
  }
  char words[128];
  return std::string("the work could not ") + doing + ": " +
         ::strerror_r(fault.error, words, sizeof words);
}

std::string print_devices(const std::vector<std::uint32_t>& devices) {
  std::string text;
  for (const std::uint32_t each : devices) text += (text.empty() ? "" : ",") + std::to_string(each);
  return text;
}

// The file may be there, empty, from an earlier attempt.
Result<void> write_script(const char* name, std::string_view text) {
  const Fd file(::open(name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return system_failure("cannot create", name);
  return write_whole(file.get(), text);
}

}  // namespace

std::map<std::string, std::string> work_environment(const LaunchRecord& record,
                                                    const std::map<std::string, std::string>& own) {
  std::map<std::string, std::string> all;
  all["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  all["SHELL"] = bash_paths[0];  // Without it bash asks the user database, which may be far away.
  for (const char* name : {"PATH", "HOME", "LANG", "USER"})
    if (const auto found = own.find(name); found != own.end()) all[name] = found->second;
  tell_work(record, all);
  return all;
}

void tell_work(const LaunchRecord& record, std::map<std::string, std::string>& all) {
  const Launch& launch = record.launch;
  const Grant& grant = launch.grant;
  if (grant.cpu_milli > 0) all["OMP_NUM_THREADS"] = std::to_string((grant.cpu_milli + 999) / 1000);
  for (const auto& [name, value] : record.payload.envs) all[name] = value;
  // As the user knows it; a launch of an older domain does not say that.
  const bool has_origin = launch.origin.job.value > 0;
  const JobId job = has_origin ? launch.origin.job : launch.key.job;
  all["SUAN_JOB_ID"] = "job-" + std::to_string(job.value);
  const std::string rank = std::to_string(launch.first_task + launch.key.task);
  all["SUAN_TASK"] = rank;
  all["SUAN_TASKS"] = std::to_string(launch.tasks);
  all["SUAN_ATTEMPT"] = std::to_string(has_origin ? launch.origin.attempt : launch.key.attempt);
  all["SUAN_NODE_RANK"] = rank;
  all["SUAN_NUM_NODES"] = std::to_string(launch.tasks);
  all["SUAN_ACCELERATORS"] = std::to_string(grant.cards.size());
  all["SUAN_CPUS"] = std::to_string((grant.cpu_milli + 999) / 1000);
  all["SUAN_MEMORY_BYTES"] = std::to_string(grant.memory_bytes);
  if (!launch.checkpoint_signal.empty()) {
    all["SUAN_CHECKPOINT_SIGNAL"] = launch.checkpoint_signal;
    all["SUAN_CHECKPOINT_NOTICE_SECONDS"] =
        std::to_string(launch.checkpoint_notice.us / seconds(1).us);
  }
  if (!record.devices.empty() || record.hides_cards) {
    all["CUDA_VISIBLE_DEVICES"] = print_devices(record.devices);
    all["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";  // As NVML counts, which found the cards.
  }
}

std::string work_script(const Payload& payload) {
  // On the same line as the user's first, so that bash names the user's line numbers.
  return payload.setup.empty() ? payload.run : ". ../setup; " + payload.run;
}

std::string find_fault(const Launch& launch, const Payload& payload) {
  if (payload.run.empty()) return "there is nothing to run; fill in `run`";
  for (const std::string* text : {&payload.run, &payload.setup})
    if (text->find('\0') != std::string::npos) return "a script may not hold a zero byte";
  for (const auto& [name, value] : payload.envs) {
    if (name.empty() || name.find('=') != std::string::npos || name.find('\0') != std::string::npos)
      return "`" + name + "` is no name of an environment variable";
    if (value.find('\0') != std::string::npos)
      return "the environment variable `" + name + "` may not hold a zero byte";
  }
  if (!launch.checkpoint_signal.empty() && !parse_signal(launch.checkpoint_signal))
    return "`" + launch.checkpoint_signal + "` is no signal that a program can catch; say USR1";
  return {};
}

Result<void> make_work_files(const LaunchRecord& record) {
  SUAN_CHECK(make_directory(AT_FDCWD, "work"));
  SUAN_CHECK(write_script("run", work_script(record.payload)));
  if (!record.payload.setup.empty()) SUAN_CHECK(write_script("setup", record.payload.setup));
  return {};
}

Fd open_work_log(const char* name) {
  return Fd(::open(name, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
}

Result<pid_t> start_work(const LaunchRecord& record, const Cgroup& group) {
  SUAN_CHECK(make_work_files(record));
  std::map<std::string, std::string> own;
  for (char** each = ::environ; *each != nullptr; ++each) {
    const std::string_view variable = *each;
    const std::size_t equals = variable.find('=');
    if (equals == std::string_view::npos) continue;
    own.emplace(variable.substr(0, equals), variable.substr(equals + 1));
  }
  Start start;
  start.parent = ::getpid();
  for (const auto& [name, value] : work_environment(record, own))
    start.variables.emplace_back(name).append("=").append(value);
  for (std::string& each : start.variables) start.environment.push_back(each.data());
  start.environment.push_back(nullptr);
  SUAN_TRY(start.v1_entries, group.open_v1_entries());
  start.input = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  start.output = open_work_log("stdout");
  start.error = open_work_log("stderr");
  if (!start.input || !start.output || !start.error)
    return system_failure("cannot open the logs", "stdout");
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("cannot make a pipe", {});
  const Fd reports(ends[0]);
  start.report = Fd(ends[1]);
  const Fd v2 = group.open_v2();
  const pid_t child = fork_into(v2, start);
  if (child < 0) return system_failure("cannot fork", {});
  if (child == 0) become_work(start);
  start.report.close();
  Fault fault;
  // Nothing comes when exec closes the pipe.
  if (::read(reports.get(), &fault, sizeof fault) != sizeof fault) return child;
  ::waitpid(child, nullptr, 0);
  return failure(Failure::Kind::io, print_fault(fault));
}

void empty_scripts() {
  static_cast<void>(::truncate("run", 0));
  ::unlink("setup");
}

}  // namespace suan::engine
