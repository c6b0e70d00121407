#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/callback.h"
#include "base/result.h"
#include "base/time.h"
#include "net/http_message.h"

/// Closed-loop load: a fixed number of connections, each sending its next request as soon as its
/// last was answered. One thread, epoll, plain sockets.
namespace suan::net {

/// Counts of latencies in buckets at most 3.2 % wide, from 1 µs to over an hour; fixed memory.
class Histogram {
 public:
  Histogram() : counts_(bucket_count) {}

  void record(Span latency);
  std::uint64_t count() const { return count_; }
  Span max() const { return max_; }

  /// The upper edge of the bucket below which `fraction` (0 to 1) of all latencies lie; 0 if none.
  Span quantile(double fraction) const;

 private:
  static constexpr std::size_t sub_bits = 6;
  static constexpr std::size_t bucket_count = (34 - sub_bits) << (sub_bits - 1);
  static std::size_t bucket_of(std::uint64_t us);
  static std::uint64_t upper_edge_us(std::size_t bucket);

  std::vector<std::uint64_t> counts_;
  std::uint64_t count_ = 0;
  Span max_;
};

struct LoadPlan {
  std::string place;         // "http://host:port" or "unix:/path".
  std::string target = "/";  // Path and query, encoded.
  Method method = Method::post;
  Headers headers;
  std::size_t connections = 64;  // 1 to 10,000.
  Span duration = seconds(10);
  int expect_status = 0;  // 0 = any of 200 to 299.
  Callback<void(std::string& lines)>
      make_headers;                             // Appends lines of the next request: "a: b\r\n".
  Callback<void(std::string& body)> make_body;  // Fills the body of the next request.
};

struct LoadReport {
  std::uint64_t requests = 0;  // Answered as expected.
  Span elapsed;
  Histogram latency;                    // Of those.
  std::map<int, std::uint64_t> errors;  // By status; 0 = the connection failed.
};

/// Runs the plan and blocks until it is over. `unavailable` when no connection could be made.
Result<LoadReport> run_load(LoadPlan&);

/// One JSON object: requests, seconds, per_second, p50_ms, p99_ms, p999_ms, max_ms, errors.
std::string print_report(const LoadReport&);

}  // namespace suan::net
