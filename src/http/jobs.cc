// Routes about jobs: find, submit, list, show, why, cancel.
#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "domain/decide.h"
#include "domain/terms.h"
#include "http/plans.h"
#include "http/problem.h"
#include "http/read_spec.h"
#include "http/routes.h"
#include "http/show.h"
#include "placement/rank.h"
#include "wire/hash.h"
#include "wire/json.h"
#include "wire/names.h"

namespace suan::http {

namespace {

constexpr std::uint64_t list_limit_max = 500;
constexpr std::size_t jobs_scanned_max = 200'000;

bool may_read(const domain::State& state, const identity::Principal& principal, ProjectId project) {
  return state.identity().may(principal, identity::Action::read_project, project);
}

net::Response no_job(const std::string& name) {
  return problem(404, "job_unknown", "there is no job " + name + ", or it is not yours to see");
}

Moment wall_clock() {
  return runtime::SystemClock().now();
}

std::optional<JobId> job_id_of(const std::string& text) {
  const std::string_view digits =
      text.starts_with("job-") ? std::string_view(text).substr(4) : text;
  const auto number = parse_integer(digits);
  if (!number || *number <= 0) return std::nullopt;
  return JobId{static_cast<std::uint64_t>(*number)};
}

/// What GET /v1/jobs was asked for.
struct JobFilter {
  ProjectId project;
  std::optional<api::JobState> state;
  std::string user;
  std::uint64_t limit = 50;
  std::uint64_t before = 0;
};

/// A page of jobs under way: those in hot state, to which those of the history come.
struct JobPage {
  api::JobList list;
  history::Filter old;
  std::uint64_t unseen_below = 0;  // Hot jobs with lower ids were not looked at; 0 = all were.
};

std::expected<JobFilter, net::Response> read_filter(const net::Request& request,
                                                    const identity::Identity& identity) {
  JobFilter filter;
  if (const std::string* name = request.find_query("project")) {
    const auto* project = identity.find_project(*name);
    if (project == nullptr)
      return std::unexpected(
          problem(404, "project_unknown", "there is no project \"" + *name + "\""));
    filter.project = project->id;
  }
  if (const std::string* text = request.find_query("state")) {
    filter.state = wire::parse_enum<api::JobState>(*text);
    if (!filter.state) {
      return std::unexpected(
          problem(400, "query_invalid",
                  "state is one of queued, reserving, staging, running, stopping, "
                  "unreachable, lost, finished, failed, cancelled; got \"" +
                      *text + "\""));
    }
  }
  if (const std::string* user = request.find_query("user")) filter.user = *user;
  const auto limit = query_number(request, "limit", 50, list_limit_max);
  std::optional<std::uint64_t> before = 0;
  if (const std::string* text = request.find_query("before")) {
    const auto id = job_id_of(*text);
    before = id ? std::optional(id->value) : std::nullopt;
  }
  if (!limit || *limit == 0 || !before)
    return std::unexpected(
        problem(400, "query_invalid", "limit is 1 to 500, before is a job's id"));
  filter.limit = *limit;
  filter.before = *before;
  return filter;
}

void add_hot(const domain::State& state, const identity::Principal& principal,
             const JobFilter& filter, UserId user, JobPage& page) {
  const auto& all = state.jobs().all();
  const JobId end{filter.before == 0 ? UINT64_MAX : filter.before};
  std::size_t scanned = 0;
  for (auto at = all.before(end); at != all.end() && page.list.jobs.size() < filter.limit;
       at = all.before(at->first)) {
    const jobs::Job& job = at->second;
    if (filter.project && job.spec->project != filter.project) continue;
    if (user && job.user != user) continue;
    const bool is_taken = !filter.state || job_state(job) == *filter.state;
    if (is_taken && may_read(state, principal, job.spec->project))
      page.list.jobs.push_back(show_job(state, job, wall_clock(), false));
    if (++scanned < jobs_scanned_max) continue;
    page.unseen_below = job.id.value;
    return;
  }
}

// Whose jobs somebody may read: some projects, or an empty list for all. Nothing where it is none.
std::optional<std::vector<ProjectId>> readable_projects(const domain::State& state,
                                                        const identity::Principal& principal,
                                                        ProjectId only) {
  if (only) {
    if (!may_read(state, principal, only)) return std::nullopt;
    return std::vector{only};
  }
  std::vector<ProjectId> projects;
  if (may_read(state, principal, {})) return projects;
  for (const auto& [id, project] : state.identity().projects()) {
    if (may_read(state, principal, id)) projects.push_back(id);
  }
  return projects.empty() ? std::nullopt : std::optional(std::move(projects));
}

// The outcome that a job in the history has in such a state; nothing if none is in it.
std::optional<jobs::Outcome> old_outcome(api::JobState state) {
  for (const auto outcome :
       {jobs::Outcome::finished, jobs::Outcome::failed, jobs::Outcome::cancelled}) {
    if (job_state(outcome) == state) return outcome;
  }
  return std::nullopt;
}

net::Response finish_page(JobPage page, const domain::State& state,
                          const std::vector<history::JobRow>& rows) {
  std::vector<api::JobView>& jobs = page.list.jobs;
  const std::size_t hot = jobs.size();
  for (const history::JobRow& row : rows) {
    const auto is_it = [&](const api::JobView& view) { return view.id == row.id; };
    const bool is_hot = std::any_of(jobs.begin(), jobs.begin() + static_cast<std::ptrdiff_t>(hot),
                                    is_it);  // It left hot state just now.
    if (!is_hot && row.id.value >= page.unseen_below) jobs.push_back(show_job(state, row));
  }
  std::ranges::sort(jobs, std::ranges::greater{}, &api::JobView::id);
  if (jobs.size() >= page.old.limit) {
    jobs.resize(page.old.limit);
    page.list.next = "job-" + std::to_string(jobs.back().id.value);
  } else if (page.unseen_below > 0) {
    page.list.next = "job-" + std::to_string(page.unseen_below);
  }
  return json(200, wire::to_json(page.list));
}

// The hot part of a list, and what to ask the history for.
Service::Step list_jobs(const domain::State& state, const identity::Principal& principal,
                        const JobFilter& filter) {
  JobPage page;
  page.list.sequence = state.essence().sequence;
  page.old.before = filter.before;
  page.old.limit = filter.limit;
  const identity::User* user =
      filter.user.empty() ? nullptr : state.identity().find_user(filter.user);
  auto projects = readable_projects(state, principal, filter.project);
  if (!projects || (user == nullptr && !filter.user.empty()))
    return finish_page(std::move(page), state, {});
  page.old.user = user == nullptr ? UserId{} : user->id;
  add_hot(state, principal, filter, page.old.user, page);
  if (filter.state) {
    page.old.outcome = old_outcome(*filter.state);
    if (!page.old.outcome) return finish_page(std::move(page), state, {});
  }
  page.old.projects = std::move(*projects);
  return Service::Look([page = std::move(page)](history::History& history) -> Service::Query {
    return [page, rows = history.evicted_jobs(page.old)](const runtime::View& view,
                                                         const identity::Principal&) mutable {
      if (!rows) return problem(rows.error());
      return finish_page(std::move(page), view.state, *rows);
    };
  });
}

/// What the history has of one job that has left hot state.
struct OldJob {
  Result<std::optional<history::JobRow>> row;
  Result<std::vector<history::AttemptRow>> attempts;
};

// Looks a job up and shows it with `show`, if the caller may see it.
template <class Show>
Service::Look look_up_job(JobId id, Show show) {
  return [id, show](history::History& history) -> Service::Query {
    return [id, show, old = OldJob{history.job(id), history.attempts(id)}](
               const runtime::View& view, const identity::Principal& principal) {
      if (!old.row) return problem(old.row.error());
      if (!old.attempts) return problem(old.attempts.error());
      if (!*old.row || !may_read(view.state, principal, (*old.row)->project))
        return no_job("job-" + std::to_string(id.value));
      return show(view.state, **old.row, *old.attempts);
    };
  };
}

// Whether the state has not all of a job's attempts: it keeps the latest of each unit, until that
// one is given up.
bool has_earlier_attempts(const jobs::Job& job) {
  return std::ranges::any_of(job.units, [](const jobs::Unit& unit) {
    return unit.attempt > 1 || (unit.attempt == 1 && unit.phase == jobs::Phase::waiting);
  });
}

net::Response show_old_job(const domain::State& state, const history::JobRow& row,
                           const std::vector<history::AttemptRow>& attempts) {
  api::JobView shown = show_job(state, row);
  shown.tasks = show_attempts(state, attempts);
  return json(200, wire::to_json(shown));
}

}  // namespace

void post_find(Service& service, Exchange& exchange) {
  auto read = read_spec(service, exchange);
  if (!read) return exchange.responder.respond(std::move(read).error());
  const auto limit = query_number(exchange.request, "limit", 20, list_limit_max);
  if (!limit) return exchange.responder.respond(problem(400, "query_invalid", "limit is 0 to 500"));
  service.ask(exchange, [spec = std::move(read->spec), limit = *limit](const runtime::View& view,
                                                                       const identity::Principal&) {
    return json(200, wire::to_json(show_found(view.state, spec, limit)));
  });
}

void post_job(Service& service, Exchange& exchange) {
  auto read = read_spec(service, exchange);
  if (!read) return exchange.responder.respond(std::move(read).error());
  const Workdir& workdir = read->spec.workdir;
  const engine::Uploads* uploads = service.parts().uploads;
  const bool is_here =
      uploads != nullptr &&
      uploads->size_of(upload_name(exchange.principal.user, workdir)) == workdir.bytes;
  if (workdir.is_given() && !is_here)
    return exchange.responder.respond(problem(
        422, "workdir_missing",
        "that working directory is not here: PUT it to /v1/uploads/" + workdir.sha256, "/workdir"));
  domain::SubmitJob command;
  if (const std::string* id = exchange.request.find_query("plan_id")) {
    const auto plan = read_plan_id(*id, read->spec);
    if (!plan) {
      return exchange.responder.respond(
          problem(409, "plan_stale", "this plan is of another specification: plan again"));
    }
    command.plan = *plan;
  }
  command.spec = std::move(read->spec);
  command.payloads = static_cast<std::uint32_t>(read->payloads.size());
  service.post(exchange, {.command = std::move(command),
                          .payloads = std::move(read->payloads),
                          .status = 201,
                          .secret = {}});
}

void get_jobs(Service& service, Exchange& exchange) {
  auto filter = read_filter(exchange.request, *exchange.identity);
  if (!filter) return exchange.responder.respond(std::move(filter).error());
  service.ask_past(exchange, [filter = *filter](const runtime::View& view,
                                                const identity::Principal& principal) {
    return list_jobs(view.state, principal, filter);
  });
}

void get_job(Service& service, Exchange& exchange) {
  const auto id = job_id_of(exchange.captured.front());
  if (!id) return exchange.responder.respond(no_job(exchange.captured.front()));
  service.ask_past(
      exchange,
      [id = *id](const runtime::View& view, const identity::Principal& principal) -> Service::Step {
        const jobs::Job* job = view.state.jobs().find(id);
        if (job == nullptr) return look_up_job(id, show_old_job);
        if (!may_read(view.state, principal, job->spec->project))
          return no_job("job-" + std::to_string(id.value));
        api::JobView shown = show_job(view.state, *job, wall_clock(), true);
        if (!has_earlier_attempts(*job)) return json(200, wire::to_json(shown));
        return Service::Look(
            [shown = std::move(shown)](history::History& history) -> Service::Query {
              return [shown, rows = history.attempts(shown.id)](
                         const runtime::View& now, const identity::Principal&) mutable {
                if (!rows) return problem(rows.error());
                add_earlier_attempts(now.state, *rows, shown.tasks);
                return json(200, wire::to_json(shown));
              };
            });
      });
}

void get_why(Service& service, Exchange& exchange) {
  const auto id = job_id_of(exchange.captured.front());
  if (!id) return exchange.responder.respond(no_job(exchange.captured.front()));
  service.ask_past(
      exchange,
      [id = *id](const runtime::View& view, const identity::Principal& principal) -> Service::Step {
        const jobs::Job* job = view.state.jobs().find(id);
        if (job == nullptr) {
          return look_up_job(id, [](const domain::State& state, const history::JobRow& row,
                                    const std::vector<history::AttemptRow>&) {
            return json(200, wire::to_json(show_why(state, row)));
          });
        }
        if (!may_read(view.state, principal, job->spec->project))
          return no_job("job-" + std::to_string(id.value));
        return json(200, wire::to_json(show_why(view.state, *job)));
      });
}

void post_cancel(Service& service, Exchange& exchange) {
  const auto id = job_id_of(exchange.captured.front());
  if (!id) return exchange.responder.respond(no_job(exchange.captured.front()));
  service.post(exchange,
               {.command = domain::StopJob{*id}, .payloads = {}, .status = 202, .secret = {}});
}

}  // namespace suan::http
