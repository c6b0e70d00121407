#include <functional>
#include <map>
#include <vector>

#include "base/text.h"
#include "cli/call.h"
#include "cli/interrupt.h"
#include "cli/views_text.h"
#include "cli/workdir.h"
#include "net/url.h"
#include "wire/json_view.h"

namespace suan::cli {

namespace {

constexpr std::int64_t rows_max = 500;

using Pairs = std::vector<net::QueryPair>;

std::string with_query(const std::string& path, const Pairs& pairs) {
  return pairs.empty() ? path : path + "?" + net::print_query(pairs);
}

void add_if_given(Pairs& pairs, const Arguments& arguments, std::string_view flag) {
  if (arguments.has(flag)) pairs.emplace_back(flag, arguments.value(flag));
}

// Finding and planning need no command; the document does.
Outcome<void> read_spec(Call& call) {
  SUAN_TRY(call.spec, make_spec(call.arguments, call.screen.in()));
  PackedDirectory workdir;
  SUAN_CHECK(workdir.pack(call));
  if (!call.spec.has_run) {
    const Setting nothing{"/run", "\":\""};
    auto json = apply_settings(call.spec.json, {&nothing, 1});
    if (!json) return std::unexpected(to_fault(std::move(json).error(), Exit::usage));
    call.spec.json = *std::move(json);
  }
  return {};
}

}  // namespace

Outcome<int> print_body(Call& call, std::string_view body) {
  auto text = call.form() == "yaml" ? wire::print_yaml(body) : wire::print_pretty(body);
  if (!text) return std::unexpected(to_fault(std::move(text).error()));
  if (!text->ends_with('\n')) text->push_back('\n');
  call.screen.print(*text);
  return 0;
}

Outcome<std::string> job_name(std::string_view typed) {
  const bool is_named = typed.starts_with("job-");
  const auto number = parse_integer(is_named ? typed.substr(4) : typed);
  if (number && *number > 0) return "job-" + std::to_string(*number);
  return fault(Exit::usage, "'" + std::string(typed) + "' is not a job such as job-42", "suan ps");
}

Outcome<int> find(Call& call) {
  SUAN_CHECK(read_spec(call));
  SUAN_TRY(const std::int64_t limit, number_of(call.arguments, "limit", 20, 1, rows_max));
  SUAN_TRY(const std::string body,
           call.session.ask("/v1/find?limit=" + std::to_string(limit), call.spec.json));
  return show<api::Found>(call, body, print_found);
}

Outcome<int> plan(Call& call) {
  SUAN_CHECK(read_spec(call));
  SUAN_TRY(const std::string body, call.session.ask("/v1/plans", call.spec.json));
  return show<api::PlanView>(call, body, print_plan);
}

Outcome<api::JobList> read_jobs(const Arguments& arguments, Session& session) {
  SUAN_TRY(const std::int64_t limit, number_of(arguments, "limit", 50, 1, rows_max));
  Pairs pairs{{"limit", std::to_string(limit)}};
  add_if_given(pairs, arguments, "project");
  add_if_given(pairs, arguments, "state");
  if (arguments.has("all") || arguments.has("state")) {
    return session.read<api::JobList>(with_query("/v1/jobs", pairs));
  }
  // The states that a job passes through, in that order: one that goes on while we ask is then seen
  // twice rather than never.
  std::map<JobId, api::JobView, std::greater<>> jobs;
  api::JobList all;
  pairs.emplace_back("state", "");
  for (const std::string_view state :
       {"queued", "reserving", "staging", "running", "stopping", "unreachable", "lost"}) {
    pairs.back().second = state;
    SUAN_TRY(api::JobList list, session.read<api::JobList>(with_query("/v1/jobs", pairs)));
    if (all.sequence == 0) all.sequence = list.sequence;
    if (!list.next.empty()) all.next = list.next;
    for (api::JobView& job : list.jobs) jobs.insert_or_assign(job.id, std::move(job));
  }
  for (auto& [id, job] : jobs) {
    if (static_cast<std::int64_t>(all.jobs.size()) == limit) {
      all.next = "job-" + std::to_string(all.jobs.back().id.value);
      break;
    }
    all.jobs.push_back(std::move(job));
  }
  return all;
}

Outcome<int> ps(Call& call) {
  if (call.arguments.has("watch")) return watch(call);
  if (!call.arguments.words.empty()) {
    SUAN_TRY(const std::string job, job_name(call.arguments.words.front()));
    SUAN_TRY(const std::string body, call.session.get("/v1/jobs/" + job));
    return show<api::JobView>(call, body, print_job);
  }
  SUAN_TRY(const api::JobList list, read_jobs(call.arguments, call.session));
  if (!call.is_for_people()) return print_body(call, wire::to_json(list));
  call.screen.print(print_jobs(list, call.layout()));
  return 0;
}

Outcome<int> why(Call& call) {
  SUAN_TRY(const std::string job, job_name(call.arguments.words.front()));
  SUAN_TRY(const std::string body, call.session.get("/v1/jobs/" + job + "/why"));
  return show<api::WhyView>(call, body, print_why);
}

Outcome<int> cost(Call& call) {
  SUAN_TRY(const std::int64_t limit, number_of(call.arguments, "limit", 50, 1, rows_max));
  Pairs pairs{{"limit", std::to_string(limit)}};
  add_if_given(pairs, call.arguments, "project");
  if (!call.arguments.words.empty()) {
    SUAN_TRY(std::string job, job_name(call.arguments.words.front()));
    pairs.emplace_back("job", std::move(job));
  }
  SUAN_TRY(const std::string body, call.session.get(with_query("/v1/costs", pairs)));
  return show<api::CostView>(call, body, print_costs);
}

Outcome<int> logs(Call& call) {
  const Arguments& arguments = call.arguments;
  SUAN_TRY(const std::string job, job_name(arguments.words.front()));
  SUAN_TRY(const std::int64_t task, number_of(arguments, "task", 0, 0, UINT32_MAX));
  SUAN_TRY(const std::int64_t attempt, number_of(arguments, "attempt", 0, 1, UINT32_MAX));
  Pairs pairs{{"task", std::to_string(task)},
              {"stream", arguments.has("stderr") ? "stderr" : "stdout"}};
  if (attempt > 0) pairs.emplace_back("attempt", std::to_string(attempt));
  if (arguments.has("follow")) pairs.emplace_back("follow", "true");
  const Interrupt interrupt;
  bool is_stopped = false;
  net::StreamReader reader;
  reader.on_bytes = [&](std::string_view bytes) {
    call.screen.print(bytes);
    is_stopped = is_stopped || interrupt.is_raised();
    return !is_stopped && call.screen.is_ok();
  };
  reader.on_pause = [&] {
    is_stopped = is_stopped || interrupt.is_raised();
    return !is_stopped;
  };
  SUAN_CHECK(
      call.session.stream(with_query("/v1/jobs/" + job + "/logs", pairs), std::move(reader)));
  return is_stopped ? static_cast<int>(Exit::interrupted) : 0;
}

}  // namespace suan::cli
