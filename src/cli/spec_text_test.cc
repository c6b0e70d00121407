#include "cli/spec_text.h"

#include <gtest/gtest.h>

#include "cli/desk.h"
#include "cli/golden.h"
#include "testing/property.h"
#include "testing/temporary_directory.h"
#include "wire/json_view.h"

namespace suan::cli {
namespace {

Outcome<SpecText> spec_of(std::vector<const char*> typed) {
  const auto arguments = parse_arguments(*find_verb("run"), typed);
  EXPECT_TRUE(arguments);
  return make_spec(*arguments);
}

// A conversation: what was typed, and the document that it makes.
std::string told(const std::vector<std::vector<const char*>>& calls) {
  std::string out;
  for (const auto& typed : calls) {
    out += "suan run";
    for (const char* word : typed) out.append(" ").append(word);
    const auto spec = spec_of(typed);
    out += "\n----\n";
    out += spec ? *wire::print_pretty(spec->json)
                : "error: " + spec.error().text + "\n  try: " + spec.error().remedy;
    out += "\n\n";
  }
  return out;
}

TEST(SpecText, FlagsAreFieldsOfTheDocument) {
  ::setenv("SUAN_TEST_TOKEN", "from here", 1);
  expect_golden("spec-flags",
                told({{"hostname"},
                      {"--", "echo a && echo b"},
                      {"--", "python", "train.py", "--name", "it's $HOME"},
                      {"--gpus", "H800:8", "x"},
                      {"--gpus", "H800:8", "--accelerators", "Ascend910B3:16", "x"},
                      {"--gpus", "RTX4090:0.25", "x"},
                      {"--gpus", "H800", "--gpus", "A800", "x"},
                      {"--gpus", ":8", "x"},
                      {"--gpus", "H800:08", "x"},
                      {"--nodes", "4", "--cpus", "64+", "--memory", "512GB+", "x"},
                      {"--cpus", "4", "--array", "100", "x"},
                      {"-t", "6h", "--max-price", "160", "--budget", "2000.5", "x"},
                      {"--region", "cn-sh", "--region", "cn-js", "--site", "lab", "x"},
                      {"-e", "A=1", "--env", "B=x=y", "-e", "SUAN_TEST_TOKEN", "x"},
                      {"-e", "SUAN_NOT_SET_ANYWHERE", "x"},
                      {"-e", "=5", "x"},
                      {"--name", "模型", "-p", "lab-a", "--priority", "high", "x"},
                      {"--objective", "finish", "x"}}));
}

TEST(SpecText, FlagsLieOverAFile) {
  const TemporaryDirectory home;
  const Desk desk(home.path());
  const std::string path = desk.write("run.yaml",
                                      "name: sft\n"
                                      "nodes: 2\n"
                                      "resources:\n"
                                      "  gpus: H800:8\n"
                                      "  cpus: 64+\n"
                                      "variants:\n"
                                      "  - {accelerators: A800:8}\n"
                                      "env: {A: 1, B: 2}\n"
                                      "price:\n"
                                      "  budget: 100\n"
                                      "run: |\n"
                                      "  echo \"算力\"\n"
                                      "  sleep 1\n");
  const auto plain = spec_of({"-f", path.c_str()});
  ASSERT_TRUE(plain);
  EXPECT_TRUE(plain->has_run);
  const auto spec = spec_of({"-f", path.c_str(), "--nodes", "3", "--gpus", "A100:4", "-e", "B=3",
                             "-e", "C=4", "--max-price", "9", "-p", "lab"});
  ASSERT_TRUE(spec);
  expect_golden("spec-over-file",
                *wire::print_pretty(plain->json) + "\n\n" + *wire::print_pretty(spec->json) + "\n");
  EXPECT_EQ(spec->place_of("/nodes"), "--nodes");
  EXPECT_EQ(spec->place_of("/env/B"), "--env");
  EXPECT_EQ(spec->place_of("/resources/gpus"), "--gpus");
  EXPECT_EQ(spec->place_of("/resources/cpus"), path + ":5:3");
  EXPECT_EQ(spec->place_of("/price/budget"), path + ":10:3");
  EXPECT_EQ(spec->place_of("/price/nothing"), path + ":9:1");
}

TEST(SpecText, WrongFilesSayWhere) {
  const TemporaryDirectory home;
  const Desk desk(home.path());
  const auto fault_of = [&](const std::string& text) {
    const std::string path = desk.write("wrong.yaml", text);
    const auto spec = spec_of({"-f", path.c_str(), "--name", "x"});
    EXPECT_FALSE(spec);
    EXPECT_EQ(spec.error().exit, Exit::usage);
    return spec.error().pointer.substr(desk.home().size() + 1);
  };
  EXPECT_EQ(fault_of("name: a\nname: b\n"), "wrong.yaml:2:1");
  EXPECT_EQ(fault_of("- a\n"), "wrong.yaml");
  EXPECT_EQ(spec_of({"-f", "/nowhere/run.yaml"}).error().exit, Exit::usage);
}

TEST(SpecText, SettingsEnterObjectsAndReplaceTheRest) {
  const auto apply = [](std::string_view document, std::vector<Setting> settings) {
    return *apply_settings(document, settings);
  };
  EXPECT_EQ(apply("", {}), "{}");
  EXPECT_EQ(apply("", {{"/a/b", "1"}, {"/a/c", "2"}, {"/d", "3"}}), R"({"a":{"b":1,"c":2},"d":3})");
  EXPECT_EQ(apply(R"({"a":5,"x":[1,{"y":null}]})", {{"/a/b", "1"}}),
            R"({"a":{"b":1},"x":[1,{"y":null}]})");
  EXPECT_EQ(apply(R"({"a":{"b":1,"c":2}})", {{"/a/b", ""}, {"/z", ""}}), R"({"a":{"c":2}})");
  EXPECT_EQ(apply(R"({"a":1e400,"b":"\u0041\n"})", {}), R"({"a":1e400,"b":"A\n"})");
  EXPECT_FALSE(apply_settings("[]", {}));
  EXPECT_FALSE(apply_settings("{", {}));
}

TEST(SpecText, ShellWordsComeBackFromBash) {
  for_each_seed(
      [](Random& random) {
        std::vector<std::string> command{"printf", "%s|"};
        std::string expected;
        for (std::uint32_t i = random.below(4U) + 1; i > 0; --i) {
          std::string word;
          for (std::uint32_t length = random.below(6U); length > 0; --length) {
            word.push_back("ab '\"$\\`*!~\t;#-"[random.below(15U)]);
          }
          expected += word + "|";
          command.push_back(std::move(word));
        }
        const TemporaryDirectory home;
        const Desk desk(home.path());
        const std::string script = desk.write("script", command_script(command));
        FILE* pipe = ::popen(("bash " + script).c_str(), "r");
        char read[256] = {};
        const std::size_t got = std::fread(read, 1, sizeof read, pipe);
        ::pclose(pipe);
        EXPECT_EQ(std::string(read, got), expected);
      },
      20);
}

}  // namespace
}  // namespace suan::cli
