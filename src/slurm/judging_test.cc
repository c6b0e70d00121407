#include <gtest/gtest.h>

#include "slurm/offer.h"
#include "slurm/readings.h"
#include "slurm/token.h"
#include "slurm/verdict.h"

namespace suan::slurm {
namespace {

constexpr AttemptKey key{.job = {7}, .task = 0, .attempt = 1};

Job job_in(JobState state, const std::string& name) {
  Job job;
  job.id = 12;
  job.state = state;
  job.state_name = name;
  return job;
}

ExitWord exit_of(const std::string& line) {
  const auto exit = parse_exit(line);
  EXPECT_TRUE(exit) << line;
  return exit.value_or(ExitWord{});
}

TEST(Words, are_read_only_whole) {
  const ExitWord exit = exit_of("1 none 139 1 420 32 3784 0 0 .\n");
  EXPECT_TRUE(exit.has_run);
  EXPECT_TRUE(exit.is_signalled);
  EXPECT_EQ(exit.usage.wall, milliseconds(420));
  EXPECT_EQ(exit.usage.memory_peak_bytes, 3784 * 1024);
  for (const char* line : {"", "1 none 139 1 420 32 3784 0 0", "1 none 139 1 420 32 3784 0 .",
                           "1 never 0 0 1 1 1 0 0 .", "1 none 256 0 1 1 1 0 0 .",
                           "2 none 0 0 1 1 1 0 0 .", "1 none 0 0 -1 1 1 0 0 ."})
    EXPECT_FALSE(parse_exit(line)) << line;
  EXPECT_FALSE(parse_usage("1 2 ."));
  EXPECT_TRUE(parse_usage("1 2 3 ."));
  EXPECT_EQ(parse_started("n1 12 .")->job, 12U);
}

TEST(Words, control_reads_as_it_was_written_and_never_torn) {
  const Control control{.number = 19,
                        .run_for = seconds(90),
                        .stop = AttemptEnd::over_budget,
                        .grace = milliseconds(1500)};
  const std::string line = print_control(control);
  EXPECT_EQ(line.size(), 96U);
  EXPECT_EQ(parse_control(line), control);
  const std::string next = print_control({.number = 20, .run_for = seconds(90)});
  for (std::size_t cut = 1; cut < line.size(); ++cut) {
    const auto torn = parse_control(next.substr(0, cut) + line.substr(cut));
    EXPECT_TRUE(!torn || *torn == control || torn->number == 20) << cut;
  }
}

TEST(Words, variables_are_quoted_for_bash) {
  EXPECT_EQ(print_environment({{"A", "it's $HOME\n`x`"}}), "export A='it'\\''s $HOME\n`x`'\n");
  EXPECT_FALSE(is_identifier("a.b"));
  EXPECT_FALSE(is_identifier("9a"));
  EXPECT_TRUE(is_identifier("_a9"));
}

TEST(Verdict, the_wrappers_word_counts) {
  const Progress plain = judge_exit(key, exit_of("1 none 3 0 1 1 1 0 0 ."), std::nullopt);
  EXPECT_EQ(plain.end, AttemptEnd::exited);
  EXPECT_EQ(plain.exit_code, 3);
  const Progress stopped =
      judge_exit(key, exit_of("1 over_budget 143 1 1 1 1 1 0 ."), job_in(JobState::cancelled, "C"));
  EXPECT_EQ(stopped.end, AttemptEnd::over_budget);
  const Progress signalled = judge_exit(key, exit_of("1 none 139 1 1 1 1 0 0 ."), std::nullopt);
  EXPECT_EQ(signalled.end, AttemptEnd::signalled);
  EXPECT_EQ(signalled.reason, "it died of SIGSEGV");
  const Progress never = judge_exit(key, exit_of("0 lapsed 0 0 0 0 0 0 0 ."), std::nullopt);
  EXPECT_EQ(never.end, AttemptEnd::lapsed);
}

TEST(Verdict, slurm_says_what_ended_it_from_outside) {
  const ExitWord told = exit_of("1 none 143 1 1 1 1 1 0 .");
  EXPECT_TRUE(needs_slurm(told));
  EXPECT_EQ(judge_exit(key, told, job_in(JobState::timed_out, "TIMEOUT")).end,
            AttemptEnd::timed_out);
  EXPECT_EQ(judge_exit(key, told, job_in(JobState::preempted, "PREEMPTED")).end, AttemptEnd::lost);
  EXPECT_EQ(judge_exit(key, told, std::nullopt).end, AttemptEnd::signalled);
  const ExitWord killed = exit_of("1 none 137 0 1 1 1 0 0 .");
  EXPECT_EQ(judge_exit(key, killed, job_in(JobState::out_of_memory, "OUT_OF_MEMORY")).end,
            AttemptEnd::out_of_memory);
  EXPECT_EQ(judge_exit(key, killed, job_in(JobState::failed, "FAILED")).end, AttemptEnd::exited);
  const ExitWord counted = exit_of("1 none 137 1 1 1 1 0 1 .");
  EXPECT_FALSE(needs_slurm(counted));
  EXPECT_EQ(judge_exit(key, counted, std::nullopt).end, AttemptEnd::out_of_memory);
}

TEST(Verdict, without_a_word_slurm_decides) {
  EXPECT_EQ(judge_silent(key, {}, job_in(JobState::node_failed, "NODE_FAIL")).end,
            AttemptEnd::lost);
  EXPECT_EQ(judge_silent(key, {}, job_in(JobState::cancelled, "CANCELLED")).end,
            AttemptEnd::cancelled);
  EXPECT_EQ(judge_silent(key, {}, std::nullopt).end, AttemptEnd::lost);
  EXPECT_EQ(judge_unstarted(key, job_in(JobState::failed, "FAILED"), "no such file").reason,
            "it had not started; Slurm says of job 12: FAILED; no such file");
}

std::vector<Node> nodes_of(const std::vector<std::string>& names, const std::string& gres) {
  std::vector<Node> nodes;
  for (const std::string& name : names)
    nodes.push_back({name, 16, 64'300, *parse_gres(gres), true, "IDLE"});
  return nodes;
}

TEST(Offer, keeps_indexes_when_nodes_come_and_go) {
  const OfferWish wish;
  const auto first =
      make_offer({{"gpu", {"n2", "n3"}, true}}, nodes_of({"n2", "n3"}, "gpu:h20:8"), wish, {});
  ASSERT_TRUE(first);
  ASSERT_EQ(first->pools.size(), 1U);
  EXPECT_EQ(first->pools[0].offered.chip, "H20");
  EXPECT_EQ(first->pools[0].offered.name, "gpu-h20");
  const auto known = parse_nodes(print_nodes(first->pools));
  ASSERT_TRUE(known);
  const auto second =
      make_offer({{"gpu", {"n1", "n3"}, true}}, nodes_of({"n1", "n3"}, "gpu:h20:8"), wish, *known);
  ASSERT_TRUE(second);
  EXPECT_EQ(second->pools[0].nodes, (std::vector<std::string>{"n2", "n3", "n1"}));
  EXPECT_EQ(second->pools[0].offered.nodes, 3U);
  const Offer recalled = recall_offer(*parse_nodes(print_nodes(second->pools)), wish);
  ASSERT_EQ(recalled.pools.size(), 1U);
  EXPECT_EQ(recalled.pools[0].offered.memory_bytes_per_node, std::int64_t{62} << 30U);
  EXPECT_EQ(recalled.pools[0].offered.chip, "H20");
}

TEST(Offer, offers_a_node_once_and_each_kind_by_itself) {
  std::vector<Node> nodes = nodes_of({"a1"}, "gpu:fake910b:8,dcu:k100:4");
  nodes.push_back({"a2", 16, 64'300, *parse_gres("gpu:fake910b:4"), true, "IDLE"});
  nodes.push_back({"c1", 32, 128'000, {}, true, "IDLE"});
  const OfferWish wish{.partitions = {"hot", "all"}, .gres = {{"gpu:fake910b", "Ascend910B3"}}};
  const auto offer =
      make_offer({{"all", {"a1", "a2", "c1"}, true}, {"hot", {"a1"}, true}}, nodes, wish, {});
  ASSERT_TRUE(offer);
  std::string text;
  for (const SlurmPool& pool : offer->pools)
    text += pool.offered.name + " " + pool.offered.chip + " " +
            std::to_string(pool.offered.cards_per_node) + " " + pool.nodes.front() + "\n";
  EXPECT_EQ(text,
            "all-ascend910b3 Ascend910B3 4 a2\nall-cpu  0 c1\nhot-ascend910b3 Ascend910B3 8 a1\n");
  ASSERT_EQ(offer->notes.size(), 1U);
  EXPECT_NE(offer->notes[0].find("dcu:k100"), std::string::npos);
}

TEST(Offer, refuses_a_damaged_file_of_nodes) {
  EXPECT_EQ(parse_nodes("a\tb\tc\td\nx\ty\n").error().place, "line 2");
  EXPECT_FALSE(parse_nodes("a\tb\tc\td"));
  EXPECT_FALSE(parse_nodes("a\tb\tc\td\te\n"));
}

TEST(Offer, names_chips_plainly) {
  EXPECT_EQ(chip_of("gpu:mlu590", {}), "MLU590");
  EXPECT_EQ(chip_of("dcu:k100", {}), "k100");
  EXPECT_EQ(chip_of("npu:910b", {{"npu", "Ascend910B3"}}), "Ascend910B3");
  EXPECT_EQ(chip_of("gpu", {}), "gpu");
}

TEST(Readings, count_what_others_hold_and_never_more_than_there_is) {
  const auto offer = make_offer({{"gpu", {"n1", "n2", "n3"}, true}},
                                nodes_of({"n1", "n2", "n3"}, "gpu:h20:8"), {}, {});
  std::vector<Node> nodes = nodes_of({"n1", "n2"}, "gpu:h20:8");
  nodes[1].takes_work = false;
  Job theirs = job_in(JobState::running, "RUNNING");
  theirs.holdings = {{"n1", 40, 1024, {{"gpu:h20", 6}}}, {"elsewhere", 1, 1, {}}};
  Job ours = theirs;
  ours.name = "ours";
  Job more = job_in(JobState::completing, "COMPLETING");
  more.holdings = {{"n1", 1, 1024, {{"gpu:h20", 6}}}};
  Job waiting = job_in(JobState::pending, "PENDING");
  waiting.partition = "debug,gpu";
  Job elsewhere = waiting;
  elsewhere.partition = "gpus";
  const auto readings = read_pools(offer->pools, nodes, {theirs, ours, more, waiting, elsewhere},
                                   [](const Job& job) { return job.name == "ours"; });
  ASSERT_EQ(readings.size(), 1U);
  EXPECT_EQ(readings[0].queued, 1U);
  ASSERT_EQ(readings[0].nodes.size(), 3U);
  EXPECT_EQ(
      readings[0].nodes[0],
      (NodeReading{
          .node = 0, .cards = 8, .cpu_milli = 16'000, .memory_bytes = std::int64_t{2} << 30U}));
  EXPECT_FALSE(readings[0].nodes[1].takes_work);
  EXPECT_FALSE(readings[0].nodes[2].takes_work) << "Slurm does not know it any more";
}

TEST(Token, says_until_when_it_holds) {
  const std::string token = sign_token("key", "ann", seconds(1000), seconds(60));
  EXPECT_EQ(*read_token_end(token), seconds(1060));
  for (const char* text : {"", "a.b", "a.!.c", "a.e30.c.d"})
    EXPECT_TRUE(!read_token_end(text) || *read_token_end(text) == Span{}) << text;
}

// RFC 7515, A.1, has a key and claims of its own; this one was signed with Python's hmac.
TEST(Token, is_signed_as_slurm_expects) {
  EXPECT_EQ(
      sign_token("0123456789abcdef0123456789abcdef", "root", seconds(1'700'000'000), hours(1)),
      "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."
      "eyJpYXQiOjE3MDAwMDAwMDAsImV4cCI6MTcwMDAwMzYwMCwic3VuIjoicm9vdCJ9."
      "0sE6Rlv4xsyA_X2gBJWItD-i73-cBZYE449HioSZ0_Q");
}

}  // namespace
}  // namespace suan::slurm
