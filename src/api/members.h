#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/time.h"
#include "model/ids.h"

/// Who a domain works with: its members, and the domains that it is a member of.
namespace suan::api {

/// A member, or a domain that has asked to become one.
struct MemberView {
  MemberId id;  // None before the first offer of a domain.
  std::string name;
  std::string kind;    // engine, domain.
  std::string health;  // GLUE 2: ok, warning, critical, unknown.
  std::uint64_t incarnation = 0;
  std::uint32_t pools = 0;    // Not closed.
  std::uint32_t running = 0;  // Attempts.
  std::string note;           // Such as which isolation is not enforced.
  std::string state;          // asked, approved, refused; "" of one that never had to ask.
  std::string fingerprint;    // Of the key of a domain: its first 16 hexadecimal digits.
  bool connected = false;
  Moment since;         // It is connected or not; unset = since this server started.
  Moment heard;         // Last.
  std::string problem;  // Why it is not connected: one sentence.
  Span rtt_p50;         // Of round trips lately; 0 = none yet.
  Span rtt_p99;
  std::uint32_t sites = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
    visit(3, "kind", self.kind);
    visit(4, "health", self.health);
    visit(5, "incarnation", self.incarnation);
    visit(6, "pools", self.pools);
    visit(7, "running", self.running);
    visit(8, "note", self.note);
    visit(9, "state", self.state);
    visit(10, "fingerprint", self.fingerprint);
    visit(11, "connected", self.connected);
    visit(12, "since", self.since);
    visit(13, "heard", self.heard);
    visit(14, "problem", self.problem);
    visit(15, "rtt_p50", self.rtt_p50);
    visit(16, "rtt_p99", self.rtt_p99);
    visit(17, "sites", self.sites);
  }
};

/// A domain that this one has joined.
struct ParentView {
  ParentId id;
  std::string name;
  std::string fingerprint;  // "" = its key is not known yet.
  bool connected = false;
  Moment since;
  Moment heard;
  std::string problem;
  Span rtt_p50;
  Span rtt_p99;

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
    visit(3, "fingerprint", self.fingerprint);
    visit(4, "connected", self.connected);
    visit(5, "since", self.since);
    visit(6, "heard", self.heard);
    visit(7, "problem", self.problem);
    visit(8, "rtt_p50", self.rtt_p50);
    visit(9, "rtt_p99", self.rtt_p99);
  }
};

struct MemberList {
  std::uint64_t sequence = 0;
  std::vector<MemberView> members;
  std::vector<ParentView> parents;

  static void fields(auto&& visit, auto& self) {
    visit(1, "sequence", self.sequence);
    visit(2, "members", self.members);
    visit(3, "parents", self.parents);
  }
};

}  // namespace suan::api
