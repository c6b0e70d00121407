#include "engine/mover.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <set>
#include <tuple>

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sha256.h"
#include "base/text.h"
#include "engine/file.h"
#include "engine/process.h"
#include "engine/programs.h"
#include "engine/rclone_words.h"
#include "engine/speeds.h"
#include "model/place.h"

namespace suan::engine {
namespace {

constexpr std::size_t line_bytes_max = 64 << 10U;
constexpr Span tell_every = seconds(10);

void say(int log, std::string_view text) {
  std::ignore = write_whole(log, "suan: " + std::string(text) + "\n");
}

/// One run of rclone.
struct Transfer {
  std::vector<std::string> words;
  std::string what;  // "input data": starts every line of the log.
};

/// What it came to.
struct Outcome {
  TransferStats stats;
  std::int64_t troubles = 0;
  std::string trouble;  // The first reason that names a file, else the last one.
};

class Listener {
 public:
  Listener(const Transfer& transfer, int log) : transfer_(transfer), log_(log) {}

  void hear(std::string_view bytes) {
    for (const char c : bytes) {
      if (c == '\n')
        hear_line();
      else if (line_.size() < line_bytes_max)
        line_ += c;
    }
  }

  Outcome take() {
    hear_line();
    return std::move(outcome_);
  }

 private:
  void hear_line() {
    const std::string line = std::exchange(line_, {});
    if (line.empty()) return;
    const RcloneWord word = parse_rclone_word(line);
    if (word.stats) {
      outcome_.stats = *word.stats;
      const Span now = monotonic_now();
      if (now - told_ < tell_every) return;
      told_ = now;
      say(log_, transfer_.what + ": " + print_stats(*word.stats));
      return;
    }
    // Each attempt of rclone repeats what it says.
    if (!word.is_trouble || word.text.starts_with("Attempt ")) return;
    const std::string said = word.object.empty() ? word.text : word.object + ": " + word.text;
    if (said.empty() || !heard_.insert(said).second) return;
    say(log_, transfer_.what + ": " + said);
    ++outcome_.troubles;
    if (outcome_.trouble.empty() || !has_file_) outcome_.trouble = said;
    has_file_ = has_file_ || !word.object.empty();
  }

