// Decides about organisations, projects, keys and deposits, and founds the domain.
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/text.h"
#include "domain/deciding.h"

namespace suan::domain {

namespace {

constexpr std::size_t name_length_max = 63;
constexpr Money deposit_max = yuan(1'000'000'000);
constexpr Money domain_money_max = yuan(1'000'000'000'000);  // Far from the end of 64 bits.

bool is_name(std::string_view name) {
  if (name.empty() || name.size() > name_length_max) return false;
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

std::expected<OrganisationId, Refusal> organisation_named(const Deciding& deciding,
                                                          std::string_view name) {
  const identity::Identity& identity = deciding.state.identity();
  if (name.empty()) return identity.users().at(deciding.caller.principal.user).organisation;
  if (const auto* found = identity.find_organisation(name)) return found->id;
  return refuse(Code::organisation_unknown,
                "there is no organisation \"" + std::string(name) + "\"", "/organisation",
                nearest_name(name, identity.organisations()));
}

}  // namespace

Ruling check_name(std::string_view name, std::string field) {
  if (is_name(name)) return {};
  return refuse(
      Code::name_invalid,
      "a name is 1 to 63 of a-z, 0-9, '-', '_' and '.'; got \"" + std::string(name) + "\"",
      std::move(field));
}

Ruling decide_one(Deciding& deciding, const FoundDomain& command) {
  if (!deciding.state.essence().domain.empty())
    return refuse(Code::domain_exists, "this journal already is a domain");
  deciding.emit(DomainFounded{command.domain});
  deciding.emit(identity::OrganisationCreated{{OrganisationId{1}, command.organisation}});
  deciding.emit(identity::UserCreated{
      {UserId{1}, OrganisationId{1}, command.operator_name, identity::Role::operator_}});
  deciding.emit(identity::KeyCreated{{.id = KeyId{1},
                                      .user = UserId{1},
                                      .label = "first start",
                                      .secret_hash = command.operator_key_hash,
                                      .created = deciding.now,
                                      .revoked = {}}});
  return {};
}

Ruling decide_one(Deciding& deciding, const CreateOrganisation& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_identity));
  SUAN_CHECK(check_name(command.name, "/name"));
  if (deciding.state.identity().find_organisation(command.name))
    return refuse(Code::name_taken, "there is an organisation \"" + command.name + "\" already",
                  "/name");
  const OrganisationId id{deciding.state.essence().last.organisation + 1};
  deciding.accept(text_of(id));
  deciding.emit(identity::OrganisationCreated{{id, command.name}});
  return {};
}

Ruling decide_one(Deciding& deciding, const CreateProject& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_identity));
  SUAN_CHECK(check_name(command.name, "/name"));
  if (deciding.state.identity().find_project(command.name))
    return refuse(Code::name_taken, "there is a project \"" + command.name + "\" already", "/name");
  SUAN_TRY(const OrganisationId organisation, organisation_named(deciding, command.organisation));
  const ProjectId id{deciding.state.essence().last.project + 1};
  deciding.accept(text_of(id));
  deciding.emit(identity::ProjectCreated{{id, organisation, command.name}});
  return {};
}

bool may_come_in(const State& state, Money amount) {
  const Money outside = state.ledger().balance({ledger::AccountKind::funding, 0});
  return amount <= deposit_max && amount - outside <= domain_money_max;
}

Ruling decide_one(Deciding& deciding, const Deposit& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::fund_project));
  const auto* project = deciding.state.identity().find_project(command.project);
  if (project == nullptr) {
    return refuse(Code::project_unknown, "there is no project \"" + command.project + "\"", "",
                  nearest_name(command.project, deciding.state.identity().projects()));
  }
  if (command.amount <= Money{} || command.amount > deposit_max) {
    return refuse(Code::amount_not_positive,
                  "a deposit is more than 0 and at most " + print_money(deposit_max) +
                      " CNY; got " + print_money(command.amount),
                  "/amount");
  }
  if (!may_come_in(deciding.state, command.amount))
    return refuse(Code::amount_too_large,
                  "a domain keeps at most " + print_money(domain_money_max) + " CNY", "/amount");
  if (command.text.size() > text_length_max)
    return refuse(Code::spec_invalid, "the text is longer than 200 bytes", "/text");
  deciding.accept(text_of(project->id));
  deciding.emit(ledger::Deposited{project->id, command.amount, command.text});
  return {};
}

Ruling decide_one(Deciding& deciding, const CreateKey& command) {
  SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_identity));
  const State& state = deciding.state;
  SUAN_CHECK(check_name(command.user, "/user"));
  if (command.label.size() > text_length_max)
    return refuse(Code::name_invalid, "the label is longer than 200 bytes", "/label");
  if (state.identity().has_key(command.secret_hash))
    return refuse(Code::key_exists, "this key exists already");
  std::vector<ProjectId> projects;
  for (std::size_t i = 0; i < command.projects.size(); ++i) {
    const auto* project = state.identity().find_project(command.projects[i]);
    if (project == nullptr) {
      return refuse(Code::project_unknown, "there is no project \"" + command.projects[i] + "\"",
                    "/projects/" + std::to_string(i),
                    nearest_name(command.projects[i], state.identity().projects()));
    }
    if (std::ranges::find(projects, project->id) == projects.end()) projects.push_back(project->id);
  }
  const auto* user = state.identity().find_user(command.user);
  OrganisationId organisation;
  if (user == nullptr) {
    SUAN_TRY(organisation, organisation_named(deciding, command.organisation));
  } else if (user->role != command.role) {
    return refuse(Code::name_taken, "the user \"" + command.user + "\" has another role already",
                  "/role");
  }
  const UserId user_id = user != nullptr ? user->id : UserId{state.essence().last.user + 1};
  const KeyId id{state.essence().last.key + 1};
  deciding.accept(text_of(id));
  if (user == nullptr)
    deciding.emit(identity::UserCreated{{user_id, organisation, command.user, command.role}});
  for (const ProjectId project : projects) {
    if (!state.identity().has_seat(project, user_id))
      deciding.emit(identity::SeatTaken{{project, user_id}});
  }
  deciding.emit(identity::KeyCreated{{.id = id,
                                      .user = user_id,
                                      .label = command.label,
                                      .secret_hash = command.secret_hash,
                                      .created = deciding.now,
                                      .revoked = {}}});
  return {};
}

Ruling decide_one(Deciding& deciding, const RevokeKey& command) {
  const auto* key = deciding.state.identity().keys().find(command.key);
  const bool is_own = key != nullptr && key->user == deciding.caller.principal.user;
  if (!is_own)
    SUAN_CHECK(authorise(deciding.state, deciding.caller, identity::Action::manage_identity));
  if (key == nullptr) return refuse(Code::key_unknown, "there is no key " + text_of(command.key));
  deciding.accept(text_of(command.key));
  if (key->revoked == Moment{}) deciding.emit(identity::KeyRevoked{command.key, deciding.now});
  return {};
}

}  // namespace suan::domain
