#include <utility>

#include "sim/books.h"

namespace suan::sim {

using ledger::AccountKind;

void MoneyBook::move(const ledger::AccountKey& from, const ledger::AccountKey& to, Money amount) {
  has_moved_ = true;
  objections_.check(amount >= Money{}, "money", "a negative amount is posted");
  balances_[from] -= amount.micro;
  balances_[to] += amount.micro;
  const bool may_owe = from.kind == AccountKind::funding || from.kind == AccountKind::loss;
  objections_.check(may_owe || balances_[from] >= 0, "money", "an account is overdrawn");
}

MoneyBook::Hold* MoneyBook::hold(HoldId id) {
  has_moved_ = true;
  const auto found = holds_.find(id);
  objections_.check(found != holds_.end(), "hold", "money moves in a hold that is not open");
  return found == holds_.end() ? nullptr : &found->second;
}

void MoneyBook::see(const ledger::Deposited& event) {
  move({AccountKind::funding, 0}, ledger::project_account(event.project), event.amount);
}

void MoneyBook::see(const ledger::Withdrawn& event) {
  move(ledger::project_account(event.project), {AccountKind::funding, 0}, event.amount);
}

void MoneyBook::see(const ledger::Held& event) {
  objections_.check(holds_.emplace(event.hold, Hold{event.project, event.amount.micro, 0}).second,
                    "hold", "a hold is made twice");
  move(ledger::project_account(event.project), ledger::held_account(event.project), event.amount);
}

void MoneyBook::see(const ledger::HoldExtended& event) {
  Hold* own = hold(event.hold);
  if (own == nullptr) return;
  own->amount += event.amount.micro;
  move(ledger::project_account(own->project), ledger::held_account(own->project), event.amount);
}

void MoneyBook::see(const ledger::HoldReturned& event) {
  Hold* own = hold(event.hold);
  if (own == nullptr) return;
  own->amount -= event.amount.micro;
  objections_.check(own->amount >= own->allotted, "hold", "money promised to a unit is returned");
  move(ledger::held_account(own->project), ledger::project_account(own->project), event.amount);
  if (!event.closes) {
    coverage_.hit(Branch::cheaper_than_held);
    return;
  }
  objections_.check(own->amount == 0 && own->allotted == 0, "hold",
                    "a hold is closed with money in it");
  holds_.erase(event.hold);
}

void MoneyBook::see(const ledger::Charged& event) {
  Hold* own = hold(event.hold);
  if (own == nullptr) return;
  objections_.check(settled_.insert(event.attempt).second, "double charge",
                    print_key(event.attempt) + " is charged again");
  own->amount -= event.amount.micro;
  objections_.check(own->amount >= own->allotted, "hold",
                    "a charge takes what others were promised");
  charged_[event.hold] = charged_[event.hold] + event.amount;
  if (event.loss > Money{}) coverage_.hit(Branch::loss_posted);
  move(ledger::held_account(own->project), ledger::provider_account(event.provider), event.amount);
  move(ledger::loss_account(event.provider), ledger::provider_account(event.provider), event.loss);
}

void MoneyBook::see(const ledger::Allotted& event) {
  Hold* own = hold(event.hold);
  if (own == nullptr) return;
  own->allotted += event.amount.micro;
  objections_.check(own->allotted >= 0 && own->allotted <= own->amount, "hold",
                    "more is promised to units than was set aside");
}

void MoneyBook::close(const ledger::Ledger& ledger, bool anyhow) {
  if (!std::exchange(has_moved_, false) && !anyhow) return;
  std::int64_t sum = 0;
  std::map<ProjectId, std::int64_t> held;
  for (const auto& [key, account] : ledger.accounts()) {
    sum += account.balance.micro;
    const auto own = balances_.find(key);
    objections_.check(own != balances_.end() && own->second == account.balance.micro, "money",
                      "an account does not have what was posted to it");
    if (key.kind == AccountKind::held) held[ProjectId{key.owner}] = account.balance.micro;
  }
  objections_.check(sum == 0, "sum of accounts", "is " + std::to_string(sum));
  objections_.check(ledger.holds().size() == holds_.size(), "hold", "the ledger has other holds");
  for (const auto& [id, hold] : ledger.holds()) {
    held[hold.project] -= hold.amount.micro;
    const auto own = holds_.find(id);
    objections_.check(own != holds_.end() && own->second.amount == hold.amount.micro &&
                          own->second.allotted == hold.allotted.micro,
                      "hold", "the ledger has another amount in a hold");
  }
  for (const auto& [project, rest] : held)
    objections_.check(rest == 0, "hold", "held accounts are not the sum of their holds");
}

Money MoneyBook::charged(HoldId id) const {
  const auto found = charged_.find(id);
  return found == charged_.end() ? Money{} : found->second;
}

}  // namespace suan::sim
