#include "slurm/porter.h"

#include <utility>

#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

namespace suan::slurm {

namespace {

constexpr std::size_t at_once_max = 4;

void raise(const engine::Fd& event) {
  const std::uint64_t one = 1;
  static_cast<void>(::write(event.get(), &one, sizeof one) > 0);
}

}  // namespace

Porter::Porter(engine::StoreHouse house, Callback<void(Moved)> deliver)
    : house_(std::move(house)), deliver_(std::move(deliver)) {}

Porter::~Porter() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
    for (const auto& [key, event] : under_way_) raise(event);
  }
  has_work_.notify_all();
  for (std::thread& each : threads_) each.join();
}

void Porter::send(MoveErrand errand) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(errand));
    if (threads_.size() < at_once_max && threads_.size() < waiting_.size() + under_way_.size())
      threads_.emplace_back([this] { run(); });
  }
  has_work_.notify_one();
}

void Porter::stop(const AttemptKey& key) {
  const std::lock_guard lock(mutex_);
  std::erase_if(waiting_, [&](const MoveErrand& each) { return each.key == key; });
  if (const auto at = under_way_.find(key); at != under_way_.end()) raise(at->second);
}

void Porter::run() {
  while (true) {
    MoveErrand errand;
    int stop = -1;
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [&] { return is_over_ || !waiting_.empty(); });
      if (is_over_) return;
      errand = std::move(waiting_.front());
      waiting_.pop_front();
      engine::Fd event(::eventfd(0, EFD_CLOEXEC));
      stop = event.get();
      under_way_[errand.key] = std::move(event);
    }
    Result<void> outcome = perform(errand, stop);
    {
      const std::lock_guard lock(mutex_);
      under_way_.erase(errand.key);
      if (is_over_) return;
    }
    const std::lock_guard lock(delivery_mutex_);
    deliver_({errand.key, errand.is_out, std::move(outcome)});
  }
}

Result<void> Porter::perform(const MoveErrand& errand, int stop) const {
  const std::string path = errand.directory + "/stderr";
  const engine::Fd log(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600));
  const engine::MoveScene scene{.directory = errand.directory, .log = log.get(), .stop = stop};
  return errand.is_out
             ? engine::keep_outputs(house_, errand.launch, errand.data, errand.is_success, scene)
             : engine::bring_inputs(house_, errand.launch, errand.data, scene);
}

}  // namespace suan::slurm
