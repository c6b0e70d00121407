#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "testing/domain_scene.h"

/// Who may ask what, and how a repeated request is known.
namespace suan::domain {
namespace {

Code checked(const Scene& scene, RequestId request, Moment now) {
  Caller caller = Scene::process();
  caller.request = request;
  const auto checked = check_request(scene.state, caller, now);
  return checked ? Code::none : checked.error().code;
}

RequestId made_at(Moment at) {
  return make_request_id(at.us / 1000, 0, 1);
}

TEST(Requests, AreTakenUnderAnIdThatIsNeitherOldNorFromTheFuture) {
  const Scene scene = furnished_scene();
  const Moment now = scene.now + hours(24 * 30);
  EXPECT_EQ(checked(scene, {}, now), Code::request_id_missing);
  EXPECT_EQ(checked(scene, made_at(now), now), Code::none);
  EXPECT_EQ(checked(scene, made_at(now - requests_remembered), now), Code::none);
  EXPECT_EQ(checked(scene, made_at(now - requests_remembered - milliseconds(1)), now),
            Code::request_too_old);
  EXPECT_EQ(checked(scene, made_at(now + clock_ahead_max), now), Code::none);
  EXPECT_EQ(checked(scene, made_at(now + clock_ahead_max + milliseconds(1)), now),
            Code::request_in_future);
}

// What was forgotten stays refused, also where the clock steps back before the seven days are over.
TEST(Requests, ThatAreForgottenAreTooOldForEver) {
  Scene scene = furnished_scene();
  const Moment before = scene.now + hours(1);
  scene.state.apply({RequestsForgotten{before}}, scene.now);
  EXPECT_EQ(scene.state.essence().requests_forgotten, before);
  EXPECT_EQ(checked(scene, made_at(before - milliseconds(1)), scene.now), Code::request_too_old);
  EXPECT_EQ(checked(scene, made_at(before), before), Code::none);
}

TEST(Requests, AnswersAreKeptByUserUntilTheyAreForgotten) {
  Scene scene = furnished_scene();
  scene.now = scene.now + minutes(1);
  const Caller ann = scene.caller(scene.user("ann"));
  ASSERT_TRUE(scene.run(submit(make_spec()), ann));
  const Answer* answer = scene.state.find_answer({ann.request, ann.principal.user});
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->id, "job-1");
  EXPECT_EQ(answer->sequence, scene.state.essence().sequence);
  EXPECT_EQ(answer->body, ann.body);
  EXPECT_EQ(scene.state.find_answer({ann.request, scene.user("bob").user}), nullptr);

