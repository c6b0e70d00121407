#include "slurm/rest_cluster.h"

#include <algorithm>
#include <utility>

#include <time.h>

#include "net/client.h"

namespace suan::slurm {
namespace {

constexpr std::size_t answer_bytes_max = std::size_t{256} << 20U;
constexpr std::uint64_t nobodys_job = 1'999'999'999;

Span wall_clock() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return seconds(now.tv_sec);
}

class RestCluster final : public Cluster {
 public:
  explicit RestCluster(const RestOptions& options)
      : options_(options),
        client_(options.place,
                {.answer_timeout = options.answer_timeout, .body_bytes_max = answer_bytes_max}) {}

  Result<Greeting> greet() override {
    SUAN_TRY(const RestVersion version, find_version());
    // Slurm hides from `ping` why it fails; asked to end a job that cannot be, it says so.
    const auto probe = ask(net::Method::delete_, "/job/" + std::to_string(nobodys_job));
    if (!probe && probe.error().kind != Failure::Kind::not_found)
      return std::unexpected(probe.error());
    SUAN_TRY(const std::string answer, ask(net::Method::get, "/ping"));
    Greeting greeting;
    SUAN_TRY(greeting.version, read_rest_release(answer));
    greeting.way =
        "slurmrestd at " + options_.place + ", OpenAPI " + std::string(print_rest_version(version));
    return greeting;
  }

  Result<std::vector<Partition>> partitions() override {
    SUAN_TRY(const std::string answer, ask(net::Method::get, "/partitions"));
    return read_rest_partitions(answer);
  }
  Result<std::vector<Node>> nodes() override {
    SUAN_TRY(const std::string answer, ask(net::Method::get, "/nodes"));
    return read_rest_nodes(answer, *version_);
  }
  Result<std::vector<Job>> jobs() override {
    SUAN_TRY(const std::string answer, ask_again("/jobs", jobs_));
    if (answer.empty()) return jobs_.rows;
    SUAN_TRY(jobs_.rows, read_rest_jobs(answer));
    return jobs_.rows;
  }
  Result<Job> job(std::uint64_t id) override {
    SUAN_TRY(const std::string answer, ask(net::Method::get, "/job/" + std::to_string(id)));
    SUAN_TRY(std::vector<Job> jobs, read_rest_jobs(answer));
    if (jobs.empty()) return failure(Failure::Kind::not_found, "Slurm knows no such job");
    return std::move(jobs.front());
  }
  Result<std::vector<Job>> find_jobs(const std::string& name) override {
    SUAN_TRY(const std::string answer, ask(net::Method::get, "/jobs"));
    SUAN_TRY(std::vector<Job> all, read_rest_jobs(answer));
    std::erase_if(all, [&](const Job& job) { return job.name != name; });
    std::ranges::sort(all, {}, &Job::id);
    return all;
  }
  Result<std::uint64_t> submit(const Submission& job) override {
    SUAN_TRY(const RestVersion version, find_version());
    SUAN_TRY(const std::string answer,
             ask(net::Method::post, "/job/submit", print_rest_submission(job, version)));
    return read_rest_job_id(answer);
  }
  Result<void> cancel(std::uint64_t id) override {
    const auto answer = ask(net::Method::delete_, "/job/" + std::to_string(id));
    if (answer || answer.error().kind == Failure::Kind::not_found) return {};
    return std::unexpected(answer.error());
  }

 private:
  // What was read last, and how new it was: slurmctld answers 304 in no time if nothing changed.
  struct Kept {
    std::int64_t asked = 0;        // Seconds since 1970, of the last answer that had any.
    std::int64_t asked_whole = 0;  // The same, of the last question for all.
    std::vector<Job> rows;
  };

  Result<RestVersion> find_version() {
    if (version_) return *version_;
    SUAN_TRY(const net::Response response, send(net::Method::get, "/openapi/v3", {}));
    SUAN_TRY(version_, choose_rest_version(response.body, options_.newest));
    return *version_;
  }

  Result<net::Response> send(net::Method method, std::string target, std::string body) {
    net::Request request;
    request.method = method;
    request.target = std::move(target);
    SUAN_TRY(const std::string token, take_token(options_.token, wall_clock()));
    if (!token.empty()) {
      request.headers.add("X-SLURM-USER-NAME", user_of(options_.token));
      request.headers.add("X-SLURM-USER-TOKEN", token);
    }
    if (!body.empty()) request.headers.add("Content-Type", "application/json");
    request.body = std::move(body);
    SUAN_TRY(net::Response response, client_.send(request));
    if (response.status == 401 || response.status == 403)
      return failure(Failure::Kind::unavailable,
                     token.empty()
                         ? "slurmrestd wants a token: give slurm.token_file or "
                           "slurm.jwt_key_file, or reach it by its unix socket"
                         : "slurmrestd refuses the token of user " + user_of(options_.token));
    return response;
  }

  Result<std::string> ask(net::Method method, std::string_view path, std::string body = {}) {
    SUAN_TRY(const RestVersion version, find_version());
    SUAN_TRY(net::Response response,
             send(method, "/slurm/" + std::string(print_rest_version(version)) + std::string(path),
                  std::move(body)));
    if (response.status == 304) return std::string{};
    if (response.status == 404) version_.reset();  // Another slurmrestd is there now.
    const auto error = read_rest_error(response.body);
    if (!error)
      return failure(Failure::Kind::unavailable, "slurmrestd answers " +
                                                     std::to_string(response.status) + ": " +
                                                     response.body.substr(0, 200));
    if (*error) return std::unexpected(to_failure(**error));
    return std::move(response.body);
  }

  // "" if nothing changed since the last time.
  Result<std::string> ask_again(std::string_view path, Kept& kept) {
    const std::int64_t now = wall_clock().us / seconds(1).us;
    // The clock of slurmctld may be behind by this much; were it more, news would come late.
    constexpr std::int64_t overlap = 30;
    constexpr std::int64_t whole_every = 60;
    const bool asks_whole = now - kept.asked_whole >= whole_every || now < kept.asked_whole;
    const std::string since =
        asks_whole ? "" : "?update_time=" + std::to_string(kept.asked - overlap);
    auto answer = ask(net::Method::get, std::string(path) + since);
    if (!answer) {
      kept = {};
      return answer;
    }
    // Nothing new is no news of when something was: the next question begins where this one did.
    if (!answer->empty()) kept.asked = now;
    if (asks_whole) kept.asked_whole = now;
    return answer;
  }

  RestOptions options_;
  net::Client client_;
  std::optional<RestVersion> version_;
  Kept jobs_;
};

}  // namespace

std::unique_ptr<Cluster> make_rest_cluster(const RestOptions& options) {
  return std::make_unique<RestCluster>(options);
}

}  // namespace suan::slurm
