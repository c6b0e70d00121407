#include "slurm/courier.h"

#include <utility>

#include "engine/process.h"

namespace suan::slurm {

Courier::Courier(std::unique_ptr<Cluster> cluster, Callback<void(Answer)> deliver)
    : cluster_(std::move(cluster)), deliver_(std::move(deliver)), thread_([this] { run(); }) {}

Courier::~Courier() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  has_work_.notify_all();
  thread_.join();
}

void Courier::send(Errand errand) {
  {
    const std::lock_guard lock(mutex_);
    errands_.push_back(std::move(errand));
  }
  has_work_.notify_one();
}

void Courier::run() {
  while (true) {
    Errand errand;
    {
      std::unique_lock lock(mutex_);
      has_work_.wait(lock, [&] { return is_over_ || !errands_.empty(); });
      if (is_over_) return;
      errand = std::move(errands_.front());
      errands_.pop_front();
    }
    deliver_(std::visit([&](const auto& each) { return perform(each); }, errand));
  }
}

Answer Courier::perform(const SubmitErrand& errand) {
  if (errand.looks_first) {
    auto found = cluster_->find_jobs(errand.submission.name);
    if (!found) return Submitted{errand.key, std::unexpected(found.error())};
    // The first that lives: were there ever two, one would find it claimed and end at once.
    for (const Job& job : *found)
      if (!has_ended(job.state)) return Submitted{errand.key, job.id};
    if (!found->empty()) return Submitted{errand.key, found->back().id};
  }
  return Submitted{errand.key, cluster_->submit(errand.submission)};
}

Answer Courier::perform(const LookErrand& errand) {
  return Looked{errand.key, cluster_->job(errand.job)};
}

Answer Courier::perform(const CancelErrand& errand) {
  return Cancelled{errand.key, errand.job, cluster_->cancel(errand.job)};
}

Answer Courier::perform(const SurveyErrand&) {
  const Span began = engine::monotonic_now();
  Survey survey;
  auto nodes = cluster_->nodes();
  if (!nodes) return Surveyed{std::unexpected(nodes.error()), engine::monotonic_now() - began};
  survey.nodes = *std::move(nodes);
  auto jobs = cluster_->jobs();
  if (!jobs) return Surveyed{std::unexpected(jobs.error()), engine::monotonic_now() - began};
  survey.jobs = *std::move(jobs);
  return Surveyed{std::move(survey), engine::monotonic_now() - began};
}

}  // namespace suan::slurm
