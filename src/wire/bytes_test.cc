#include "wire/bytes.h"

#include <gtest/gtest.h>

#include "model/attempt.h"
#include "model/spec.h"
#include "model/supply.h"
#include "testing/record_properties.h"

namespace suan::wire {
namespace {

enum class Shade : std::uint8_t { light, dark };

struct Inner {
  std::uint32_t count = 1;
  bool is_on = true;

  static void fields(auto&& visit, auto& self) {
    visit(1, "count", self.count);
    visit(2, "is_on", self.is_on);
  }
};

// Every kind of field, and defaults that are not zero.
struct Everything {
  bool flag = true;
  std::int8_t tiny = -1;
  std::uint16_t small = 7;
  std::int64_t big = 0;
  std::uint64_t huge = 1;
  double real = 0.5;
  Shade shade = Shade::dark;
  JobId job;
  Money money = yuan(1);
  Span span;
  Moment moment;
  Digest digest;
  RequestId request;
  std::string text = "not empty";
  Inner inner{0, true};
  std::vector<std::string> texts;
  std::vector<Inner> inners;
  std::vector<std::vector<double>> grid;
  std::map<std::string, std::int64_t> numbers;
  std::map<std::string, Inner> records;
  std::optional<std::int64_t> maybe;
  std::optional<Inner> maybe_inner;
  std::optional<std::vector<std::string>> maybe_texts;
  std::shared_ptr<const Inner> shared;

  static void fields(auto&& visit, auto& self) {
    visit(1, "flag", self.flag);
    visit(2, "tiny", self.tiny);
    visit(3, "small", self.small);
    visit(4, "big", self.big);
    visit(5, "huge", self.huge);
    visit(6, "real", self.real, "A described number.");
    visit(7, "shade", self.shade);
    visit(8, "job", self.job);
    visit(9, "money", self.money);
    visit(10, "span", self.span);
    visit(11, "moment", self.moment);
    visit(12, "digest", self.digest);
    visit(13, "request", self.request);
    visit(14, "text", self.text);
    visit(15, "inner", self.inner);
    visit(16, "texts", self.texts);
    visit(17, "inners", self.inners);
    visit(18, "grid", self.grid);
    visit(19, "numbers", self.numbers);
    visit(20, "records", self.records);
    visit(21, "maybe", self.maybe);
    visit(22, "maybe_inner", self.maybe_inner);
    visit(23, "maybe_texts", self.maybe_texts);
    visit(300, "shared", self.shared);
  }
};

// The same record before fields 5 to 300 were thought of.
struct Older {
  bool flag = true;
  std::int8_t tiny = -1;
  std::uint16_t small = 7;
  std::int64_t big = 0;

