// Routes for whoever runs the server: health, metrics, the domain, its pools.
#include "api/views.h"
#include "energy/course.h"
#include "http/problem.h"
#include "http/routes.h"
#include "http/show.h"
#include "wire/json.h"

namespace suan::http {

namespace {

net::Response text(int status, std::string body) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .headers = {},
          .body = std::move(body)};
}

void add_metric(std::string& out, std::string_view name, std::string_view kind,
                std::string_view help, std::uint64_t value) {
  out += "# HELP suan_" + std::string(name) + " " + std::string(help) + "\n";
  out += "# TYPE suan_" + std::string(name) + " " + std::string(kind) + "\n";
  out += "suan_" + std::string(name) + " " + std::to_string(value) + "\n";
}

std::string metrics_text(const domain::State& state, const Service& service) {
  const runtime::CoreCounts counts = service.parts().core.counts();
  const jobs::JobCounts jobs = state.jobs().counts();
  std::string out;
  add_metric(out, "commands_decided_total", "counter", "Commands that were decided.",
             counts.decided);
  add_metric(out, "commands_refused_total", "counter", "Commands that were refused.",
             counts.refused);
  add_metric(out, "requests_repeated_total", "counter", "Requests answered from memory.",
             counts.repeated);
  add_metric(out, "journal_records_total", "counter", "Records made durable by this process.",
             counts.records);
  add_metric(out, "journal_syncs_total", "counter", "Syncs that made them durable.",
             counts.batches);
  add_metric(out, "journal_no_space_total", "counter", "Appends refused for lack of space.",
             counts.appends_refused);
  add_metric(out, "journal_waits_for_space", "gauge",
             "1 while the disk takes nothing and requests are refused.",
             service.parts().core.is_stuck() ? 1 : 0);
  add_metric(out, "journal_sequence", "gauge", "The last durable record.",
             state.essence().sequence);
  add_metric(out, "inbox_requests", "gauge", "Requests waiting to be decided.",
             service.parts().core.inbox_size());
  add_metric(out, "jobs_waiting", "gauge", "Jobs that wait.", jobs.waiting);
  add_metric(out, "jobs_active", "gauge", "Jobs on their way or running.", jobs.active);
  add_metric(out, "jobs_ended", "gauge", "Jobs ended and still in hot state.", jobs.ended);
  add_metric(out, "leases", "gauge", "Leases granted now.", state.market().leases().size());
  add_metric(out, "requests_remembered", "gauge", "Request ids remembered.", state.requests());
  return out;
}

}  // namespace

void get_health(Service&, Exchange& exchange) {
  exchange.responder.respond(text(200, "ok\n"));
}

void get_ready(Service& service, Exchange& exchange) {
  if (service.is_closing()) return exchange.responder.respond(text(503, "stopping\n"));
  const bool is_taken = service.parts().follower.ask(
      [responder = std::make_shared<net::Responder>(std::move(exchange.responder))](
          const runtime::View&) { responder->respond(text(200, "ok\n")); });
  static_cast<void>(is_taken);  // The dropped responder answers for itself.
}

void get_metrics(Service& service, Exchange& exchange) {
  service.ask(exchange, [&service](const runtime::View& view, const identity::Principal&) {
    return text(200, metrics_text(view.state, service));
  });
}

void get_domain(Service& service, Exchange& exchange) {
  service.ask(
      exchange, [&service](const runtime::View& view, const identity::Principal& principal) {
        const domain::State& state = view.state;
        api::DomainView domain;
        domain.name = state.essence().domain;
        domain.version = service.parts().version;
        domain.sequence = state.essence().sequence;
        domain.hash = view.head.hash;
        domain.started = service.parts().started;
        for (const auto& [id, site] : state.catalogue().sites())
          domain.sites.push_back(energy::at_hour(site, state.essence().hour));
        for (const auto& [id, member] : state.catalogue().members())
          domain.members.push_back(show_member(state, member, service.parts().presences.of(id)));
        for (const auto& [id, pool] : state.catalogue().pools()) {
          if (pool.state == ServingState::closed) continue;
          const placement::Free free = state.supply().free_of(id);
          domain.cards_total += std::uint64_t{pool.nodes} * pool.cards_per_node;
          domain.cards_free_milli += free.cards_milli;
          domain.cpu_total_milli += std::int64_t{pool.nodes} * pool.cpu_milli_per_node;
          domain.cpu_free_milli += free.cpu_milli;
        }
        // A tenant learns how busy the domain is, not how many jobs of whom: counts are of all jobs
        // for those who may see all, else of their own.
        const bool sees_all = state.identity().may(principal, identity::Action::read_project);
        const jobs::JobCounts counts = state.jobs().counts();
        if (sees_all) {
          domain.jobs_queued = counts.waiting;
          domain.jobs_running = counts.active;
          domain.jobs_ended = counts.ended;
        } else {
          for (const auto& [id, job] : state.jobs().all()) {
            if (!state.identity().may(principal, identity::Action::read_project, job.spec->project))
              continue;
            const api::JobState at = job_state(job);
            if (job.outcome != jobs::Outcome::none)
              ++domain.jobs_ended;
            else if (at == api::JobState::queued)
              ++domain.jobs_queued;
            else
              ++domain.jobs_running;
          }
        }
        return json(200, wire::to_json(domain));
      });
}

void get_pools(Service& service, Exchange& exchange) {
  service.ask(exchange, [](const runtime::View& view, const identity::Principal&) {
    api::PoolList list;
    list.sequence = view.state.essence().sequence;
    for (const auto& [id, pool] : view.state.catalogue().pools())
      list.pools.push_back(show_pool(view.state, pool));
    return json(200, wire::to_json(list));
  });
}

}  // namespace suan::http
