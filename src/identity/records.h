#pragma once

#include <cstdint>
#include <string>

#include "base/digest.h"
#include "base/time.h"
#include "model/ids.h"

/// Who acts and who pays: organisations, users, projects, keys, and the events that make them.
namespace suan::identity {

/// What a user may do. operator_: everything; provider: offers capacity and sees its use; consumer:
/// runs jobs in the projects it belongs to; auditor: sees everything and changes nothing.
enum class Role : std::uint8_t { consumer, provider, operator_, auditor };

/// Who sends a command, as authenticated.
struct Principal {
  UserId user;
  Role role = Role::consumer;

  friend bool operator==(const Principal&, const Principal&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "user", self.user);
    visit(2, "role", self.role);
  }
};

struct Organisation {
  OrganisationId id;
  std::string name;

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
  }
};

/// `name` is a handle, not a person's name: it stays in the journal for ever.
struct User {
  UserId id;
  OrganisationId organisation;
  std::string name;
  Role role = Role::consumer;

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "organisation", self.organisation);
    visit(3, "name", self.name);
    visit(4, "role", self.role);
  }
};

struct Project {
  ProjectId id;
  OrganisationId organisation;
  std::string name;

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "organisation", self.organisation);
    visit(3, "name", self.name);
  }
};

/// A credential of a user. Only the digest of its secret is kept.
struct Key {
  KeyId id;
  UserId user;
  std::string label;
  Digest secret_hash;
  Moment created;
  Moment revoked;  // 0 = valid.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "user", self.user);
    visit(3, "label", self.label);
    visit(4, "secret_hash", self.secret_hash);
    visit(5, "created", self.created);
    visit(6, "revoked", self.revoked);
  }
};

/// Membership of a user in a project.
struct Seat {
  ProjectId project;
  UserId user;

  friend constexpr auto operator<=>(const Seat&, const Seat&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "project", self.project);
    visit(2, "user", self.user);
  }
};

/// A domain that this one has joined: it may send units here, which its user runs in its project.
struct Parent {
  ParentId id;
  std::string name;
  UserId user;
  ProjectId project;
  Digest key;  // Its Ed25519 public key; all zero = not known yet.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
    visit(3, "user", self.user);
    visit(4, "project", self.project);
    visit(5, "key", self.key);
  }
};

/// Lets one domain ask once to join this one. Only the digest of its secret is kept.
struct JoinToken {
  JoinTokenId id;
  Digest secret_hash;
  std::string label;
  Moment created;
  Moment expires;
  std::string used_by;  // The domain that asked with it; "" = none yet.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "secret_hash", self.secret_hash);
    visit(3, "label", self.label);
    visit(4, "created", self.created);
    visit(5, "expires", self.expires);
    visit(6, "used_by", self.used_by);
  }
};

/// What has come of a wish to join.
enum class JoinState : std::uint8_t { asked, approved, refused };

/// A domain that asked to join this one. What it offers counts once it is approved.
struct Joiner {
  JoinerId id;
  std::string name;
  Digest key;  // Its Ed25519 public key.
  std::string note;
  Moment asked;
  JoinState state = JoinState::asked;
  Moment answered;  // Last; 0 = not yet.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
    visit(3, "key", self.key);
    visit(4, "note", self.note);
    visit(5, "asked", self.asked);
    visit(6, "state", self.state);
    visit(7, "answered", self.answered);
  }
};

// Events.

struct OrganisationCreated {
  static constexpr std::uint32_t code = 2;
  static constexpr const char* name = "organisation_created";
  Organisation organisation;
  static void fields(auto&& visit, auto& self) { visit(1, "organisation", self.organisation); }
};

struct UserCreated {
  static constexpr std::uint32_t code = 3;
  static constexpr const char* name = "user_created";
  User user;
  static void fields(auto&& visit, auto& self) { visit(1, "user", self.user); }
};

struct ProjectCreated {
  static constexpr std::uint32_t code = 4;
  static constexpr const char* name = "project_created";
  Project project;
  static void fields(auto&& visit, auto& self) { visit(1, "project", self.project); }
};

struct SeatTaken {
  static constexpr std::uint32_t code = 5;
  static constexpr const char* name = "seat_taken";
  Seat seat;
  static void fields(auto&& visit, auto& self) { visit(1, "seat", self.seat); }
};

struct KeyCreated {
  static constexpr std::uint32_t code = 6;
  static constexpr const char* name = "key_created";
  Key key;
  static void fields(auto&& visit, auto& self) { visit(1, "key", self.key); }
};

struct KeyRevoked {
  static constexpr std::uint32_t code = 7;
  static constexpr const char* name = "key_revoked";
  KeyId key;
  Moment at;
  static void fields(auto&& visit, auto& self) {
    visit(1, "key", self.key);
    visit(2, "at", self.at);
  }
};

/// A parent is new, or its key has become known.
struct ParentJoined {
  static constexpr std::uint32_t code = 8;
  static constexpr const char* name = "parent_joined";
  Parent parent;
  static void fields(auto&& visit, auto& self) { visit(1, "parent", self.parent); }
};

struct JoinTokenMade {
  static constexpr std::uint32_t code = 17;
  static constexpr const char* name = "join_token_made";
  JoinToken token;
  static void fields(auto&& visit, auto& self) { visit(1, "token", self.token); }
};

/// A domain has asked to join, which uses the token up.
struct JoinAsked {
  static constexpr std::uint32_t code = 18;
  static constexpr const char* name = "join_asked";
  Joiner joiner;
  JoinTokenId token;
  static void fields(auto&& visit, auto& self) {
    visit(1, "joiner", self.joiner);
    visit(2, "token", self.token);
  }
};

struct JoinAnswered {
  static constexpr std::uint32_t code = 19;
  static constexpr const char* name = "join_answered";
  JoinerId joiner;
  JoinState state = JoinState::approved;
  Moment at;
  static void fields(auto&& visit, auto& self) {
    visit(1, "joiner", self.joiner);
    visit(2, "state", self.state);
    visit(3, "at", self.at);
  }
};

}  // namespace suan::identity