  scene.state.apply({RequestsForgotten{scene.now}}, scene.now);  // Those before, not those of now.
  EXPECT_NE(scene.state.find_answer({ann.request, ann.principal.user}), nullptr);
  EXPECT_EQ(scene.state.requests(), 1U);
  scene.state.apply({RequestsForgotten{scene.now + milliseconds(1)}}, scene.now);
  EXPECT_EQ(scene.state.requests(), 0U);
}

TEST(Requests, AreForgottenByTheHour) {
  Scene scene = furnished_scene();
  const std::size_t kept = scene.state.requests();
  for (int hour = 1; hour <= 7 * 24 + 1; ++hour) {
    EXPECT_EQ(scene.state.requests(), kept) << hour;
    scene.now = scene_start + hours(hour);
    ASSERT_TRUE(scene.run(Tick{}));
    ASSERT_FALSE(scene.run(Tick{}));
  }
  EXPECT_EQ(scene.state.requests(), 0U);
}

TEST(Requests, OfTheProcessAreNotRemembered) {
  Scene scene = furnished_scene();
  const std::size_t before = scene.state.requests();
  scene.start_member({make_pool("gpu", 3, 4, yuan(10))});
  EXPECT_EQ(scene.state.requests(), before);
}

struct Right {
  const char* name;
  Command command;
  std::map<std::string, Code> codes;  // By user.
};

// Every command of people, for every role: ann is a consumer with a seat in the project, bob one
// without, pat a provider with a seat, eve an auditor with one.
TEST(Requests, AreForThoseWhoMay) {
  Scene scene = furnished_scene();
  scene.ask(submit(make_spec()));
  const CreateKey key{.user = "carl",
                      .organisation = "",
                      .role = identity::Role::consumer,
                      .projects = {},
                      .label = "",
                      .secret_hash = digest_of("carl")};
  constexpr Code yes = Code::none;
  constexpr Code no = Code::forbidden;
  const std::map<std::string, Code> operators{
      {"root", yes}, {"ann", no}, {"bob", no}, {"pat", no}, {"eve", no}};
  const auto seated = [&](Code unknown) {
    return std::map<std::string, Code>{
        {"root", yes}, {"ann", yes}, {"bob", unknown}, {"pat", yes}, {"eve", unknown}};
  };
  const std::vector<Right> rights{
      {"organisation", CreateOrganisation{"new"}, operators},
      {"project", CreateProject{"new", ""}, operators},
      {"deposit", Deposit{"lab", yuan(1), ""}, operators},
      {"key", key, operators},
      {"revoke another's", RevokeKey{KeyId{1}}, operators},
      {"run", submit(make_spec()), seated(Code::project_unknown)},
      {"stop", StopJob{JobId{1}}, seated(Code::job_unknown)},
      {"supply",
       StartMember{"new", "", {}, {}},
       {{"root", yes}, {"ann", no}, {"bob", no}, {"pat", yes}, {"eve", no}}},
  };
  for (const Right& right : rights) {
    for (const auto& [user, code] : right.codes) {
      const Decision decision =
          decide(scene.state, right.command, scene.caller(scene.user(user)), scene.now);
      EXPECT_EQ(decision ? Code::none : decision.error().code, code) << user << ": " << right.name;
    }
  }
}

TEST(Requests, AnyoneMayRevokeAKeyOfTheirOwn) {
  Scene scene = furnished_scene();
  for (const char* name : {"ann", "bob", "pat", "eve"}) {
    const identity::Principal user = scene.user(name);
    for (const auto& [id, key] : scene.state.identity().keys()) {
      const Decision decision = decide(scene.state, RevokeKey{id}, scene.caller(user), scene.now);
      EXPECT_EQ(decision.has_value(), key.user == user.user) << name;
    }
  }
}

TEST(Requests, ForAKeyMayNameAProjectTwiceAndOneAlreadyHad) {
  Scene scene = furnished_scene();
  const CreateKey key{.user = "ann",
                      .organisation = "",
                      .role = identity::Role::consumer,
                      .projects = {"other", "lab", "other"},
                      .label = "",
                      .secret_hash = digest_of("second")};
  const Decision decision = scene.ask(key);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->size(), 3U);  // Accepted, one seat, the key.
  EXPECT_TRUE(scene.state.identity().has_seat(ProjectId{2}, scene.user("ann").user));
}

TEST(Requests, AreAuthorisedInOnePlaceAndEachRefusalSaysWho) {
  const Scene scene = furnished_scene();
  const auto refused = [&](identity::Action action, ProjectId project) {
    const Caller bob{.principal = scene.user("bob"), .request = {}, .body = {}};
    const auto ruling = authorise(scene.state, bob, action, project);
    return ruling ? Code::none : ruling.error().code;
  };
  using identity::Action;
  EXPECT_EQ(refused(Action::read_domain, {}), Code::none);
  EXPECT_EQ(refused(Action::read_project, ProjectId{1}), Code::project_unknown);
  EXPECT_EQ(refused(Action::read_project, ProjectId{2}), Code::none);
  EXPECT_EQ(refused(Action::run_in_project, ProjectId{1}), Code::project_unknown);
  EXPECT_EQ(refused(Action::fund_project, ProjectId{2}), Code::forbidden);
  EXPECT_EQ(refused(Action::manage_identity, {}), Code::forbidden);
  EXPECT_EQ(refused(Action::manage_supply, {}), Code::forbidden);
}

}  // namespace
}  // namespace suan::domain
