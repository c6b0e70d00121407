#include "identity/identity.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/property.h"

namespace suan::identity {
namespace {

constexpr OrganisationId org{1};
constexpr ProjectId lab{1};
constexpr ProjectId elsewhere{2};
constexpr UserId ann{1};  // Has a seat in lab.
constexpr UserId bob{2};  // Has none.

Digest secret(std::uint8_t n) {
  Digest digest;
  digest.bytes[0] = n;
  return digest;
}

Identity two_projects() {
  Identity identity;
  identity.apply(OrganisationCreated{{org, "acme"}});
  identity.apply(UserCreated{{ann, org, "ann", Role::consumer}});
  identity.apply(UserCreated{{bob, org, "bob", Role::provider}});
  identity.apply(ProjectCreated{{lab, org, "lab"}});
  identity.apply(ProjectCreated{{elsewhere, org, "elsewhere"}});
  identity.apply(SeatTaken{{lab, ann}});
  return identity;
}

struct Rights {
  Role role;
  bool read_domain, read_project, run_in_project, fund_project, manage_identity, manage_supply;
};

// What each role may do, with a seat in the project and without. The table is the specification.
TEST(Identity, RolesMayDoThisAndNothingElse) {
  const Identity identity = two_projects();
  const std::vector<Rights> seated{
      {Role::operator_, true, true, true, true, true, true},
      {Role::auditor, true, true, false, false, false, false},
      {Role::provider, true, true, true, false, false, true},
      {Role::consumer, true, true, true, false, false, false},
  };
  const std::vector<Rights> unseated{
      {Role::operator_, true, true, true, true, true, true},
      {Role::auditor, true, true, false, false, false, false},
      {Role::provider, true, false, false, false, false, true},
      {Role::consumer, true, false, false, false, false, false},
  };
  const auto compare = [&](const Rights& rights, ProjectId project) {
    const Principal who{ann, rights.role};
    const auto may = [&](Action action) { return identity.may(who, action, project); };
    EXPECT_EQ(may(Action::read_domain), rights.read_domain);
    EXPECT_EQ(may(Action::read_project), rights.read_project);
    EXPECT_EQ(may(Action::run_in_project), rights.run_in_project);
    EXPECT_EQ(may(Action::fund_project), rights.fund_project);
    EXPECT_EQ(may(Action::manage_identity), rights.manage_identity);
    EXPECT_EQ(may(Action::manage_supply), rights.manage_supply);
  };
  for (const Rights& rights : seated) compare(rights, lab);
  for (const Rights& rights : unseated) compare(rights, elsewhere);
  EXPECT_FALSE(identity.may({bob, Role::consumer}, Action::run_in_project, lab));
  EXPECT_FALSE(identity.may({ann, Role::consumer}, Action::run_in_project));
  EXPECT_FALSE(identity.may({ann, static_cast<Role>(9)}, Action::read_domain, lab));
}

TEST(Identity, AKeyIsItsUserUntilItIsRevoked) {
  Identity identity = two_projects();
  EXPECT_FALSE(identity.authenticate(secret(1)));
  identity.apply(KeyCreated{{KeyId{1}, ann, "laptop", secret(1), Moment{5}, {}}});
  identity.apply(KeyCreated{{KeyId{2}, ann, "desktop", secret(2), Moment{6}, {}}});
  EXPECT_EQ(identity.authenticate(secret(1)), (Principal{ann, Role::consumer}));
  identity.apply(KeyRevoked{KeyId{1}, Moment{7}});
  EXPECT_FALSE(identity.authenticate(secret(1)));
  EXPECT_TRUE(identity.authenticate(secret(2)));
  EXPECT_TRUE(identity.has_key(secret(1)));  // A revoked secret is not free for another key.
  EXPECT_FALSE(identity.has_key(secret(3)));
  EXPECT_EQ(identity.keys().at(KeyId{1}).revoked, Moment{7});
}

TEST(Identity, NamesLeadToTheirNouns) {
  const Identity identity = two_projects();
  EXPECT_EQ(identity.find_organisation("acme")->id, org);
  EXPECT_EQ(identity.find_user("bob")->id, bob);
  EXPECT_EQ(identity.find_project("elsewhere")->id, elsewhere);
  EXPECT_EQ(identity.find_organisation("lab"), nullptr);
  EXPECT_EQ(identity.find_user(""), nullptr);
  EXPECT_EQ(identity.find_project("la"), nullptr);
}

void expect_finds_all(const Identity& identity) {
  for (const auto& [id, each] : identity.organisations())
    EXPECT_EQ(identity.find_organisation(each.name)->id, id);
  for (const auto& [id, each] : identity.users()) EXPECT_EQ(identity.find_user(each.name)->id, id);
  for (const auto& [id, each] : identity.projects())
    EXPECT_EQ(identity.find_project(each.name)->id, id);
  for (const auto& [id, key] : identity.keys()) {
    const auto who = identity.authenticate(key.secret_hash);
    ASSERT_EQ(who.has_value(), key.revoked == Moment{});
    if (who) {
      EXPECT_EQ(*who, (Principal{key.user, identity.users().at(key.user).role}));
    }
  }
}

TEST(Identity, IndexesAreTheSameWhenTheyAreMadeAnew) {
  for_each_seed(
      [](Random& random) {
        Identity identity = two_projects();
        for (std::uint64_t n = 3; n < 60; ++n) {
          const std::string name = "n" + std::to_string(n);
          switch (random.below(5U)) {
            case 0:
              identity.apply(OrganisationCreated{{OrganisationId{n}, name}});
              break;
            case 1:
              identity.apply(
                  UserCreated{{UserId{n}, org, name, static_cast<Role>(random.below(4U))}});
              break;
            case 2:
              identity.apply(ProjectCreated{{ProjectId{n}, org, name}});
              break;
            case 3:
              identity.apply(KeyCreated{{KeyId{n},
                                         identity.users().back().first,
                                         name,
                                         secret(static_cast<std::uint8_t>(n)),
                                         Moment{1},
                                         {}}});
              break;
            default:
              if (identity.keys().empty()) break;
              identity.apply(KeyRevoked{identity.keys().back().first, Moment{2}});
          }
        }
        expect_finds_all(identity);
        identity.reindex();
        expect_finds_all(identity);
        EXPECT_EQ(identity.find_user("nobody"), nullptr);
      },
      100);
}

TEST(IdentityDeathTest, EventsAboutWhatIsNotThereAreABug) {
  Identity identity = two_projects();
  EXPECT_DEATH(identity.apply(UserCreated{{UserId{9}, OrganisationId{9}, "eve", {}}}), "identity");
  EXPECT_DEATH(identity.apply(SeatTaken{{ProjectId{9}, ann}}), "identity");
  EXPECT_DEATH(identity.apply(SeatTaken{{lab, UserId{9}}}), "identity");
  EXPECT_DEATH(identity.apply(KeyRevoked{KeyId{9}, Moment{1}}), "identity");
  EXPECT_DEATH(identity.apply(OrganisationCreated{{OrganisationId{9}, "acme"}}), "table.h");
}

}  // namespace
}  // namespace suan::identity
