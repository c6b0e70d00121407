#include "work.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>

#include "base/ensure.h"
#include "base/random.h"
#include "lines.h"

namespace suan::bench {

namespace {

constexpr Source conversations{"mooncake/conversation_trace.jsonl.gz",
                               "github kvcache-ai/Mooncake 3b5a59413395"};
constexpr std::int64_t week_hours = 168;
constexpr int job_hours_max = 24;
constexpr double gigabytes_small = 2;
constexpr double gigabytes_max = 100;

// The whole number after `"name": `; the lines are flat objects that one program wrote.
std::optional<std::int64_t> find_integer(std::string_view line, std::string_view name) {
  const std::size_t at = line.find(name);
  if (at == std::string_view::npos) return std::nullopt;
  line.remove_prefix(at + name.size());
  line.remove_prefix(std::min(line.find_first_not_of(" :"), line.size()));
  std::int64_t number = 0;
  const auto [stop, error] = std::from_chars(line.data(), line.data() + line.size(), number);
  if (error != std::errc{}) return std::nullopt;
  return number;
}

int job_hours(const Request& request, double tokens_per_hour) {
  const double hours = std::round(static_cast<double>(request.input_tokens) / tokens_per_hour);
  return static_cast<int>(std::clamp(hours, 1.0, static_cast<double>(job_hours_max)));
}

double hours_mean(std::span<const Request> requests, double tokens_per_hour) {
  std::int64_t sum = 0;
  for (const Request& request : requests) sum += job_hours(request, tokens_per_hour);
  return static_cast<double>(sum) / static_cast<double>(requests.size());
}

// The mean falls as an hour takes more tokens. Cut at both ends it is no plain quotient.
double find_tokens_per_hour(std::span<const Request> requests, double mean) {
  double low = 1;
  double high = 1e9;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (hours_mean(requests, middle) > mean ? low : high) = middle;
  }
  return high;
}

// Even in [0, 1), by plain arithmetic: the same on every machine.
double fraction(Random& random) {
  return static_cast<double>(random.below(1'000'000U)) / 1e6;
}

Job make_job(const Request& request, double tokens_per_hour, std::uint32_t zones, Random random) {
  Job job;
  job.hours = job_hours(request, tokens_per_hour);
  job.zone = static_cast<int>(random.below(zones));
  if (random.chance(1, 2)) job.slack = (job.hours * 15 + 99) / 100;
  const double share = fraction(random);
  // One job in eight has much input, and most of those far less than the limit.
  job.gigabytes = random.chance(1, 8)
                      ? gigabytes_small + (gigabytes_max - gigabytes_small) * share * share * share
                      : gigabytes_small * share;
  if (random.chance(1, 5)) job.rtt_max_ms = static_cast<double>(random.between(60, 150));
  return job;
}

}  // namespace

Result<std::vector<Request>> read_requests(const std::string& traces) {
  SUAN_TRY(Lines lines, Lines::open(traces, conversations));
  std::vector<Request> requests;
  while (true) {
    SUAN_TRY(const bool is_line, lines.next());
    if (!is_line) break;
    const auto at = find_integer(lines.line(), "\"timestamp\"");
    const auto tokens = find_integer(lines.line(), "\"input_length\"");
    if (!at || !tokens || *at < 0 || *tokens < 0)
      return lines.wrong_line("there must be a timestamp and an input_length");
    if (!requests.empty() && *at < requests.back().at_ms)
      return lines.wrong_line("is earlier than the line before");
    requests.push_back({*at, *tokens});
  }
  if (requests.empty()) return lines.wrong_line("there is no request");
  const std::int64_t first_ms = requests.front().at_ms;
  for (Request& request : requests) request.at_ms -= first_ms;
  return requests;
}

std::vector<Job> make_jobs(std::span<const Request> requests, std::int64_t hours, const Mix& mix,
                           std::uint64_t seed) {
  ensure(!requests.empty() && mix.zones > 0 && mix.hours_mean >= 1 && mix.hours_mean <= 12);
  Random random(seed);
  const double tokens_per_hour = find_tokens_per_hour(requests, mix.hours_mean);
  const std::int64_t length_ms = requests.back().at_ms + 1;
  std::vector<Job> jobs;
  for (std::int64_t week = 0; week < hours; week += week_hours) {
    std::size_t wanted = mix.jobs_per_week;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      // A draw for each request still to come, without replacement; more jobs than requests take
      // every request several times.
      const std::size_t left = requests.size() - i;
      const std::size_t times = wanted / left + (random.below(left) < wanted % left ? 1 : 0);
      wanted -= times;
      for (std::size_t copy = 0; copy < times; ++copy) {
        Job job = make_job(requests[i], tokens_per_hour, mix.zones, random.split());
        job.arrival = week + requests[i].at_ms * week_hours / length_ms;
        if (job.arrival < hours) jobs.push_back(job);
      }
    }
  }
  return jobs;
}

int nodes_for(std::span<const Job> jobs, std::int64_t hours, std::uint32_t zones,
              std::int64_t load_percent) {
  ensure(hours > 0 && zones > 0 && load_percent > 0);
  std::int64_t node_hours = 0;
  for (const Job& job : jobs) node_hours += job.hours;
  const std::int64_t filled = hours * zones * load_percent;
  return static_cast<int>(std::max<std::int64_t>(1, (node_hours * 100 + filled - 1) / filled));
}

}  // namespace suan::bench
