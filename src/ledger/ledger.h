#pragma once

#include "base/table.h"
#include "ledger/records.h"

namespace suan::ledger {

/// The accounts and holds of one domain. Part of State: no lock, no clock, no I/O.
///
/// Invariants: the sum of all balances is zero; no project or held account is negative; the held
/// account of a project is the sum of its holds; 0 <= allotted <= amount for every hold.
class Ledger {
 public:
  /// The balance of an account; zero for one that never moved.
  Money balance(const AccountKey&) const;

  /// What the jobs of a project were ever charged.
  Money charged(ProjectId) const;

  /// Whether a project can set `amount` aside now.
  bool can_hold(ProjectId project, Money amount) const;

  const Table<AccountKey, Account>& accounts() const { return accounts_; }
  const Table<HoldId, Hold>& holds() const { return holds_; }

  void apply(const Deposited&);
  void apply(const Withdrawn&);
  void apply(const Held&);
  void apply(const HoldExtended&);
  void apply(const HoldReturned&);
  void apply(const Charged&);
  void apply(const Allotted&);

  static void tables(auto&& visit, auto& self) {
    visit(1, "accounts", self.accounts_);
    visit(2, "holds", self.holds_);
    visit(3, "charged", self.charged_);
  }
  void reindex() {}

 private:
  Account& account(const AccountKey&);
  void post(const AccountKey& from, const AccountKey& to, Money amount);

  Table<AccountKey, Account> accounts_;
  Table<HoldId, Hold> holds_;
  Table<ProjectId, Money> charged_;
};

}  // namespace suan::ledger
