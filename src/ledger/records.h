#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "base/money.h"
#include "base/time.h"
#include "model/attempt.h"
#include "model/ids.h"

/// Money: accounts, holds, and the events that move it. Every event is one or two postings, each
/// with two sides, so the sum of all accounts is zero after each.
namespace suan::ledger {

/// funding: the world outside (negative by what came in); project: free to spend; held: set aside
/// for jobs of a project; provider: earned by an organisation; loss: what a provider used beyond a
/// hold and does not get.
enum class AccountKind : std::uint8_t { funding, project, held, provider, loss };

/// `owner` is a ProjectId for project and held, an OrganisationId for provider and loss, else 0.
struct AccountKey {
  AccountKind kind = AccountKind::funding;
  std::uint64_t owner = 0;

  friend constexpr auto operator<=>(const AccountKey&, const AccountKey&) = default;

  static void fields(auto&& visit, auto& self) {
    visit(1, "kind", self.kind);
    visit(2, "owner", self.owner);
  }
};

inline AccountKey project_account(ProjectId id) {
  return {AccountKind::project, id.value};
}
inline AccountKey held_account(ProjectId id) {
  return {AccountKind::held, id.value};
}
inline AccountKey provider_account(OrganisationId id) {
  return {AccountKind::provider, id.value};
}
inline AccountKey loss_account(OrganisationId id) {
  return {AccountKind::loss, id.value};
}

struct Account {
  Money balance;
  Money turnover_out;  // Ever taken out, for statements.

  static void fields(auto&& visit, auto& self) {
    visit(1, "balance", self.balance);
    visit(2, "turnover_out", self.turnover_out);
  }
};

/// Money set aside for one job (预授权). `amount` is what is left in it; `allotted` of that is
/// promised to running attempts (allowances), which the member may spend without asking.
struct Hold {
  HoldId id;
  JobId job;
  ProjectId project;
  Money amount;
  Money allotted;
  Money charged;  // Ever, out of this hold.

  static void fields(auto&& visit, auto& self) {
    visit(1, "id", self.id);
    visit(2, "job", self.job);
    visit(3, "project", self.project);
    visit(4, "amount", self.amount);
    visit(5, "allotted", self.allotted);
    visit(6, "charged", self.charged);
  }
};

// Events.

struct Deposited {
  static constexpr std::uint32_t code = 10;
  static constexpr const char* name = "deposited";
  ProjectId project;
  Money amount;
  std::string text;
  static void fields(auto&& visit, auto& self) {
    visit(1, "project", self.project);
    visit(2, "amount", self.amount);
    visit(3, "text", self.text);
  }
};

struct Held {
  static constexpr std::uint32_t code = 11;
  static constexpr const char* name = "held";
  HoldId hold;
  JobId job;
  ProjectId project;
  Money amount;
  static void fields(auto&& visit, auto& self) {
    visit(1, "hold", self.hold);
    visit(2, "job", self.job);
    visit(3, "project", self.project);
    visit(4, "amount", self.amount);
  }
};

struct HoldExtended {
  static constexpr std::uint32_t code = 12;
  static constexpr const char* name = "hold_extended";
  HoldId hold;
  Money amount;
  static void fields(auto&& visit, auto& self) {
    visit(1, "hold", self.hold);
    visit(2, "amount", self.amount);
  }
};

/// Gives back part of a hold, or all of it and closes it.
struct HoldReturned {
  static constexpr std::uint32_t code = 13;
  static constexpr const char* name = "hold_returned";
  HoldId hold;
  Money amount;
  bool closes = false;
  static void fields(auto&& visit, auto& self) {
    visit(1, "hold", self.hold);
    visit(2, "amount", self.amount);
    visit(3, "closes", self.closes);
  }
};

/// Settles one attempt: `amount` from the hold to the provider; `loss`, what the attempt used
/// beyond the hold, from the provider's loss to its earnings, so that usage stays a fact.
struct Charged {
  static constexpr std::uint32_t code = 14;
  static constexpr const char* name = "charged";
  HoldId hold;
  OrganisationId provider;
  AttemptKey attempt;
  PoolId pool;
  Span wall;     // What is charged for.
  Money hourly;  // The price of this task.
  Money amount;
  Money loss;
  Span priced{};  // What the wall comes to by rates, where there are some.
  static void fields(auto&& visit, auto& self) {
    visit(1, "hold", self.hold);
    visit(2, "provider", self.provider);
    visit(3, "attempt", self.attempt);
    visit(4, "pool", self.pool);
    visit(5, "wall", self.wall);
    visit(6, "hourly", self.hourly);
    visit(7, "amount", self.amount);
    visit(8, "loss", self.loss);
    visit(9, "priced", self.priced);
  }
};

/// Promises a slice of a hold to a unit of attempts, or takes it back. Moves no money.
struct Allotted {
  static constexpr std::uint32_t code = 15;
  static constexpr const char* name = "allotted";
  HoldId hold;
  Money amount;  // Negative: taken back.
  static void fields(auto&& visit, auto& self) {
    visit(1, "hold", self.hold);
    visit(2, "amount", self.amount);
  }
};

/// Money leaves the domain again, to where deposits come from.
struct Withdrawn {
  static constexpr std::uint32_t code = 16;
  static constexpr const char* name = "withdrawn";
  ProjectId project;
  Money amount;
  std::string text;
  static void fields(auto&& visit, auto& self) {
    visit(1, "project", self.project);
    visit(2, "amount", self.amount);
    visit(3, "text", self.text);
  }
};

}  // namespace suan::ledger
