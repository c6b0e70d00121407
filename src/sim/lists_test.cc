#include "sim/lists.h"

#include <gtest/gtest.h>

#include "packing/policy.h"
#include "sim/protocol.h"

namespace suan::sim {
namespace {

constexpr std::string_view nodes_csv =
    "sn,cpu_milli,memory_mib,gpu,model\n"
    "a,64000,262144,2,P100\r\n"
    "b,96000,393216,8,G2\n"
    "\n"
    "c,96000,393216,8,G2\n";

TEST(Lists, ReadNodesOfAFewKinds) {
  const auto list = parse_nodes(nodes_csv);
  ASSERT_TRUE(list) << list.error().text;
  EXPECT_EQ(list->kinds.size(), 2);
  EXPECT_EQ(list->rooms.size(), 3);
  EXPECT_EQ(list->card_milli, 18'000);
  EXPECT_EQ(list->chips, (std::vector<std::string>{"P100", "G2"}));
  EXPECT_EQ(list->rooms[0].memory_bytes, 262'144LL * 1'048'576);
  EXPECT_EQ(list->rooms[2].whole, 8);
}

TEST(Lists, ReadWhatCardsCostAndDraw) {
  const auto list = parse_nodes(
      "cpu_milli,memory_mib,gpu,model,watts,price\n"
      "1,1,1,A,400,12.5\n"
      "1,1,1,A,,\n"
      "1,1,1,A,400,12.50\n");
  ASSERT_TRUE(list) << list.error().text;
  ASSERT_EQ(list->terms.size(), 2);
  EXPECT_EQ(list->terms[0].hourly.micro, 12'500'000);
  EXPECT_EQ(list->terms[0].watts, 400);
  EXPECT_EQ(list->terms[1], CardTerms{});
  EXPECT_EQ(list->rooms[2].kind, 0);
  const auto negative = parse_nodes("cpu_milli,memory_mib,gpu,model,price\n1,1,1,A,-1\n");
  ASSERT_FALSE(negative);
  EXPECT_EQ(negative.error().place, "line 2");
  EXPECT_NE(negative.error().text.find("price"), std::string::npos);
}

TEST(Lists, ReadTasksInOrderOfName) {
  const auto nodes = parse_nodes(nodes_csv);
  const auto tasks = parse_tasks(
      "gpu_spec,name,num_gpu,gpu_milli,cpu_milli,memory_mib,qos\n"
      "G2|H100,z,1,470,8000,1024,LS\n"
      ",y,0,0,4000,0,BE\n"
      "H100,x,8,1000,64000,2048,LS\n",
      *nodes);
  ASSERT_TRUE(tasks) << tasks.error().text;
  ASSERT_EQ(tasks->size(), 3);
  EXPECT_EQ((*tasks)[0].cards, 8);
  EXPECT_EQ((*tasks)[0].chips, 0);  // Nobody has one.
  EXPECT_FALSE((*tasks)[1].has_cards());
  EXPECT_EQ((*tasks)[2].share_milli, 470);
  EXPECT_EQ((*tasks)[2].chips, 2);
}

TEST(Lists, DoWithoutTheColumnOfModels) {
  const auto nodes = parse_nodes(nodes_csv);
  const auto tasks =
      parse_tasks("name,cpu_milli,memory_mib,num_gpu,gpu_milli\nx,1,1,1,1000\n", *nodes);
  ASSERT_TRUE(tasks);
  EXPECT_EQ(tasks->front().chips, packing::any_chip);
}

TEST(Lists, ReadTasksWithTimesInTheOrderInWhichTheyCame) {
  const auto nodes = parse_nodes(nodes_csv);
  const auto tasks = parse_timed_tasks(
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time,scheduled_time\n"
      "b,1,1,1,1000,50,90,60\n"
      "a,1,1,2,1000,20,45,\n"
      "c,1,1,0,0,20,20,20\n",
      *nodes);
  ASSERT_TRUE(tasks) << tasks.error().text;
  ASSERT_EQ(tasks->size(), 3);
  EXPECT_EQ((*tasks)[0].ask.cards, 2);
  EXPECT_EQ((*tasks)[0].lasts, seconds(25));  // Nobody says when it began.
  EXPECT_EQ((*tasks)[1].number, 2);
  EXPECT_EQ((*tasks)[1].lasts, Span{});
  EXPECT_EQ((*tasks)[2].comes, seconds(50));
  EXPECT_EQ((*tasks)[2].lasts, seconds(30));
  const auto backwards = parse_timed_tasks(
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli,creation_time,deletion_time\n"
      "b,1,1,1,1000,50,90\n"
      "a,1,1,1,1000,50,40\n",
      *nodes);
  ASSERT_FALSE(backwards);
  EXPECT_EQ(backwards.error().place, "line 3");
  const auto timeless = parse_timed_tasks("name,cpu_milli,memory_mib,num_gpu,gpu_milli\n", *nodes);
  ASSERT_FALSE(timeless);
  EXPECT_NE(timeless.error().text.find("creation_time"), std::string::npos);
}

struct Wrong {
  std::string_view csv;
  std::string_view place;
  std::string_view part;  // Of what is said.
};

TEST(Lists, NameWhatIsWrongAndWhere) {
  for (const Wrong& each : std::initializer_list<Wrong>{
           {"", "line 1", "empty"},
           {"sn,cpu_milli,memory_mib,gpu\n", "line 1", "no column model"},
           {"cpu_milli,memory_mib,gpu,model\n1,1,1,A\n1,1,sixty,A\n", "line 3",
            "gpu is \"sixty\" but must be a whole number from 0 to 64"},
           {"cpu_milli,memory_mib,gpu,model\n-1,1,1,A\n", "line 2", "cpu_milli"},
           {"cpu_milli,memory_mib,gpu,model\n1,1\n", "line 2", "gpu is \"\""},
           {"cpu_milli,memory_mib,gpu,model\n1,1,0,\n", "line 2", "no node has a card"}}) {
    const auto list = parse_nodes(each.csv);
    ASSERT_FALSE(list) << each.csv;
    EXPECT_EQ(list.error().place, each.place);
    EXPECT_NE(list.error().text.find(each.part), std::string::npos) << list.error().text;
  }
  const auto nodes = parse_nodes(nodes_csv);
  for (const Wrong& each : std::initializer_list<Wrong>{
           {"name,cpu_milli,memory_mib,num_gpu,gpu_milli\nx,1,1,2,500\n", "line 2", "gpu_milli"},
           {"name,cpu_milli,memory_mib,num_gpu,gpu_milli\nx,1,1,1,0\n", "line 2", "gpu_milli"},
           {"name,cpu_milli,memory_mib,num_gpu,gpu_milli\nx,1,1,0,0\n", "line 2", "no task"},
           {"cpu_milli,memory_mib,num_gpu,gpu_milli\n", "line 1", "no column name"}}) {
    const auto tasks = parse_tasks(each.csv, *nodes);
    ASSERT_FALSE(tasks) << each.csv;
    EXPECT_EQ(tasks.error().place, each.place);
    EXPECT_NE(tasks.error().text.find(each.part), std::string::npos) << tasks.error().text;
  }
}

// Ten cards, tasks of one: what arrives is allocated until all is, and then nothing.
TEST(Protocol, CountsWhatIsAllocated) {
  std::string nodes = "cpu_milli,memory_mib,gpu,model\n";
  std::string tasks = "name,cpu_milli,memory_mib,num_gpu,gpu_milli\n";
  for (int i = 0; i < 100; ++i) {
    nodes += "8000,8192,1,A\n";
    tasks += "t" + std::to_string(i) + ",1000,1024,1,1000\n";
  }
  const auto list = parse_nodes(nodes);
  const auto asks = parse_tasks(tasks, *list);
  for (const std::string_view name : packing::policy_names()) {
    const FgdRun run = run_fgd(*list, *asks, packing::make_policy(name, {}), 42);
    EXPECT_EQ(run.decisions, 130);
    for (const auto& allocation : run.allocation) {
      ASSERT_TRUE(allocation);
      EXPECT_DOUBLE_EQ(*allocation, 100);
    }
    ASSERT_TRUE(run.first_rejection);
    EXPECT_DOUBLE_EQ(*run.first_rejection, 101);
    EXPECT_NEAR(run.admitted_by_cards.at("1"), 100 * 100.0 / 130, 1e-9);
  }
}

// Two shares of 60 % never fit one card: half of the cards' tasks is refused, and 40 % stay free.
TEST(Protocol, CountsWhatIsLost) {
  std::string nodes = "cpu_milli,memory_mib,gpu,model\n";
  for (int i = 0; i < 50; ++i) nodes += "64000,8192,2,A\n";
  const auto list = parse_nodes(nodes);
  const auto asks =
      parse_tasks("name,cpu_milli,memory_mib,num_gpu,gpu_milli\nt,1000,1,1,600\n", *list);
  const FgdRun run = run_fgd(*list, *asks, packing::make_policy("suan", {}), 42);
  EXPECT_DOUBLE_EQ(*run.allocation.back(), 60);
  EXPECT_NEAR(*run.first_rejection, 60.6, 1e-9);
  EXPECT_EQ(run.decisions, 216);
  EXPECT_NEAR(run.admitted_by_cards.at("share"), 100 * 100.0 / 216, 1e-9);
}

TEST(Protocol, IsTheSameFromTheSameSeed) {
  const auto list = parse_nodes(nodes_csv);
  const auto asks = parse_tasks(
      "name,cpu_milli,memory_mib,num_gpu,gpu_milli\na,8000,1024,1,470\nb,9000,1024,1,1000\n"
      "c,3000,1024,2,1000\nd,4000,0,0,0\n",
      *list);
  const auto run = [&](std::uint64_t seed) {
    const FgdRun end = run_fgd(*list, *asks, packing::make_policy("suan", {}), seed);
    return std::pair(end.decisions, end.admitted_by_cards);
  };
  EXPECT_EQ(run(7), run(7));
}

}  // namespace
}  // namespace suan::sim
