#include "http/lookups.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace suan::http {

namespace {

constexpr std::size_t wishes_max = 4096;
constexpr Span looked_at_every = milliseconds(10);

using Clock = std::chrono::steady_clock;

}  // namespace

Lookups::Lookups(history::History& history) : history_(history), thread_([this] { run(); }) {}

Lookups::~Lookups() {
  stop();
}

bool Lookups::put(Look look, std::uint64_t sequence) {
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_ || wishes_ >= wishes_max) return false;
    ++wishes_;
    new_wishes_.push_back({std::move(look), sequence, Clock::now() + history_waits});
  }
  has_work_.notify_one();
  return true;
}

void Lookups::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  has_work_.notify_all();
  if (thread_.joinable()) thread_.join();
}

// Until something new is asked, or the history may have come far enough for what waits.
void Lookups::wait(const std::vector<Wish>& waiting) {
  if (waiting.empty()) {
    std::unique_lock lock(mutex_);
    has_work_.wait(lock, [&] { return is_stopping_ || !new_wishes_.empty(); });
    return;
  }
  const auto first = std::ranges::min_element(waiting, {}, &Wish::sequence);
  history_.wait_for(first->sequence, looked_at_every);
}

void Lookups::run() {
  std::vector<Wish> waiting;
  for (bool is_ending = false; !is_ending;) {
    wait(waiting);
    {
      const std::lock_guard lock(mutex_);
      std::ranges::move(new_wishes_, std::back_inserter(waiting));
      new_wishes_.clear();
      is_ending = is_stopping_;
    }
    const std::uint64_t written = history_.sequence();
    const auto now = Clock::now();
    const auto is_due = [&](Wish& wish) {
      if (!is_ending && wish.sequence > written && now < wish.give_up) return false;
      wish.look(history_);
      return true;
    };
    const std::size_t done = std::erase_if(waiting, is_due);
    const std::lock_guard lock(mutex_);
    wishes_ -= done;
  }
}

}  // namespace suan::http
