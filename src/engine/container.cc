#include "engine/container.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/image_tree.h"
#include "engine/mover.h"
#include "engine/oci_spec.h"
#include "engine/process.h"
#include "engine/programs.h"
#include "engine/work.h"
#include "wire/json.h"

namespace suan::engine {
namespace {

constexpr std::size_t user_file_bytes_max = 4 << 20U;
constexpr std::size_t pid_file_bytes_max = 64;
constexpr std::size_t log_bytes_max = 1 << 20U;
constexpr Span exec_patience = seconds(10);  // Of a stop with a runtime that is starting the work.
constexpr const char* cgroup_top = "/sys/fs/cgroup";

// The three streams of a program that is started; -1 = /dev/null.
struct Streams {
  int input = -1;
  int output = -1;
  int error = -1;
};

Result<pid_t> spawn(std::vector<std::string> words, const Streams& streams) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  const std::array<int, 3> from{streams.input, streams.output, streams.error};
  for (int to = 0; to < 3; ++to) {
    if (from[static_cast<std::size_t>(to)] < 0)
      ::posix_spawn_file_actions_addopen(&actions, to, "/dev/null", to == 0 ? O_RDONLY : O_WRONLY,
                                         0);
    else
      ::posix_spawn_file_actions_adddup2(&actions, from[static_cast<std::size_t>(to)], to);
  }
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  sigset_t none;
  sigemptyset(&none);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  sigset_t all;
  sigfillset(&all);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  std::vector<char*> arguments;
  for (std::string& each : words) arguments.push_back(each.data());
  arguments.push_back(nullptr);
  std::string path = "PATH=" + std::string(standard_path);
  std::array<char*, 2> environment{path.data(), nullptr};
  pid_t child = 0;
  const int error = ::posix_spawn(&child, arguments[0], &actions, &attributes, arguments.data(),
                                  environment.data());
  ::posix_spawnattr_destroy(&attributes);
  ::posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return child;
  errno = error;
  return system_failure("cannot start", words[0]);
}

// The last thing that a runtime wrote to its log (one JSON object a line).
std::string last_word(const std::string& log) {
  const auto text = read_file(AT_FDCWD, log, log_bytes_max);
  if (!text) return "it did not say why";
  std::string_view rest = *text;
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  const std::size_t start = rest.rfind('\n');
  const std::string_view line = start == std::string_view::npos ? rest : rest.substr(start + 1);
  const auto tree = wire::parse_json(line);
  if (!tree || !tree->root().is(wire::JsonKind::object)) return std::string(line.substr(0, 500));
  auto from = tree->root().begin();
  const auto said = tree->root().find("msg", from);
  return std::string(said ? said->text().substr(0, 500) : line.substr(0, 500));
}

// Where the runtime is to put the container: into the attempt's own group. Version 2 alone is named
// from its top, version 1 from the groups that this process is in, below which the engine makes its
// own.
std::string cgroups_path(const CgroupRoots& roots, const std::string& name) {
  struct statfs about{};
  if (::statfs(cgroup_top, &about) != 0 || about.f_type != CGROUP2_SUPER_MAGIC) return name;
  const std::string top = cgroup_top;
  return (roots.v2.starts_with(top) ? roots.v2.substr(top.size()) : "") + "/" + name;
}

// Nodes of the driver in /dev: those of the granted cards, and those that every program needs.
void give_cards(const std::vector<std::uint32_t>& cards, oci::Config& config) {
  std::vector<std::string> paths;
  for (const std::uint32_t each : cards) paths.push_back("/dev/nvidia" + std::to_string(each));
  for (const char* each : {"nvidiactl", "nvidia-uvm", "nvidia-uvm-tools", "nvidia-modeset"})
    paths.push_back(std::string("/dev/") + each);
  for (const std::string& path : paths) {
    struct stat node{};
    if (cards.empty() || ::stat(path.c_str(), &node) != 0 || !S_ISCHR(node.st_mode)) continue;
    const auto major = static_cast<std::int64_t>(gnu_dev_major(node.st_rdev));
    const auto minor = static_cast<std::int64_t>(gnu_dev_minor(node.st_rdev));
    config.linux_part.devices.push_back(
        {.path = path, .type = "c", .major = major, .minor = minor, .file_mode = 0666});
    config.linux_part.resources.devices.push_back(
        {.allow = true, .type = "c", .major = major, .minor = minor, .access = "rwm"});
  }
}

Result<std::string> here() {
  char* path = ::realpath(".", nullptr);
  if (path == nullptr) return system_failure("cannot find", "the attempt's directory");
  std::string found = path;
  ::free(path);
  return found;
}

std::string read_in_root(int root, const char* path) {
  const auto file = open_in_root(root, path, O_RDONLY | O_NONBLOCK);
  struct stat about{};
  if (!file || ::fstat(file->get(), &about) != 0 || !S_ISREG(about.st_mode)) return {};
  return read_file(AT_FDCWD, "/proc/self/fd/" + std::to_string(file->get()), user_file_bytes_max)
      .value_or("");
}

Result<ImageUser> read_user(const PreparedImage& image) {
  const Fd root(::open(image.rootfs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return system_failure("cannot open the image", image.rootfs);
  return find_image_user(image.config.user, read_in_root(root.get(), "etc/passwd"),
                         read_in_root(root.get(), "etc/group"));
}

Result<void> make_directories() {
  for (const char* each : {"container", "container/upper", "container/scratch", "container/rootfs",
                           "container/bundle", "container/runtime"})
    SUAN_CHECK(make_directory(AT_FDCWD, each));
  // The root of the container is the writable layer's.
  if (::chmod("container/upper", 0755) != 0 || ::chmod("container/rootfs", 0755) != 0)
    return system_failure("cannot open for the image", "container/rootfs");
  return {};
}

// In a mount namespace of this process, which ends with it and with the container: nothing stays
// mounted, however they end.
Result<void> join_rootfs(const PreparedImage& image, ChildWait& wait) {
  // A slave: what the machine unmounts is not kept busy here.
  if (::unshare(CLONE_NEWNS) != 0 ||
      ::mount(nullptr, "/", nullptr, MS_REC | MS_SLAVE, nullptr) != 0)
    return system_failure("cannot mount for itself", "/");
  const Fd lower(::open(image.rootfs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!lower) return system_failure("cannot open the image", image.rootfs);
  const std::string options = "lowerdir=/proc/self/fd/" + std::to_string(lower.get()) +
                              ",upperdir=container/upper,workdir=container/scratch";
  if (::mount("overlay", "container/rootfs", "overlay", MS_NODEV, options.c_str()) == 0) return {};
  SUAN_TRY(const pid_t copy,
           spawn({"/bin/cp", "-a", "--reflink=auto", "--", image.rootfs + "/.", "container/rootfs"},
                 {}));
  SUAN_TRY(const int status, wait.wait_for(copy, {}));
  if (status == 0) return {};
  return failure(Failure::Kind::io,
                 "neither could the image be overlaid nor copied for the attempt", image.rootfs);
}

/// What is decided about one container before it is started.
struct Plan {
  std::string directory;  // Absolute, of the attempt.
  std::string bash;
  ImageUser user;
};

// With all that was brought into it.
Result<void> give_tree(int directory, const std::string& path, const ImageUser& user) {
  if (::fchownat(directory, path.c_str(), user.user, user.group, AT_SYMLINK_NOFOLLOW) != 0)
    return errno == ENOENT ? Result<void>()
                           : system_failure("cannot give to the image's user", path);
  const Fd inside(
      ::openat(directory, path.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!inside) return {};  // It is none.
  for (const std::string& each : names_in(inside.get(), "."))
    SUAN_CHECK(give_tree(inside.get(), each, user));
  return {};
}

Result<void> give_files(const LaunchRecord& record, const ImageUser& user) {
  SUAN_CHECK(make_work_files(record));
  if (user.user == 0) return {};
  for (const char* each : {"run", "setup"})
    if (::lchown(each, user.user, user.group) != 0 && errno != ENOENT)
      return system_failure("cannot give to the image's user", each);
  SUAN_CHECK(give_tree(AT_FDCWD, "work", user));
  return give_tree(AT_FDCWD, "data", user);
}

oci::Config first_config(const LaunchRecord& record, const Plan& plan) {
  oci::Config config = oci::default_config();
  config.process.user = {.uid = plan.user.user, .gid = plan.user.group};
  // It reads until the leash ends, and waits for orphans meanwhile, as a first process must.
  config.process.args = {plan.bash, "-c", "while read -r _; do :; done"};
  config.process.env = {"PATH=" + std::string(standard_path)};
  config.process.cwd = "/";
  config.root.path = plan.directory + "/container/rootfs";
  const AttemptKey& key = record.launch.key;
  config.hostname = "job-" + std::to_string(key.job.value) + "-" + std::to_string(key.task);
  std::vector<std::string> shared = {"nosuid", "noexec", "nodev", "mode=1777"};
  if (record.launch.grant.memory_bytes > 0)
    shared.push_back("size=" + std::to_string(record.launch.grant.memory_bytes));
  config.mounts.push_back({"/dev/shm", "tmpfs", "shm", shared});
  const std::vector<std::string> writable = {"rbind", "rw", "nosuid", "nodev"};
  const std::vector<std::string> readable = {"rbind", "ro", "nosuid", "nodev"};
  config.mounts.push_back({"/suan/work", "bind", plan.directory + "/work", writable});
  config.mounts.push_back({"/suan/run", "bind", plan.directory + "/run", readable});
  if (!record.payload.setup.empty())
    config.mounts.push_back({"/suan/setup", "bind", plan.directory + "/setup", readable});
  for (const DataPlace& each : places_in_image(record.payload))
    config.mounts.push_back({each.path, "bind", plan.directory + "/" + each.directory, writable});
  // The network is the machine's, and so are its names.
  for (const char* each : {"/etc/resolv.conf", "/etc/hosts"})
    if (::access(each, R_OK) == 0) config.mounts.push_back({each, "bind", each, readable});
  config.linux_part.cgroups_path = cgroups_path(record.roots, record.group);
  give_cards(record.devices, config);
  return config;
}

oci::Process work_process(const LaunchRecord& record, const PreparedImage& image,
                          const Plan& plan) {
  oci::Process process = first_config(record, plan).process;
  process.args = {plan.bash, "-eo", "pipefail", "../run"};
  process.cwd = "/suan/work";
  process.env.clear();
  for (const auto& [name, value] : container_environment(record, image.config, plan.user))
    process.env.push_back(name + "=" + value);
  return process;
}

// Runs the runtime and returns the process that it left behind.
Result<pid_t> run_runtime(const LaunchRecord& record, std::vector<std::string> words,
                          const Streams& streams, ChildWait& wait, Span patience) {
  std::vector<std::string> all = {
      record.images.runtime, "--root", "container/runtime", "--log", "container/log",
      "--log-format",        "json"};
  all.insert(all.end(), words.begin(), words.end());
  all.insert(all.end(), {"--pid-file", "container/pid", record.group});
  ::unlink("container/pid");
  SUAN_TRY(const pid_t runtime, spawn(std::move(all), streams));
  SUAN_TRY(const int status, wait.wait_for(runtime, patience));
  const auto text = read_file(AT_FDCWD, "container/pid", pid_file_bytes_max);
  const auto pid = text ? parse_integer(*text) : std::nullopt;
  if (status != 0 || !pid || *pid <= 0)
    return failure(Failure::Kind::io,
                   "the container could not be started: " + last_word("container/log"));
  return static_cast<pid_t>(*pid);
}

// The runtime mounts over these places and starts the work in one of them: a link in the image must
// not choose where that is.
Result<void> check_places(const std::string& rootfs) {
  const Fd root(::open(rootfs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root) return system_failure("cannot open the image", rootfs);
  for (const char* path : {"suan", "suan/work"}) {
    struct stat about{};
    if (::fstatat(root.get(), path, &about, AT_SYMLINK_NOFOLLOW) != 0) return {};
    if (!S_ISDIR(about.st_mode))
      return failure(Failure::Kind::invalid,
                     std::string("the image has something else than a directory at /") + path +
                         ", where the attempt's own directory is to be");
  }
  return {};
}

Result<Plan> make_plan(const LaunchRecord& record, const PreparedImage& image) {
  Plan plan;
  plan.bash = find_bash(image.rootfs);
  if (plan.bash.empty())
    return failure(Failure::Kind::unsupported,
                   "the image " + record.payload.image +
                       " has no bash, which runs `run`; install it in the image (/bin/bash)");
  SUAN_CHECK(check_places(image.rootfs));
  SUAN_TRY(plan.user, read_user(image));
  SUAN_TRY(plan.directory, here());
  return plan;
}

}  // namespace

Result<RunningContainer> start_container(const LaunchRecord& record, const Cgroup& group,
                                         const PreparedImage& image, ChildWait& wait) {
  SUAN_TRY(const Plan plan, make_plan(record, image));
  SUAN_CHECK(give_files(record, plan.user));
  SUAN_CHECK(make_directories());
  SUAN_CHECK(join_rootfs(image, wait));
  SUAN_CHECK(replace_file(AT_FDCWD, "container/bundle/config.json",
                          wire::to_json(first_config(record, plan))));
  SUAN_CHECK(replace_file(AT_FDCWD, "container/work.json",
                          wire::to_json(work_process(record, image, plan))));
  RunningContainer running;
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("cannot make a pipe", {});
  const Fd leash_end(ends[0]);
  running.leash = Fd(ends[1]);
  const Fd output = open_work_log("stdout");
  const Fd error = open_work_log("stderr");
  if (!output || !error) return system_failure("cannot open the logs", "stdout");
  SUAN_TRY(running.first,
           run_runtime(record, {"run", "--detach", "--bundle", "container/bundle"},
                       {.input = leash_end.get(), .output = -1, .error = -1}, wait, {}));
  if (!group.holds(running.first))
    return failure(Failure::Kind::unsupported,
                   "the container runtime did not keep to the attempt's control group, so its "
                   "limits would not hold");
  // The work runs a moment before the runtime says so: from here on a stop is for the work to hear.
  SUAN_TRY(running.work,
           run_runtime(record, {"exec", "--detach", "--process", "container/work.json"},
                       {.input = -1, .output = output.get(), .error = error.get()}, wait,
                       exec_patience));
  // The variables of the job are nobody else's.
  ::unlink("container/work.json");
  return running;
}

void end_container(const std::string& attempt_directory, const ImageHouse& house,
                   const std::string& id) {
  const std::string runtime = attempt_directory + "/container/runtime";
  if (house.runtime.empty() || ::access((runtime + "/" + id).c_str(), F_OK) != 0) return;
  const auto child = spawn({house.runtime, "--root", runtime, "delete", "--force", id}, {});
  if (child) TEMP_FAILURE_RETRY(::waitpid(*child, nullptr, 0));
}

std::map<std::string, std::string> container_environment(const LaunchRecord& record,
                                                         const ImageConfig& config,
                                                         const ImageUser& user) {
  std::map<std::string, std::string> all;
  all["PATH"] = standard_path;
  all["HOME"] = user.home;
  all["SHELL"] = bash_paths[0];
  for (const std::string& each : config.variables) {
    const std::size_t equals = each.find('=');
    all[each.substr(0, equals)] = each.substr(equals + 1);
  }
  if (!config.working_directory.empty()) all["SUAN_IMAGE_WORKDIR"] = config.working_directory;
  tell_work(record, all);
  return all;
}

std::string find_bash(const std::string& rootfs) {
  const Fd root(::open(rootfs.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (const char* path : bash_paths) {
    if (!root) break;
    const auto bash = open_in_root(root.get(), path, O_PATH);
    struct stat about{};
    if (bash && ::fstat(bash->get(), &about) == 0 && S_ISREG(about.st_mode) &&
        (about.st_mode & 0111U) != 0)
      return path;
  }
  return {};
}

namespace {

// Runs `true` of this machine in a container, with the machine's programs shown to it; "" if that
// works, else why not.
std::string try_runtime(const std::string& runtime, const std::string& scratch) {
  const std::string id = "suan-trial-" + std::to_string(::getpid());
  oci::Config config = oci::default_config();
  config.process.args = {find_program("true")};
  config.process.env = {"PATH=" + std::string(standard_path)};
  config.process.cwd = "/";
  config.root.path = scratch + "/rootfs";
  for (const char* each : {"/bin", "/lib", "/lib64", "/usr", "/nix", "/gnu"})
    if (::access(each, F_OK) == 0)
      config.mounts.push_back({each, "bind", each, {"rbind", "ro", "nosuid", "nodev"}});
  config.linux_part.cgroups_path = cgroups_path({}, id);
  for (const char* each : {"", "/rootfs", "/runtime"})
    if (!make_directory(AT_FDCWD, scratch + each)) return "it has no directory to be tried in";
  if (!replace_file(AT_FDCWD, scratch + "/config.json", wire::to_json(config)))
    return "it has no directory to be tried in";
  const auto child = spawn({runtime, "--root", scratch + "/runtime", "--log", scratch + "/log",
                            "--log-format", "json", "run", "--bundle", scratch, id},
                           {});
  int status = -1;
  if (!child) return child.error().text;
  TEMP_FAILURE_RETRY(::waitpid(*child, &status, 0));
  return status == 0 ? "" : last_word(scratch + "/log");
}

}  // namespace

RuntimeFinding find_runtime(const std::string& scratch) {
  if (::geteuid() != 0)
    return {.path = "",
            .sentence =
                "Images are refused: only root may start containers, and this server is "
                "run by another user."};
  std::string reasons;
  for (const char* name : {"runc", "crun"}) {
    const std::string path = find_program(name);
    if (path.empty()) continue;
    remove_tree(AT_FDCWD, scratch);
    const std::string reason = try_runtime(path, scratch);
    remove_tree(AT_FDCWD, scratch);
    if (reason.empty()) return {.path = path, .sentence = "Images are run by " + path + "."};
    reasons += (reasons.empty() ? "" : "; ") + path + " does not work here: " + reason;
  }
  if (reasons.empty()) reasons = "there is no container runtime; install runc";
  return {.path = "", .sentence = "Images are refused: " + reasons + "."};
}

}  // namespace suan::engine
