#include "wire/json.h"

#include <gtest/gtest.h>

#include "model/attempt.h"
#include "model/spec.h"
#include "model/supply.h"
#include "testing/property.h"
#include "wire/json_view.h"
#include "wire/random_record.h"

namespace suan::wire {
namespace {

struct Values {
  Money money;
  Span span;
  Moment moment;
  RequestId request;
  Digest digest;
  JobId job;
  std::int64_t number = 0;
  double real = 0;
  std::string secret;
  std::optional<std::int64_t> maybe;

  static constexpr std::array aliases{Alias{"count", "number"}};

  static void fields(auto&& visit, auto& self) {
    visit(1, "money", self.money);
    visit(2, "span", self.span);
    visit(3, "moment", self.moment);
    visit(4, "request", self.request);
    visit(5, "digest", self.digest);
    visit(6, "job", self.job);
    visit(7, "number", self.number);
    visit(8, "real", self.real);
    visit(9, "secret", self.secret);
    visit(10, "maybe", self.maybe);
  }
};

std::string refusal(std::string_view json) {
  const auto read = from_json<Values>(json);
  return read ? "accepted" : read.error().place + " " + read.error().text;
}

TEST(Json, WritesEveryKindOfValue) {
  EXPECT_EQ(to_json(Values{}), R"({"money":"0","span":0,"moment":null,"request":null,"digest":")" +
                                   std::string(64, '0') +
                                   R"(","job":null,"number":0,"real":0,"maybe":null})");
  Values values;
  values.money = {12'500'000};
  values.span = milliseconds(-1500);
  values.moment = {1'700'000'000'000'000};
  values.request = *parse_request_id("018bcfe5-6800-7000-8000-000000000001");
  values.digest.bytes[31] = 0xAB;
  values.job = {42};
  values.number = INT64_MIN;
  values.real = 0.1;
  values.secret = "s";
  values.maybe = 0;
  EXPECT_EQ(to_json(values), R"({"money":"12.5","span":-1.5,"moment":"2023-11-14T22:13:20Z",)"
                             R"("request":"018bcfe5-6800-7000-8000-000000000001","digest":")" +
                                 std::string(62, '0') +
                                 R"(ab","job":"job-42","number":-9223372036854775808,"real":0.1,)"
                                 R"("secret":"s","maybe":0})");
}

