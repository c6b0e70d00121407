#include "slurm/slurm_engine.h"

#include <algorithm>
#include <mutex>

#include <time.h>

#include "engine/attempt_files.h"
#include "testing/progress_recorder.h"
#include "testing/slurm_centre.h"
#include "testing/test_stores.h"

namespace suan::slurm {
namespace {

using member::first_key;

void pause(Span span) {
  const timespec time{.tv_sec = span.us / 1'000'000, .tv_nsec = span.us % 1'000'000 * 1000};
  ::nanosleep(&time, nullptr);
}

template <class Condition>
bool wait_until(Condition holds, Span most = seconds(40)) {
  for (Span waited; waited < most; waited = waited + milliseconds(20)) {
    if (holds()) return true;
    pause(milliseconds(20));
  }
  return holds();
}

class Recorder : public member::ProgressRecorder {
 public:
  void on_reading(const PoolReading& reading) override {
    const std::scoped_lock lock(mutex_);
    readings_[reading.pool] = reading;
  }
  PoolReading reading(const std::string& pool) const {
    const std::scoped_lock lock(mutex_);
    const auto at = readings_.find(pool);
    return at == readings_.end() ? PoolReading{} : at->second;
  }

 private:
  mutable std::mutex mutex_;
  std::map<std::string, PoolReading> readings_;
};

/// A real cluster whose answers can get lost on their way back.
class LossyCluster : public Cluster {
 public:
  LossyCluster(std::unique_ptr<Cluster> real, int& to_lose)
      : real_(std::move(real)), to_lose_(to_lose) {}
  Result<Greeting> greet() override { return real_->greet(); }
  Result<std::vector<Partition>> partitions() override { return real_->partitions(); }
  Result<std::vector<Node>> nodes() override { return real_->nodes(); }
  Result<std::vector<Job>> jobs() override { return real_->jobs(); }
  Result<Job> job(std::uint64_t id) override { return real_->job(id); }
  Result<std::vector<Job>> find_jobs(const std::string& name) override {
    return real_->find_jobs(name);
  }
  Result<std::uint64_t> submit(const Submission& job) override {
    auto id = real_->submit(job);
    if (to_lose_ <= 0) return id;
    --to_lose_;
    return failure(Failure::Kind::unavailable, "the answer was lost");
  }
  Result<void> cancel(std::uint64_t id) override { return real_->cancel(id); }

 private:
  std::unique_ptr<Cluster> real_;
  int& to_lose_;
};

class SlurmEngineScene : public testing::Test {
 protected:
  SlurmEngineScene() {
    options_.shared_directory = directory_.path();
    options_.look_every = milliseconds(500);
    options_.survey_every = milliseconds(300);
    options_.report_every = milliseconds(300);
  }
  ~SlurmEngineScene() override {
    close();
    if (centre_.places().rest.empty()) return;
    // The next test finds the cluster empty.
    centre_.ask({"scancel", "-u", centre_.places().user});
    EXPECT_TRUE(wait_until([&] { return centre_.ask({"squeue", "-h"}).empty(); }));
    EXPECT_TRUE(recorder_.objections().empty()) << recorder_.objections().front();
  }

  void SetUp() override { ASSERT_FALSE(centre_.places().rest.empty()) << "there is no Slurm"; }

  void open() {
    close();
    auto opened = SlurmEngine::open(options_, [this]() -> std::unique_ptr<Cluster> {
      return std::make_unique<LossyCluster>(centre_.rest_cluster(), answers_to_lose_);
    });
    ASSERT_TRUE(opened) << opened.error().text << " " << opened.error().place;
    engine_ = *std::move(opened);
    engine_->know_pools({{PoolId{1}, "main-fake910b"}, {PoolId{2}, "extra-k100"}});
    engine_->attach(recorder_);
  }
  void close() {
    if (engine_) engine_->detach();
    engine_.reset();
  }
  void launch(const std::string& run, const Launch& launch = member::plain_launch()) {
    Payload payload;
    payload.run = run;
    engine_->launch(launch, payload);
  }
  Progress wait_for(AttemptState state, const AttemptKey& key = first_key) {
    EXPECT_TRUE(wait_until([&] { return recorder_.latest(key).state >= state; }));
    return recorder_.latest(key);
  }
  Progress wait_for_end(const AttemptKey& key = first_key) {
    return wait_for(AttemptState::ended, key);
  }
  std::string log(const AttemptKey& key = first_key) {
    const auto piece = engine_->read_log(key, member::LogStream::output, 0, 1 << 20U);
    return piece ? piece->bytes : "no log: " + piece.error().text;
  }
  std::string read(const std::string& path) const {
    return engine::read_file(AT_FDCWD, directory_.path() + "/" + path, 1 << 20U).value_or("");
  }
  std::string job_name(const AttemptKey& key = first_key) const {
    return "suan-" + read("identity").substr(0, 10) + "-" + engine::print_key(key);
  }
  std::string job_id(const AttemptKey& key = first_key) const {
    const std::string line = read(engine::directory_of(key) + "/job");
    return line.substr(0, line.find(' '));
  }
  NodeReading reading(const std::string& pool, std::uint32_t node) const {
    const PoolReading whole = recorder_.reading(pool);
    const auto at = std::ranges::find(whole.nodes, node, &NodeReading::node);
    return at == whole.nodes.end() ? NodeReading{.node = node} : *at;
  }

