#pragma once

#include <cstdint>
#include <string>

#include "base/time.h"
#include "model/ids.h"
#include "model/supply.h"

/// What is offered, by whom: members, sites, pools, and the events that change them.
namespace suan::catalogue {

/// Who grants and runs capacity for this domain. `engine`: an adapter in this process.
enum class MemberKind : std::uint8_t { engine, domain };

struct Member {
  MemberId id;
  std::string name;
  MemberKind kind = MemberKind::engine;
  OrganisationId owner;           // Who earns what its capacity is paid.
  std::uint64_t incarnation = 0;  // Grows with every start of the member.
  std::string note;               // For people, such as which isolation is not enforced.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "name", self.name);
    visit(3, "kind", self.kind);
    visit(4, "owner", self.owner);
    visit(5, "incarnation", self.incarnation);
    visit(6, "note", self.note);
  }
};

// Events.

/// A member is new, or has started again.
struct MemberStarted {
  static constexpr std::uint32_t code = 20;
  static constexpr const char* name = "member_started";
  Member member;
  static void fields(auto&& visit, auto& self) { visit(1, "member", self.member); }
};

/// A site is new or has changed.
struct SiteDescribed {
  static constexpr std::uint32_t code = 21;
  static constexpr const char* name = "site_described";
  Site site;
  static void fields(auto&& visit, auto& self) { visit(1, "site", self.site); }
};

/// A pool is new or has changed: its size, price or state.
struct PoolOffered {
  static constexpr std::uint32_t code = 22;
  static constexpr const char* name = "pool_offered";
  Pool pool;
  static void fields(auto&& visit, auto& self) { visit(1, "pool", self.pool); }
};

/// Another hour has begun: prices by the hour and carbon by the hour are those of it from now on.
struct HourTurned {
  static constexpr std::uint32_t code = 23;
  static constexpr const char* name = "hour_turned";
  Moment hour;  // A whole hour of UTC; 0 = nothing goes by the hour any longer.
  static void fields(auto&& visit, auto& self) { visit(1, "hour", self.hour); }
};

}  // namespace suan::catalogue
