#include "slurm/cluster.h"

#include <algorithm>

#include <time.h>

#include "testing/slurm_centre.h"

namespace suan::slurm {
namespace {

struct NamedCluster {
  std::string name;
  std::unique_ptr<Cluster> cluster;
};

/// Every way there is to one and the same real cluster.
std::vector<NamedCluster> all_ways() {
  const CentrePlaces& places = SlurmCentre::get().places();
  std::vector<NamedCluster> ways;
  for (const RestVersion version : {RestVersion::v38, RestVersion::v37, RestVersion::v36}) {
    RestOptions options{.place = places.rest,
                        .token = {.user = places.user, .key_file = places.jwt_key}};
    options.newest = version;
    ways.push_back({std::string(print_rest_version(version)), make_rest_cluster(options)});
  }
  ways.push_back({"socket", make_rest_cluster({.place = places.socket})});
  ways.push_back({"commands", SlurmCentre::get().command_cluster()});
  return ways;
}

Submission sleeper(const std::string& name) {
  Submission job;
  job.minutes = 5;
  job.name = name;
  job.comment = "of a test";
  job.partition = "main";
  job.node = "n2";
  job.cpus = 3;
  job.memory_mebibytes = 200;
  job.gres = {"gpu:fake910b", 2};
  job.directory = "/tmp";
  job.output = "/dev/null";
  job.script = "#!/bin/bash\nsleep 600\n";
  return job;
}

Job wait_for(Cluster& cluster, std::uint64_t id, JobState state) {
  Job job;
  for (int i = 0; i < 200; ++i) {
    const auto answer = cluster.job(id);
    EXPECT_TRUE(answer) << answer.error().text;
    if (!answer) return job;
    job = *answer;
    if (job.state == state) break;
    const timespec pause{.tv_sec = 0, .tv_nsec = 50'000'000};
    ::nanosleep(&pause, nullptr);
  }
  EXPECT_EQ(job.state, state) << job.state_name;
  return job;
}

TEST(Cluster, every_way_shows_the_same_partitions_and_nodes) {
  for (auto& [name, cluster] : all_ways()) {
    SCOPED_TRACE(name);
    const auto greeting = cluster->greet();
    ASSERT_TRUE(greeting) << greeting.error().text;
    EXPECT_TRUE(greeting->version.starts_with("2")) << greeting->version;
    const auto partitions = cluster->partitions();
    ASSERT_TRUE(partitions) << partitions.error().text;
    ASSERT_EQ(partitions->size(), 2U);
    const auto main = std::ranges::find(*partitions, "main", &Partition::name);
    ASSERT_NE(main, partitions->end());
    EXPECT_EQ(main->nodes, (std::vector<std::string>{"n1", "n2"}));
    EXPECT_TRUE(main->is_up);
    const auto nodes = cluster->nodes();
    ASSERT_TRUE(nodes) << nodes.error().text;
    const auto n2 = std::ranges::find(*nodes, "n2", &Node::name);
    ASSERT_NE(n2, nodes->end());
    EXPECT_EQ(n2->cpus, 16);
    EXPECT_EQ(n2->memory_mebibytes, 8000);
    EXPECT_EQ(n2->gres, (std::vector<Gres>{{"gpu:fake910b", 8}}));
    EXPECT_TRUE(n2->takes_work) << n2->state;
  }
}

TEST(Cluster, every_way_submits_finds_and_cancels) {
  for (auto& [name, cluster] : all_ways()) {
    SCOPED_TRACE(name);
    const auto id = cluster->submit(sleeper("way-" + name));
    ASSERT_TRUE(id) << id.error().text;
    const Job job = wait_for(*cluster, *id, JobState::running);
    ASSERT_EQ(job.holdings.size(), 1U);
    EXPECT_EQ(job.holdings[0].node, "n2");
    EXPECT_EQ(job.holdings[0].cpus, 3);
    EXPECT_EQ(job.holdings[0].memory_mebibytes, 200);
    EXPECT_EQ(count_of(job.holdings[0].gres, "gpu:fake910b"), 2U);
    const auto found = cluster->find_jobs("way-" + name);
    ASSERT_TRUE(found) << found.error().text;
    ASSERT_EQ(found->size(), 1U);
    EXPECT_EQ(found->front().id, *id);
    ASSERT_TRUE(cluster->cancel(*id));
    wait_for(*cluster, *id, JobState::cancelled);
    EXPECT_TRUE(cluster->cancel(*id)) << "a second time changes nothing";
  }
}

TEST(Cluster, every_way_tells_what_is_refused_and_what_is_unknown) {
  for (auto& [name, cluster] : all_ways()) {
    SCOPED_TRACE(name);
    Submission odd = sleeper("odd");
    odd.partition = "nowhere";
    const auto refused = cluster->submit(odd);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, Failure::Kind::invalid);
    EXPECT_NE(refused.error().text.find("partition"), std::string::npos) << refused.error().text;
    const auto unknown = cluster->job(1'900'000'000);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().kind, Failure::Kind::not_found) << unknown.error().text;
    EXPECT_TRUE(cluster->cancel(1'900'000'000));
  }
}

TEST(Cluster, a_token_that_is_wrong_is_named) {
  const CentrePlaces& places = SlurmCentre::get().places();
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/token";
  const auto greet_with = [&](const std::string& token) {
    const auto end = run_program({"tee", path}, token, {}, seconds(5), 1 << 16U);
    EXPECT_TRUE(end);
    const auto greeting = make_rest_cluster({.place = places.rest,
                                             .token = {.user = places.user, .token_file = path}})
                              ->greet();
    EXPECT_FALSE(greeting);
    return greeting ? std::string{} : greeting.error().text;
  };
  const Span now = seconds(::time(nullptr));
  EXPECT_NE(greet_with("not a token").find("scontrol token"), std::string::npos);
  EXPECT_NE(
      greet_with(sign_token("another key", places.user, now, hours(1))).find("refuses the token"),
      std::string::npos);
  EXPECT_NE(greet_with(sign_token("another key", places.user, now - hours(2), hours(1)))
                .find("was good until"),
            std::string::npos);
  const auto none = make_rest_cluster({.place = places.rest})->greet();
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().text.find("slurm.token_file"), std::string::npos) << none.error().text;
}

TEST(Cluster, a_token_of_the_commands_is_taken) {
  const CentrePlaces& places = SlurmCentre::get().places();
  TemporaryDirectory directory;
  const std::string path = directory.path() + "/token";
  const std::string line = SlurmCentre::get().ask({"scontrol", "token", "lifespan=600"});
  ASSERT_TRUE(run_program({"tee", path}, line, {}, seconds(5), 1 << 16U));
  const auto greeting =
      make_rest_cluster({.place = places.rest, .token = {.user = places.user, .token_file = path}})
          ->greet();
  EXPECT_TRUE(greeting) << greeting.error().text;
}

TEST(Cluster, nobody_there_is_unavailable) {
  const auto greeting = make_rest_cluster({.place = "http://127.0.0.1:1"})->greet();
  ASSERT_FALSE(greeting);
  EXPECT_EQ(greeting.error().kind, Failure::Kind::unavailable);
}

}  // namespace
}  // namespace suan::slurm