  SlurmCentre& centre_ = SlurmCentre::get();
  TemporaryDirectory directory_;
  SlurmEngineOptions options_;
  int answers_to_lose_ = 0;
  std::unique_ptr<SlurmEngine> engine_;
  Recorder recorder_;
};

TEST_F(SlurmEngineScene, offers_each_kind_of_node_of_each_partition) {
  open();
  const auto pools = engine_->pools();
  ASSERT_EQ(pools.size(), 2U);
  EXPECT_EQ(pools[0].name, "extra-k100");
  EXPECT_EQ(pools[0].chip, "k100");
  EXPECT_EQ(pools[0].cards_per_node, 4U);
  EXPECT_EQ(pools[1].name, "main-fake910b");
  EXPECT_EQ(pools[1].nodes, 2U);
  EXPECT_EQ(pools[1].cards_per_node, 8U);
  EXPECT_EQ(pools[1].cpu_milli_per_node, 16'000);
  EXPECT_EQ(pools[1].memory_bytes_per_node, std::int64_t{7} << 30U);
  EXPECT_NE(engine_->standing().find("v0.0.38"), std::string::npos) << engine_->standing();
}

TEST_F(SlurmEngineScene, runs_on_the_node_and_the_cards_that_were_granted) {
  open();
  Launch launch_it = member::plain_launch();
  launch_it.grant = {.node = 1,
                     .cards = {0, 3},
                     .card_milli = 1000,
                     .cpu_milli = 1500,
                     .memory_bytes = 300 << 20U};
  launch_it.tasks = 4;
  launch(
      "echo $SLURMD_NODENAME $CUDA_VISIBLE_DEVICES $SUAN_ACCELERATORS $SUAN_CPUS $SUAN_TASKS "
      "$SUAN_JOB_ID $OMP_NUM_THREADS; echo ${SLURM_CONF:+has a cluster}; pwd",
      launch_it);
  wait_for_end();
  EXPECT_EQ(log(),
            "n2 0,1 2 2 4 job-7 2\nhas a cluster\n" + directory_.path() + "/attempts/7-0-1/work\n");
  const std::string job = centre_.ask({"scontrol", "show", "job", "-d", "-o", job_id()});
  for (const char* part :
       {"ReqNodeList=n2", "NumCPUs=2", "mem=300M", "gpu:fake910b:2", "Comment=suan"})
    EXPECT_NE(job.find(part), std::string::npos) << part << " in " << job;
}

TEST_F(SlurmEngineScene, runs_on_a_domestic_card_of_another_kind) {
  open();
  Launch launch_it = member::plain_launch();
  launch_it.pool = {2};
  launch_it.grant.cards = {1};
  launch_it.grant.card_milli = 1000;
  launch("echo $SLURMD_NODENAME", launch_it);
  wait_for_end();
  EXPECT_EQ(log(), "n3\n");
  EXPECT_NE(centre_.ask({"scontrol", "show", "job", "-o", job_id()}).find("dcu:k100:1"),
            std::string::npos);
}

TEST_F(SlurmEngineScene, a_lost_answer_makes_no_second_job) {
  open();
  answers_to_lose_ = 2;
  launch("echo once; sleep 2");
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::exited);
  EXPECT_EQ(log(), "once\n");
  EXPECT_EQ(answers_to_lose_, 1) << "the second time the job was found, not made";
}

TEST_F(SlurmEngineScene, a_second_run_of_the_script_does_nothing) {
  open();
  launch("echo once; sleep 3");
  wait_for(AttemptState::running);
  const std::string script = "#!/bin/bash\nexec /bin/bash " + directory_.path() + "/wrapper-*.sh " +
                             directory_.path() + "/attempts/7-0-1\n";
  const std::string id =
      centre_.ask({"sbatch", "--parsable", "-o", "/dev/null", "-p", "main"}, script);
  EXPECT_TRUE(wait_until([&] {
    return centre_.ask({"scontrol", "show", "job", "-o", id.substr(0, id.find('\n'))})
               .find("JobState=COMPLETED") != std::string::npos;
  }));
  EXPECT_EQ(recorder_.latest(first_key).state, AttemptState::running);
  wait_for_end();
  EXPECT_EQ(log(), "once\n");
}

TEST_F(SlurmEngineScene, the_exit_code_outlives_what_slurm_remembers) {
  open();
  launch("sleep 1; exit 5");
  wait_for(AttemptState::running);
  const std::string id = job_id();
  close();
  // MinJobAge of the tests' Slurm is 2 s.
  ASSERT_TRUE(wait_until(
      [&] {
        const auto end =
            run_program({"scontrol", "show", "job", id}, {},
                        {"SLURM_CONF=" + centre_.places().configuration}, seconds(9), 1 << 16U);
        return end && end->exit_code != 0;
      },
      seconds(40)));
  open();
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::exited);
  EXPECT_EQ(end.exit_code, 5);
}

TEST_F(SlurmEngineScene, a_job_that_is_cancelled_in_slurm_ends_so) {
  open();
  launch("sleep 600");
  wait_for(AttemptState::running);
  centre_.ask({"scancel", job_id()});
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::cancelled);
  EXPECT_NE(end.reason.find("CANCELLED"), std::string::npos) << end.reason;
  EXPECT_EQ(end.exit_code, 128 + 15);
}