TEST(Json, ReadsMoneyAndTimesExactly) {
  const auto read = from_json<Values>(
      R"({"money":0.000001,"span":"1h30m","moment":"2026-12-01T00:00:00+08:00","count":12e2})");
  ASSERT_TRUE(read) << read.error().text;
  EXPECT_EQ(read->money.micro, 1);
  EXPECT_EQ(read->span, minutes(90));
  EXPECT_EQ(print_moment(read->moment), "2026-11-30T16:00:00Z");
  EXPECT_EQ(read->number, 1200);
  EXPECT_EQ(from_json<Values>(R"({"money":9007199254.740993})")->money.micro,
            9'007'199'254'740'993);
  EXPECT_FALSE(from_json<Values>(R"({"money":9223372036854.775808})"));
}

TEST(Json, ScaledNumbersAreExactOrNothing) {
  EXPECT_EQ(parse_scaled("1.25", 6), 1'250'000);
  EXPECT_EQ(parse_scaled("-0.000001", 6), -1);
  EXPECT_EQ(parse_scaled("1e-6", 6), 1);
  EXPECT_EQ(parse_scaled("1.50e1", 0), 15);
  EXPECT_EQ(parse_scaled("1e-7", 6), std::nullopt);
  EXPECT_EQ(parse_scaled("1.0000000", 6), 1'000'000);
  EXPECT_EQ(parse_scaled("9223372036854.775807", 6), INT64_MAX);
  EXPECT_EQ(parse_scaled("9223372036854.775808", 6), std::nullopt);
  EXPECT_EQ(parse_scaled("1e400", 6), std::nullopt);
  EXPECT_EQ(parse_scaled("0e400", 6), 0);
  EXPECT_EQ(parse_scaled("1e99999999999999999999", 6), std::nullopt);
}

TEST(Json, NamesThePlaceOfAMistakeAndTheRightForm) {
  EXPECT_EQ(refusal(R"({"maybe":"x"})"), "/maybe expected a whole number, found the text \"x\"");
  EXPECT_EQ(refusal(R"({"muney":1})"), "/muney unknown field \"muney\", did you mean \"money\"?");
  EXPECT_EQ(refusal(R"({"a~b/c":1})").substr(0, 9), "/a~0b~1c ");
  EXPECT_EQ(refusal(R"({"number":1,"count":1})"),
            "/count \"count\" is another name of \"number\", give one of them");
  EXPECT_EQ(refusal(R"({"number":1,"number":1})"), "/number \"number\" is given twice");
  EXPECT_EQ(refusal(R"({"number":1.5})").substr(0, 30), "/number expected a whole numbe");
  EXPECT_EQ(refusal(R"({"job":"task-1"})"),
            "/job expected an id such as \"job-42\", found the text \"task-1\"");
  EXPECT_EQ(refusal(R"({"job":"job-0"})").substr(0, 5), "/job ");
  EXPECT_EQ(refusal(R"({"job":"job-01"})").substr(0, 5), "/job ");
  EXPECT_EQ(refusal(R"({"money":"1.0000001"})").substr(0, 7), "/money ");
  EXPECT_EQ(refusal(R"({"money":"1e3"})").substr(0, 7), "/money ");
  EXPECT_EQ(refusal(R"({"money":"--1"})").substr(0, 7), "/money ");
  EXPECT_EQ(refusal(R"({"real":null})").substr(0, 6), "/real ");
  EXPECT_EQ(refusal("[]"), " expected an object, found a list");
}

TEST(Json, RefusesWhatIsNotJson) {
  EXPECT_EQ(refusal("{\n  \"number\": x}").substr(0, 30), " not JSON at line 2, column 13");
  for (const std::string_view text :
       {"", "{", "{} {}", "{\"number\":01}", "{\"number\":+1}", "{\"number\":NaN}", "{'number':1}",
        "{\"number\":1,}", "// a\n{}", "{\"secret\":\"\\ud800\"}", "{\"secret\":\"\xC0\x80\"}",
        "{\"secret\":\"\n\"}"})
    EXPECT_EQ(refusal(text).substr(0, 9), " not JSON") << text;
}

TEST(Json, IsBounded) {
  EXPECT_EQ(refusal(std::string(33, '[') + std::string(33, ']')), " nested deeper than 32 levels");
  EXPECT_EQ(refusal(std::string(1'000'000, '[')), " nested deeper than 32 levels");
  const auto large = from_json<Values>(std::string(101, ' '), {.bytes_max = 100});
  EXPECT_EQ(large.error().kind, Failure::Kind::no_space);
  EXPECT_TRUE(parse_json("[1,[2],{\"a\":\"b\"}]", {.values_max = 6}));
  EXPECT_EQ(parse_json("[1,[2],{\"a\":\"b\"}]", {.values_max = 5}).error().kind,
            Failure::Kind::no_space);
}

TEST(Json, CollectsMistakesUpToABound) {
  const auto tree = parse_json(R"({"number":"a","span":[],"zzzzzz":1,"money":{}})");
  ASSERT_TRUE(tree);
  Values values;
  JsonReader all(10);
  all.read(tree->root(), values);
  EXPECT_EQ(all.mistakes().size(), 4U);
  JsonReader two(2);
  two.read(tree->root(), values);
  EXPECT_EQ(two.mistakes().size(), 2U);
}

TEST(Json, OfBytesThatAreNotUtf8IsUtf8) {
  std::string out;
  JsonWriter(out).string("a\xFF\xC3(\xE7\xAE\x97");
  EXPECT_EQ(out, "\"a\uFFFD\uFFFD(算\"");
  for_each_seed([](Random& random) {
    std::string bytes(random.below(20U), '\0');
    for (char& c : bytes) c = static_cast<char>(random.below(256U));
    std::string json;
    JsonWriter(json).string(bytes);
    const auto tree = parse_json(json);
    ASSERT_TRUE(tree) << json;
    if (find_invalid_utf8(bytes) == std::string_view::npos) {
      EXPECT_EQ(tree->root().text(), bytes);
    }
  });
}

TEST(Json, EveryFieldOfEveryModelRecordHasItsOwnPlace) {
  JobSpec spec;
  spec.alternatives.resize(2);
  std::string json = to_json(spec);
  json.replace(json.rfind("\"card_milli\":0") + 13, 1, "{}");
  const auto read = from_json<JobSpec>(json);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().place, "/alternatives/1/card_milli");
}

TEST(JsonView, PrintsJsonAndYaml) {
  constexpr std::string_view json =
      R"({"id":"job-42","empty":[],"none":{},"n":1.50,"tasks":[{"a":null,"b":[1,[2,3]]},"no"],)"
      R"("text":"two\nlines\n","cost":"12.5","x y":true})";
  EXPECT_EQ(*print_pretty(R"({"a":[1,{"b":"c"}],"d":{}})"),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": \"c\"\n    }\n  ],\n  \"d\": {}\n}\n");
  EXPECT_EQ(*print_yaml(json),
            "id: job-42\n"
            "empty: []\n"
            "none: {}\n"
            "\"n\": 1.50\n"  // Readers of YAML 1.1 see a Boolean in n.
            "tasks:\n"
            "  - a: null\n"
            "    b:\n"
            "      - 1\n"
            "      - - 2\n"
            "        - 3\n"
            "  - \"no\"\n"
            "text: |\n"
            "  two\n"
            "  lines\n"
            "cost: \"12.5\"\n"
            "\"x y\": true\n");
  EXPECT_FALSE(print_yaml("{"));
}

}  // namespace
}  // namespace suan::wire
