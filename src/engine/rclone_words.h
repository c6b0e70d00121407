#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

/// What rclone says while it works: a JSON object a line (rclone(1), --use-json-log), or text.
namespace suan::engine {

/// How far a transfer is.
struct TransferStats {
  std::int64_t bytes = 0;
  std::int64_t bytes_all = 0;  // As far as it knows yet.
  std::int64_t files = 0;      // Transferred or found to be there.
  std::int64_t files_all = 0;
  std::int64_t bytes_per_second = 0;

  friend bool operator==(const TransferStats&, const TransferStats&) = default;
};

struct RcloneWord {
  std::optional<TransferStats> stats;
  bool is_trouble = false;  // An error, or something that was left out.
  std::string object;       // What it is about; "" = the whole.
  std::string text;
};

/// One line. Never fails: what is no such object is trouble in its own words.
RcloneWord parse_rclone_word(std::string_view line);

/// "1.2 GB of 10.0 GB, 3 of 12 files, 110 MB/s" for people.
std::string print_stats(const TransferStats&);

/// "1.2 GB": three digits at most, powers of 1000.
std::string print_size(std::int64_t bytes);

}  // namespace suan::engine
