#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/result.h"

namespace suan::bench {

/// A job that takes one whole node of eight cards.
struct Job {
  std::int64_t arrival = 0;  // Hours since the start of the range.
  int hours = 1;             // How long it runs: 1 to 24.
  int zone = 0;              // Where it is submitted and its input lies.
  int slack = 0;             // Hours after its arrival at which it must have started.
  double gigabytes = 0;      // Of input, to be moved if it runs elsewhere.
  double rtt_max_ms = 0;     // From its origin; 0: it may run anywhere.
};

/// A request to a language model, as recorded.
struct Request {
  std::int64_t at_ms = 0;  // Since the first one.
  std::int64_t input_tokens = 0;
};

/// How jobs are made from requests.
struct Mix {
  std::size_t jobs_per_week = 1500;
  double hours_mean = 6;  // Of a job, between 1 and 12.
  std::uint32_t zones = 15;
};

/// The hour of Mooncake's conversations from the directory of traces (SUAN_TRACES), in order of
/// time: 12,031 requests.
Result<std::vector<Request>> read_requests(const std::string& traces);

/// Jobs for `hours` hours, in order of arrival; the same from the same seed. Each week is the
/// recorded hour stretched to a week and thinned by chance to `jobs_per_week` requests, so it keeps
/// the hour's bursts: 21 seconds of requests make an hour of jobs. There is no rhythm of the day:
/// the traces are of one hour each and tell none. A job's length follows its request's input; its
/// origin, slack, input bytes and bound are drawn. `requests` is not empty.
std::vector<Job> make_jobs(std::span<const Request> requests, std::int64_t hours, const Mix&,
                           std::uint64_t seed);

/// The nodes that each of `zones` zones must have for `jobs` to fill `load_percent` of all of them
/// over `hours` hours; at least 1.
int nodes_for(std::span<const Job> jobs, std::int64_t hours, std::uint32_t zones,
              std::int64_t load_percent = 40);

}  // namespace suan::bench
