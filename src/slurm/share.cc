#include "slurm/share.h"

#include <algorithm>
#include <cerrno>
#include <tuple>

#include <fcntl.h>
#include <sodium.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "engine/attempt_files.h"
#include "engine/work.h"
#include "wire/hash.h"

namespace suan::slurm {
namespace {

using engine::directory_of;
using engine::Fd;
using engine::print_key;

constexpr std::size_t line_bytes_max = 4096;
constexpr std::size_t words_bytes_max = 64 << 10U;

bool is_plain_path(const std::string& path) {
  return path.size() > 1 && path.size() < 512 && path.front() == '/' &&
         path.find_first_not_of(
             "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/") ==
             std::string::npos;
}

std::string random_name() {
  std::array<unsigned char, 5> bytes{};
  randombytes_buf(bytes.data(), bytes.size());
  std::string text;
  for (const unsigned char byte : bytes) {
    text += "0123456789abcdef"[byte >> 4U];
    text += "0123456789abcdef"[byte & 15U];
  }
  return text;
}

Result<void> write_new(int directory, const std::string& path, std::string_view bytes) {
  const Fd file(::openat(directory, path.c_str(),
                         O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file) return engine::system_failure("cannot create", path);
  return engine::write_whole(file.get(), bytes);
}

void sync_directory(int directory, const std::string& path) {
  const Fd opened(::openat(directory, path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (opened) ::fsync(opened.get());
}

void empty_file(int directory, const std::string& path) {
  const Fd file(::openat(directory, path.c_str(), O_WRONLY | O_TRUNC | O_NOFOLLOW | O_CLOEXEC));
}

}  // namespace

Result<std::unique_ptr<Share>> Share::open(const std::string& path) {
  if (!is_plain_path(path))
    return failure(Failure::Kind::invalid,
                   "expected an absolute path of letters, digits and ._-/ for the directory that "
                   "the nodes share",
                   path);
  std::unique_ptr<Share> share(new Share);
  share->path_ = path;
  while (share->path_.ends_with('/')) share->path_.pop_back();
  share->directory_ = Fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!share->directory_) return engine::system_failure("the directory that the nodes share", path);
  SUAN_CHECK(share->prepare());
  return share;
}

Result<void> Share::prepare() {
  lock_ = Fd(::openat(fd(), "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) return engine::system_failure("cannot open", path_ + "/lock");
  struct flock whole{};
  whole.l_type = F_WRLCK;
  if (::fcntl(lock_.get(), F_OFD_SETLK, &whole) != 0)
    return failure(Failure::Kind::conflict, "another suan uses this directory", path_);
  for (const char* name : {"attempts", "logs", "news", "new", "trash"})
    SUAN_CHECK(engine::make_directory(fd(), name));
  // What a crash left half made or half removed.
  for (const char* name : {"new", "trash"})
    for (const std::string& left : engine::names_in(fd(), name))
      engine::remove_tree(fd(), std::string(name) + "/" + left);
  if (auto known = engine::read_file(fd(), "identity", 64)) {
    identity_ = *std::move(known);
    while (!identity_.empty() && identity_.back() == '\n') identity_.pop_back();
  }
  if (identity_.size() != 10 ||
      identity_.find_first_not_of("0123456789abcdef") != std::string::npos) {
    identity_ = random_name();
    SUAN_CHECK(engine::replace_file(fd(), "identity", identity_ + "\n"));
    sync_directory(fd(), ".");
  }
  // A wrapper that runs goes on as it is; a new program brings a new file.
  const std::string hash = print_digest(wire::hash(wrapper_script())).substr(0, 12);
  wrapper_ = "wrapper-" + hash + ".sh";
  return engine::replace_file(fd(), wrapper_, wrapper_script());
}

Result<void> Share::make_attempt(const Launch& launch, const Payload& payload, const Seat& seat,
                                 const Control& control) {
  const std::string name = print_key(launch.key);
  const std::string at = "new/" + name;
  engine::remove_tree(fd(), at);
  SUAN_CHECK(engine::make_directory(fd(), at));
  engine::LaunchRecord record;
  record.launch = launch;
  record.payload.envs = payload.envs;
  const auto variables = engine::work_environment(record, {});
  record.payload = {};  // Secrets are in the scripts only, which are emptied.
  record.payload.inputs = payload.inputs;
  record.payload.outputs = payload.outputs;
  engine::RecordEntry entry;
  entry.launch = std::move(record);
  SUAN_CHECK(engine::begin_record(fd(), at + "/record", entry));
  SUAN_CHECK(write_new(
      fd(), at + "/seat",
      seat.partition + " " + seat.node + " " + (seat.gres.empty() ? "none" : seat.gres) + " .\n"));
  SUAN_CHECK(write_new(fd(), at + "/limits", print_limits(launch)));
  SUAN_CHECK(write_new(fd(), at + "/env", print_environment(variables)));
  SUAN_CHECK(write_new(fd(), at + "/run", engine::work_script(payload)));
  if (!payload.setup.empty()) SUAN_CHECK(write_new(fd(), at + "/setup", payload.setup));
  SUAN_CHECK(write_new(fd(), at + "/control", print_control(control)));
  if (::renameat(fd(), at.c_str(), fd(), directory_of(launch.key).c_str()) != 0)
    return engine::system_failure("cannot make the attempt's directory", path_ + "/" + at);
  return {};
}

Result<void> Share::make_ended(const Progress& end) {
  SUAN_CHECK(engine::make_directory(fd(), directory_of(end.key)));
  return write_end(end);
}

bool Share::claim(const AttemptKey& key) {
  return ::mkdirat(fd(), (directory_of(key) + "/claim").c_str(), 0700) == 0;
}

bool Share::is_claimed(const AttemptKey& key) const {
  return ::faccessat(fd(), (directory_of(key) + "/claim").c_str(), F_OK, 0) == 0;
}

Result<void> Share::write_control(const AttemptKey& key, const Control& control) {
  const std::string path = directory_of(key) + "/control";
  const Fd file(::openat(fd(), path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return engine::system_failure("cannot open", path);
  const std::string line = print_control(control);
  if (::pwrite(file.get(), line.data(), line.size(), 0) != static_cast<ssize_t>(line.size()))
    return engine::system_failure("cannot write", path);
  return {};
}

std::optional<Control> Share::read_control(const AttemptKey& key) const {
  return parse_control(read_line(key, "control"));
}

Span Share::control_age(const AttemptKey& key) const {
  if (!engine::replace_file(fd(), "now", "\n")) return {};
  struct stat now{};
  struct stat written{};
  const std::string path = directory_of(key) + "/control";
  if (::fstatat(fd(), "now", &now, 0) != 0 || ::fstatat(fd(), path.c_str(), &written, 0) != 0)
    return {};
  const auto of = [](const timespec& time) {
    return seconds(time.tv_sec) + microseconds(time.tv_nsec / 1000);
  };
  return std::max(of(now.st_mtim) - of(written.st_mtim), Span{});
}

Result<void> Share::write_brought(const AttemptKey& key) {
  return engine::replace_file(fd(), directory_of(key) + "/brought", "");
}
bool Share::is_brought(const AttemptKey& key) const {
  return ::faccessat(fd(), (directory_of(key) + "/brought").c_str(), F_OK, 0) == 0;
}

Result<void> Share::write_job(const AttemptKey& key, const JobFile& job) {
  return engine::replace_file(fd(), directory_of(key) + "/job",
                              job.id > 0 ? std::to_string(job.id) + " .\n" : "asked .\n");
}

JobFile Share::read_job(const AttemptKey& key) const {
  const std::string line = read_line(key, "job");
  if (!line.ends_with(" .\n")) return {};
  const auto id = parse_integer(std::string_view(line).substr(0, line.find(' ')));
  return {true, id && *id > 0 ? static_cast<std::uint64_t>(*id) : 0};
}

std::string Share::read_line(const AttemptKey& key, std::string_view name) const {
  return engine::read_file(fd(), directory_of(key) + "/" + std::string(name), line_bytes_max)
      .value_or("");
}

engine::AttemptRecord Share::read_record(const AttemptKey& key) const {
  return engine::read_record(fd(), directory_of(key) + "/record", key);
}

std::optional<Seat> Share::read_seat(const AttemptKey& key) const {
  const std::string line = read_line(key, "seat");
  if (!line.ends_with(" .\n")) return std::nullopt;
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  const std::size_t third = second == std::string::npos ? second : line.find(' ', second + 1);
  if (third == std::string::npos || first == 0 || second == first + 1) return std::nullopt;
  Seat seat{line.substr(0, first), line.substr(first + 1, second - first - 1),
            line.substr(second + 1, third - second - 1)};
  if (seat.gres == "none") seat.gres.clear();
  return seat;
}

std::optional<StartedWord> Share::read_started(const AttemptKey& key) const {
  return parse_started(read_line(key, "started"));
}
std::optional<Usage> Share::read_usage(const AttemptKey& key) const {
  return parse_usage(read_line(key, "usage"));
}
std::optional<ExitWord> Share::read_exit(const AttemptKey& key) const {
  return parse_exit(read_line(key, "exit"));
}

std::string Share::read_slurm_words(const AttemptKey& key) const {
  std::string text =
      engine::read_file(fd(), directory_of(key) + "/slurm.out", words_bytes_max).value_or("");
  while (!text.empty() && text.back() == '\n') text.pop_back();
  text = text.substr(text.rfind('\n') + 1).substr(0, 300);
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ') c = ' ';
  return text;
}

Result<void> Share::write_end(const Progress& end) {
  const std::string at = directory_of(end.key);
  engine::RecordEntry entry;
  entry.end = end;
  const std::string path = at + "/record";
  const bool has_record = ::faccessat(fd(), path.c_str(), F_OK, 0) == 0;
  SUAN_CHECK(has_record ? engine::append_record(fd(), path, entry)
                        : engine::begin_record(fd(), path, entry));
  const Fd record(::openat(fd(), (at + "/record").c_str(), O_RDONLY | O_CLOEXEC));
  if (!record || ::fsync(record.get()) != 0) return engine::system_failure("cannot sync", at);
  sync_directory(fd(), at);
  sync_directory(fd(), "attempts");
  for (const char* name : {"/run", "/setup", "/env"}) empty_file(fd(), at + name);
  return {};
}

void Share::remove_attempt(const AttemptKey& key) {
  const std::string to = "trash/" + print_key(key);
  if (::renameat(fd(), directory_of(key).c_str(), fd(), to.c_str()) == 0)
    engine::remove_tree(fd(), to);
}

std::vector<Share::News> Share::read_news() const {
  std::vector<News> all;
  for (const std::string& name : engine::names_in(fd(), "news")) {
    const std::size_t dot = std::min(name.find('.'), name.size());
    const auto key = engine::parse_key(name.substr(0, dot));
    if (key) all.push_back({*key, name.substr(dot) == ".ended"});
  }
  return all;
}

void Share::take_news(const News& news) {
  const std::string name = "news/" + print_key(news.key) + (news.has_ended ? ".ended" : ".started");
  ::unlinkat(fd(), name.c_str(), 0);
}

std::string Share::batch_script(const AttemptKey& key) const {
  return "#!/bin/bash\nexec /bin/bash " + path_ + "/" + wrapper_ + " " + path_ + "/" +
         directory_of(key) + "\n";
}

std::string Share::job_name(const AttemptKey& key) const {
  return "suan-" + identity_ + "-" + print_key(key);
}

bool Share::is_ours(std::string_view job_name) const {
  return job_name.starts_with("suan-" + identity_ + "-");
}

std::vector<AttemptKey> Share::attempts() const {
  std::vector<AttemptKey> keys;
  for (const std::string& name : engine::names_in(fd(), "attempts"))
    if (const auto key = engine::parse_key(name)) keys.push_back(*key);
  return keys;
}

}  // namespace suan::slurm
