#include <algorithm>
#include <atomic>
#include <ctime>
#include <string>
#include <thread>

#include "cli/amounts.h"
#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/views_text.h"

namespace suan::cli {

namespace {

constexpr std::int64_t give_up_us = 60'000'000;
constexpr std::int64_t poll_first_us = 20'000;
constexpr std::int64_t poll_max_us = 1'000'000;

void sleep_us(std::int64_t us) {
  const timespec wait{.tv_sec = us / 1'000'000, .tv_nsec = us % 1'000'000 * 1000};
  ::nanosleep(&wait, nullptr);
}

bool is_away(const Fault& fault) {
  return fault.exit == Exit::unreachable || fault.status == 503;
}

// Copies one stream of one attempt to the end, over as many connections as it takes.
class LogCopy {
 public:
  LogCopy(const Call& call, std::string target, bool is_error, const Interrupt& interrupt)
      : session_(call.session.settings(), call.screen, false),
        screen_(call.screen),
        target_(std::move(target) + (is_error ? "&stream=stderr" : "&stream=stdout")),
        is_error_(is_error),
        interrupt_(interrupt) {}

  void run() {
    std::int64_t heard_us = wall_clock_us();
    while (!interrupt_.is_raised()) {
      const std::uint64_t before = offset_;
      const auto done = copy();
      if (offset_ > before) heard_us = wall_clock_us();
      if (done || !is_away(done.error())) return;
      if (wall_clock_us() - heard_us > give_up_us) return;
      sleep_us(poll_max_us / 2);
    }
  }

 private:
  Outcome<void> copy() {
    net::StreamReader reader;
    reader.on_bytes = [this](std::string_view bytes) {
      offset_ += bytes.size();
      if (is_error_)
        screen_.note(bytes);
      else
        screen_.print(bytes);
      return !interrupt_.is_raised();
    };
    reader.on_pause = [this] { return !interrupt_.is_raised(); };
    return session_.stream(target_ + "&offset=" + std::to_string(offset_), std::move(reader));
  }

  Session session_;
  Screen& screen_;
  std::string target_;
  bool is_error_;
  const Interrupt& interrupt_;
  std::uint64_t offset_ = 0;
};

// The number of the latest attempt of the first task that has begun to run; 0 if none.
std::uint32_t begun_attempt(const api::JobView& job) {
  std::uint32_t latest = 0;
  if (job.tasks.empty()) return latest;
  for (const api::AttemptView& each : job.tasks.front().attempts) {
    if (each.started != Moment{}) latest = std::max(latest, each.number);
  }
  return latest;
}

class Follower {
 public:
  // The read side may not have the job yet, so every read demands the record that holds it.
  Follower(Call& call, const api::Accepted& job)
      : call_(call),
        job_(job.id),
        target_("/v1/jobs/" + job.id + "?after_sequence=" + std::to_string(job.sequence)) {}

  Outcome<int> run() {
    std::int64_t wait_us = poll_first_us;
    std::int64_t heard_us = wall_clock_us();
    while (!interrupt_.is_raised()) {
      auto job = call_.session.read<api::JobView>(target_);
      if (!job) {
        if (!is_away(job.error()) || wall_clock_us() - heard_us > give_up_us) {
          return std::unexpected(lost_sight(std::move(job).error()));
        }
        call_.screen.show_progress("the server is away; " + job_ + " goes on");
      } else {
        heard_us = wall_clock_us();
        if (const std::uint32_t attempt = begun_attempt(*job); attempt > copied_) {
          copy_logs(*job, attempt);
          wait_us = poll_first_us;
          continue;
        }
        if (has_ended(job->state)) return end(*job);
        show_waiting(*job);
      }
      sleep_us(wait_us);
      wait_us = std::min(wait_us * 3 / 2, poll_max_us);
    }
    call_.screen.note("\n" + job_ + " goes on; stop it with `suan stop " + job_ + "`\n");
    return static_cast<int>(Exit::interrupted);
  }

 private:
  void copy_logs(const api::JobView& job, std::uint32_t attempt) {
    call_.screen.show_progress("");
    const std::uint32_t tasks = job.nodes * job.elements;
    if (tasks > 1 && copied_ == 0) {
      call_.screen.note("This is task 0 of " + std::to_string(tasks) + "; another's: suan logs " +
                        job_ + " --task N\n");
    }
    copied_ = attempt;
    const std::string target =
        "/v1/jobs/" + job_ + "/logs?task=0&follow=true&attempt=" + std::to_string(attempt);
    LogCopy output(call_, target, false, interrupt_);
    LogCopy error(call_, target, true, interrupt_);
    std::thread beside([&error] { error.run(); });
    output.run();
    beside.join();
  }

  void show_waiting(const api::JobView& job) {
    call_.screen.show_progress(job_ + " " + state_cell(job.state).text +
                               (job.reason.empty() ? "" : ": " + job.reason));
  }

  Outcome<int> end(const api::JobView& job) {
    const bool is_fine = job.state == api::JobState::finished && job.exit_code == 0;
    std::string line = job_ + " " + state_cell(job.state).text;
    if (!job.reason.empty()) line += ": " + job.reason;
    if (job.started != Moment{}) line += ", " + print_rough(job.ended - job.started);
    if (job.cost != Money{}) line += ", " + print_cny(job.cost);
    call_.screen.show_progress("");
    if (!is_fine || call_.screen.can_ask()) call_.screen.note(line + "\n");
    if (is_fine) return 0;
    const bool has_code = job.state != api::JobState::cancelled && job.exit_code != 0;
    return has_code ? job.exit_code & 0xFF : static_cast<int>(Exit::refused);
  }

  Fault lost_sight(Fault wrong) const {
    wrong.text += "; " + job_ + " may go on";
    wrong.remedy = "suan ps " + job_;
    return wrong;
  }

  Call& call_;
  std::string job_;
  std::string target_;
  Interrupt interrupt_;
  std::uint32_t copied_ = 0;
};

}  // namespace

Outcome<int> follow(Call& call, const api::Accepted& job) {
  return Follower(call, job).run();
}

}  // namespace suan::cli
