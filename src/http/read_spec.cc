#include "http/read_spec.h"

#include "base/text.h"
#include "http/problem.h"
#include "wire/bytes.h"

namespace suan::http {

namespace {

// The project that pays: the one named, or the only one that the caller has.
std::expected<ProjectId, net::Response> resolve_project(const Exchange& exchange,
                                                        const std::string& name) {
  const identity::Identity& identity = *exchange.identity;
  const auto is_own = [&](ProjectId id) {
    return identity.may(exchange.principal, identity::Action::run_in_project, id);
  };
  std::vector<std::string_view> own;
  ProjectId only;
  for (const auto& [id, project] : identity.projects()) {
    if (!is_own(id)) continue;
    own.push_back(project.name);
    only = id;
  }
  if (name.empty()) {
    if (own.size() == 1) return only;
    return std::unexpected(
        problem(422, "project_unknown",
                own.empty() ? "you have a seat in no project: ask an operator for one"
                            : "name the project that pays: `project: NAME`, or --project NAME",
                "/project"));
  }
  const auto* project = identity.find_project(name);
  if (project != nullptr && is_own(project->id)) return project->id;
  return std::unexpected(problem(404, "project_unknown",
                                 "there is no project \"" + name + "\", or you have no seat in it",
                                 "/project", nearest(name, own)));
}

}  // namespace

std::expected<ReadSpec, net::Response> read_spec(const Service& service, const Exchange& exchange) {
  const auto sites = service.parts().acquaintance.sites();
  auto read = spec::read_spec(exchange.request.body, service.known(), *sites);
  if (!read) return std::unexpected(problem(read.error()));
  auto project = resolve_project(exchange, read->project);
  if (!project) return std::unexpected(std::move(project).error());
  ReadSpec result{std::move(read->spec), {}};
  result.spec.project = *project;
  result.payloads.push_back(wire::encode(read->payload));
  result.spec.payload = PayloadId{1};
  for (std::size_t i = 0; i < read->variants.size(); ++i) {
    if (!read->variants[i]) continue;
    result.payloads.push_back(wire::encode(*read->variants[i]));
    result.spec.alternatives[i].payload = PayloadId{result.payloads.size()};
  }
  return result;
}

}  // namespace suan::http
