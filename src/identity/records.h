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

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
    visit(3, "user", self.user);
    visit(4, "project", self.project);
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

struct ParentJoined {
  static constexpr std::uint32_t code = 8;
  static constexpr const char* name = "parent_joined";
  Parent parent;
  static void fields(auto&& visit, auto& self) { visit(1, "parent", self.parent); }
};

}  // namespace suan::identity