  const Transfer& transfer_;
  int log_;
  std::string line_;
  std::set<std::string> heard_;
  Outcome outcome_;
  bool has_file_ = false;
  Span told_ = monotonic_now();
};

// Until rclone has something to say, or nobody wants to hear it.
bool is_stopped(int reading, int stop) {
  std::array<pollfd, 2> waits{pollfd{reading, POLLIN, 0}, pollfd{stop, POLLIN, 0}};
  while (::poll(waits.data(), stop >= 0 ? 2 : 1, -1) < 0 && errno == EINTR) {
  }
  return waits[1].revents != 0;
}

Result<Outcome> run(const Transfer& transfer, const MoveScene& scene) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return system_failure("cannot make a pipe", {});
  const Fd reading(ends[0]);
  Fd writing(ends[1]);
  SUAN_TRY(const pid_t child, start_program(transfer.words, writing.get()));
  writing.close();
  Listener listener(transfer, scene.log);
  std::array<char, 8192> piece{};
  bool was_stopped = false;
  while (true) {
    was_stopped = is_stopped(reading.get(), scene.stop);
    if (was_stopped) ::kill(child, SIGKILL);
    if (was_stopped) break;
    const ssize_t count = TEMP_FAILURE_RETRY(::read(reading.get(), piece.data(), piece.size()));
    if (count <= 0) break;
    listener.hear({piece.data(), static_cast<std::size_t>(count)});
  }
  int status = 0;
  TEMP_FAILURE_RETRY(::waitpid(child, &status, 0));
  if (was_stopped) return failure(Failure::Kind::unavailable, "it was stopped");
  Outcome outcome = listener.take();
  if (status == 0) return outcome;
  std::string why = outcome.trouble.empty() ? "rclone ended without a word" : outcome.trouble;
  if (outcome.troubles > 1) why += " (and more in the log)";
  return failure(Failure::Kind::io, std::move(why));
}

std::vector<std::string> rclone(const StoreHouse& house, std::string_view verb) {
  return {house.program,
          std::string(verb),
          "--config",
          house.configuration,
          "--use-json-log",
          "--log-level",
          "INFO",
          "--stats",
          "1s",
          "--stats-log-level",
          "NOTICE",
          "--transfers",
          "8",
          "--low-level-retries",
          "10"};
}

// Every directory on the way to it.
Result<void> make_path(const std::string& top, const std::string& path) {
  const Fd at(::open(top.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  for (std::size_t slash = path.find('/'); slash != std::string::npos;
       slash = path.find('/', slash + 1))
    SUAN_CHECK(make_directory(at.get(), path.substr(0, slash)));
  return make_directory(at.get(), path);
}

// The work may have put a link in its place: what it shows would be read with the rights of the
// server. Nothing of the work runs any more, so what is found stays.
Result<void> check_directory(const std::string& top, const std::string& path,
                             const std::string& shown) {
  std::string_view rest = path;
  Fd at(::open(top.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  while (!rest.empty()) {
    const std::string part(rest.substr(0, rest.find('/')));
    rest.remove_prefix(std::min(rest.size(), part.size() + 1));
    at = Fd(::openat(at.get(), part.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!at)
      return failure(Failure::Kind::not_found, "there is no directory " + shown + " any more");
  }
  return {};
}

Result<std::string> sha256_of(const std::string& path) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC));
  if (!file) return system_failure("cannot read", path);
  Sha256 sum;
  std::string piece(1 << 20U, '\0');
  while (true) {
    const ssize_t count = TEMP_FAILURE_RETRY(::read(file.get(), piece.data(), piece.size()));
    if (count < 0) return system_failure("cannot read", path);
    if (count == 0) return sum.finish();
    sum.add(std::string_view(piece).substr(0, static_cast<std::size_t>(count)));
  }
}

Result<void> check_sum(const Input& input, const std::string& directory) {
  const std::vector<std::string> names = names_in(AT_FDCWD, directory);
  struct stat about{};
  const bool is_one_file = names.size() == 1 &&
                           ::lstat((directory + "/" + names.front()).c_str(), &about) == 0 &&
                           S_ISREG(about.st_mode);
  if (!is_one_file)
    return failure(Failure::Kind::invalid, "a checksum is of one file, and there are " +
                                               std::to_string(names.size()) + " things");
  SUAN_TRY(const std::string sum, sha256_of(directory + "/" + names.front()));
  if (sum == input.sha256) return {};
  return failure(Failure::Kind::invalid, "the file " + names.front() +
                                             " is another one than asked for: its checksum is "
                                             "sha256:" +
                                             sum);
}

// "3.2 GB in 12 files, 1m30s"
std::string print_outcome(const Outcome& outcome, Span began) {
  const std::int64_t files = outcome.stats.files;
  return print_size(outcome.stats.bytes) + " in " + std::to_string(files) +
         (files == 1 ? " file, " : " files, ") +
         print_span(milliseconds((monotonic_now() - began).us / 1000));
}

/// The moves of one attempt.
class Mover {
 public:
  Mover(const StoreHouse& house, const Launch& launch, const Payload& payload,
        const MoveScene& scene)
      : house_(house), launch_(launch), payload_(payload), scene_(scene) {}

  Result<void> bring(const Input& input) {
    const Span began = monotonic_now();
    const std::string directory = path_of(input.path);
    Transfer transfer{.words = {}, .what = "input " + input.path};
    if (is_url(input.source)) {
      transfer.words = rclone(house_, "copyurl");
      transfer.words.insert(transfer.words.end(),
                            {"--auto-filename", "--", input.source, directory});
    } else {
      SUAN_TRY(const std::string place, find_place(house_, launch_.origin, input.source, false));
      transfer.words = rclone(house_, "copy");
      transfer.words.insert(transfer.words.end(), {"--", place, directory});
    }
    tell(transfer.what + ": from " + (is_url(input.source) ? "its URL" : input.source));
    SUAN_TRY(const Outcome outcome, run(transfer, scene_));
    note_speed(house_.speeds, input.source, outcome.stats.bytes, monotonic_now() - began);
    if (names_in(AT_FDCWD, directory).empty())
      return failure(Failure::Kind::not_found, "there is nothing at its source");
    if (!input.sha256.empty()) SUAN_CHECK(check_sum(input, directory));
    tell(transfer.what + ": " + print_outcome(outcome, began) +
         (input.sha256.empty() ? "" : "; the checksum is right"));
    return {};
  }

  // tar(1) leaves out what would lie elsewhere.
  Result<void> unpack() {
    if (!launch_.workdir.is_given()) return {};
    const Span began = monotonic_now();
    const std::string file = house_.uploads + "/" + launch_.upload;
    SUAN_TRY(const std::string sum, sha256_of(file));
    if (sum != launch_.workdir.sha256) {
      ::unlink(file.c_str());  // So that it is brought anew the next time.
      return failure(Failure::Kind::invalid, "it is not what was packed");
    }
    const Transfer transfer{.words = {find_program("tar"), "-xzf", file, "-C",
                                      scene_.directory + "/work", "--no-same-owner"},
                            .what = "workdir"};
    SUAN_TRY(const Outcome outcome, run(transfer, scene_));
    if (!outcome.trouble.empty()) return failure(Failure::Kind::invalid, outcome.trouble);
    tell("workdir: " + print_size(launch_.workdir.bytes) + " packed, " +
         print_span(milliseconds((monotonic_now() - began).us / 1000)));
    return {};
  }

  Result<void> keep(const Output& output) {
    const Span began = monotonic_now();
    const std::string directory = directory_of_data(payload_, output.path);
    SUAN_CHECK(check_directory(scene_.directory, directory, output.path));
    const std::string below = "/" + name_of_attempt(launch_);
    SUAN_TRY(const std::string place, find_place(house_, launch_.origin, output.to, true));
    Transfer transfer{.words = rclone(house_, "copy"), .what = "output " + output.path};
    transfer.words.insert(transfer.words.end(), {"--", path_of(output.path), place + below});
    SUAN_TRY(const Outcome outcome, run(transfer, scene_));
    tell(transfer.what + ": " + print_outcome(outcome, began) + ", kept in " + output.to + below);
    return {};
  }

  void tell(std::string_view text) const {
    std::ignore = write_whole(scene_.log, "suan: " + std::string(text) + "\n");
  }

 private:
  std::string path_of(const std::string& path) const {
    return scene_.directory + "/" + directory_of_data(payload_, path);
  }

  const StoreHouse& house_;
  const Launch& launch_;
  const Payload& payload_;
  const MoveScene& scene_;
};

}  // namespace

std::vector<DataPlace> places_in_image(const Payload& payload) {
  std::set<std::string> paths;
  for (const Input& each : payload.inputs) paths.insert(each.path);
  for (const Output& each : payload.outputs) paths.insert(each.path);
  std::vector<DataPlace> places;
  for (const std::string& path : paths)
    if (path.starts_with('/')) places.push_back({path, "data/" + std::to_string(places.size())});
  return places;
}

std::string directory_of_data(const Payload& payload, const std::string& path) {
  if (!path.starts_with('/')) return "work/" + path;
  const std::vector<DataPlace> places = places_in_image(payload);
  const auto found = std::ranges::find(places, path, &DataPlace::path);
  return found != places.end() ? found->directory : "";
}

Result<void> bring_inputs(const StoreHouse& house, const Launch& launch, const Payload& payload,
                          const MoveScene& scene) {
  Mover mover(house, launch, payload, scene);
  SUAN_CHECK(make_path(scene.directory, "work"));
  if (const auto unpacked = mover.unpack(); !unpacked) {
    mover.tell("workdir: " + unpacked.error().text);
    return failure(unpacked.error().kind,
                   "the working directory could not be unpacked: " + unpacked.error().text);
  }
  for (const Input& each : payload.inputs)
    SUAN_CHECK(make_path(scene.directory, directory_of_data(payload, each.path)));
  for (const Output& each : payload.outputs)
    SUAN_CHECK(make_path(scene.directory, directory_of_data(payload, each.path)));
  for (const Input& each : payload.inputs) {
    const auto brought = mover.bring(each);
    if (brought) continue;
    mover.tell("input " + each.path + ": " + brought.error().text);
    return failure(brought.error().kind,
                   "the input " + each.path + " could not be brought: " + brought.error().text);
  }
  return {};
}

bool moves_data(const Launch& launch, const Payload& payload) {
  return launch.workdir.is_given() || payload.moves_data();
}

bool has_outputs(const Payload& payload, bool is_success) {
  return std::ranges::any_of(payload.outputs,
                             [&](const Output& each) { return each.is_always || is_success; });
}

Result<void> keep_outputs(const StoreHouse& house, const Launch& launch, const Payload& payload,
                          bool is_success, const MoveScene& scene) {
  Mover mover(house, launch, payload, scene);
  Result<void> all;
  for (const Output& each : payload.outputs) {
    if (!each.is_always && !is_success) continue;
    const auto kept = mover.keep(each);
    if (kept) continue;
    mover.tell("output " + each.path + ": " + kept.error().text);
    const bool was_stopped = kept.error().kind == Failure::Kind::unavailable;
    if (all || was_stopped)
      all = failure(kept.error().kind,
                    "the output " + each.path + " could not be kept: " + kept.error().text);
    if (was_stopped) break;
  }
  return all;
}

std::string name_of_attempt(const Launch& launch) {
  return "job-" + std::to_string(launch.origin.job.value) + "-" +
         std::to_string(launch.first_task + launch.key.task) + "-" +
         std::to_string(launch.origin.attempt);
}

}  // namespace suan::engine
