#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_set>

#include "engine/file.h"
#include "member/engine.h"

namespace suan::engine {

/// Bounds on logs. The work writes straight into its log files, so that neither a slow reader nor a
/// dead server can hold it up, and the bounds are enforced afterwards.
struct LogLimits {
  std::int64_t stream_bytes_max = std::int64_t{1} << 30U;  // Per stream; see LogStore::cut.
  std::int64_t kept_bytes_max = std::int64_t{10} << 30U;   // Of all forgotten attempts together.
  std::size_t kept_files_max = 20'000;                     // The same.
};

/// The logs of attempts, and the memory of those that are forgotten. May be called from any thread.
///
/// Where: `attempts/<name>/{stdout,stderr}`, and after `forget` `logs/<name>.{out,err}` unless
/// empty. The last 250,000 forgotten keys at least are remembered, in `forgotten` and
/// `forgotten.old`.
class LogStore {
 public:
  /// `state` is the state directory's descriptor, which outlives this object.
  LogStore(int state, LogLimits);

  /// See member::Engine::read_log. A stream longer than `stream_bytes_max` reads as its first
  /// `stream_bytes_max` bytes and a last line that says so.
  Result<member::LogPiece> read(const AttemptKey&, member::LogStream, std::uint64_t offset,
                                std::size_t bytes_max);

  bool is_forgotten(const AttemptKey&);

  /// Remembers the key as forgotten and keeps its logs; drops the oldest logs beyond the limits.
  void forget(const AttemptKey&);

  /// Frees the disk behind the first `stream_bytes_max` bytes of both streams of an attempt that
  /// runs: the file's length goes on growing, its blocks do not (fallocate(2),
  /// FALLOC_FL_PUNCH_HOLE). So between two calls a stream may take more disk than its limit.
  /// Returns false if the file system cannot do so and a stream is too long.
  bool cut(const AttemptKey&);

 private:
  struct KeyHash {
    std::size_t operator()(const AttemptKey& key) const {
      return static_cast<std::size_t>((key.job.value * 0x9E3779B97F4A7C15U) ^
                                      ((std::uint64_t{key.task} << 32U) + key.attempt));
    }
  };
  struct Kept {
    std::string path;
    std::int64_t bytes = 0;
  };

  Fd open_log(const AttemptKey&, member::LogStream, bool& is_known, bool& is_over);
  void keep(const std::string& from, const std::string& to);
  void drop_oldest();
  void load_forgotten(const std::string& path, std::unordered_set<AttemptKey, KeyHash>&);
  void load_kept();

  int state_;
  LogLimits limits_;
  std::mutex mutex_;  // All below; and no log is moved while one is being opened.
  Fd forgotten_file_;
  std::unordered_set<AttemptKey, KeyHash> forgotten_;
  std::unordered_set<AttemptKey, KeyHash> forgotten_before_;
  std::deque<Kept> kept_;  // Oldest first.
  std::int64_t kept_bytes_ = 0;
};

}  // namespace suan::engine
