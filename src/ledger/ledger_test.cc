#include "ledger/ledger.h"

#include <map>
#include <vector>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::ledger {
namespace {

constexpr ProjectId lab{1};
constexpr OrganisationId acme{1};
constexpr AccountKey outside{AccountKind::funding, 0};

Held held(std::uint64_t hold, Money amount, ProjectId project = lab) {
  return {HoldId{hold}, JobId{hold}, project, amount};
}

Charged charged(std::uint64_t hold, Money amount, Money loss = {}) {
  Charged event;
  event.hold = HoldId{hold};
  event.provider = acme;
  event.amount = amount;
  event.loss = loss;
  return event;
}

TEST(Ledger, MoneyGoesFromOutsideToAProjectToAHoldToAProvider) {
  Ledger ledger;
  ledger.apply(Deposited{lab, yuan(100), "first"});
  EXPECT_EQ(ledger.balance(outside), yuan(-100));
  EXPECT_EQ(ledger.balance(project_account(lab)), yuan(100));

  ledger.apply(held(1, yuan(30)));
  EXPECT_EQ(ledger.balance(project_account(lab)), yuan(70));
  EXPECT_EQ(ledger.balance(held_account(lab)), yuan(30));

  ledger.apply(HoldExtended{HoldId{1}, yuan(5)});
  ledger.apply(charged(1, yuan(20), yuan(2)));
  EXPECT_EQ(ledger.balance(held_account(lab)), yuan(15));
  EXPECT_EQ(ledger.balance(provider_account(acme)), yuan(22));
  EXPECT_EQ(ledger.balance(loss_account(acme)), yuan(-2));
  EXPECT_EQ(ledger.charged(lab), yuan(20));
  EXPECT_EQ(ledger.holds().at(HoldId{1}).charged, yuan(20));

  ledger.apply(HoldReturned{HoldId{1}, yuan(15), true});
  EXPECT_EQ(ledger.balance(project_account(lab)), yuan(80));
  EXPECT_EQ(ledger.balance(held_account(lab)), Money{});
  EXPECT_TRUE(ledger.holds().empty());
  EXPECT_EQ(ledger.accounts().at(project_account(lab)).turnover_out, yuan(35));
}

TEST(Ledger, AProjectCanHoldWhatItHasAndNoMore) {
  Ledger ledger;
  EXPECT_FALSE(ledger.can_hold(lab, {1}));
  EXPECT_TRUE(ledger.can_hold(lab, {}));
  ledger.apply(Deposited{lab, yuan(10), ""});
  EXPECT_TRUE(ledger.can_hold(lab, yuan(10)));
  EXPECT_FALSE(ledger.can_hold(lab, yuan(10) + Money{1}));
  EXPECT_FALSE(ledger.can_hold(ProjectId{2}, {1}));
}

TEST(Ledger, AnAllowanceMovesNoMoneyButCannotBeReturned) {
  Ledger ledger;
  ledger.apply(Deposited{lab, yuan(10), ""});
  ledger.apply(held(1, yuan(10)));
  ledger.apply(Allotted{HoldId{1}, yuan(6)});
  EXPECT_EQ(ledger.balance(held_account(lab)), yuan(10));
  EXPECT_DEATH(ledger.apply(HoldReturned{HoldId{1}, yuan(5), false}), "ledger.cc");
  EXPECT_DEATH(ledger.apply(charged(1, yuan(5))), "ledger.cc");
  ledger.apply(HoldReturned{HoldId{1}, yuan(4), false});
  ledger.apply(Allotted{HoldId{1}, -yuan(6)});
  ledger.apply(charged(1, yuan(6)));
  EXPECT_EQ(ledger.holds().at(HoldId{1}).amount, Money{});
}

// The price that a quote names for a time is to the micro-yuan what an invoice of that time says:
// both are the same product, rounded once.
TEST(Ledger, AQuoteEqualsItsInvoice) {
  for_each_seed([](Random& random) {
    const Money hourly{random.between(0, 2'000'000'000)};
    const Span wall{random.between(0, hours(1000).us)};
    const Money quote = scale(hourly, wall.us, hours(1).us);
    Ledger ledger;
    ledger.apply(Deposited{lab, quote + yuan(1), ""});
    ledger.apply(held(1, quote + yuan(1)));
    ledger.apply(charged(1, quote));
    EXPECT_EQ(ledger.charged(lab), quote);
    EXPECT_EQ(ledger.balance(provider_account(acme)), quote);
    __extension__ using Wide = __int128;
    const Wide twice = Wide{2} * hourly.micro * wall.us;
    const Wide error = Wide{2} * quote.micro * hours(1).us - twice;
    EXPECT_LE(error, Wide{hours(1).us});
    EXPECT_GE(error, -Wide{hours(1).us});
  });
}

/// Random events that may happen, each checked against books kept here.
class Walk {
 public:
  explicit Walk(Random& random) : random_(random) {}

  void step() {
    const ProjectId project{1 + random_.below(std::uint64_t{3})};
    const auto choice = random_.below(8U);
    if (choice == 0) return apply(Deposited{project, amount(yuan(50)), ""});
    if (choice == 1) return hold(project);
    if (ledger.holds().empty()) return;
    const Hold hold = any_hold();
    const Money free = hold.amount - hold.allotted;
    switch (choice) {
      case 2:
        return apply(HoldExtended{hold.id, amount(ledger.balance(project_account(hold.project)))});
      case 3:
        return apply(Allotted{hold.id, amount(free)});
      case 4:
        return apply(Allotted{hold.id, -amount(hold.allotted)});
      case 5:
        return charge(hold.id, amount(free));
      case 6:
        return apply(HoldReturned{hold.id, amount(free), false});
      default:
        if (hold.allotted == Money{}) apply(HoldReturned{hold.id, hold.amount, true});
    }
  }

  void check() const {
    Money sum;
    std::map<ProjectId, Money> held;
    for (const auto& [key, account] : ledger.accounts()) {
      sum = sum + account.balance;
      const bool may_owe = key.kind == AccountKind::funding || key.kind == AccountKind::loss;
      ASSERT_TRUE(may_owe || account.balance >= Money{});
      ASSERT_GE(account.turnover_out, Money{});
    }
    ASSERT_EQ(sum, Money{});
    for (const auto& [id, hold] : ledger.holds()) {
      held[hold.project] = held[hold.project] + hold.amount;
      ASSERT_GE(hold.allotted, Money{});
      ASSERT_LE(hold.allotted, hold.amount);
    }
    for (std::uint64_t id = 1; id <= 3; ++id) {
      const ProjectId project{id};
      ASSERT_EQ(ledger.balance(held_account(project)), held[project]);
      const auto known = spent_.find(project);
      ASSERT_EQ(ledger.charged(project), known == spent_.end() ? Money{} : known->second);
    }
    ASSERT_EQ(ledger.balance(provider_account(acme)), earned_);
  }

  Ledger ledger;

 private:
  template <class Event>
  void apply(const Event& event) {
    ledger.apply(event);
  }

  Money amount(Money most) {
    return random_.chance(1, 8) ? most : Money{random_.between(0, most.micro)};
  }

  Hold any_hold() {
    auto at = ledger.holds().begin();
    for (auto n = random_.below(ledger.holds().size()); n > 0; --n) ++at;
    return at->second;
  }

  void hold(ProjectId project) {
    const Money taken = amount(ledger.balance(project_account(project)));
    ASSERT_TRUE(ledger.can_hold(project, taken));
    apply(held(++last_hold_, taken, project));
  }

  void charge(HoldId id, Money paid) {
    const Money loss = random_.chance(1, 4) ? amount(yuan(3)) : Money{};
    const ProjectId project = ledger.holds().at(id).project;
    apply(charged(id.value, paid, loss));
    spent_[project] = spent_[project] + paid;
    earned_ = earned_ + paid + loss;
  }

  Random& random_;
  std::uint64_t last_hold_ = 0;
  std::map<ProjectId, Money> spent_;
  Money earned_;
};

TEST(Ledger, BalancesWhateverHappens) {
  for_each_seed(
      [](Random& random) {
        Walk walk(random);
        for (int i = 0; i < 100; ++i) {
          walk.step();
          walk.check();
          if (testing::Test::HasFatalFailure()) return;
        }
      },
      200);
}

TEST(LedgerDeathTest, PromisingMoreThanThereIsIsABug) {
  Ledger ledger;
  ledger.apply(Deposited{lab, yuan(10), ""});
  EXPECT_DEATH(ledger.apply(held(1, yuan(11))), "ledger.cc");
  ledger.apply(held(1, yuan(10)));
  EXPECT_DEATH(ledger.apply(HoldExtended{HoldId{1}, {1}}), "ledger.cc");
  EXPECT_DEATH(ledger.apply(Allotted{HoldId{1}, yuan(11)}), "ledger.cc");
  EXPECT_DEATH(ledger.apply(Allotted{HoldId{1}, Money{-1}}), "ledger.cc");
  EXPECT_DEATH(ledger.apply(HoldReturned{HoldId{1}, yuan(9), true}), "ledger.cc");
  EXPECT_DEATH(ledger.apply(HoldReturned{HoldId{2}, {}, true}), "ledger.cc");
  EXPECT_DEATH(ledger.apply(charged(1, Money{-1})), "ledger.cc");
}

}  // namespace
}  // namespace suan::ledger
