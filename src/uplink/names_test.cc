#include "uplink/names.h"

#include <gtest/gtest.h>

#include "testing/temporary_directory.h"
#include "uplink/handshake.h"

namespace suan::uplink {
namespace {

/// A root, a province below it and a site below that, each with a key.
class NameFaults : public testing::Test {
 protected:
  NameFaults() {
    answer.record.identifier = "suan:cn:hubei:wuhan/lab/h800";
    answer.record.lasts = minutes(1);
    sign(answer.record, wuhan);
    answer.chain = {delegation("suan:cn", "hubei", hubei, cn),
                    delegation("suan:cn:hubei", "wuhan", wuhan, hubei)};
  }

  static Digest key_of(const journal::SigningKey& key) { return {key.public_key()}; }
  static naming::Delegation delegation(std::string parent, std::string child,
                                       const journal::SigningKey& of,
                                       const journal::SigningKey& by) {
    naming::Delegation made{std::move(parent), std::move(child), key_of(of), {}, {}};
    sign(made, by);
    return made;
  }
  std::string fault(const naming::NameAnswer& given) {
    return find_name_fault(given, *naming::standard_codec().parse("suan:cn:hubei:wuhan/lab/h800"),
                           {key_of(cn), key_of(other)});
  }
  journal::SigningKey make(const char* name) {
    return *journal::SigningKey::load_or_create(directory.path() + "/" + name);
  }

  TemporaryDirectory directory;
  journal::SigningKey cn = make("cn"), hubei = make("hubei"), wuhan = make("wuhan"),
                      other = make("other"), thief = make("thief");
  naming::NameAnswer answer;
};

TEST_F(NameFaults, AWholeChainIsBelieved) {
  EXPECT_EQ(fault(answer), "");
}

TEST_F(NameFaults, ARecordThatWasChangedIsNot) {
  naming::NameAnswer changed = answer;
  changed.record.pool.chip = "H800";
  EXPECT_EQ(fault(changed), "the record is not signed by the key that it names");
  changed = answer;
  changed.record.identifier = "suan:cn:hubei:wuhan/lab/other";
  sign(changed.record, wuhan);
  EXPECT_EQ(fault(changed), "the answer is about another name");
}

TEST_F(NameFaults, NobodySignsForAnother) {
  naming::NameAnswer stolen = answer;
  sign(stolen.record, thief);
  EXPECT_EQ(fault(stolen), "the record is not signed by the domain that it is about");
  stolen.chain.clear();
  EXPECT_EQ(fault(stolen), "nobody above vouches for the key that signed it");
  stolen = answer;
  stolen.chain[1] = delegation("suan:cn:hubei", "wuhan", thief, thief);
  sign(stolen.record, thief);
  EXPECT_EQ(fault(stolen), "a delegation is not signed by the domain above it");
  stolen.chain[0] = delegation("suan:cn", "hubei", thief, thief);
  EXPECT_EQ(fault(stolen), "the first delegation is not signed by a domain above");
}

TEST_F(NameFaults, ADelegationIsOfTheNameThatWasAskedFor) {
  naming::NameAnswer elsewhere = answer;
  elsewhere.chain[1] = delegation("suan:cn:hubei", "yichang", wuhan, hubei);
  EXPECT_EQ(fault(elsewhere), "a delegation leads elsewhere");
  elsewhere = answer;
  elsewhere.chain[1] = delegation("nonsense", "wuhan", wuhan, hubei);
  EXPECT_EQ(fault(elsewhere), "a delegation is not signed by the domain above it");
  // A sub-domain cannot stand for the domain that is above it, nor for one further down.
  elsewhere = answer;
  elsewhere.chain.pop_back();
  sign(elsewhere.record, hubei);
  EXPECT_EQ(fault(elsewhere), "the record is not signed by the domain that it is about");
  // What a domain above signs for a name that is not below it.
  elsewhere = answer;
  elsewhere.chain[0] = delegation("suan:us", "hubei", hubei, cn);
  EXPECT_EQ(fault(elsewhere), "a delegation leads elsewhere");
}

TEST_F(NameFaults, ADomainAboveMaySignForItself) {
  naming::NameAnswer root;
  root.record.identifier = "suan:cn";
  sign(root.record, cn);
  const auto identifier = *naming::standard_codec().parse("suan:cn");
  EXPECT_EQ(find_name_fault(root, identifier, {key_of(cn)}), "");
  EXPECT_NE(find_name_fault(root, identifier, {key_of(other)}), "");
}

TEST(Names, AnAnswerIsHeardOnceAndFromWhomWasAsked) {
  Names names;
  int asked = 0;
  int other = 0;
  int heard = 0;
  const auto number = names.expect(&asked, "hubei", [&](const auto&) { ++heard; });
  names.hear(&other, number, {});
  names.hear(&asked, number + 1, {});
  EXPECT_EQ(heard, 0);
  names.hear(&asked, number, {});
  names.hear(&asked, number, {});
  EXPECT_EQ(heard, 1);
}

TEST(Names, WhoDoesNotAnswerIsNotWaitedFor) {
  Names names;
  int asked = 0;
  std::string problem;
  names.expect(&asked, "hubei",
               [&](const naming::NameAnswer& answer) { problem = answer.problem; });
  names.tick(Names::Steady::now());
  EXPECT_EQ(problem, "");
  names.tick(Names::Steady::now() + std::chrono::seconds(11));
  EXPECT_EQ(problem, "the domain hubei does not answer");
  for (int i = 0; i < 1000; ++i) EXPECT_NE(names.expect(&asked, "x", [](const auto&) {}), 0U);
  EXPECT_EQ(names.expect(&asked, "x", [](const auto&) {}), 0U);
}

TEST(Names, AnAnswerIsKeptForItsTime) {
  Names names;
  naming::NameAnswer answer;
  answer.record.identifier = "suan:cn";
  answer.record.lasts = seconds(60);
  const auto now = Names::Steady::now();
  names.keep(answer, now);
  const auto kept = names.find("suan:cn", now + std::chrono::seconds(20));
  ASSERT_TRUE(kept);
  EXPECT_TRUE(kept->is_cached);
  EXPECT_EQ(kept->left, seconds(40));
  EXPECT_FALSE(names.find("suan:cn", now + std::chrono::seconds(60)));
  EXPECT_FALSE(names.find("suan:us", now));
  // Nobody is believed for longer than an hour.
  answer.record.lasts = hours(1000);
  names.keep(answer, now);
  EXPECT_FALSE(names.find("suan:cn", now + std::chrono::hours(1)));
}

}  // namespace
}  // namespace suan::uplink
