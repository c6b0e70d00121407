#include "spec/yaml.h"

#include <gtest/gtest.h>

#include "model/attempt.h"
#include "model/spec.h"
#include "testing/property.h"
#include "wire/json.h"
#include "wire/json_view.h"
#include "wire/random_record.h"

namespace suan::spec {
namespace {

std::string json(std::string_view yaml) {
  const auto text = read_yaml(yaml);
  return text ? text->json : text.error().place + " " + text.error().text;
}

TEST(Yaml, TypesPlainScalarsByTheCoreSchema) {
  EXPECT_EQ(json("[1, -2, +3, 0x1F, 0o17, 1.50, .5, -.5, 1., 1e3, 1.5E-3]"),
            "[1,-2,3,31,15,1.50,0.5,-0.5,1,1e3,1.5E-3]");
  EXPECT_EQ(json("[true, True, FALSE, null, ~, Null]"), "[true,true,false,null,null,null]");
  EXPECT_EQ(json("a:\nb: \n"), R"({"a":null,"b":null})");
}

TEST(Yaml, LeavesTextsThatOldVersionsMistook) {
  EXPECT_EQ(
      json("[no, yes, on, off, y, 12:30:45, 1_000, 007, 0b11, 2026-11, 1.2.3, 1e, ., -, tRUE]"),
      R"(["no","yes","on","off","y","12:30:45","1_000","007","0b11","2026-11","1.2.3","1e",)"
      R"(".","-","tRUE"])");
  EXPECT_EQ(json(R"(['1', "true", !!str 5, ! 6])"), R"(["1","true","5","6"])");
  EXPECT_EQ(json("{8: a, true: b}"), R"({"8":"a","true":"b"})");
}

TEST(Yaml, RefusesWithItsPlace) {
  EXPECT_EQ(json("a: 1\nb: 2\na: 3\n"), "3:1 \"a\" is given twice");
  EXPECT_EQ(json("a: {b: 1,\n    b: 2}"), "2:5 \"b\" is given twice");
  EXPECT_EQ(json("a: 1.00E1777777777777777"),
            "1:4 this number is too great or too small to be read");
  EXPECT_EQ(json("a: 0.00E1777777777777777777777"),
            "1:4 this number is too great or too small to be read");
  EXPECT_EQ(json("a: 1e-400"), "1:4 this number is too great or too small to be read");
  EXPECT_EQ(json("a: .inf"), "1:4 infinities and NaN are not numbers here");
  EXPECT_EQ(json("a: !!binary aGk="), "1:4 the tag \"tag:yaml.org,2002:binary\" is not known here");
  EXPECT_EQ(json("a: !mine x"), "1:4 the tag \"!mine\" is not known here");
  EXPECT_EQ(json("a: !!int x"), "1:4 \"x\" is not of the type of its tag");
  EXPECT_EQ(json("a\n---\nb"), "2:1 a second document starts here, a file has one");
  EXPECT_EQ(json("? [a]\n: b").substr(0, 4), "1:3 ");
  EXPECT_EQ(json("~: b").substr(0, 4), "1:1 ");
  EXPECT_EQ(json(""), "1:1 there is nothing in this file");
  EXPECT_EQ(json("a: [1").find("not YAML"), 4U) << json("a: [1");
  EXPECT_EQ(json("a: \"\xFF\""), "1:1 this is not UTF-8");
  EXPECT_EQ(json("a: *nobody"), "1:4 not YAML: the referenced anchor is not defined");
}

TEST(Yaml, RefusesAQuoteThatIsNeverClosed) {
  const std::string never = " this quote is never closed";
  EXPECT_EQ(json("\"abc\n"), "1:1" + never);
  EXPECT_EQ(json("a: 'x\nb: 1\nc: [2]\n"), "1:4" + never);
  EXPECT_EQ(json("b: 'fine'\na: \"x\\\"\n"), "2:4" + never);
  EXPECT_EQ(json("b: \"fine\"\na:\n  - 'it''s\n"), "3:5" + never);
  EXPECT_EQ(json("a: !!str &x # why\n  \"x\n"), "2:3" + never);
  EXPECT_EQ(json("\xEF\xBB\xBF\"x\n"), "1:1" + never);
  EXPECT_EQ(json("a: 'x"), "1:6 not YAML: illegal EOF in scalar");
  EXPECT_EQ(json("a: 'it''s'"), R"({"a":"it's"})");
  EXPECT_EQ(json("a: \"x\\\\\""), R"({"a":"x\\"})");
  EXPECT_EQ(json("a: &x 'b' # '"), R"({"a":"b"})");
  EXPECT_EQ(json("a: |\n  \"x\nb: \"y\"\n"), "{\"a\":\"\\\"x\\n\",\"b\":\"y\"}");
  EXPECT_EQ(json("a: \"x\nb\"\n..."), R"({"a":"x b"})");
}

TEST(Yaml, WritesAliasesOutWithinBounds) {
  EXPECT_EQ(json("a: &x {b: [1, 2]}\nc: *x\nd: [*x]"),
            R"({"a":{"b":[1,2]},"c":{"b":[1,2]},"d":[{"b":[1,2]}]})");
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 8; ++k) bomb += "," + before;
    bomb += "]\n";
  }
  EXPECT_NE(json(bomb).find("too large with its aliases"), std::string::npos) << json(bomb).size();
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 40; ++i)
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) +
            "]\n";
  EXPECT_NE(json(deep).find("nested deeper"), std::string::npos) << json(deep);
}

TEST(Yaml, IsBounded) {
  EXPECT_NE(json(std::string(33, '[') + std::string(33, ']')).find("nested deeper"),
            std::string::npos);
  EXPECT_EQ(json(std::string(32, '[') + std::string(32, ']')).size(), 64U);
  EXPECT_FALSE(read_yaml(std::string(100'000, '[')));
  std::string dashes;
  for (int i = 0; i < 10'000; ++i) dashes += "- ";
  EXPECT_FALSE(read_yaml(dashes + "a"));
  EXPECT_EQ(read_yaml(std::string((1 << 20) + 1, 'a')).error().kind, Failure::Kind::no_space);
}

TEST(Yaml, KnowsWhereThingsStand) {
  const auto text = read_yaml("name: x\nresources:\n  cpus: 4\n  list: [a, {b: c}]\n");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->find("/name"), (Position{1, 1}));
  EXPECT_EQ(text->find("/resources/cpus"), (Position{3, 3}));
  EXPECT_EQ(text->find("/resources/list/0"), (Position{4, 10}));
  EXPECT_EQ(text->find("/resources/list/1/b"), (Position{4, 14}));
  EXPECT_EQ(text->find("/resources/none/at/all"), (Position{2, 1}));
  EXPECT_EQ(text->find("/run"), (Position{1, 1}));
}

TEST(Yaml, ReadsWhatIsPrintedAndJsonItself) {
  for_each_seed(
      [](Random& random) {
        const std::string text = random.chance(1, 2)
                                     ? wire::to_json(wire::random_record<Payload>(random))
                                     : wire::to_json(wire::random_record<JobSpec>(random));
        const auto yaml = wire::print_yaml(text);
        ASSERT_TRUE(yaml);
        EXPECT_EQ(json(*yaml), text) << *yaml;
        EXPECT_EQ(json(text), text);
      },
      1000);
}

}  // namespace
}  // namespace suan::spec
