// Supply, members, projects, keys and money.
#include <algorithm>
#include <set>
#include <string_view>

#include "base/text.h"
#include "catalogue/chips.h"
#include "http/show.h"
#include "wire/names.h"

namespace suan::http {

namespace {

std::string account_text(const domain::State& state, const ledger::AccountKey& key) {
  const identity::Identity& identity = state.identity();
  std::string name;
  if (key.kind == ledger::AccountKind::project || key.kind == ledger::AccountKind::held) {
    if (const auto* project = identity.projects().find(ProjectId{key.owner})) name = project->name;
  } else if (key.kind != ledger::AccountKind::funding) {
    if (const auto* owner = identity.organisations().find(OrganisationId{key.owner}))
      name = owner->name;
  }
  const std::string kind(wire::enum_name(key.kind));
  return name.empty() ? kind : kind + "/" + name;
}

std::string fingerprint_of(const Digest& key) {
  return key == Digest{} ? "" : print_digest(key).substr(0, 16);
}

void show_presence(auto& view, const member::Presence& presence) {
  view.connected = presence.is_connected;
  view.since = presence.since;
  view.heard = presence.heard;
  view.problem = presence.problem;
  view.rtt_p50 = presence.rtt_p50;
  view.rtt_p99 = presence.rtt_p99;
}

}  // namespace

api::PoolView show_pool(const domain::State& state, const Pool& pool) {
  const Site& site = state.catalogue().sites().at(pool.site);
  const placement::Free free = state.supply().free_of(pool.id);
  api::PoolView view;
  view.pool = pool;
  view.name = state.catalogue().pool_name(pool);
  view.region = site.region;
  view.city = site.city;
  view.member = state.catalogue().members().at(pool.member).name;
  view.cards_total = std::uint64_t{pool.nodes} * pool.cards_per_node;
  view.cards_free_milli = free.cards_milli;
  view.cpu_free_milli = free.cpu_milli;
  view.memory_free_bytes = free.memory_bytes;
  view.nodes_free = free.nodes_free;
  if (const catalogue::ChipModel* chip = catalogue::find_chip(pool.chip)) {
    view.fp16_tflops_dense = static_cast<double>(chip->fp16_gflops_dense) / 1000;
    view.flops_source = "data/accelerators.csv, confidence " + std::string(chip->confidence);
  }
  return view;
}

api::MemberView show_member(const domain::State& state, const catalogue::Member& member,
                            const member::Presence& presence) {
  const bool is_engine = member.kind == catalogue::MemberKind::engine;
  const identity::Joiner* joiner =
      is_engine ? nullptr : state.identity().find_joiner(std::string_view(member.name));
  api::MemberView view = joiner != nullptr ? show_joiner(*joiner) : api::MemberView{};
  view.id = member.id;
  view.name = member.name;
  view.kind = wire::enum_name(member.kind);
  view.incarnation = member.incarnation;
  std::set<SiteId> sites;
  for (const auto& [id, pool] : state.catalogue().pools()) {
    if (pool.member != member.id || pool.state == ServingState::closed) continue;
    ++view.pools;
    sites.insert(pool.site);
  }
  view.sites = static_cast<std::uint32_t>(sites.size());
  for (const auto& [id, lease] : state.market().leases())
    view.running += state.catalogue().pools().at(lease.pool).member == member.id ? 1U : 0U;
  if (joiner == nullptr) view.note = member.note;
  show_presence(view, presence);
  if (is_engine) view.connected = true;  // It is part of this process.
  view.health = view.connected ? "ok" : "unknown";
  return view;
}

api::MemberView show_joiner(const identity::Joiner& joiner) {
  api::MemberView view;
  view.name = joiner.name;
  view.kind = wire::enum_name(catalogue::MemberKind::domain);
  view.health = "unknown";
  view.state = wire::enum_name(joiner.state);
  view.fingerprint = fingerprint_of(joiner.key);
  view.note = joiner.note;
  return view;
}

api::ParentView show_parent(const identity::Parent& parent, const member::Presence& presence) {
  api::ParentView view;
  view.id = parent.id;
  view.name = parent.name;
  view.fingerprint = fingerprint_of(parent.key);
  show_presence(view, presence);
  return view;
}

api::ProjectView show_project(const domain::State& state, const identity::Project& project) {
  api::ProjectView view;
  view.id = project.id;
  view.name = project.name;
  view.organisation = state.identity().organisations().at(project.organisation).name;
  view.available = state.ledger().balance(ledger::project_account(project.id));
  view.held = state.ledger().balance(ledger::held_account(project.id));
  view.charged = state.ledger().charged(project.id);
  return view;
}

api::KeyView show_key(const domain::State& state, const identity::Key& key) {
  const identity::User& user = state.identity().users().at(key.user);
  return {.id = key.id,
          .user = user.name,
          .organisation = state.identity().organisations().at(user.organisation).name,
          .role = std::string(wire::enum_name(user.role)),
          .label = key.label,
          .created = key.created,
          .revoked = key.revoked};
}

api::PostingView show_posting(const domain::State& state, const history::PostingRow& row) {
  return {.sequence = row.sequence,
          .at = row.at,
          .kind = row.kind,
          .from = account_text(state, row.from),
          .to = account_text(state, row.to),
          .amount = row.amount,
          .job = row.job,
          .text = row.text};
}

api::ChargeView show_charge(const domain::State& state, const history::ChargeRow& row) {
  const bool has_cards = row.need.card_milli > 0;
  const std::int64_t milli = has_cards ? row.need.card_milli : row.need.cpu_milli;
  const auto quantity = [&](Span time) {
    return static_cast<double>(time.us) / static_cast<double>(hours(1).us) *
           static_cast<double>(milli) / 1000;
  };
  const auto* project = state.identity().projects().find(row.project);
  api::ChargeView view;
  view.job = row.attempt.job;
  view.task = row.attempt.task;
  view.attempt = row.attempt.attempt;
  view.sub_account_name = project == nullptr ? "" : project->name;
  view.resource_name = pool_text(state, row.pool);
  view.charge_period_start = row.start;
  view.charge_period_end = row.end;
  view.consumed_unit = has_cards ? "Accelerator-Hours" : "Core-Hours";
  view.consumed_quantity = quantity(row.wall);
  view.pricing_quantity = quantity(row.priced == Span{} ? row.wall : row.priced);
  view.list_unit_price = milli == 0 ? row.hourly : scale(row.hourly, 1000, milli);
  view.billed_cost = row.amount;
  std::string hours_text;
  if (row.priced != Span{} && row.priced != row.wall)
    hours_text = "; at the rates of its hours " + print_span(row.wall) + " count as " +
                 print_span(row.priced);
  view.charge_description =
      "task " + std::to_string(row.attempt.task) + ", attempt " +
      std::to_string(row.attempt.attempt) + hours_text +
      (row.loss == Money{} ? "" : "; used beyond its hold, which the provider bears");
  return view;
}

}  // namespace suan::http
