#include "engine/trash.h"

#include <fcntl.h>
#include <stdio.h>

#include "engine/file.h"

namespace suan::engine {

Trash::Trash(int state) : state_(state), thread_([this] { run(); }) {}

Trash::~Trash() {
  {
    const std::scoped_lock lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

void Trash::put(const std::string& path, const std::string& name) {
  const std::string there = "trash/" + name;
  if (::renameat(state_, path.c_str(), state_, there.c_str()) != 0) return;
  const std::scoped_lock lock(mutex_);
  if (!has_new_) changed_.notify_one();
  has_new_ = true;
}

void Trash::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return has_new_ || is_over_; });
    if (is_over_) return;
    has_new_ = false;
    lock.unlock();
    for (const std::string& name : names_in(state_, "trash")) {
      remove_tree(state_, "trash/" + name);
      lock.lock();
      const bool is_over = is_over_;
      lock.unlock();
      if (is_over) break;
    }
    lock.lock();
  }
}

}  // namespace suan::engine
