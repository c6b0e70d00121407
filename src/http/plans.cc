// The route that plans: what would happen, and how much there is to bring first.
#include "http/plans.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/text.h"
#include "domain/terms.h"
#include "engine/rclone_words.h"
#include "http/problem.h"
#include "http/read_spec.h"
#include "http/routes.h"
#include "http/show.h"
#include "placement/rank.h"
#include "runtime/core_thread.h"
#include "wire/bytes.h"
#include "wire/hash.h"
#include "wire/json.h"

namespace suan::http {

namespace {

constexpr std::uint64_t list_limit_max = 500;
constexpr std::int64_t bytes_shown_max = std::int64_t{1} << 56U;  // A sum of some fits 63 bits.

// What a specification is, for binding a plan to it; payload numbers are its own business.
std::string spec_print(const JobSpec& spec) {
  const Digest digest = wire::hash_record(spec);
  return print_digest(digest).substr(0, 16);
}

std::string plan_id_of(const JobSpec& spec, const domain::PlanBinding& plan,
                       std::uint64_t sequence) {
  return "plan-" + spec_print(spec) + "-" + std::to_string(plan.pool.value) + "-" +
         std::to_string(plan.alternative) + "-" + std::to_string(plan.hourly.micro) + "-" +
         std::to_string(sequence);
}

std::string plan_text(const domain::State& state, const api::PlanView& plan, const JobSpec& spec,
                      const std::optional<jobs::PutOff>& later) {
  if (!plan.refused.empty()) return plan.refused;
  if (later) return "it would wait " + put_off_text(state, spec, *later);
  if (!plan.starts_now)
    return "it would wait: " + std::to_string(plan.placements.size()) +
           " places could run it later";
  std::string where = plan.placements.front().pool;
  for (std::uint32_t i = 1; i < plan.pools; ++i) where += " and " + plan.placements[i].pool;
  std::string text =
      "it starts now at " + where + " for " + print_money(plan.hourly_cost) + " CNY/h";
  for (std::uint32_t i = 0; i < plan.pools; ++i) {
    if (!state.catalogue().pools().at(plan.placements[i].pool_id).rates.is_given()) continue;
    text += ", a price that changes by the hour";
    break;
  }
  if (domain::is_rolling(spec)) return text + ", renewed by the hour";
  return text + ", at most " + print_money(plan.hold) + " CNY";
}

api::PlanView show_plan(const domain::State& state, const JobSpec& spec,
                        const identity::Principal& principal, std::size_t limit) {
  const placement::Demand demand = placement::make_demand(spec);
  const domain::ExactNodes nodes(state);
  const placement::Ranking ranking = placement::rank(state.supply(), demand, &nodes, limit);
  const Moment now = std::max(state.essence().now, runtime::SystemClock{}.now());
  const bool is_early = spec.not_before > now;
  const auto later = is_early ? std::nullopt : domain::better_hour(state, spec, now);
  const bool must_wait =
      is_early || later || state.jobs().lines().contains(jobs::demand_fingerprint(spec));
  std::vector<placement::Candidate> places;
  if (!must_wait) places = domain::places_now(state, spec, now);

  api::PlanView plan;
  plan.sequence = state.essence().sequence;
  plan.starts_now = !places.empty();
  const placement::Candidate* best = !places.empty()        ? &places.front()
                                     : ranking.best.empty() ? nullptr
                                                            : &ranking.best.front();
  domain::PlanBinding binding{.is_bound = true, .pool = {}, .alternative = 0, .hourly = {}};
  if (plan.starts_now) binding = {true, best->pool, best->alternative, best->hourly_cost};
  plan.plan_id = plan_id_of(spec, binding, plan.sequence);
  if (best != nullptr) {
    plan.hourly_cost = best->hourly_cost;
    const Money unit = domain::unit_allowance(spec, scale(best->hourly_cost, 1, spec.elements));
    plan.hold = scale(unit, spec.elements, 1);
  }
  // Of a gang every pool that it would be in, then what else there is.
  std::set<PoolId> shown;
  for (const placement::Candidate& each : places) {
    if (shown.insert(each.pool).second)
      plan.placements.push_back(show_candidate(state, spec, each));
  }
  plan.pools = static_cast<std::uint32_t>(shown.size());
  for (const placement::Candidate& each : ranking.best) {
    if (!shown.contains(each.pool)) plan.placements.push_back(show_candidate(state, spec, each));
  }
  plan.available = state.ledger().balance(ledger::project_account(spec.project));
  plan.rejected = show_rejections(placement::print_counts(ranking.counts, demand));
  if (!plan.starts_now)
    plan.changes = show_changes(state, placement::explain(state.supply(), spec, &nodes).changes);

  // Deciding is pure, so the refusal that submitting would get is known for certain.
  domain::SubmitJob command{spec, 0, {}};
  command.spec.payload = {};
  for (Alternative& each : command.spec.alternatives) each.payload = {};
  const domain::Caller caller{principal, RequestId{1, 1}, {}};
  const auto decision = domain::decide(state, command, caller, now);
  if (!decision) plan.refused = decision.error().detail;
  for (const domain::Event& event : decision ? *decision : domain::Events{}) {
    if (const auto* held = std::get_if<ledger::Held>(&event)) plan.hold = held->amount;
  }
  plan.text = plan_text(state, plan, spec, later);
  return plan;
}

/// Whom to ask how much there is to bring, and what.
struct DataErrand {
  MemberId member;
  PoolId pool;  // As the member numbers it.
  std::vector<Input> inputs;
  DataQuestion question;
};

// Of the first placement. Nobody is told about the data of a project in which he could not submit
// this.
std::optional<DataErrand> data_errand(const domain::State& state, const ReadSpec& read,
                                      const api::PlanView& plan) {
  if (!plan.refused.empty() || plan.placements.empty()) return std::nullopt;
  const auto payload = wire::decode<Payload>(read.payloads.front());
  if (!payload || payload->inputs.empty()) return std::nullopt;
  const Pool& pool = state.catalogue().pools().at(plan.placements.front().pool_id);
  DataErrand errand{
      .member = pool.member,
      .pool = pool.remote,
      .inputs = payload->inputs,
      .question = {.owner = state.identity().projects().at(read.spec.project).name, .sources = {}}};
  for (const Input& each : errand.inputs) errand.question.sources.push_back(each.source);
  return errand;
}

// How long it takes to bring this, if all is known that it depends on.
Span time_for(const std::vector<api::InputFound>& inputs) {
  Span time;
  for (const api::InputFound& each : inputs) {
    if (!each.problem.empty() || (each.bytes_per_second <= 0 && each.bytes > 0)) return {};
    if (each.bytes == 0) continue;
    // Whole seconds, and one at least to begin.
    time = time + seconds(1 + each.bytes / each.bytes_per_second);
  }
  return time;
}

std::string transfer_text(const api::Transfer& transfer) {
  std::string unknown;
  std::int64_t files = 0;
  for (const api::InputFound& each : transfer.inputs) {
    files += each.files;
    if (!each.problem.empty())
      unknown += (unknown.empty() ? "" : "; ") + each.path + ": " + each.problem;
  }
  if (!unknown.empty()) return "how much there is to bring first is not known: " + unknown;
  std::string text = engine::print_size(transfer.bytes) + " in " + std::to_string(files) +
                     (files == 1 ? " file" : " files") + " to bring first, ";
  text += transfer.time > Span{} ? "about " + print_span(transfer.time) + " as quickly as lately"
          : transfer.bytes == 0  ? "at once"
                                 : "nobody knows how quickly, as nothing large came from there yet";
  return text + "; nothing is charged meanwhile";
}

api::Transfer show_transfer(std::string pool, const std::vector<Input>& inputs,
                            const DataAnswer& answer) {
  api::Transfer transfer;
  transfer.pool = std::move(pool);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    api::InputFound& shown = transfer.inputs.emplace_back();
    shown.path = inputs[i].path;
    shown.source = inputs[i].source;
    if (!answer.problem.empty() || i >= answer.sources.size()) {
      shown.problem = answer.problem.empty() ? "the member says nothing of it" : answer.problem;
      continue;
    }
    const SourceFound& found = answer.sources[i];
    shown.problem = found.problem;
    shown.bytes = std::clamp<std::int64_t>(found.bytes, 0, bytes_shown_max);
    shown.files = std::clamp<std::int64_t>(found.files, 0, bytes_shown_max);
    shown.bytes_per_second = std::max<std::int64_t>(found.bytes_per_second, 0);
    shown.speed_age = std::max(found.speed_age, Span{});
    transfer.bytes += shown.bytes;
  }
  transfer.time = time_for(transfer.inputs);
  transfer.text = transfer_text(transfer);
  return transfer;
}

}  // namespace

