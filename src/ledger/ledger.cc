#include "ledger/ledger.h"

#include "base/ensure.h"
#include "base/planted.h"

namespace suan::ledger {

namespace {

constexpr Money zero{};

bool may_be_negative(AccountKind kind) {
  return kind == AccountKind::funding || kind == AccountKind::loss;
}

}  // namespace

Money Ledger::balance(const AccountKey& key) const {
  const Account* account = accounts_.find(key);
  return account == nullptr ? zero : account->balance;
}

Money Ledger::charged(ProjectId project) const {
  const Money* charged = charged_.find(project);
  return charged == nullptr ? zero : *charged;
}

bool Ledger::can_hold(ProjectId project, Money amount) const {
  return balance(project_account(project)) >= amount;
}

Account& Ledger::account(const AccountKey& key) {
  Account* known = accounts_.edit(key);
  return known != nullptr ? *known : accounts_.insert(key, {});
}

void Ledger::post(const AccountKey& from, const AccountKey& to, Money amount) {
  ensure(amount >= zero);
  if (amount == zero) return;
  Account& source = account(from);
  source.balance = source.balance - amount;
  source.turnover_out = source.turnover_out + amount;
  ensure(source.balance >= zero || may_be_negative(from.kind));
  Account& target = account(to);
  target.balance = target.balance + amount;
  if (planted(Bug::sum_of_accounts_drifts) && amount.micro % 7 == 0) --target.balance.micro;
}

void Ledger::apply(const Deposited& event) {
  post({AccountKind::funding, 0}, project_account(event.project), event.amount);
}

void Ledger::apply(const Withdrawn& event) {
  post(project_account(event.project), {AccountKind::funding, 0}, event.amount);
}

void Ledger::apply(const Held& event) {
  post(project_account(event.project), held_account(event.project), event.amount);
  holds_.insert(event.hold, {.id = event.hold,
                             .job = event.job,
                             .project = event.project,
                             .amount = event.amount,
                             .allotted = {},
                             .charged = {}});
}

void Ledger::apply(const HoldExtended& event) {
  Hold* hold = holds_.edit(event.hold);
  ensure(hold != nullptr);
  post(project_account(hold->project), held_account(hold->project), event.amount);
  hold->amount = hold->amount + event.amount;
}

void Ledger::apply(const HoldReturned& event) {
  Hold* hold = holds_.edit(event.hold);
  ensure(hold != nullptr && event.amount <= hold->amount - hold->allotted);
  post(held_account(hold->project), project_account(hold->project), event.amount);
  hold->amount = hold->amount - event.amount;
  if (!event.closes) return;
  ensure(hold->amount == zero);
  holds_.erase(event.hold);
}

void Ledger::apply(const Charged& event) {
  Hold* hold = holds_.edit(event.hold);
  ensure(hold != nullptr && event.amount <= hold->amount - hold->allotted);
  post(held_account(hold->project), provider_account(event.provider), event.amount);
  if (!planted(Bug::loss_not_posted))
    post(loss_account(event.provider), provider_account(event.provider), event.loss);
  hold->amount = hold->amount - event.amount;
  hold->charged = hold->charged + event.amount;
  charged_.put(hold->project, charged(hold->project) + event.amount);
}

void Ledger::apply(const Allotted& event) {
  Hold* hold = holds_.edit(event.hold);
  ensure(hold != nullptr);
  hold->allotted = hold->allotted + event.amount;
  ensure(hold->allotted >= zero && hold->allotted <= hold->amount);
}

}  // namespace suan::ledger
