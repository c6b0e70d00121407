#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "member/engine.h"

/// The other side of an engine, for tests.
namespace suan::member {

/// Keeps what an engine reports, and checks what must hold of any sequence of reports.
class ProgressRecorder : public ProgressSink {
 public:
  void on_progress(const Progress& progress) override {
    const std::scoped_lock lock(mutex_);
    ++reports_;
    Progress& latest = latest_[progress.key];
    const bool is_repeat = latest.state == AttemptState::ended;
    if (progress.state < latest.state) objections_.push_back("a state went backwards");
    if ((progress.state == AttemptState::ended) != (progress.end != AttemptEnd::none))
      objections_.push_back("`end` is set exactly when ended");
    if (progress.usage.wall < latest.usage.wall || progress.usage.cpu < latest.usage.cpu ||
        progress.usage.memory_peak_bytes < latest.usage.memory_peak_bytes)
      objections_.push_back("usage shrank");
    if (is_repeat && (progress.end != latest.end || progress.exit_code != latest.exit_code ||
                      progress.usage != latest.usage))
      objections_.push_back("an end changed");
    latest = progress;
  }

  Progress latest(const AttemptKey& key) const {
    const std::scoped_lock lock(mutex_);
    const auto at = latest_.find(key);
    return at == latest_.end() ? Progress{} : at->second;
  }
  std::size_t ended() const {
    const std::scoped_lock lock(mutex_);
    std::size_t count = 0;
    for (const auto& [key, progress] : latest_) count += progress.state == AttemptState::ended;
    return count;
  }
  std::size_t reports() const {
    const std::scoped_lock lock(mutex_);
    return reports_;
  }
  std::vector<std::string> objections() const {
    const std::scoped_lock lock(mutex_);
    return objections_;
  }

 private:
  mutable std::mutex mutex_;
  std::map<AttemptKey, Progress> latest_;
  std::vector<std::string> objections_;
  std::size_t reports_ = 0;
};

inline constexpr AttemptKey first_key{.job = {7}, .task = 0, .attempt = 1};

/// A launch that asks for little and has no limits.
inline Launch plain_launch(const AttemptKey& key = first_key) {
  Launch launch;
  launch.key = key;
  launch.lease = {1};
  launch.pool = {1};
  launch.grant = {
      .node = 0, .cards = {}, .card_milli = 0, .cpu_milli = 500, .memory_bytes = 256 << 20};
  launch.grace = seconds(1);
  return launch;
}

}  // namespace suan::member
