// Routes that go on: logs and events.
#include <algorithm>

#include "base/text.h"
#include "http/problem.h"
#include "http/routes.h"
#include "http/show.h"
#include "http/tails.h"
#include "net/sse.h"
#include "runtime/codec.h"
#include "wire/json.h"

namespace suan::http {

namespace {

constexpr int quiet_seconds_between_comments = 15;

std::optional<JobId> job_of(const domain::Event& event) {
  return std::visit(
      [](const auto& each) -> std::optional<JobId> {
        if constexpr (requires { each.unit.job; })
          return each.unit.job;
        else if constexpr (requires { each.key.job; })
          return each.key.job;
        else if constexpr (requires { each.attempt.job; })
          return each.attempt.job;
        else if constexpr (requires { each.lease.holder.job; })
          return each.lease.holder.job;
        else if constexpr (requires {
                             { each.job } -> std::same_as<const JobId&>;
                           })
          return each.job;
        else
          return std::nullopt;
      },
      event);
}

/// Sends changes to one reader, only those it may see.
class EventStream : public runtime::Watcher {
 public:
  EventStream(net::StreamWriter writer, identity::Principal principal, JobId only)
      : writer_(std::move(writer)), principal_(principal), only_(only) {}

  bool on_record(const runtime::DurableRecord& record, const runtime::View& view) override {
    quiet_ = 0;
    for (const domain::Event& event : record.events) {
      const auto id = job_of(event);
      if (only_ && id != only_) continue;
      api::Notice notice{.sequence = record.sequence,
                         .at = record.at,
                         .event = runtime::event_name(event),
                         .job = id.value_or(JobId{}),
                         .state = api::JobState::queued};
      if (!may_see(id, view.state, notice)) continue;
      if (!writer_.write(net::print_event({.id = std::to_string(record.sequence),
                                           .event = "change",
                                           .data = wire::to_json(notice)})))
        return false;
    }
    return writer_.is_open();
  }

  bool on_quiet() override {
    if (++quiet_ % quiet_seconds_between_comments == 0) return writer_.write(": quiet\n\n");
    return writer_.is_open();
  }

 private:
  // Also fills in the state of the job. Events without a job are about supply, which all may see,
  // or about people and money, of which only their names are told.
  bool may_see(const std::optional<JobId>& id, const domain::State& state,
               api::Notice& notice) const {
    if (!id) return state.identity().may(principal_, identity::Action::read_domain);
    const jobs::Job* job = state.jobs().find(*id);
    if (job == nullptr) return state.identity().may(principal_, identity::Action::read_project);
    notice.state = job_state(*job);
    return state.identity().may(principal_, identity::Action::read_project, job->spec->project);
  }

  net::StreamWriter writer_;
  identity::Principal principal_;
  JobId only_;
  int quiet_ = 0;
};

std::optional<JobId> parse_job(std::string_view text) {
  if (text.starts_with("job-")) text.remove_prefix(4);
  const auto number = parse_integer(text);
  if (!number || *number <= 0) return std::nullopt;
  return JobId{static_cast<std::uint64_t>(*number)};
}

std::expected<LogWish, net::Response> read_log_wish(const Exchange& exchange) {
  const net::Request& request = exchange.request;
  LogWish wish;
  wish.principal = exchange.principal;
  const auto job = parse_job(exchange.captured.front());
  const auto task = query_number(request, "task", 0, UINT32_MAX);
  const auto attempt = query_number(request, "attempt", 0, UINT32_MAX);
  const auto offset = query_number(request, "offset", 0, UINT64_MAX / 2);
  const std::string* stream = request.find_query("stream");
  const std::string* follow = request.find_query("follow");
  if (!job) return std::unexpected(problem(404, "job_unknown", "there is no such job"));
  if (!task || !attempt || !offset)
    return std::unexpected(
        problem(400, "query_invalid", "task, attempt and offset are whole numbers"));
  if (stream != nullptr && *stream != "stdout" && *stream != "stderr")
    return std::unexpected(problem(400, "query_invalid", "stream is stdout or stderr"));
  if (follow != nullptr && *follow != "true" && *follow != "false")
    return std::unexpected(problem(400, "query_invalid", "follow is true or false"));
  wish.job = *job;
  wish.task = static_cast<std::uint32_t>(*task);
  if (*attempt > 0) wish.attempt = static_cast<std::uint32_t>(*attempt);
  wish.offset = *offset;
  wish.stream = stream != nullptr && *stream == "stderr" ? member::LogStream::error
                                                         : member::LogStream::output;
  wish.follow = follow != nullptr && *follow == "true";
  return wish;
}

}  // namespace

void get_logs(Service& service, Exchange& exchange) {
  auto wish = read_log_wish(exchange);
  if (!wish) return exchange.responder.respond(std::move(wish).error());
  service.parts().tails.read(*wish, std::move(exchange.responder));
}

void get_events(Service& service, Exchange& exchange) {
  std::optional<std::uint64_t> after =
      query_number(exchange.request, "after", service.parts().follower.sequence(), UINT64_MAX / 2);
  if (const std::string* last = exchange.request.headers.find("Last-Event-ID")) {
    const auto number = parse_integer(*last);
    after =
        number && *number >= 0 ? std::optional(static_cast<std::uint64_t>(*number)) : std::nullopt;
  }
  JobId only;
  if (const std::string* text = exchange.request.find_query("job")) {
    const auto job = parse_job(*text);
    if (!job)
      return exchange.responder.respond(
          problem(400, "query_invalid", "job is an id such as job-42"));
    only = *job;
  }
  if (!after)
    return exchange.responder.respond(
        problem(400, "query_invalid", "after is a sequence, a whole number"));
  auto stream = std::make_unique<EventStream>(
      exchange.responder.stream(200, "text/event-stream", {{"Cache-Control", "no-store"}}),
      exchange.principal, only);
  service.parts().follower.watch(std::move(stream), *after);
}

}  // namespace suan::http