  static void fields(auto&& visit, auto& self) {
    visit(1, "flag", self.flag);
    visit(2, "tiny", self.tiny);
    visit(3, "small", self.small);
    visit(4, "big", self.big);
  }
};

TEST(Bytes, OfANewRecordAreNone) {
  EXPECT_EQ(encode(Inner{}), "");
  EXPECT_EQ(encode(JobSpec{}), "");
  EXPECT_EQ(encode(Pool{}), "");
}

TEST(Bytes, KeepZerosWhereTheDefaultIsNot) {
  JobSpec spec;
  spec.nodes = 0;
  spec.grace = {};
  EXPECT_EQ(*decode<JobSpec>(encode(spec)), spec);
  Pool pool;
  pool.is_firm = false;
  EXPECT_FALSE(decode<Pool>(encode(pool))->is_firm);
}

TEST(Bytes, AreAsDocumented) {
  AttemptKey key{{300}, 0, 2};
  EXPECT_EQ(encode(key), std::string("\x02\xAC\x02\x06\x02", 5));
  Payload payload;
  payload.run = "ls";
  payload.envs = {{"A", "1"}};
  EXPECT_EQ(encode(payload), std::string("\x03\x02ls\x09\x04\x01\x41\x01\x31", 10));
}

TEST(Bytes, OldOnesAreReadByNewCodeAndNewOnesByOld) {
  for_each_seed([](Random& random) {
    const auto older = random_record<Older>(random);
    const auto newer = decode<Everything>(encode(older));
    ASSERT_TRUE(newer);
    EXPECT_EQ(newer->small, older.small);
    EXPECT_EQ(newer->text, "not empty");
    const auto value = random_record<Everything>(random);
    const auto back = decode<Older>(encode(value));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->flag, value.flag);
    EXPECT_EQ(back->tiny, value.tiny);
    EXPECT_EQ(back->big, value.big);
  });
}

TEST(Bytes, OfDifferentValuesDiffer) {
  std::map<std::string, std::string> seen;  // From bytes to JSON, which says every field.
  for_each_seed([&](Random& random) {
    const auto value = random_record<Inner>(random);
    const auto [at, is_new] = seen.emplace(encode(value), to_json(value));
    EXPECT_EQ(at->second, to_json(value));
  });
  EXPECT_GT(seen.size(), 4U);
}

TEST(Bytes, HostileOnesAreRefused) {
  const auto is_refused = [](std::string_view bytes) { return !decode<Everything>(bytes); };
  EXPECT_TRUE(is_refused({"\x00", 1}));              // Tag 0.
  EXPECT_TRUE(is_refused("\x02"));                   // No value.
  EXPECT_TRUE(is_refused({"\x02\x02", 2}));          // A bool of 2.
  EXPECT_TRUE(is_refused({"\x02\x81\x00", 3}));      // A longer varint than needed.
  EXPECT_TRUE(is_refused({"\x0E\x05", 2}));          // An enumerator without a name.
  EXPECT_TRUE(is_refused({"\x08\x02\x02\x01", 4}));  // Tags that go down.
  EXPECT_TRUE(is_refused({"\x02\x00\x02\x00", 4}));  // A tag twice.
  EXPECT_TRUE(
      is_refused({"\x1D\x05"
                  "abc",
                  5}));  // A length beyond the end.
  EXPECT_TRUE(
      is_refused({"\x19\x03"
                  "abc",
                  5}));  // A digest of three bytes.
  EXPECT_TRUE(is_refused("\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"));  // Beyond 64 bits.
}

TEST(Records, OfEveryKindOfFieldRoundTrip) {
  expect_round_trips<Everything>(1000);
  expect_survives_damage<Everything>(2000);
}

TEST(Records, OfTheModelRoundTrip) {
  expect_round_trips<TaskKey>();
  expect_round_trips<AttemptKey>();
  expect_round_trips<Grant>();
  expect_round_trips<Usage>();
  expect_round_trips<Payload>();
  expect_round_trips<Launch>();
  expect_round_trips<RenewAttempt>();
  expect_round_trips<StopAttempt>();
  expect_round_trips<ForgetAttempt>();
  expect_round_trips<Progress>();
  expect_round_trips<Bounds>();
  expect_round_trips<Alternative>();
  expect_round_trips<Where>();
  expect_round_trips<Partition>();
  expect_round_trips<Retry>();
  expect_round_trips<JobSpec>();
  expect_round_trips<Site>();
  expect_round_trips<Price>();
  expect_round_trips<Pool>();
  expect_round_trips<Need>();
}

TEST(Records, OfTheModelSurviveDamage) {
  expect_survives_damage<Launch>(500);
  expect_survives_damage<Payload>(500);
  expect_survives_damage<Progress>(500);
  expect_survives_damage<JobSpec>(500);
  expect_survives_damage<Pool>(500);
}

TEST(Schema, SaysWhatEachFieldMayBe) {
  const std::string schema = json_schema<Everything>();
  ASSERT_TRUE(parse_json(schema)) << parse_json(schema).error().text << schema;
  const auto has = [&](std::string_view part) { return schema.find(part) != std::string::npos; };
  EXPECT_TRUE(has(R"("flag":{"type":"boolean"})"));
  EXPECT_TRUE(has(R"("tiny":{"type":"integer","minimum":-128,"maximum":127})"));
  EXPECT_TRUE(has(R"("small":{"type":"integer","minimum":0,"maximum":65535})"));
  EXPECT_TRUE(has(R"("huge":{"type":"integer","format":"int64","minimum":0})"));
  EXPECT_TRUE(has(R"("real":{"type":"number","description":"A described number."})"));
  EXPECT_TRUE(has(R"("shade":{"type":"string","enum":["light","dark"]})"));
  EXPECT_TRUE(has(R"("job":{"type":["string","null"],"pattern":"^job-[1-9][0-9]*$"})"));
  EXPECT_TRUE(has(R"("moment":{"type":["string","null"],"format":"date-time"})"));
  EXPECT_TRUE(has(R"("inners":{"type":"array","items":{"$ref":"#/$defs/Inner"}})"));
  EXPECT_TRUE(has(R"("Inner":{"type":"object","additionalProperties":false,)"));
}

TEST(Names, AreTheEnumerators) {
  EXPECT_EQ(enum_name(Shade::dark), "dark");
  EXPECT_EQ(enum_name(static_cast<Shade>(2)), "");
  EXPECT_EQ(parse_enum<Shade>("light"), Shade::light);
  EXPECT_EQ(parse_enum<Shade>(""), std::nullopt);
  EXPECT_EQ(parse_enum<Shade>("(suan::wire::Shade)2"), std::nullopt);
}

}  // namespace
}  // namespace suan::wire
