#include "engine/survey.h"

#include <optional>
#include <utility>

#include "engine/process.h"
#include "engine/programs.h"
#include "engine/rclone_words.h"
#include "engine/speeds.h"
#include "model/place.h"
#include "wire/json.h"

namespace suan::engine {
namespace {

constexpr std::size_t threads_max = 4;
constexpr std::size_t waiting_max = 64;
constexpr std::size_t said_bytes_max = 64 << 10U;
constexpr std::size_t sources_max = 64;
constexpr Span answered_within = seconds(8);  // All sources of a question together.

/// What `rclone size --json` says.
struct Size {
  std::int64_t count = 0;
  std::int64_t bytes = 0;
  std::int64_t sizeless = 0;  // Files whose size nobody says.

  static void fields(auto&& visit, auto& self) {
    visit(1, "count", self.count);
    visit(2, "bytes", self.bytes);
    visit(3, "sizeless", self.sizeless);
  }
};

SourceFound unknown(std::string problem) {
  SourceFound found;
  found.problem = std::move(problem);
  return found;
}

// The remote of rclone that is one file behind a URL: its directory, and its name in there. Absent
// for what rclone would ask for under another URL.
std::optional<std::vector<std::string>> words_for_url(const std::string& url) {
  const std::size_t slash = url.rfind('/');
  const std::size_t begin = url.find("://") + 3;
  if (slash < begin || slash + 1 == url.size() || url.find_first_of("?#%") != std::string::npos)
    return std::nullopt;
  return std::vector<std::string>{"--http-url", url.substr(0, slash), "--",
                                  ":http:" + url.substr(slash + 1)};
}

// "Failed to size with 2 errors: last error was: directory not found"
std::string reason_in(std::string said) {
  constexpr std::string_view mark = "last error was: ";
  const std::size_t at = said.find(mark);
  return at == std::string::npos ? said : said.substr(at + mark.size());
}

std::string last_line(std::string_view said) {
  while (said.ends_with('\n')) said.remove_suffix(1);
  return std::string(said.substr(said.rfind('\n') + 1));
}

}  // namespace

SourceFound survey_source(const StoreHouse& house, const Origin& origin, const std::string& source,
                          Span within) {
  if (house.program.empty()) return unknown("there is no rclone");
  std::vector<std::string> words{house.program,
                                 "size",
                                 "--json",
                                 "--config",
                                 house.configuration,
                                 "--log-level",
                                 "ERROR",
                                 "--retries",
                                 "1",
                                 "--low-level-retries",
                                 "1"};
  if (is_url(source)) {
    const auto more = words_for_url(source);
    if (!more) return unknown("the size of what is behind such a URL shows when it is brought");
    words.insert(words.end(), more->begin(), more->end());
  } else {
    const auto place = find_place(house, origin, source, false);
    if (!place) return unknown(place.error().text);
    words.insert(words.end(), {"--", *place});
  }
  const auto said = ask_program(words, said_bytes_max, within);
  if (!said) return unknown(reason_in(parse_rclone_word(said.error().text).text));
  const auto size = wire::from_json<Size>(last_line(*said));
  if (!size || size->count < 0 || size->bytes < 0)
    return unknown("rclone says nothing of its size");
  if (size->sizeless > 0) return unknown("the store does not say how large all of its files are");
  return {.problem = {},
          .bytes = size->bytes,
          .files = size->count,
          .bytes_per_second = 0,
          .speed_age = {}};
}

Surveyor::~Surveyor() {
  std::deque<Errand> left;
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    left.swap(waiting_);
  }
  has_work_.notify_all();
  for (std::thread& each : threads_) each.join();
  for (Errand& each : left) each.done({.problem = "the site is about to stop", .sources = {}});
}

void Surveyor::ask(DataQuestion question, Callback<void(DataAnswer)> done) {
  {
    const std::lock_guard lock(mutex_);
    if (!is_over_ && waiting_.size() < waiting_max && question.sources.size() <= sources_max) {
      waiting_.push_back({std::move(question), std::move(done)});
      if (threads_.size() < threads_max && threads_.size() < waiting_.size() + under_way_)
        threads_.emplace_back([this] { run(); });
      has_work_.notify_one();
      return;
    }
  }
  done({.problem = "too much is asked there; try again", .sources = {}});
}

void Surveyor::run() {
  while (true) {
    Errand errand;
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [&] { return is_over_ || !waiting_.empty(); });
      if (is_over_) return;
      errand = std::move(waiting_.front());
      waiting_.pop_front();
      ++under_way_;
    }
    errand.done(answer(errand.question));
    const std::lock_guard lock(mutex_);
    --under_way_;
  }
}

DataAnswer Surveyor::answer(const DataQuestion& question) const {
  const Span until = monotonic_now() + answered_within;
  const Origin origin{.owner = question.owner, .job = {}, .attempt = 0};
  DataAnswer answer;
  for (const std::string& source : question.sources) {
    const Span left = until - monotonic_now();
    SourceFound found = left > Span{} ? survey_source(house_, origin, source, left)
                                      : unknown("the other inputs took too long to look at");
    const Speed speed = find_speed(house_.speeds, source);
    found.bytes_per_second = speed.bytes_per_second;
    found.speed_age = speed.age;
    answer.sources.push_back(std::move(found));
  }
  return answer;
}

}  // namespace suan::engine
