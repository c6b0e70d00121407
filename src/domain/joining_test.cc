// A domain becomes a member: a token, a wish, an answer. And the other end: a parent and its key.
#include <gtest/gtest.h>

#include "testing/domain_scene.h"

namespace suan::domain {
namespace {

using identity::JoinState;

class Joining : public testing::Test {
 protected:
  Code code_of(const Decision& decision) { return decision ? Code::none : decision.error().code; }

  Decision make_token(std::string_view secret = "secret", Span lasts = hours(1)) {
    return scene.ask(MakeJoinToken{"for hubei", digest_of(secret), lasts});
  }
  Decision ask(std::string name = "hubei", std::string_view key = "key",
               std::string_view secret = "secret") {
    return scene.run(AskToJoin{secret.empty() ? Digest{} : digest_of(secret), std::move(name),
                               digest_of(key), "a province"});
  }
  Decision answer(bool is_approved, std::string name = "hubei") {
    return scene.ask(AnswerJoin{std::move(name), is_approved});
  }
  Decision offer(std::string member = "hubei", std::uint32_t nodes = 3) {
    Site site;
    site.id = SiteId{1};
    site.name = "wuhan";
    Pool pool = make_pool("gpu", nodes, 4, yuan(10));
    pool.id = PoolId{1};
    pool.site = site.id;
    return scene.run(OfferSupply{std::move(member), {{site}, {pool}}});
  }
  const identity::Joiner& joiner() const {
    return *scene.state.identity().find_joiner(std::string_view("hubei"));
  }
  ServingState pool_state(std::string_view site) const {
    const catalogue::Catalogue& catalogue = scene.state.catalogue();
    return catalogue.find_pool(catalogue.find_site(site)->id, "gpu")->state;
  }

