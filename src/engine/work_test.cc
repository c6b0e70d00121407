#include "engine/work.h"

#include <gtest/gtest.h>

namespace suan::engine {
namespace {

LaunchRecord plain() {
  LaunchRecord record;
  record.launch.key = {.job = {42}, .task = 1, .attempt = 3};
  record.launch.tasks = 4;
  record.launch.grant.cpu_milli = 2500;
  record.launch.grant.memory_bytes = 1'000'000;
  record.payload.run = "true";
  return record;
}

TEST(Work, inherits_little_and_learns_who_it_is) {
  const auto all = work_environment(plain(), {{"PATH", "/bin"},
                                              {"HOME", "/root"},
                                              {"LANG", "C.UTF-8"},
                                              {"USER", "me"},
                                              {"DATABASE_PASSWORD", "secret"}});
  EXPECT_EQ(all.at("PATH"), "/bin");
  EXPECT_EQ(all.at("HOME"), "/root");
  EXPECT_EQ(all.at("LANG"), "C.UTF-8");
  EXPECT_EQ(all.at("USER"), "me");
  EXPECT_EQ(all.at("SHELL"), "/bin/bash");
  EXPECT_FALSE(all.contains("DATABASE_PASSWORD"));
  EXPECT_EQ(all.at("SUAN_JOB_ID"), "job-42");
  EXPECT_EQ(all.at("SUAN_TASK"), "1");
  EXPECT_EQ(all.at("SUAN_TASKS"), "4");
  EXPECT_EQ(all.at("SUAN_ATTEMPT"), "3");
  EXPECT_EQ(all.at("SUAN_NODE_RANK"), "1");
  EXPECT_EQ(all.at("SUAN_NUM_NODES"), "4");
  EXPECT_EQ(all.at("SUAN_ACCELERATORS"), "0");
  EXPECT_EQ(all.at("SUAN_CPUS"), "3");
  EXPECT_EQ(all.at("SUAN_MEMORY_BYTES"), "1000000");
  EXPECT_EQ(all.at("OMP_NUM_THREADS"), "3");
  EXPECT_FALSE(all.contains("CUDA_VISIBLE_DEVICES"));
  EXPECT_FALSE(all.contains("SUAN_CHECKPOINT_SIGNAL"));
}

TEST(Work, has_a_path_even_if_the_server_has_none) {
  EXPECT_FALSE(work_environment(plain(), {}).at("PATH").empty());
}

TEST(Work, the_job_sets_its_own_but_not_what_was_granted) {
  LaunchRecord record = plain();
  record.payload.envs = {{"OMP_NUM_THREADS", "1"},
                         {"PATH", "/opt/bin"},
                         {"SUAN_TASK", "0"},
                         {"CUDA_VISIBLE_DEVICES", "0,1,2,3"}};
  record.hides_cards = true;
  const auto all = work_environment(record, {{"PATH", "/bin"}});
  EXPECT_EQ(all.at("OMP_NUM_THREADS"), "1");
  EXPECT_EQ(all.at("PATH"), "/opt/bin");
  EXPECT_EQ(all.at("SUAN_TASK"), "1");
  EXPECT_EQ(all.at("CUDA_VISIBLE_DEVICES"), "");
}

TEST(Work, sees_the_cards_it_was_granted_by_the_drivers_numbers) {
  LaunchRecord record = plain();
  record.launch.grant.cards = {0, 2};
  record.devices = {1, 3};
  record.launch.checkpoint_signal = "USR1";
  record.launch.checkpoint_notice = seconds(120);
  const auto all = work_environment(record, {});
  EXPECT_EQ(all.at("CUDA_VISIBLE_DEVICES"), "1,3");
  EXPECT_EQ(all.at("CUDA_DEVICE_ORDER"), "PCI_BUS_ID");
  EXPECT_EQ(all.at("SUAN_ACCELERATORS"), "2");
  EXPECT_EQ(all.at("SUAN_CHECKPOINT_SIGNAL"), "USR1");
  EXPECT_EQ(all.at("SUAN_CHECKPOINT_NOTICE_SECONDS"), "120");
}

TEST(Work, finds_what_nobody_can_have_meant) {
  const auto fault = [](auto change) {
    LaunchRecord record = plain();
    change(record);
    return find_fault(record.launch, record.payload);
  };
  EXPECT_EQ(fault([](LaunchRecord&) {}), "");
  EXPECT_NE(fault([](LaunchRecord& r) { r.payload.run.clear(); }), "");
  EXPECT_NE(fault([](LaunchRecord& r) { r.payload.run = std::string("a\0b", 3); }), "");
  EXPECT_NE(fault([](LaunchRecord& r) { r.payload.envs[""] = "x"; }), "");
  EXPECT_NE(fault([](LaunchRecord& r) { r.payload.envs["A=B"] = "x"; }), "");
  EXPECT_NE(fault([](LaunchRecord& r) { r.payload.envs["A"] = std::string("\0", 1); }), "");
  EXPECT_NE(fault([](LaunchRecord& r) { r.launch.checkpoint_signal = "KILL"; }), "");
  EXPECT_NE(fault([](LaunchRecord& r) { r.launch.checkpoint_signal = "NONE"; }), "");
  EXPECT_EQ(fault([](LaunchRecord& r) { r.launch.checkpoint_signal = "SIGUSR2"; }), "");
}

}  // namespace
}  // namespace suan::engine