TEST_F(SlurmEngineScene, a_job_that_waits_says_why_and_can_be_cancelled_in_slurm) {
  open();
  Launch whole = member::plain_launch();
  whole.grant.cpu_milli = 16'000;
  launch("sleep 600", whole);
  wait_for(AttemptState::running);
  const AttemptKey second{.job = {8}, .task = 0, .attempt = 1};
  whole.key = second;
  launch("echo ran", whole);
  EXPECT_TRUE(wait_until([&] {
    return recorder_.latest(second).reason.find("Resources") != std::string::npos;
  })) << recorder_.latest(second).reason;
  EXPECT_EQ(recorder_.latest(second).state, AttemptState::staging);
  centre_.ask({"scancel", job_id(second)});
  const Progress end = wait_for_end(second);
  EXPECT_EQ(end.end, AttemptEnd::cancelled);
  EXPECT_NE(end.reason.find("had not started"), std::string::npos) << end.reason;
  EXPECT_EQ(log(second), "");
}

TEST_F(SlurmEngineScene, what_lapses_while_it_waits_never_starts) {
  open();
  Launch whole = member::plain_launch();
  whole.grant.cpu_milli = 16'000;
  launch("sleep 600", whole);
  wait_for(AttemptState::running);
  whole.key = {.job = {8}, .task = 0, .attempt = 1};
  whole.run_for = seconds(2);
  launch("echo ran", whole);
  EXPECT_EQ(wait_for_end(whole.key).end, AttemptEnd::lapsed);
  EXPECT_EQ(log(whole.key), "");
}

TEST_F(SlurmEngineScene, a_wrapper_that_is_killed_leaves_a_lost_attempt) {
  open();
  launch("kill -9 $PPID; sleep 20");
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::lost);
  EXPECT_FALSE(end.reason.empty());
}

TEST_F(SlurmEngineScene, a_slurmctld_that_is_killed_loses_nothing) {
  open();
  launch("echo begun; sleep 9; exit 3");
  wait_for(AttemptState::running);
  // slurmctld writes its state down within 5 s; before, it would give the number of this job again.
  pause(seconds(6));
  centre_.kill_controller();
  const AttemptKey second{.job = {8}, .task = 0, .attempt = 1};
  launch("echo later; exit 4", member::plain_launch(second));
  const Progress end = wait_for_end();
  EXPECT_EQ(end.exit_code, 3) << "seen while nobody answers";
  EXPECT_EQ(recorder_.latest(second).state, AttemptState::staging);
  centre_.start_controller();
  EXPECT_EQ(wait_for_end(second).exit_code, 4) << recorder_.latest(second).reason;
  EXPECT_EQ(log(second), "later\n");
}