  Scene scene = furnished_scene();
};

TEST_F(Joining, ATokenAWishAndAnAnswer) {
  ASSERT_TRUE(make_token());
  const identity::JoinToken& token = *scene.state.identity().find_join_token(digest_of("secret"));
  EXPECT_EQ(token.id, JoinTokenId{1});
  EXPECT_EQ(token.label, "for hubei");
  EXPECT_EQ(token.expires, scene.now + hours(1));
  EXPECT_EQ(token.used_by, "");
  scene.now = scene.now + minutes(5);
  ASSERT_TRUE(ask());
  EXPECT_EQ(scene.state.identity().find_join_token(digest_of("secret"))->used_by, "hubei");
  EXPECT_EQ(joiner().key, digest_of("key"));
  EXPECT_EQ(joiner().asked, scene.now);
  EXPECT_EQ(joiner().state, JoinState::asked);
  EXPECT_EQ(scene.state.identity().find_joiner(digest_of("key")), &joiner());
  EXPECT_EQ(code_of(offer()), Code::forbidden);
  scene.now = scene.now + minutes(5);
  ASSERT_TRUE(answer(true));
  EXPECT_EQ(joiner().state, JoinState::approved);
  EXPECT_EQ(joiner().answered, scene.now);
  ASSERT_TRUE(offer());
  EXPECT_EQ(pool_state("hubei.wuhan"), ServingState::production);
}

TEST_F(Joining, TokensHaveBoundsAndMakers) {
  EXPECT_EQ(code_of(make_token("a", minutes(1) - Span{1})), Code::spec_invalid);
  EXPECT_EQ(code_of(make_token("a", minutes(1))), Code::none);
  EXPECT_EQ(code_of(make_token("b", hours(30 * 24) + Span{1})), Code::spec_invalid);
  EXPECT_EQ(code_of(make_token("b", hours(30 * 24))), Code::none);
  EXPECT_EQ(code_of(make_token("b")), Code::key_exists);
  EXPECT_EQ(code_of(scene.ask(MakeJoinToken{std::string(201, 'a'), digest_of("c"), hours(1)})),
            Code::name_invalid);
  const auto by = [&](const char* user) {
    return code_of(
        scene.run(MakeJoinToken{"", digest_of(user), hours(1)}, scene.caller(scene.user(user))));
  };
  EXPECT_EQ(by("pat"), Code::none);  // A provider.
  EXPECT_EQ(by("ann"), Code::forbidden);
  EXPECT_EQ(by("eve"), Code::forbidden);
}

TEST_F(Joining, ATokenIsThereOnceAndInTime) {
  const auto said = [&](const Decision& decision) {
    EXPECT_EQ(code_of(decision), Code::join_token_invalid);
    EXPECT_NE(decision.error().detail.find("suan join token"), std::string::npos);
    return decision.error().detail;
  };
  EXPECT_NE(said(ask("hubei", "key", "")).find("sent no"), std::string::npos);
  EXPECT_NE(said(ask()).find("unknown"), std::string::npos);
  make_token();
  scene.now = scene.now + hours(1);
  EXPECT_NE(said(ask()).find("expired"), std::string::npos);
  make_token("another");
  scene.now = scene.now + hours(1) - Span{1};
  EXPECT_TRUE(ask("hubei", "key", "another"));
  EXPECT_NE(said(ask("hunan", "other key", "another")).find("used already"), std::string::npos);
}

TEST_F(Joining, AKnownDomainNeedsNoToken) {
  make_token();
  ask();
  EXPECT_EQ(code_of(ask()), Code::known_already);
  EXPECT_EQ(code_of(ask("hubei", "key", "")), Code::known_already);
  EXPECT_EQ(code_of(ask("hunan")), Code::name_taken);
  answer(false);
  EXPECT_EQ(code_of(ask()), Code::known_already);
  EXPECT_EQ(joiner().state, JoinState::refused);
}

TEST_F(Joining, NamesAreProperAndFree) {
  make_token("a");
  make_token("b");
  EXPECT_EQ(code_of(ask("Hu bei", "key", "a")), Code::name_invalid);
  EXPECT_EQ(code_of(ask("engine", "key", "a")), Code::name_taken);  // A member.
  EXPECT_TRUE(ask("hubei", "key", "a"));
  EXPECT_EQ(code_of(ask("hubei", "other key", "b")), Code::name_taken);
  // Its sites would be called as those of another.
  EXPECT_EQ(code_of(ask("hubei.wuhan", "other key", "b")), Code::name_taken);
  EXPECT_EQ(code_of(ask("hub", "other key", "b")), Code::none);
  make_token("c");
  EXPECT_TRUE(ask("hubei-2", "a third key", "c"));
}

TEST_F(Joining, OnlyThoseWhoManageSupplyAnswer) {
  make_token();
  ask();
  const auto by = [&](const char* user) {
    return code_of(scene.run(AnswerJoin{"hubei", true}, scene.caller(scene.user(user))));
  };
  EXPECT_EQ(by("ann"), Code::forbidden);
  EXPECT_EQ(by("eve"), Code::forbidden);
  EXPECT_EQ(by("pat"), Code::none);
  const Decision nobody = answer(true, "hubie");
  EXPECT_EQ(code_of(nobody), Code::joiner_unknown);
  EXPECT_EQ(nobody.error().suggestion, "hubei");
}

TEST_F(Joining, WhoIsRefusedSellsNothingNew) {
  make_token();
  ask();
  answer(true);
  offer();
  JobSpec spec = make_spec();
  spec.nodes = 3;  // Only hubei has so many.
  ASSERT_TRUE(scene.ask(submit(spec)));
  ASSERT_TRUE(answer(false));
  EXPECT_EQ(pool_state("hubei.wuhan"), ServingState::closed);
  EXPECT_EQ(pool_state("here"), ServingState::production);
  EXPECT_EQ(code_of(offer()), Code::forbidden);
  EXPECT_EQ(scene.state.jobs().find(JobId{1})->outcome, jobs::Outcome::none);
  EXPECT_EQ(code_of(scene.ask(submit(spec))), Code::no_pool_fits);
  const Moment answered = joiner().answered;
  scene.now = scene.now + minutes(1);
  EXPECT_TRUE(answer(false));  // Nothing comes of it.
  EXPECT_EQ(joiner().answered, answered);
  EXPECT_TRUE(answer(true));
  EXPECT_EQ(pool_state("hubei.wuhan"), ServingState::closed);
  EXPECT_TRUE(offer());
  EXPECT_EQ(pool_state("hubei.wuhan"), ServingState::production);
}

TEST_F(Joining, AMemberThatNeverAskedMayOffer) {
  EXPECT_TRUE(offer("hunan"));
}

TEST_F(Joining, AParentIsKnownByItsKey) {
  const auto join = [&](std::string name, std::string_view key) {
    return code_of(scene.run(JoinParent{std::move(name), key.empty() ? Digest{} : digest_of(key)}));
  };
  const identity::Identity& identity = scene.state.identity();
  EXPECT_EQ(join("national", ""), Code::none);
  EXPECT_EQ(join("industry", "i"), Code::none);
  EXPECT_EQ(join("national", ""), Code::known_already);
  EXPECT_EQ(identity.find_parent(Digest{}), nullptr);
  EXPECT_EQ(join("national", "i"), Code::name_taken);
  EXPECT_EQ(join("national", "n"), Code::none);
  EXPECT_EQ(identity.find_parent(digest_of("n"))->name, "national");
  EXPECT_EQ(identity.find_parent(digest_of("n"))->id, ParentId{1});
  EXPECT_EQ(join("national", "n"), Code::known_already);
  EXPECT_EQ(join("national", ""), Code::known_already);
  EXPECT_EQ(join("national", "other"), Code::name_taken);
  EXPECT_EQ(join("regional", "n"), Code::name_taken);
  EXPECT_EQ(join("regional", "r"), Code::none);
  EXPECT_EQ(identity.find_parent(digest_of("r"))->id, ParentId{3});
}

}  // namespace
}  // namespace suan::domain
