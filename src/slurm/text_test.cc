#include <gtest/gtest.h>

#include "slurm/command_text.h"
#include "slurm/rest_text.h"

namespace suan::slurm {
namespace {

TEST(RestText, chooses_the_newest_version_that_both_speak) {
  const auto both = choose_rest_version(
      R"({"paths":{"/slurm/v0.0.37/jobs":{},"/slurm/v0.0.38/jobs":{},"/slurmdb/v0.0.38/jobs":{}}})");
  ASSERT_TRUE(both);
  EXPECT_EQ(*both, RestVersion::v38);
  EXPECT_EQ(
      *choose_rest_version(R"({"paths":{"/slurm/v0.0.36/jobs":{},"/slurm/v0.0.37/jobs":{}}})"),
      RestVersion::v37);
}

TEST(RestText, names_the_versions_that_it_does_not_speak) {
  const auto strange = choose_rest_version(
      R"({"paths":{"/slurm/v0.0.40/jobs":{},"/slurm/v0.0.41/jobs":{},"/openapi":{}}})");
  ASSERT_FALSE(strange);
  EXPECT_EQ(strange.error().kind, Failure::Kind::unsupported);
  EXPECT_EQ(
      strange.error().text,
      "slurmrestd serves v0.0.40, v0.0.41; this program speaks v0.0.36, v0.0.37 and v0.0.38: "
      "start slurmrestd with -s openapi/v0.0.38, or leave out slurm.rest to use the commands");
  EXPECT_FALSE(choose_rest_version("[]"));
  EXPECT_FALSE(choose_rest_version("{"));
}

TEST(RestText, reads_errors_of_each_version) {
  const auto first = [](std::string_view errors) {
    return **read_rest_error("{\"errors\":[" + std::string(errors) + "]}");
  };
  EXPECT_EQ(to_failure(first(R"({"error":"_handle_job_get: unknown job 9","error_code":0})")).kind,
            Failure::Kind::not_found);
  EXPECT_EQ(to_failure(first(R"({"description":"Unable to find JobId=9","error_number":2017,
                                 "error":"Invalid job id specified"})"))
                .kind,
            Failure::Kind::not_found);
  EXPECT_EQ(
      to_failure(first(R"({"error_code":2000,"error":"Invalid partition name specified"})")).kind,
      Failure::Kind::invalid);
  EXPECT_EQ(to_failure(first(R"({"error":"Unspecified error","errno":-1})")).kind,
            Failure::Kind::unavailable);
  EXPECT_EQ(to_failure(first(R"({"error_code":2068,"error":"Required node not available"})")).kind,
            Failure::Kind::unavailable);
  EXPECT_FALSE(*read_rest_error(R"({"errors":[]})"));
  EXPECT_FALSE(read_rest_error("Authentication failure"));
}

TEST(RestText, reads_jobs_of_several_nodes_in_each_form) {
  const auto jobs = read_rest_jobs(R"J({"jobs":[
    {"job_id":5,"name":"a","job_state":"RUNNING","state_reason":"None","nodes":"n[1-2]","cpus":4,
     "gres_detail":["gpu:a:1(IDX:0)","gpu:a:2(IDX:0-1)"],
     "job_resources":{"nodes":"n[1-2]","allocated_nodes":{"0":{"memory":100,"cpus":1},
                                                          "1":{"memory":200,"cpus":3}}}},
    {"job_id":6,"name":"b","job_state":"RUNNING","nodes":"n[1-2]","cpus":4,"gres_detail":[],
     "job_resources":{"nodes":"n[1-2]","allocated_cores":2,"allocated_nodes":[
       {"sockets":{"0":{"cores":{"0":"allocated"}}},"nodename":"n1","memory_allocated":50},
       {"sockets":{"0":{"cores":{"3":"allocated"}}},"nodename":"n2","memory_allocated":60}]}},
    {"job_id":7,"name":"c","job_state":"PENDING","state_reason":"Resources","nodes":"",
     "exit_code":0,"restart_cnt":1},
    {"job_id":8,"name":"d","job_state":"FAILED","state_reason":"NonZeroExitCode","exit_code":1792}]})J");
  ASSERT_TRUE(jobs) << jobs.error().text;
  ASSERT_EQ(jobs->size(), 4U);
  const Job& first = (*jobs)[0];
  ASSERT_EQ(first.holdings.size(), 2U);
  EXPECT_EQ(first.holdings[0].cpus, 1);
  EXPECT_EQ(first.holdings[1].cpus, 3);
  EXPECT_EQ(first.holdings[1].memory_mebibytes, 200);
  EXPECT_EQ(count_of(first.holdings[1].gres, "gpu"), 2U);
  EXPECT_EQ(first.reason, "");
  EXPECT_EQ((*jobs)[1].holdings[0].cpus, 2) << "two threads a core";
  EXPECT_EQ((*jobs)[1].holdings[1].memory_mebibytes, 60);
  EXPECT_EQ((*jobs)[2].reason, "Resources");
  EXPECT_TRUE((*jobs)[2].was_requeued);
  EXPECT_EQ((*jobs)[3].exit_code, 7);
  EXPECT_EQ((*jobs)[3].state, JobState::failed);
}