std::optional<domain::PlanBinding> read_plan_id(std::string_view id, const JobSpec& spec) {
  const std::string start = "plan-" + spec_print(spec) + "-";
  if (!id.starts_with(start)) return std::nullopt;
  id.remove_prefix(start.size());
  std::int64_t numbers[4] = {};
  for (std::int64_t& number : numbers) {
    const std::size_t end = id.find('-');
    const auto parsed = parse_integer(id.substr(0, end));
    if (!parsed || *parsed < 0) return std::nullopt;
    number = *parsed;
    id.remove_prefix(end == std::string_view::npos ? id.size() : end + 1);
  }
  if (!id.empty()) return std::nullopt;
  return domain::PlanBinding{.is_bound = true,
                             .pool = PoolId{static_cast<std::uint64_t>(numbers[0])},
                             .alternative = static_cast<std::uint32_t>(numbers[1]),
                             .hourly = Money{numbers[2]}};
}

void post_plan(Service& service, Exchange& exchange) {
  auto read = read_spec(service, exchange);
  if (!read) return exchange.responder.respond(std::move(read).error());
  const auto limit = query_number(exchange.request, "limit", 5, list_limit_max);
  if (!limit) return exchange.responder.respond(problem(400, "query_invalid", "limit is 0 to 500"));
  member::Reach* reach = service.parts().reach;
  service.ask_past(
      exchange,
      [read = *std::move(read), limit = *limit, reach](
          const runtime::View& view, const identity::Principal& principal) -> Service::Step {
        api::PlanView plan = show_plan(view.state, read.spec, principal, limit);
        const auto errand = data_errand(view.state, read, plan);
        if (!errand || reach == nullptr) return json(200, wire::to_json(plan));
        return Service::Later([errand = *errand, plan = std::move(plan),
                               reach](const std::shared_ptr<net::Responder>& responder) {
          reach->survey(errand.member, errand.pool, errand.question,
                        [responder, plan, inputs = errand.inputs](const DataAnswer& answer) {
                          api::PlanView whole = plan;
                          whole.transfer =
                              show_transfer(plan.placements.front().pool, inputs, answer);
                          responder->respond(json(200, wire::to_json(whole)));
                        });
        });
      });
}

}  // namespace suan::http
