#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace suan::engine {

/// Deletes directories on a thread of its own: a working directory may hold millions of files. What
/// is in the trash when the process dies is deleted by the next.
class Trash {
 public:
  /// Empties `trash/` of the state directory `state`, which outlives this object.
  explicit Trash(int state);
  Trash(const Trash&) = delete;
  Trash& operator=(const Trash&) = delete;
  ~Trash();

  /// Moves a path of the state directory there, at once. The name must be new to the trash.
  void put(const std::string& path, const std::string& name);

 private:
  void run();

  int state_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool has_new_ = true;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace suan::engine