TEST_F(SlurmEngineScene, readings_show_nodes_that_take_nothing) {
  open();
  ASSERT_TRUE(wait_until([&] { return recorder_.reading("main-fake910b").pool != ""; }));
  EXPECT_TRUE(reading("main-fake910b", 1).takes_work);
  centre_.ask({"scontrol", "update", "nodename=n2", "state=drain", "reason=a test"});
  EXPECT_TRUE(wait_until([&] { return !reading("main-fake910b", 1).takes_work; }));
  EXPECT_TRUE(reading("main-fake910b", 0).takes_work);
  centre_.ask({"scontrol", "update", "nodename=n2", "state=resume"});
  EXPECT_TRUE(wait_until([&] { return reading("main-fake910b", 1).takes_work; }));
}

TEST_F(SlurmEngineScene, readings_show_what_others_hold_and_not_what_is_ours) {
  open();
  Launch ours = member::plain_launch();
  ours.grant.cards = {0, 1, 2};
  ours.grant.card_milli = 1000;
  launch("sleep 600", ours);
  wait_for(AttemptState::running);
  const std::string id =
      centre_.ask({"sbatch", "--parsable", "-p", "main", "-w", "n1", "-c", "4", "--mem=512",
                   "--gres=gpu:fake910b:2", "-o", "/dev/null", "--wrap", "sleep 600"});
  EXPECT_TRUE(wait_until([&] { return reading("main-fake910b", 0).cards == 2; }));
  EXPECT_EQ(reading("main-fake910b", 0).cpu_milli, 4000);
  EXPECT_EQ(reading("main-fake910b", 0).memory_bytes, 512 << 20U);
  EXPECT_EQ(reading("main-fake910b", 1), NodeReading{.node = 1});
  const std::string held = centre_.ask(
      {"sbatch", "--parsable", "-H", "-p", "extra", "-o", "/dev/null", "--wrap", "true"});
  EXPECT_TRUE(wait_until([&] { return recorder_.reading("extra-k100").queued == 1; }));
  centre_.ask({"scancel", id.substr(0, id.find('\n')), held.substr(0, held.find('\n'))});
  EXPECT_TRUE(wait_until([&] {
    return reading("main-fake910b", 0) == NodeReading{} &&
           recorder_.reading("extra-k100").queued == 0;
  }));
  engine_->stop({.key = first_key, .why = AttemptEnd::cancelled, .grace = seconds(1)});
  wait_for_end();
}

TEST_F(SlurmEngineScene, opens_without_slurm_once_it_knows_it) {
  open();
  launch("sleep 3; exit 6");
  wait_for(AttemptState::running);
  close();
  auto opened = SlurmEngine::open(
      options_, [] { return make_rest_cluster({.place = "http://127.0.0.1:1"}); });
  ASSERT_TRUE(opened) << opened.error().text;
  engine_ = *std::move(opened);
  EXPECT_EQ(engine_->pools().size(), 2U);
  EXPECT_EQ(engine_->pools()[1].cards_per_node, 8U);
  engine_->attach(recorder_);
  EXPECT_EQ(wait_for_end().exit_code, 6);
}

TEST_F(SlurmEngineScene, one_directory_is_of_one_engine) {
  open();
  const auto second = SlurmEngine::open(options_, [this] { return centre_.rest_cluster(); });
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, Failure::Kind::conflict);
}

TEST_F(SlurmEngineScene, a_partition_that_is_not_there_is_named) {
  options_.offer.partitions = {"mian"};
  const auto opened = SlurmEngine::open(options_, [this] { return centre_.rest_cluster(); });
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().text, "Slurm has no partition mian; it has main, extra");
}

TEST_F(SlurmEngineScene, what_waits_for_a_drained_node_is_displaced) {
  options_.displaced_after = milliseconds(500);
  open();
  centre_.ask({"scontrol", "update", "nodename=n2", "state=drain", "reason=a test"});
  Launch on_it = member::plain_launch();
  on_it.grant.node = 1;
  launch("echo ran", on_it);
  const Progress end = wait_for_end();
  centre_.ask({"scontrol", "update", "nodename=n2", "state=resume"});
  EXPECT_EQ(end.end, AttemptEnd::displaced) << end.reason;
  EXPECT_EQ(end.reason, "its node n2 takes no work now, and it had not begun");
  EXPECT_EQ(log(), "");
}

/// The same with stores.
class SlurmMoving : public SlurmEngineScene {
 protected:
  SlurmMoving() { options_.stores_file = stores_.configuration(); }

