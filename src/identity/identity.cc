#include "identity/identity.h"

#include "base/ensure.h"
#include "base/planted.h"

namespace suan::identity {

bool Identity::may(const Principal& principal, Action action, ProjectId project) const {
  switch (principal.role) {
    case Role::operator_:
      return true;
    case Role::auditor:
      return action == Action::read_domain || action == Action::read_project;
    case Role::provider:
      if (action == Action::manage_supply) return true;
      [[fallthrough]];
    case Role::consumer:
      if (action == Action::read_domain) return true;
      if (action == Action::read_project || action == Action::run_in_project)
        return has_seat(project, principal.user);
      return false;
  }
  return false;
}

std::optional<Principal> Identity::authenticate(const Digest& secret_hash) const {
  const KeyId* id = key_hashes_.find(secret_hash);
  if (id == nullptr) return std::nullopt;
  const Key& key = keys_.at(*id);
  if (key.revoked != Moment{} && !planted(Bug::revoked_key_accepted)) return std::nullopt;
  return Principal{key.user, users_.at(key.user).role};
}

const Organisation* Identity::find_organisation(std::string_view name) const {
  const OrganisationId* id = organisation_names_.find(std::string(name));
  return id == nullptr ? nullptr : organisations_.find(*id);
}

const User* Identity::find_user(std::string_view name) const {
  const UserId* id = user_names_.find(std::string(name));
  return id == nullptr ? nullptr : users_.find(*id);
}

const Project* Identity::find_project(std::string_view name) const {
  const ProjectId* id = project_names_.find(std::string(name));
  return id == nullptr ? nullptr : projects_.find(*id);
}

// They are few.
const Parent* Identity::find_parent(std::string_view name) const {
  for (const auto& [id, parent] : parents_) {
    if (parent.name == name) return &parent;
  }
  return nullptr;
}

const Parent* Identity::find_parent(const Digest& key) const {
  if (key == Digest{}) return nullptr;
  for (const auto& [id, parent] : parents_) {
    if (parent.key == key) return &parent;
  }
  return nullptr;
}

const JoinToken* Identity::find_join_token(const Digest& secret_hash) const {
  const JoinTokenId* id = join_token_hashes_.find(secret_hash);
  return id == nullptr ? nullptr : join_tokens_.find(*id);
}

const Joiner* Identity::find_joiner(const Digest& key) const {
  const JoinerId* id = joiner_keys_.find(key);
  return id == nullptr ? nullptr : joiners_.find(*id);
}

const Joiner* Identity::find_joiner(std::string_view name) const {
  const JoinerId* id = joiner_names_.find(std::string(name));
  return id == nullptr ? nullptr : joiners_.find(*id);
}

void Identity::apply(const ParentJoined& event) {
  ensure(projects_.contains(event.parent.project) && users_.contains(event.parent.user));
  parents_.put(event.parent.id, event.parent);
}

void Identity::apply(const OrganisationCreated& event) {
  organisations_.insert(event.organisation.id, event.organisation);
  organisation_names_.insert(event.organisation.name, event.organisation.id);
}

void Identity::apply(const UserCreated& event) {
  ensure(organisations_.contains(event.user.organisation));
  users_.insert(event.user.id, event.user);
  user_names_.insert(event.user.name, event.user.id);
}

void Identity::apply(const ProjectCreated& event) {
  ensure(organisations_.contains(event.project.organisation));
  projects_.insert(event.project.id, event.project);
  project_names_.insert(event.project.name, event.project.id);
}

void Identity::apply(const SeatTaken& event) {
  ensure(projects_.contains(event.seat.project) && users_.contains(event.seat.user));
  seats_.insert(event.seat, true);
}

void Identity::apply(const KeyCreated& event) {
  ensure(users_.contains(event.key.user));
  keys_.insert(event.key.id, event.key);
  key_hashes_.insert(event.key.secret_hash, event.key.id);
}

void Identity::apply(const KeyRevoked& event) {
  Key* key = keys_.edit(event.key);
  ensure(key != nullptr);
  key->revoked = event.at;
}

void Identity::apply(const JoinTokenMade& event) {
  join_tokens_.insert(event.token.id, event.token);
  join_token_hashes_.insert(event.token.secret_hash, event.token.id);
}

void Identity::apply(const JoinAsked& event) {
  JoinToken* token = join_tokens_.edit(event.token);
  ensure(token != nullptr && token->used_by.empty());
  token->used_by = event.joiner.name;
  joiners_.insert(event.joiner.id, event.joiner);
  joiner_keys_.insert(event.joiner.key, event.joiner.id);
  joiner_names_.insert(event.joiner.name, event.joiner.id);
}

void Identity::apply(const JoinAnswered& event) {
  Joiner* joiner = joiners_.edit(event.joiner);
  ensure(joiner != nullptr);
  joiner->state = event.state;
  joiner->answered = event.at;
}

void Identity::reindex() {
  organisation_names_ = {};
  user_names_ = {};
  project_names_ = {};
  key_hashes_ = {};
  join_token_hashes_ = {};
  joiner_keys_ = {};
  joiner_names_ = {};
  for (const auto& [id, organisation] : organisations_)
    organisation_names_.insert(organisation.name, id);
  for (const auto& [id, user] : users_) user_names_.insert(user.name, id);
  for (const auto& [id, project] : projects_) project_names_.insert(project.name, id);
  for (const auto& [id, key] : keys_) key_hashes_.insert(key.secret_hash, id);
  for (const auto& [id, token] : join_tokens_) join_token_hashes_.insert(token.secret_hash, id);
  for (const auto& [id, joiner] : joiners_) {
    joiner_keys_.insert(joiner.key, id);
    joiner_names_.insert(joiner.name, id);
  }
}

}  // namespace suan::identity
