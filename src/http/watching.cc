// Routes that go on: logs and events.
#include <algorithm>

#include "base/text.h"
#include "http/execs.h"
#include "http/problem.h"
#include "http/routes.h"
#include "http/tails.h"

namespace suan::http {

namespace {

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
  wish.key = exchange.key;
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

void get_exec(Service& service, Exchange& exchange) {
  const auto job = parse_job(exchange.captured.front());
  const auto task = query_number(exchange.request, "task", 0, UINT32_MAX);
  if (!job) return exchange.responder.respond(problem(404, "job_unknown", "there is no such job"));
  if (!task)
    return exchange.responder.respond(problem(400, "query_invalid", "task is a whole number"));
  const ExecPlace place{.job = *job,
                        .task = static_cast<std::uint32_t>(*task),
                        .principal = exchange.principal,
                        .key = exchange.key};
  service.parts().execs.open(place, std::move(exchange.request), std::move(exchange.responder));
}

void get_events(Service& service, Exchange& exchange) {
  EventStreams& streams = service.parts().event_streams;
  EventWish wish{.next = {streams.newest() + 1, 0},
                 .job = {},
                 .key = exchange.key,
                 .principal = exchange.principal};
  const std::string* after = exchange.request.headers.find("Last-Event-ID");
  if (after == nullptr) after = exchange.request.find_query("after");
  if (after != nullptr) {
    const auto next = place_after(*after);
    if (!next)
      return exchange.responder.respond(
          problem(400, "query_invalid", "after is the id of an event, as 17.2, or a sequence"));
    wish.next = *next;
  }
  if (const std::string* text = exchange.request.find_query("job")) {
    const auto job = parse_job(*text);
    if (!job)
      return exchange.responder.respond(
          problem(400, "query_invalid", "job is an id such as job-42"));
    wish.job = *job;
  }
  streams.add(wish, std::move(exchange.responder));
}

}  // namespace suan::http
