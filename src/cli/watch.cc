#include <string>
#include <string_view>

#include <unistd.h>

#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/views_text.h"
#include "net/sse.h"

namespace suan::cli {

namespace {

constexpr std::int64_t redraw_us = 250'000;
constexpr std::int64_t give_up_us = 60'000'000;
constexpr std::string_view clear_screen = "\x1b[H\x1b[2J";

// What a watch knows between two connections.
class Watcher {
 public:
  Watcher(Call& call, std::string job)
      : call_(call),
        asker_(call.session.settings(), call.screen, false),
        job_(std::move(job)),
        redraws_(call.screen.out_is_terminal() && call.is_for_people()) {}

  Outcome<int> run() {
    SUAN_CHECK(draw());
    std::int64_t lost_us = 0;
    while (!interrupt_.is_raised()) {
      const auto done = listen();
      const std::int64_t now_us = wall_clock_us();
      if (has_heard_) lost_us = 0;
      if (!done && done.error().exit != Exit::unreachable) return std::unexpected(done.error());
      if (lost_us == 0) lost_us = now_us;
      if (!done && now_us - lost_us > give_up_us) return std::unexpected(done.error());
      if (!interrupt_.is_raised()) ::usleep(500'000);
    }
    return static_cast<int>(Exit::interrupted);
  }

 private:
  // Draws the jobs as they are, and learns from which event on to listen.
  Outcome<void> draw() {
    is_dirty_ = false;
    drawn_us_ = wall_clock_us();
    std::uint64_t sequence = 0;
    std::string text;
    if (job_.empty()) {
      SUAN_TRY(const api::JobList list, read_jobs(call_.arguments, asker_));
      sequence = list.sequence;
      text = print_jobs(list, call_.layout());
    } else {
      SUAN_TRY(const api::JobView job, asker_.read<api::JobView>("/v1/jobs/" + job_));
      sequence = job.sequence;
      text = print_job(job, call_.layout());
    }
    if (after_.empty()) after_ = std::to_string(sequence);
    if (redraws_) call_.screen.print(std::string(clear_screen) + text);
    if (!redraws_ && !has_drawn_ && call_.is_for_people()) call_.screen.print(text);
    has_drawn_ = true;
    return {};
  }

  void redraw_if_due() {
    if (!redraws_ || !is_dirty_ || wall_clock_us() - drawn_us_ < redraw_us) return;
    const auto drawn = draw();
    if (!drawn) call_.screen.show_progress(drawn.error().text);
  }

  bool take(const net::SseEvent& event) {
    if (!event.id.empty()) after_ = event.id;
    is_dirty_ = true;
    if (redraws_) return true;
    if (!call_.is_for_people()) {
      call_.screen.print(event.data + "\n");
    } else if (const auto notice = wire::from_json<api::Notice>(event.data)) {
      call_.screen.print(print_notice(*notice, call_.layout()));
    }
    return call_.screen.is_ok();
  }

  Outcome<void> listen() {
    has_heard_ = false;
    net::SseParser parser;
    Callback<bool(const net::SseEvent&)> on_event = [this](const net::SseEvent& event) {
      return take(event);
    };
    net::StreamReader reader;
    reader.on_bytes = [&](std::string_view bytes) {
      has_heard_ = true;
      const bool is_fine = parser.feed(bytes, on_event).has_value();
      redraw_if_due();
      return is_fine && !interrupt_.is_raised() && call_.screen.is_ok();
    };
    reader.on_pause = [this] {
      redraw_if_due();
      return !interrupt_.is_raised();
    };
    const std::string of_job = job_.empty() ? "" : "&job=" + job_;
    return call_.session.stream("/v1/events?after=" + after_ + of_job, std::move(reader));
  }

  Call& call_;
  Session asker_;  // A connection of its own, beside the stream's.
  std::string job_;
  Interrupt interrupt_;
  std::string after_;
  std::int64_t drawn_us_ = 0;
  bool redraws_;
  bool is_dirty_ = false;
  bool has_drawn_ = false;
  bool has_heard_ = false;
};

}  // namespace

Outcome<int> watch(Call& call) {
  std::string job;
  if (!call.arguments.words.empty()) {
    SUAN_TRY(job, job_name(call.arguments.words.front()));
  }
  if (call.arguments.has("curl")) {
    SUAN_CHECK(call.session.stream("/v1/events?after=0" + (job.empty() ? "" : "&job=" + job), {}));
  }
  Watcher watcher(call, std::move(job));
  return watcher.run();
}

}  // namespace suan::cli
