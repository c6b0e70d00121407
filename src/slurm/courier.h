#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <variant>
#include <vector>

#include "model/attempt.h"
#include "slurm/cluster.h"

/// Errands to a cluster, done one after another on a thread that may wait for it.
namespace suan::slurm {

/// Submit an attempt. With `looks_first` it may have been submitted before: then the job of that
/// name is the answer, and a new one is made only if there is none.
struct SubmitErrand {
  AttemptKey key;
  Submission submission;
  bool looks_first = false;
};
/// Ask how the job of an attempt stands.
struct LookErrand {
  AttemptKey key;
  std::uint64_t job = 0;
};
struct CancelErrand {
  AttemptKey key;
  std::uint64_t job = 0;
};
/// Ask for all nodes and jobs.
struct SurveyErrand {};
using Errand = std::variant<SubmitErrand, LookErrand, CancelErrand, SurveyErrand>;

struct Submitted {
  AttemptKey key;
  Result<std::uint64_t> job;
};
struct Looked {
  AttemptKey key;
  Result<Job> job;
};
struct Cancelled {
  AttemptKey key;
  std::uint64_t job = 0;
  Result<void> outcome;
};
struct Survey {
  std::vector<Node> nodes;
  std::vector<Job> jobs;
};
struct Surveyed {
  Result<Survey> survey;
  Span took;
};
using Answer = std::variant<Submitted, Looked, Cancelled, Surveyed>;

class Courier {
 public:
  /// `deliver` is called on the courier's thread with each answer.
  Courier(std::unique_ptr<Cluster>, Callback<void(Answer)> deliver);

  /// Ends after the errand under way; the others are dropped.
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  /// Any thread.
  void send(Errand);

 private:
  void run();
  Answer perform(const SubmitErrand&);
  Answer perform(const LookErrand&);
  Answer perform(const CancelErrand&);
  Answer perform(const SurveyErrand&);

  std::unique_ptr<Cluster> cluster_;
  Callback<void(Answer)> deliver_;
  std::mutex mutex_;
  std::condition_variable has_work_;
  std::deque<Errand> errands_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace suan::slurm