TEST(RestText, says_where_an_answer_is_wrong) {
  const auto jobs = read_rest_jobs(R"({"jobs":[{"job_id":1},{"job_id":"two"}]})");
  ASSERT_FALSE(jobs);
  EXPECT_EQ(jobs.error().place, "/jobs/1");
  EXPECT_FALSE(read_rest_nodes(R"({"nodes":[{"name":"n1","gres":"("}]})", RestVersion::v38));
  EXPECT_FALSE(read_rest_partitions(R"({"partitions":{}})"));
  EXPECT_FALSE(read_rest_job_id(R"({"job_id":0})"));
}

TEST(RestText, a_reason_is_a_drain_where_the_version_does_not_tell) {
  constexpr const char* answer =
      R"({"nodes":[{"name":"n1","cpus":4,"real_memory":900,"state":"idle","reason":"broken fan"}]})";
  EXPECT_FALSE(read_rest_nodes(answer, RestVersion::v36)->front().takes_work);
  EXPECT_TRUE(read_rest_nodes(answer, RestVersion::v38)->front().takes_work);
}

TEST(CommandText, reads_a_job_of_two_layouts) {
  const auto jobs = read_job_lines(
      "JobId=5 JobName=x UserId=root(0) JobState=RUNNING Reason=None Restarts=0 ExitCode=0:0 "
      "Partition=main NodeList=n[1-3] NumCPUs=7 JOB_GRES=gpu:a:5 "
      "  Nodes=n[1-2] CPU_IDs=0-1,4 Mem=1000 GRES=gpu:a:2(IDX:0-1) "
      "  Nodes=n3 CPU_IDs=0 Mem=500 GRES= MinCPUsNode=1 Features=(null) \n"
      "JobId=6 JobName=y JobState=FAILED Reason=NonZeroExitCode ExitCode=7:0 Partition=main \n");
  ASSERT_TRUE(jobs) << jobs.error().text;
  ASSERT_EQ(jobs->size(), 2U);
  const Job& job = jobs->front();
  ASSERT_EQ(job.holdings.size(), 3U);
  EXPECT_EQ(job.holdings[1].node, "n2");
  EXPECT_EQ(job.holdings[1].cpus, 3);
  EXPECT_EQ(count_of(job.holdings[1].gres, "gpu:a"), 2U);
  EXPECT_EQ(job.holdings[2].memory_mebibytes, 500);
  EXPECT_TRUE(job.holdings[2].gres.empty());
  EXPECT_EQ((*jobs)[1].exit_code, 7);
}

TEST(CommandText, reads_answers_that_hold_nothing) {
  EXPECT_TRUE(read_job_lines("No jobs in the system\n")->empty());
  EXPECT_TRUE(read_node_lines("")->empty());
}

TEST(CommandText, says_where_an_answer_is_wrong) {
  const auto jobs = read_job_lines("JobId=5 JobName=x\nwhat is this\n");
  ASSERT_FALSE(jobs);
  EXPECT_EQ(jobs.error().place, "line 2");
  EXPECT_FALSE(read_submitted_id("Submitted batch job 5"));
  EXPECT_EQ(*read_submitted_id("5;alpha\n"), 5U);
  EXPECT_EQ(*read_version_line("slurm-wlm 22.05.8\n"), "22.05.8");
  EXPECT_FALSE(read_version_line("hello\n"));
}

TEST(CommandText, tells_what_passes_from_what_does_not) {
  EXPECT_EQ(read_complaint("sbatch: error: Batch job submission failed: Unable to contact slurm "
                           "controller (connect failure)\n")
                .kind,
            Failure::Kind::unavailable);
  EXPECT_EQ(read_complaint("slurm_load_jobs error: Invalid job id specified\n").kind,
            Failure::Kind::not_found);
  const Failure refused = read_complaint(
      "sbatch: error: invalid partition specified: nope\n"
      "sbatch: error: Batch job submission failed: Invalid partition name specified\n");
  EXPECT_EQ(refused.kind, Failure::Kind::invalid);
  EXPECT_EQ(refused.text,
            "sbatch: error: Batch job submission failed: Invalid partition name specified");
}

TEST(States, tell_which_nodes_take_work) {
  for (const char* state : {"IDLE", "MIXED", "ALLOCATED", "idle", "COMPLETING", "MIXED+PLANNED",
                            "IDLE+CLOUD+POWERED_DOWN", "idle~"})
    EXPECT_TRUE(takes_work(state)) << state;
  for (const char* state : {"DOWN", "IDLE+DRAIN", "down*", "IDLE+NOT_RESPONDING", "MIXED+MAINT",
                            "drained$", "IDLE+DRAIN+POWERED_DOWN", ""})
    EXPECT_FALSE(takes_work(state)) << state;
}

}  // namespace
}  // namespace suan::slurm
