#include "cli/arguments.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "cli/desk.h"
#include "cli/golden.h"
#include "cli/help.h"
#include "testing/property.h"
#include "testing/temporary_directory.h"

namespace suan::cli {
namespace {

Outcome<Arguments> parse(std::string_view verb, std::vector<const char*> typed) {
  return parse_arguments(*find_verb(verb), typed);
}

std::string remedy(std::string_view verb, std::vector<const char*> typed) {
  const auto parsed = parse(verb, std::move(typed));
  if (parsed) return "no fault";
  EXPECT_EQ(parsed.error().exit, Exit::usage);
  EXPECT_FALSE(parsed.error().text.empty());
  return parsed.error().remedy;
}

TEST(Arguments, ReadsFlagsInEveryForm) {
  const auto parsed = parse("run", {"-dy", "-t", "6h", "--gpus=H800:8", "--accelerators", "A:1",
                                    "--nodes", "2", "-eK=V", "--", "python", "-m", "x", "--", "y"});
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(parsed->has("detach") && parsed->has("yes") && !parsed->has("dry-run"));
  EXPECT_EQ(parsed->value("max-duration"), "6h");
  EXPECT_EQ(parsed->values("gpus"), (std::vector<std::string_view>{"H800:8", "A:1"}));
  EXPECT_EQ(parsed->value("env"), "K=V");
  EXPECT_EQ(parsed->value("project", "none"), "none");
  EXPECT_EQ(parsed->command, (std::vector<std::string>{"python", "-m", "x", "--", "y"}));
}

TEST(Arguments, TheFirstWordBeginsACommand) {
  const auto parsed = parse("run", {"-d", "sleep", "-n", "10"});
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->command, (std::vector<std::string>{"sleep", "-n", "10"}));
  EXPECT_FALSE(parsed->has("dry-run"));
}

TEST(Arguments, NamesTheNearestFlagAndChoice) {
  EXPECT_EQ(remedy("run", {"--bugdet", "5"}), "--budget");
  EXPECT_EQ(remedy("run", {"--max_duration=5h", "x"}), "--max-duration");
  EXPECT_EQ(remedy("ps", {"--stat", "running"}), "--state");
  EXPECT_EQ(remedy("ps", {"--state", "runing"}), "running");
  EXPECT_EQ(remedy("ps", {"-o", "jsn"}), "json");
  EXPECT_EQ(remedy("key", {"crate", "bob"}), "create");
  EXPECT_EQ(remedy("run", {"job.yaml"}), "-f job.yaml");
  EXPECT_EQ(remedy("ps", {"-z"}), "suan help ps");
  EXPECT_EQ(unknown_verb("lgs").remedy, "suan logs");
  EXPECT_EQ(unknown_verb("rnu").remedy, "suan run");
  EXPECT_EQ(unknown_verb("xyzzy").remedy, "suan help");
}

TEST(Arguments, WantsTheRightNumberOfWords) {
  EXPECT_EQ(remedy("why", {}), "suan why JOB");
  EXPECT_EQ(remedy("why", {"job-1", "job-2"}), "suan why JOB");
  EXPECT_EQ(remedy("run", {"-t"}), "suan help run");
  EXPECT_EQ(remedy("run", {"before", "--", "after"}), "put it behind the --");
  EXPECT_EQ(remedy("run", {"--yes=no", "x"}), "suan help run");
}

TEST(Arguments, ChecksNumbers) {
  const auto parsed = parse("find", {"--limit", "7"});
  EXPECT_EQ(number_of(*parsed, "limit", 1, 1, 9), 7);
  EXPECT_EQ(number_of(*parsed, "limit", 1, 1, 6).error().exit, Exit::usage);
  EXPECT_EQ(number_of(*parsed, "attempt", 5, 1, 6), 5);
}

TEST(Arguments, AnythingTypedIsAnsweredOrRefused) {
  const std::vector<const char*> words{
      "-d",   "--gpus", "H800:8", "--",     "-",    "--=", "",     "x",
      "-xyz", "--env",  "\xFF",   "--help", "-ofo", "-t5", "list", "--a=b=c"};
  for_each_seed([&](Random& random) {
    std::vector<const char*> typed;
    for (std::uint32_t i = random.below(7U); i > 0; --i) {
      typed.push_back(words[random.below(words.size())]);
    }
    const Verb& verb = verbs()[random.below(verbs().size())];
    const auto parsed = parse_arguments(verb, typed);
    EXPECT_TRUE(parsed || parsed.error().exit == Exit::usage);
  });
}

TEST(Help, OfEveryVerb) {
  expect_golden("help", print_overview());
  for (const Verb& verb : verbs()) {
    std::string file = "help-" + std::string(verb.name);
    std::ranges::replace(file, ' ', '-');
    expect_golden(file, print_help(verb));
    EXPECT_FALSE(verb.examples.empty()) << verb.name;
  }
}

TEST(Help, IsTheSameHoweverAskedFor) {
  const TemporaryDirectory home;
  const Desk desk(home.path());
  EXPECT_EQ(desk.suan({}).out, print_overview());
  EXPECT_EQ(desk.suan({"--help"}).out, print_overview());
  EXPECT_EQ(desk.suan({"help", "run"}).out, print_help(*find_verb("run")));
  EXPECT_EQ(desk.suan({"run", "--help"}).out, print_help(*find_verb("run")));
  EXPECT_EQ(desk.suan({"run", "-d", "-h", "--", "x"}).out, print_help(*find_verb("run")));
  const Ended wrong = desk.suan({"stpo", "job-1"});
  EXPECT_EQ(wrong.exit_code, 2);
  EXPECT_EQ(desk.suan({"help", "nothing"}).exit_code, 2);
}

TEST(Help, ExamplesAreAccepted) {
  for (const Verb& verb : verbs()) {
    if (!verb.talks) continue;
    for (const Example& example : verb.examples) {
      std::vector<std::string> words;
      for_each_word(example.line, [&](std::string_view word) { words.emplace_back(word); });
      const bool has_two_words = verb.name.find(' ') != verb.name.npos;
      ASSERT_GE(words.size(), has_two_words ? 3U : 2U);
      EXPECT_EQ(has_two_words ? words[1] + " " + words[2] : words[1], verb.name);
      std::vector<const char*> typed;
      for (std::size_t i = has_two_words ? 3 : 2; i < words.size(); ++i)
        typed.push_back(words[i].c_str());
      if (example.line.find('\'') != example.line.npos && verb.name == "project") continue;
      const auto parsed = parse_arguments(verb, typed);
      EXPECT_TRUE(parsed) << example.line << ": " << parsed.error().text;
    }
  }
}

TEST(Completion, OffersVerbsFlagsAndChoices) {
  const TemporaryDirectory home;
  const Desk desk(home.path());
  const auto offered = [&](std::vector<std::string> words) {
    words.insert(words.begin(), "__complete");
    return desk.suan(words).out;
  };
  EXPECT_EQ(offered({"lo"}),
            "logs\tPrint the output of a job\n"
            "login\tCheck a key and remember it with its server\n");
  EXPECT_EQ(offered({"ps", "--st"}), "--state\tOnly jobs in this state\n");
  EXPECT_EQ(offered({"ps", "--state", "ru"}), "running\t\n");
  EXPECT_EQ(offered({"ps", "-o", ""}), "table\t\nwide\t\njson\t\nyaml\t\n");
  EXPECT_EQ(offered({"key", ""}), "create\t\nlist\t\nrevoke\t\n");
  EXPECT_EQ(offered({"join", ""}), "token\t\nlist\t\napprove\t\nrefuse\t\n");
  EXPECT_EQ(offered({"run", "--", "--de"}), "");
  EXPECT_EQ(offered({"run", "-f", ""}), "");
  EXPECT_EQ(offered({"help", "pl"}),
            "plan\tShow what running a job would do: place, price, start, and why\n");
  EXPECT_EQ(offered({"nothing", ""}).substr(0, 5), "");
}

TEST(Completion, AsksTheServerForWhatItKnows) {
  const TemporaryDirectory home;
  const Desk desk(home.path());
  PreparedServer server;
  ::setenv("SUAN_URL", server.url().c_str(), 1);
  server.prepare("GET /v1/jobs", {{200, R"({"jobs":[{"id":"job-42","name":"sft","state":"running"},
                                            {"id":"job-7","name":"\u001b[31m"}]})"}});
  server.prepare("GET /v1/pools",
                 {{200, R"({"pools":[{"name":"lab/a","region":"cn-sh","city":"上海",
                                             "pool":{"chip":"H800-SXM"}}]})"}});
  server.prepare("GET /v1/members", {{200, R"({"members":[{"name":"here","kind":"engine"},
                                              {"name":"hubei","state":"asked"}]})"}});
  EXPECT_EQ(desk.suan({"__complete", "join", "approve", ""}).out, "hubei\tasked\n");
  EXPECT_EQ(desk.suan({"__complete", "why", "job-4"}).out, "job-42\trunning sft\n");
  EXPECT_EQ(desk.suan({"__complete", "logs", "-f", ""}).out,
            "job-42\trunning sft\njob-7\tqueued  [31m\n");
  EXPECT_EQ(desk.suan({"__complete", "run", "--gpus", "H"}).out, "H800-SXM\tlab/a\n");
  EXPECT_EQ(desk.suan({"__complete", "run", "--site", ""}).out, "lab\t上海\n");
  ::setenv("SUAN_URL", "http://127.0.0.1:1", 1);
  EXPECT_EQ(desk.suan({"__complete", "why", ""}).out, "");
}

}  // namespace
}  // namespace suan::cli