  static Launch launch_of(std::uint32_t attempt = 1) {
    Launch launch = member::plain_launch({.job = {7}, .task = 0, .attempt = attempt});
    launch.origin = {.owner = "lab", .job = {3}, .attempt = attempt};
    return launch;
  }
  std::string errors() {
    const auto piece = engine_->read_log(first_key, member::LogStream::error, 0, 1 << 20U);
    return piece ? piece->bytes : "no log: " + piece.error().text;
  }
  bool is_moving(const std::string& what) {
    return engine::TestStores::shell("pgrep -f \"" + what + "\" >/dev/null");
  }

  TemporaryDirectory top_;
  engine::TestStores stores_{top_.path() + "/top"};
};

TEST_F(SlurmMoving, inputs_are_there_before_the_start_and_outputs_are_kept) {
  open();
  EXPECT_TRUE(engine_->pools()[0].moves_data);
  EXPECT_EQ(engine_->pools()[0].stores, (std::vector<std::string>{"bucket", "hub"}));
  Payload payload;
  payload.run = "cat corpus/a corpus/deep/b model/8b > out/all";
  payload.inputs = {{"corpus", "bucket:corpus", ""}, {"model", "hub:llama", ""}};
  payload.outputs = {{"out", "bucket:run", false}};
  engine_->launch(launch_of(), payload);
  EXPECT_EQ(wait_for_end().exit_code, 0) << errors();
  EXPECT_EQ(stores_.read("bucket/lab/run/job-3-0-1/all"), "one\ntwo\nweights\n");
  EXPECT_NE(errors().find("kept in bucket:run/job-3-0-1"), std::string::npos) << errors();
}

TEST_F(SlurmMoving, what_cannot_be_brought_is_named_and_nothing_is_submitted) {
  open();
  Payload payload;
  payload.run = "echo ran";
  payload.inputs = {{"data", "bucket:none", ""}};
  engine_->launch(launch_of(), payload);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.end, AttemptEnd::launch_failed);
  EXPECT_NE(end.reason.find("the input data could not be brought"), std::string::npos);
  EXPECT_EQ(job_id(), "");
}

TEST_F(SlurmMoving, no_node_is_held_meanwhile_and_a_new_engine_goes_on) {
  stores_.write_random("big", 2'000'000);
  const std::string url = stores_.serve("500k");
  open();
  Payload payload;
  payload.run = "cp data/big out";
  payload.inputs = {{"data", url + "/big", ""}};
  payload.outputs = {{"out", "bucket:run", true}};
  engine_->launch(launch_of(), payload);
  ASSERT_TRUE(wait_until([&] { return is_moving("copyurl.*/bi[g]"); }));
  EXPECT_EQ(centre_.ask({"squeue", "-h"}), "");
  EXPECT_EQ(recorder_.latest(first_key).state, AttemptState::staging);
  open();
  const Progress end = wait_for_end();
  EXPECT_EQ(end.exit_code, 0) << end.reason;
  EXPECT_LT(end.usage.wall, seconds(2));
  EXPECT_TRUE(stores_.has("bucket/lab/run/job-3-0-1/big"));
}

TEST_F(SlurmMoving, a_stop_ends_it) {
  stores_.write_random("big", 5'000'000);
  const std::string url = stores_.serve("100k");
  open();
  Payload payload;
  payload.run = "echo ran";
  payload.inputs = {{"data", url + "/big", ""}};
  engine_->launch(launch_of(), payload);
  ASSERT_TRUE(wait_until([&] { return is_moving("copyurl.*/bi[g]"); }));
  engine_->stop({.key = first_key, .why = AttemptEnd::cancelled, .grace = seconds(30)});
  EXPECT_EQ(wait_for_end().end, AttemptEnd::cancelled);
  EXPECT_TRUE(wait_until([&] { return !is_moving("copyurl.*/bi[g]"); }));
}

TEST_F(SlurmMoving, outputs_that_cannot_be_kept_fail_the_job) {
  open();
  Payload payload;
  payload.run = "rmdir out; ln -s /etc out";
  payload.outputs = {{"out", "bucket:run", false}};
  engine_->launch(launch_of(), payload);
  const Progress end = wait_for_end();
  EXPECT_EQ(end.exit_code, 74);
  EXPECT_EQ(end.reason, "the output out could not be kept: there is no directory out any more");
  EXPECT_FALSE(stores_.has("bucket/lab/run"));
}

}  // namespace
}  // namespace suan::slurm
