#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/table.h"
#include "identity/records.h"

namespace suan::identity {

/// What somebody may want to do; `may` answers for each.
enum class Action : std::uint8_t {
  read_domain,      // Supply, members, the domain itself.
  read_project,     // Jobs, money and logs of one project.
  run_in_project,   // Submit and stop jobs of one project.
  fund_project,     // Put money on a project's account.
  manage_identity,  // Organisations, users, projects, keys.
  manage_supply,    // Members, sites, pools, prices.
};

/// The people and organisations of one domain. Part of State: no lock, no clock, no I/O.
class Identity {
 public:
  /// The one place of authorisation: every command and every read asks here. `project` matters only
  /// for the actions on a project.
  bool may(const Principal&, Action, ProjectId project = {}) const;

  /// The user behind a key that is valid now; nullopt for an unknown or a revoked one. O(log keys).
  std::optional<Principal> authenticate(const Digest& secret_hash) const;

  bool has_key(const Digest& secret_hash) const { return key_hashes_.contains(secret_hash); }

  const Organisation* find_organisation(std::string_view name) const;
  const User* find_user(std::string_view name) const;
  const Project* find_project(std::string_view name) const;
  bool has_seat(ProjectId project, UserId user) const { return seats_.contains({project, user}); }

  const Table<OrganisationId, Organisation>& organisations() const { return organisations_; }
  const Table<UserId, User>& users() const { return users_; }
  const Table<ProjectId, Project>& projects() const { return projects_; }
  const Table<KeyId, Key>& keys() const { return keys_; }
  const Table<ParentId, Parent>& parents() const { return parents_; }
  const Parent* find_parent(std::string_view name) const;
  const Parent* find_parent(const Digest& key) const;

  const Table<JoinTokenId, JoinToken>& join_tokens() const { return join_tokens_; }
  const JoinToken* find_join_token(const Digest& secret_hash) const;
  const Table<JoinerId, Joiner>& joiners() const { return joiners_; }
  const Joiner* find_joiner(const Digest& key) const;
  const Joiner* find_joiner(std::string_view name) const;

  void apply(const OrganisationCreated&);
  void apply(const UserCreated&);
  void apply(const ProjectCreated&);
  void apply(const SeatTaken&);
  void apply(const KeyCreated&);
  void apply(const KeyRevoked&);
  void apply(const ParentJoined&);
  void apply(const JoinTokenMade&);
  void apply(const JoinAsked&);
  void apply(const JoinAnswered&);

  /// The tables that are the truth, for snapshots and hashes; `reindex` makes the rest from them.
  static void tables(auto&& visit, auto& self) {
    visit(1, "organisations", self.organisations_);
    visit(2, "users", self.users_);
    visit(3, "projects", self.projects_);
    visit(4, "seats", self.seats_);
    visit(5, "keys", self.keys_);
    visit(6, "parents", self.parents_);
    visit(7, "join_tokens", self.join_tokens_);
    visit(8, "joiners", self.joiners_);
  }
  void reindex();

 private:
  Table<OrganisationId, Organisation> organisations_;
  Table<UserId, User> users_;
  Table<ProjectId, Project> projects_;
  Table<Seat, bool> seats_;
  Table<KeyId, Key> keys_;
  Table<ParentId, Parent> parents_;
  Table<JoinTokenId, JoinToken> join_tokens_;
  Table<JoinerId, Joiner> joiners_;

  Table<std::string, OrganisationId> organisation_names_;
  Table<std::string, UserId> user_names_;
  Table<std::string, ProjectId> project_names_;
  Table<Digest, KeyId> key_hashes_;
  Table<Digest, JoinTokenId> join_token_hashes_;
  Table<Digest, JoinerId> joiner_keys_;
  Table<std::string, JoinerId> joiner_names_;
};

}  // namespace suan::identity
